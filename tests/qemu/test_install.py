# SPDX-License-Identifier: BSD-2-Clause
"""make install: Bulkhead away from its source, for a user who may write nothing of it."""

import os
import subprocess

import pytest

from bulkhead import cli, lock
from conftest import TOP

NOBODY = 65534
HELLO = '#include <stdio.h>\nint main(void) { puts("hello"); return 9; }\n'


def make_install(*words):
    with lock.building(cli.BUILD):
        done = subprocess.run([*cli.make_command(), *words], cwd=TOP, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """Where it was installed as a package would be made of it, and whence it was moved to."""
    folder = tmp_path_factory.mktemp("stage")
    make_install("install", "PREFIX=/opt/b", f"DESTDIR={folder}")
    for parent in [folder, *folder.parents][:3]:
        parent.chmod(0o755)
    (folder / "opt").rename(folder / "moved")
    return folder / "moved/b"


@pytest.fixture
def typed(stage, tmp_path):
    """typed(*words) types `bulkhead WORDS` in an empty folder, as a user who owns only that, if we can become one."""
    os.chmod(tmp_path, 0o777)
    user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
    environment = {"PATH": f"{stage}/bin:/usr/bin:/bin", "TMPDIR": str(tmp_path), "BULKHEAD_BUILD": "/nowhere"}
    (tmp_path / "hello.c").write_text(HELLO)

    def type_words(*words):
        return subprocess.run(["bulkhead", *words], cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180,
                              env=environment, check=False, **user)

    for parent in [tmp_path, *tmp_path.parents][:4]:
        if parent.stat().st_uid == os.getuid() and parent != parent.parent:
            parent.chmod(parent.stat().st_mode | 0o055)
    return type_words


def test_it_works_from_any_folder(typed, tmp_path, stage):
    before = sorted(stage.rglob("*"))
    done = typed("build", "-O2", "-o", "hello.elf", "hello.c")
    assert done.returncode == 0, done.stderr
    done = typed("run", "--log-level", "error", "hello.elf")
    assert (done.returncode, done.stdout) == (9, "hello\n"), done.stderr
    done = typed("run")
    assert done.returncode == 0 and "hello-dma: stray write blocked" in done.stdout, done.stderr
    done = typed("image", "-o", "disk.img", "hello.elf")
    assert done.returncode == 0 and (tmp_path / "disk.img").exists(), done.stderr
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
