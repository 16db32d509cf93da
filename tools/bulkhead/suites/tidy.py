# SPDX-License-Identifier: BSD-2-Clause
"""clang-tidy over every C file of the product; one case per file. What passed is remembered under
build/tidy/ by a hash of the file, all it includes, its flags and the rules, so only changes cost."""

import concurrent.futures
import hashlib
import importlib.machinery
import importlib.util
import json
import shlex
import subprocess

from bulkhead import cli

TARGETS = ("kernel", "test-kernel", "efi", "sdk", "examples")
FOLDERS = ("kernel", "tests/kernel", "drivers", "boot", "sdk", "examples", "bench")


def sdk_compiler():
    """sdk/cc, which is a program without .py in its name, as a module."""
    loader = importlib.machinery.SourceFileLoader("sdk_cc", str(cli.TOP / "sdk/cc"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("sdk_cc", loader))
    loader.exec_module(module)
    return module


SDK_CC = sdk_compiler()


def clang_words(line):
    """One line of make's recipes as the clang call it is or, for sdk/cc, stands for; [] if neither."""
    words = shlex.split(line)
    if "-c" not in words:
        return []
    if "sdk/cc" in words:
        return [*SDK_CC.COMPILE, *words[words.index("sdk/cc") + 1:]]
    return words if words[0] == "clang" else []


def compile_commands():
    """{source: arguments of its clang call} for everything that make would compile."""
    dry = subprocess.run([*cli.make_command(*TARGETS), "-nB"], cwd=cli.TOP, stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    commands = {}
    for line in dry.stdout.decode().replace("\\\n", " ").splitlines():
        words = clang_words(line)
        sources = [word for word in words if word.endswith(".c") and word.startswith(tuple(f"{name}/" for name in FOLDERS))]
        if sources:
            commands[sources[0]] = words
    return commands


def write_database(commands):
    """build/compile_commands.json, which editors like to have too."""
    cli.BUILD.mkdir(exist_ok=True)
    entries = [{"directory": str(cli.TOP), "file": source, "arguments": words} for source, words in commands.items()]
    (cli.BUILD / "compile_commands.json").write_text(json.dumps(entries, indent=1))


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
    commands = compile_commands()
    write_database(commands)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(cli.jobs()) as pool:
        checked = pool.map(lambda item: check_source(*item), commands.items())
        for count, (source, (passed, output)) in enumerate(zip(commands, checked), 1):
            results.case(f"check/tidy/{source}", passed, output)
            failed += not passed
            if count % 20 == 0 or count == len(commands):
                results.note(f"clang-tidy: {count} of {len(commands)} files, {failed} failed")
