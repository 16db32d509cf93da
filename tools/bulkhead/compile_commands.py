# SPDX-License-Identifier: BSD-2-Clause
"""compile_commands.json: how each C file is compiled, for clangd, clang-tidy and editors. As a program, called by make,
it writes that of the product; ./bulkhead build --compile-commands writes that of a program."""

import importlib.machinery
import importlib.util
import json
import os
import pathlib
import shlex
import subprocess

from bulkhead import cli

NAME = "compile_commands.json"
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


def of_make():
    """{source: arguments of its clang call} for everything that make would compile."""
    outside = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    dry = subprocess.run([*cli.make_command(*TARGETS), "-nB"], cwd=cli.TOP, stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=outside, check=False)
    commands = {}
    for line in dry.stdout.decode().replace("\\\n", " ").splitlines():
        words = clang_words(line)
        sources = [word for word in words if word.endswith(".c") and word.startswith(tuple(f"{name}/" for name in FOLDERS))]
        if sources:
            commands[sources[0]] = words
    return commands


def of_program(arguments):
    """The same for a command line of ./bulkhead build."""
    flags, sources, _, _ = SDK_CC.sort_arguments(arguments)
    return {source: [*SDK_CC.COMPILE, *flags, "-c", source] for source in sources if source.endswith(".c")}


def entries_of(folder, commands):
    return [{"directory": str(folder), "file": source, "arguments": words} for source, words in commands.items()]


def write(path, entries):
    """Writes the file, if it is to say something else than it does."""
    text = json.dumps(entries, indent=1)
    if path.exists() and path.read_text() == text:
        return
    path.parent.mkdir(exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.write_text(text)
    new.replace(path)


def update(path, folder, commands):
    """Writes into the file of a program how these are compiled; what it says of others stays."""
    try:
        known = json.loads(path.read_text()) if path.exists() else []
        others = [entry for entry in known if entry["directory"] != str(folder) or entry["file"] not in commands]
        write(path, others + entries_of(folder, commands))
    except (OSError, ValueError, TypeError, KeyError) as problem:
        raise cli.Failure(f"cannot write {path}: {problem}") from None


if __name__ == "__main__":
    write(cli.BUILD / NAME, entries_of(cli.TOP, of_make()))
    os.utime(cli.BUILD / NAME)
