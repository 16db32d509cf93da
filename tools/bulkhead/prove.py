# SPDX-License-Identifier: BSD-2-Clause
"""./bulkhead prove: proves with Frama-C that the kernel's arithmetic on IO addresses and its parser of
the DMAR table are free of run-time errors and keep the contracts written at them.

The contracts (ACSL, comments that start with /*@) stand in the kernel's own sources: what is proved is
what is compiled. docs/proofs.md tells what they say, what is assumed and what is not proved."""

import argparse
import os
import re
import subprocess
import time

from bulkhead import cli

ARITHMETIC, MAP, DMAR, WRONG = "tests/proofs/arithmetic.c", "kernel/table/map.c", "kernel/machine/acpi/dmar.c", "tests/proofs/wrong.c"

# Source -> functions whose contracts are proved, each from the contracts of what it calls.
CONTRACTS = {
    ARITHMETIC: ["bits_get", "ranges_overlap", "pt_shift", "pt_span", "pt_index", "invalidation_mask"],
    MAP: ["wrong_bits", "feed_has", "best_level"],
    DMAR: ["get16", "get32", "get64", "bad", "added", "parse_path", "parse_scope", "parse_scopes", "add_unit", "parse_drhd", "parse_rmrr",
           "parse_port", "parse_structure", "walk", "dmar_parse"],
}
# Source -> programs that are run on all values at once, to see that none is a run-time error.
VALUES = {ARITHMETIC: ["any_page_table", "any_descriptor"]}
# What is wrong: tools that prove one of these prove nothing.
WRONG_CONTRACTS = {WRONG: ["reads_behind", "rounds_down", "never_ends"]}
WRONG_VALUES = {WRONG: ["any_shift"]}

# What the proofs rest on, and what was tried and is beyond the provers. docs/proofs.md says more.
ASSUMED = {
    "dmar_add_unit, _region, _port, _scope": "change the lists, which are on the heap, and nothing else",
    "is_same": "compares two units and changes nothing",
    "refusal_say": "writes the refusal it is given and nothing else",
    "__builtin_clzll, __builtin_ctzll": "count bits as tests/proofs/builtins.h says",
}
NOT_PROVED = {
    "invalidation_cover": "it is an exclusive or, of which the provers know too little",
    "range_end": "it is a function of the compiler for any type, which Frama-C does not know",
}

FRAMA_C = ["frama-c", "-c11", "-machdep", "gcc_x86_64", "-cpp-extra-args=-I. -Iinclude -include tests/proofs/builtins.h"]
PATIENCE = 900  # seconds for one function
WRONG_TIMEOUT = 5  # what is wrong is not proved in an hour either


def rows(table):
    return [(source, name) for source, names in table.items() for name in names]


def parser():
    made = argparse.ArgumentParser(prog="./bulkhead prove", description=__doc__.split("\n\n", maxsplit=1)[0].split(": ", 1)[1],
                                   epilog="The exit status is 0 if everything was proved. docs/proofs.md tells more.")
    made.add_argument("--timeout", type=int, default=60, metavar="SECONDS", help="for one goal and prover (default: 60)")
    made.add_argument("--list", action="store_true", help="only list the functions and what is assumed")
    made.add_argument("functions", nargs="*", metavar="FUNCTION", help="what to prove (default: everything)")
    return made


def parse(arguments):
    made = parser()
    options = made.parse_args(arguments)
    known = {name for _, name in rows(CONTRACTS) + rows(VALUES)}
    for name in options.functions:
        if name not in known:
            made.error(f"there is no proof of '{name}'; ./bulkhead prove --list tells what there is")
    if options.timeout < 1:
        made.error("--timeout takes a number of seconds, 1 or more")
    return options


def environment():
    """Why3, which finds the provers for Frama-C, keeps its list of them in the home folder."""
    home = cli.BUILD / "prove"
    home.mkdir(parents=True, exist_ok=True)
    found = {**os.environ, "HOME": str(home), "LC_ALL": "C"}
    detected = subprocess.run(["why3", "config", "detect"], env=found, cwd=home, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
    for prover in ("CVC4", "Z3"):
        if prover not in detected.stdout + detected.stderr:
            raise cli.Failure(f"why3 does not find the prover {prover}:\n{detected.stdout}{detected.stderr}")
    return found


def frama_c(source, options, env):
    """What Frama-C prints; after an error that is neither a count of goals nor one of alarms."""
    try:
        ran = subprocess.run([*FRAMA_C, *options, source], env=env, cwd=cli.TOP, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return f"still running after {PATIENCE} s"
    return ran.stdout


def read_goals(text):
    """(proved, in words) of what Frama-C's WP printed."""
    goals = re.search(r"Proved goals: +(\d+) / (\d+)", text)
    if not goals or goals[2] == "0":
        return False, f"Frama-C proved nothing:\n{text}"
    left = re.findall(r"^\[wp\] \[\w+\] Goal typed_(\S+)$", text, re.MULTILINE)
    return goals[1] == goals[2], f"{goals[1]} of {goals[2]} goals" + "".join(f"\n    not proved: {goal}" for goal in left)


def read_alarms(text):
    """(no alarm, in words) of what Frama-C's EVA printed."""
    alarms = re.search(r"(\d+) alarms? generated by the analysis", text)
    if not alarms:
        return False, f"Frama-C did not come to an end:\n{text}"
    unsure = re.findall(r"(?:Assertions|Preconditions) .* ([1-9]\d*) (unknown|invalid)", text)
    return alarms[1] == "0" and not unsure, f"{alarms[1]} alarms on all values"


def prove_contract(source, name, timeout, env):
    return read_goals(frama_c(source, ["-wp", "-wp-rte", "-wp-fct", name, "-wp-prover", "cvc4,z3", "-wp-timeout", str(timeout),
                                       "-wp-par", str(cli.jobs())], env))


def prove_values(source, name, _timeout, env):
    return read_alarms(frama_c(source, ["-eva", "-main", name, "-eva-auto-loop-unroll", "16"], env))


def attempt(table, prove, options, env, true=True):
    """(right, wrong): for how many functions the proof came out as it should."""
    counts = [0, 0]
    for source, name in rows(table):
        if true and options.functions and name not in options.functions:
            continue
        started = time.monotonic()
        proved, words = prove(source, name, options.timeout if true else WRONG_TIMEOUT, env)
        right = proved == true
        words = words if true or not right else "is wrong and was not proved"
        counts[0 if right else 1] += 1
        print(f"{'ok' if right else 'FAILED':7}{name:20}{time.monotonic() - started:4.0f} s  {words}", flush=True)
    return counts


def show(title, table):
    print(f"\n{title}:")
    for name, text in table.items():
        print(f"  {name}: {text}")


def main(arguments):
    options = parse(arguments)
    cli.need_source("prove")
    if options.list:
        for source, name in rows(CONTRACTS) + rows(VALUES):
            print(f"{name:20} {source}")
        show("assumed", ASSUMED)
        show("not proved", NOT_PROVED)
        return 0
    env = environment()
    found = [attempt(*one, options, env) for one in ((CONTRACTS, prove_contract), (VALUES, prove_values))]
    found += [attempt(*one, options, env, true=False) for one in ((WRONG_CONTRACTS, prove_contract), (WRONG_VALUES, prove_values))]
    passed, failed = map(sum, zip(*found))
    show("assumed", ASSUMED)
    show("not proved", NOT_PROVED)
    print(f"\n{passed} passed, {failed} failed")
    return 1 if failed else 0
