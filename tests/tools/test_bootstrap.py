# SPDX-License-Identifier: BSD-2-Clause
"""The shell half of ./bulkhead, which works where nothing is installed yet. Debian's tools and root
are played by scripts that come first in PATH."""

import os
import pathlib
import signal
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
ASKED = "apt-get install -q -y --no-install-recommends"


@pytest.fixture
def machine(tmp_path):
    """machine(user, installed, *words) types ./bulkhead WORDS; what was asked of apt-get is in `log`."""
    log = tmp_path / "log"

    def play(name, script):
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def type_words(user, installed, *words, sudo="exit 1"):
        play("id", f"echo {user}")
        play("dpkg-query", "\n".join(f"echo {package}=installed" for package in installed) + "\nexit 1")
        play("apt-get", f'echo "apt-get $*" >>{log}')
        play("sudo", sudo)
        done = subprocess.run([TOP / "bulkhead", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}, check=False)
        done.asked = log.read_text() if log.exists() else ""
        return done

    return type_words


def packages(*groups):
    lines = [line.split() for line in (TOP / "tools/packages").read_text().splitlines()]
    return [package for line in lines if line[0] in groups for package in line[1:]]


def test_a_user_is_told_what_root_has_to_type(machine):
    wanted = packages("python", "build", "run", "uefi")
    done = machine(1000, [name for name in wanted if name not in ("lld", "ovmf")], "run")
    assert done.returncode == 1 and not done.asked
    assert done.stderr.splitlines()[-1] == "apt-get update && apt-get install --no-install-recommends lld ovmf"


def test_root_gets_what_is_missing(machine):
    done = machine(0, [], "help")
    assert done.returncode == 0, done.stderr
    assert done.asked == f"apt-get update -q\n{ASKED} python3\n"


def test_a_user_with_sudo_gets_what_is_missing(machine):
    done = machine(1000, [], "help", sudo='if [ "$1" = -n ]; then shift; fi; "$@"')
    assert done.returncode == 0, done.stderr
    assert f"{ASKED} python3\n" in done.asked


def test_nothing_is_installed_twice_or_for_a_misspelt_command(machine):
    assert not machine(0, ["python3"], "help").asked
    done = machine(0, ["python3"], "rum")
    assert done.returncode == 2 and not done.asked
    assert "no command 'rum'" in done.stderr


def test_a_reader_that_goes_away():
    """As in ./bulkhead help | true"""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([TOP / "bulkhead", "help"], stdin=subprocess.DEVNULL, stdout=writer, stderr=subprocess.PIPE,
                          text=True, check=False)
    os.close(writer)
    assert done.returncode == 128 + signal.SIGPIPE and not done.stderr


def test_the_tests_need_more_than_a_run(machine):
    done = machine(0, packages("python", "build", "run", "uefi"), "test", "nowhere")
    assert done.asked.splitlines()[-1] == f"{ASKED} {' '.join(packages('test'))}"
    assert done.returncode == 2 and "no suite 'nowhere'" in done.stderr
