# SPDX-License-Identifier: BSD-2-Clause
"""compile_commands.json: that of the product, which make writes, and that of a program."""

import json
import subprocess

import pytest

from bulkhead import cli, compile_commands


def syntax(entry):
    """Does the compiler take the file as the entry says?"""
    words = [word for word in entry["arguments"] if word not in ("-c", "-MMD", "-MP")]
    if "-o" in words:
        del words[words.index("-o"):words.index("-o") + 2]
    return subprocess.run([*words, "-fsyntax-only"], cwd=entry["directory"], check=False).returncode


def test_make_writes_what_it_compiles():
    cli.build("build/version.h", "build/compile_commands.json")
    entries = {entry["file"]: entry for entry in json.loads((cli.BUILD / compile_commands.NAME).read_text())}
    assert {"kernel/main.c", "boot/efi/main.c", "sdk/lib/file.c", "examples/hello-dma/main.c", "tests/kernel/main.c"} <= set(entries)
    assert set(entries) == set(compile_commands.of_make())
    assert all(syntax(entries[name]) == 0 for name in ("kernel/main.c", "examples/hello-dma/main.c"))


def build(folder, *words):
    return subprocess.run([cli.TOP / "bulkhead", "build", *words], cwd=folder, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True, check=False)


def test_a_program_has_its_own_and_keeps_what_is_there(tmp_path):
    (tmp_path / "one.c").write_text('#include <linux/vfio.h>\nint main(void) { return WORD; }\n')
    other = {"directory": "/elsewhere", "file": "one.c", "arguments": ["cc", "one.c"]}
    file = tmp_path / "compile_commands.json"
    file.write_text(json.dumps([other]))
    for word in ("1", "2"):
        assert build(tmp_path, "--compile-commands", file.name, f"-DWORD={word}", "-o", "one.elf", "one.c").returncode == 0
    kept, own = json.loads(file.read_text())
    assert kept == other and own["directory"] == str(tmp_path) and "-DWORD=2" in own["arguments"]
    assert syntax(own) == 0


@pytest.mark.parametrize("text", ["no JSON", "[1]", '[{"file": "x"}]'])
def test_a_file_that_is_something_else_is_left_alone(tmp_path, text):
    (tmp_path / "file.json").write_text(text)
    ran = build(tmp_path, "--compile-commands=file.json", "one.c")
    assert ran.returncode == 1 and "cannot write file.json: " in ran.stderr and (tmp_path / "file.json").read_text() == text
