# SPDX-License-Identifier: BSD-2-Clause
"""clang-tidy over every C file of the product; one case per file. What passed is remembered under
build/tidy/ by a hash of the file, all it includes, its flags and the rules, so only changes cost."""

import concurrent.futures
import hashlib
import subprocess

from bulkhead import cli, compile_commands

def fingerprint(words):
    """A hash of everything the verdict on one source depends on, or None if it does not compile."""
    flags = [word for word in words[1:] if word not in ("-c", "-MMD", "-MP")]
    if "-o" in flags:
        at = flags.index("-o")
        del flags[at:at + 2]
    listed = subprocess.run(["clang", "-M", *flags], cwd=cli.TOP, stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, check=False)
    if listed.returncode != 0:
        return None
    digest = hashlib.sha256("\0".join(words).encode())
    for rules in sorted(cli.TOP.glob("**/.clang-tidy")):
        digest.update(rules.read_bytes())
    for name in listed.stdout.decode().replace("\\\n", " ").split()[1:]:
        digest.update((cli.TOP / name).read_bytes())
    return digest.hexdigest()


def check_source(source, words):
    """(passed, what clang-tidy said)."""
    known = fingerprint(words)
    stamp = cli.BUILD / "tidy" / (known or "none")
    if stamp.exists():
        return True, ""
    done = subprocess.run(["clang-tidy", "--quiet", "-p", str(cli.BUILD), source], cwd=cli.TOP,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode == 0 and known:
        stamp.parent.mkdir(exist_ok=True)
        stamp.touch()
    return done.returncode == 0, done.stdout.decode(errors="replace") or done.stderr.decode(errors="replace")


def run(results):
    cli.build("build/version.h")  # generated, and included by what is checked
    commands = compile_commands.of_make()
    compile_commands.write(cli.BUILD / compile_commands.NAME, compile_commands.entries_of(cli.TOP, commands))
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(cli.jobs()) as pool:
        checked = pool.map(lambda item: check_source(*item), commands.items())
        for count, (source, (passed, output)) in enumerate(zip(commands, checked), 1):
            results.case(f"check/tidy/{source}", passed, output)
            failed += not passed
            if count % 20 == 0 or count == len(commands):
                results.note(f"clang-tidy: {count} of {len(commands)} files, {failed} failed")
