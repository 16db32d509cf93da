# SPDX-License-Identifier: BSD-2-Clause
"""The shell half of ./bulkhead, which works where nothing is installed yet. Debian's tools and root
are played by scripts that come first in PATH."""

import os
import pathlib
import signal
import subprocess
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))

from bulkhead.__main__ import COMMANDS  # noqa: E402

ASKED = "apt-get install -q -y --no-install-recommends"


def packages(*groups):
    lines = [line.split() for line in (TOP / "tools/packages").read_text().splitlines()]
    return [package for line in lines if line[0] in groups for package in line[1:]]


PRINT_URIS = """'http://deb.debian.org/debian/pool/x.deb' x.deb 59700 MD5Sum:33df
Need to get 21.3 MB/254 MB of archives.
After this operation, 638 MB of additional disk space will be used.
"""
COST = "bulkhead: with all they need: 21.3 MB to download, 638 MB on the disk"


@pytest.fixture
def machine(tmp_path):
    """machine(user, installed, *words) types ./bulkhead WORDS; what was asked of apt-get is in `asked`.
    Debian has every package but those in `absent`, and apt has read its lists if `lists`."""
    log = tmp_path / "log"

    def play(name, script):
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def play_debian(lists, absent):
        (tmp_path / "lists").write_text("500 http://deb.debian.org/debian x/main amd64 Packages\n" if lists else "")
        (tmp_path / "uris").write_text(PRINT_URIS)
        play("apt-get", f"""case "$1 $2" in
            "install --print-uris") cat {tmp_path}/uris ;;
            *) echo "apt-get $*" >>{log} ;;
            esac
            [ "$1" != update ] || echo "500 http://deb.debian.org/debian" >{tmp_path}/lists""")
        play("apt-cache", f"""shift
            [ $# -gt 0 ] || {{ echo "100 /var/lib/dpkg/status"; cat {tmp_path}/lists; }}
            for name; do
                case " {' '.join(absent)} " in
                *" $name "*) printf '%s:\\n  Installed: (none)\\n  Candidate: (none)\\n' $name ;;
                *) printf '%s:\\n  Installed: (none)\\n  Candidate: 1.2\\n' $name ;;
                esac
            done""")

    def type_words(user, installed, *words, sudo="exit 1", lists=True, absent=(), top=TOP):
        play("id", f"echo {user}")
        play("dpkg-query", "\n".join(f"echo {package}=installed" for package in installed) + "\nexit 1")
        play_debian(lists, absent)
        play("sudo", sudo)
        log.unlink(missing_ok=True)
        done = subprocess.run([top / "bulkhead", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}, check=False)
        done.asked = log.read_text() if log.exists() else ""
        return done

    return type_words


def test_a_user_is_told_what_root_has_to_type(machine):
    wanted = packages("python", "build", "run", "uefi")
    done = machine(1000, [name for name in wanted if name not in ("lld", "ovmf")], "run")
    assert done.returncode == 1 and not done.asked
    assert done.stderr.splitlines() == [
        "bulkhead: run needs 2 Debian packages that are not installed: lld ovmf", COST, "bulkhead: as root, type:",
        "apt-get update && apt-get install --no-install-recommends lld ovmf"]


TESTED = packages("python", "build", "run", "uefi", "test")


def test_root_gets_what_is_missing(machine):
    """And is told first what that is and what it costs. No suite of that name: the command ends there."""
    done = machine(0, TESTED[:-2], "test", "nowhere")
    assert done.stderr.splitlines()[:2] == [
        f"bulkhead: test needs 2 Debian packages that are not installed: {' '.join(TESTED[-2:])}", COST]
    assert done.asked == f"apt-get update -q\n{ASKED} {' '.join(TESTED[-2:])}\n"
    assert done.returncode == 2 and "no suite 'nowhere'" in done.stderr


def test_a_user_with_sudo_gets_what_is_missing(machine):
    done = machine(1000, TESTED[:-1], "test", "nowhere", sudo='if [ "$1" = -n ]; then shift; fi; "$@"')
    assert f"{ASKED} {TESTED[-1]}\n" in done.asked


def test_lists_are_read_where_there_are_none(machine):
    """Without them apt knows neither what there is nor what it costs."""
    done = machine(0, TESTED[:-1], "test", "nowhere", lists=False)
    assert done.asked == f"apt-get update -q\napt-get update -q\n{ASKED} {TESTED[-1]}\n" and COST in done.stderr
    done = machine(1000, TESTED[:-1], "test", "nowhere", lists=False)
    assert done.returncode == 1 and not done.asked and done.stderr.endswith(f"--no-install-recommends {TESTED[-1]}\n")


@pytest.mark.parametrize("user", [0, 1000])
@pytest.mark.parametrize("lists", [True, False])
def test_what_the_system_lacks_is_told_before_anything_else(machine, user, lists):
    """Where apt has read no lists, as soon as it has."""
    wanted = packages("python", "prove")
    done = machine(user, wanted[:1], "prove", absent=wanted[1:2], lists=lists)
    assert done.returncode == 1 and "install" not in done.asked
    sentence = f"bulkhead: this system has no package {wanted[1]}, so prove cannot work here; nothing was installed"
    if lists:
        assert done.stderr == f"{sentence}\n"
    assert done.stderr.splitlines()[-1].startswith(sentence if lists or not user else "apt-get update &&")


@pytest.mark.parametrize("words", [
    [], ["help"], ["--help"], *([name, *more] for name in COMMANDS for more in (["-h"], ["--help"])),
    ["run", "--device", "edu", "--help"], ["run", "--qemu-arg", "-S", "-h"], ["build", "-O2", "--help"], ["prove", "--list"],
    ["run", "--device", "help"], ["run", "--device=help"], ["devices", "--device", "help"]])
def test_help_installs_nothing(machine, words):
    done = machine(0, [], *words)
    assert done.returncode == 0 and not done.asked and done.stdout and not done.stderr, done.stderr


@pytest.mark.parametrize("words", [["run", "--qemu-arg", "-h"], ["run", "x.elf", "--", "--help"]])
def test_help_of_others_is_no_help(machine, words):
    assert machine(1000, [], *words).stderr.startswith("bulkhead: run needs ")


def test_help_without_python(machine, tmp_path):
    """The commands all the same."""
    for name in ("bulkhead", "tools/install.sh", "tools/packages", "tools/bulkhead/__main__.py"):
        (tmp_path / "top" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "top" / name).write_text((TOP / name).read_text().replace("/usr/bin/python3", "/nowhere/python3"))
    (tmp_path / "top/bulkhead").chmod(0o755)
    done = machine(0, [], top=tmp_path / "top")
    assert [line.split()[0] for line in done.stdout.splitlines()[:-1]] == list(COMMANDS)
    assert done.returncode == 1 and not done.asked and "python3 is not installed" in done.stdout


def test_nothing_is_installed_twice_or_for_a_misspelt_command(machine):
    done = machine(0, [], "rum")
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
