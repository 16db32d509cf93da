# SPDX-License-Identifier: BSD-2-Clause
"""./bulkhead new: what it makes builds in every way, runs, and passes its own tests; and it spoils nothing."""

import os
import re
import subprocess

import pytest

import walkthrough
from bulkhead import devices, new
from conftest import TOP

BULKHEAD = TOP / "bulkhead"


def typed(folder, *words):
    return subprocess.run([str(word) for word in words], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=400, check=False)


def test_a_new_project(kernel, tmp_path):
    """As docs/ci.md has it, word by word."""
    lines = [what for kind, what, _ in walkthrough.steps((TOP / "docs/ci.md").read_text()) if kind == "command"]
    done = subprocess.run(["sh", "-euc", "\n".join(["bulkhead() { $BULKHEAD \"$@\"; }", *lines])], cwd=tmp_path, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=400, check=False,
                          env={**os.environ, "PYTHON": "/usr/bin/python3", "BULKHEAD": str(BULKHEAD)})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "mydriver: the interrupt came" in done.stdout and len(re.findall(r"^3 passed", done.stdout, re.M)) == 2, done.stdout
    assert "starter" not in "".join(path.read_text() for path in (tmp_path / "mydriver").rglob("*") if path.suffix in (".c", ".py", ".md"))
    done = typed(tmp_path / "mydriver", "make", "musl", "linux")
    assert done.returncode == 0, done.stderr
    done = typed(tmp_path, BULKHEAD, "run", "--device", "edu", "mydriver/mydriver.musl.elf")
    assert done.returncode == 0 and "mydriver: the interrupt came" in done.stdout, done.stdout + done.stderr
    done = typed(tmp_path / "mydriver", "make", "clean")
    assert not list((tmp_path / "mydriver").glob("*.elf")) and not list((tmp_path / "mydriver").glob("*.linux"))


@pytest.mark.parametrize("device", [*(name for name in devices.PRESETS if name not in (*new.OTHERS, "edu")), "virtio-rng-pci,addr=0x1c"])
def test_for_other_devices(kernel, tmp_path, device):
    """It builds without a warning; what knows the device is left to be filled in."""
    assert typed(tmp_path, BULKHEAD, "new", "my-one", "--device", device).returncode == 0
    done = typed(tmp_path / "my-one", "make", "CFLAGS=-Wall -Wextra -Werror")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "my-one/main.c").read_text()
    assert text.count("To be filled in") == 2 and "EDU" not in text
    assert re.search(r"\.vendor = 0x8086|0x1b36", text) or device not in devices.PRESETS
    assert f"\nDEVICE ?= {device}\n" in (tmp_path / "my-one/Makefile").read_text()


def test_what_is_there_is_left_alone(tmp_path):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken/mine").write_text("")
    for name, sentence in (("taken", "is there, and not an empty folder"), ("taken/mine", "is there"), ("1st", "is no name"), ("a b", "is no name")):
        done = typed(tmp_path, BULKHEAD, "new", name)
        assert done.returncode == 1 and sentence in done.stderr, done.stderr
    done = typed(tmp_path, BULKHEAD, "new", "one", "--device", "afu-model")
    assert done.returncode == 1 and "begin with examples/hello-afu" in done.stderr
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["mine", "taken"]
