# SPDX-License-Identifier: BSD-2-Clause
"""make install: Bulkhead away from its source, for a user who may write nothing of it."""

import contextlib
import os
import pathlib
import subprocess
import tempfile

import pytest

from bulkhead import cli, lock
from conftest import TOP

NOBODY = 65534
HELLO = '#include <stdio.h>\nint main(void) { puts("hello"); return 9; }\n'


def make_install(*words):
    with lock.building(cli.BUILD):
        done = subprocess.run([*cli.make_command(), *words], cwd=TOP, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@contextlib.contextmanager
def public_folder(mode):
    """One that other users reach: pytest's are for who runs it."""
    with tempfile.TemporaryDirectory(prefix="bulkhead-test.") as folder:
        os.chmod(folder, mode)
        yield pathlib.Path(folder)


@pytest.fixture(scope="module")
def stage():
    """Where it was installed as a package would be made of it, and then moved to."""
    with public_folder(0o755) as folder:
        make_install("install", "PREFIX=/opt/b", f"DESTDIR={folder}")
        (folder / "opt").rename(folder / "moved")
        yield folder / "moved/b"


@pytest.fixture
def home():
    with public_folder(0o777) as folder:
        yield folder


@pytest.fixture
def typed(stage, home):
    """typed(*words) types `bulkhead WORDS` in an empty folder, as a user who may write only there, if we can become one."""
    user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
    environment = {"PATH": f"{stage}/bin:/usr/bin:/bin", "TMPDIR": str(home), "BULKHEAD_BUILD": "/nowhere"}
    (home / "hello.c").write_text(HELLO)

    def type_words(*words):
        return subprocess.run(["bulkhead", *words], cwd=home, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180,
                              env=environment, check=False, **user)

    return type_words


def test_it_works_from_any_folder(typed, home, stage):
    before = sorted(stage.rglob("*"))
    done = typed("build", "-O2", "-o", "hello.elf", "hello.c")
    assert done.returncode == 0, done.stderr
    done = typed("run", "--log-level", "error", "hello.elf")
    assert (done.returncode, done.stdout) == (9, "hello\n"), done.stderr
    done = typed("run")
    assert done.returncode == 0 and "hello-dma: stray write blocked" in done.stdout, done.stderr
    done = typed("image", "-o", "disk.img", "hello.elf")
    assert done.returncode == 0 and (home / "disk.img").exists(), done.stderr
    done = typed("new", "mine")
    assert done.returncode == 0 and "BULKHEAD ?= bulkhead\n" in (home / "mine/Makefile").read_text(), done.stderr
    done = typed("path", "python")
    assert done.stdout == f"{stage}/lib/bulkhead/tools\n"
    assert sorted(stage.rglob("*")) == before


@pytest.mark.parametrize("command", ["test", "prove", "bench", "clean"])
def test_what_needs_the_source_says_so(typed, command):
    done = typed(command)
    assert done.returncode == 1 and done.stderr.startswith(f"bulkhead: {command} needs Bulkhead's source: this is an installation")


def test_versions_and_completion(typed, stage):
    version = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=TOP, capture_output=True, text=True, check=True).stdout.strip()
    assert typed("--version").stdout.startswith(f"bulkhead {version}\nQEMU ")
    assert typed("completion").stdout == (stage / "share/bash-completion/completions/bulkhead").read_text()


def test_nothing_stays(tmp_path):
    for _ in range(2):  # over itself, too
        make_install("install", f"PREFIX={tmp_path}")
    (tmp_path / "bin/other").write_text("")
    make_install("uninstall", f"PREFIX={tmp_path}")
    assert [path for path in tmp_path.rglob("*") if not path.is_dir()] == [tmp_path / "bin/other"]
