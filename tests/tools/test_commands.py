# SPDX-License-Identifier: BSD-2-Clause
"""The small commands: versions, completion, cleaning up, what is installed."""

import pathlib
import subprocess
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))

from bulkhead import cli, clean, completion, doctor, lock, version  # noqa: E402

QEMU = """#!/bin/sh
case "$*" in
--version) echo "QEMU emulator version 9.2.1 (Debian)" ;;
*intel-iommu,help*) printf 'intel-iommu options:\\n  aw-bits=<uint8>\\n  intremap=<OnOffAuto>\\n  x-flts=<bool>\\n' ;;
esac
"""


def complete(*words):
    """What bash would offer for the last of these words."""
    script = f"""{completion.text()}
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _bulkhead "$1"
        printf '%s\\n' "${{COMPREPLY[@]}}\""""
    done = subprocess.run(["bash", "-c", script, "bash", *words], cwd=TOP, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("words, offered", [
    (["do"], ["doctor"]),
    (["run", "--log-l"], ["--log-level"]),
    (["run", "--log-level", "w"], ["warn"]),
    (["run", "--log-level", "=", "w"], ["warn"]),
    (["run", "--log-level", "="], ["error", "warn", "info", "debug"]),
    (["run", "--device", "e10"], ["e1000e"]),
    (["run", "--device", "edu", "hello-d"], ["hello-dma"]),
    (["run", "hello-dma", "--", "READ"], ["README.md"]),
    (["run", "--files", "REA"], []),
    (["run", "--files", "too"], ["tools"]),
    (["run", "--config", "REA"], ["README.md"]),
    (["test", "fu"], ["fuzz"]),
    (["image", "--s"], ["--seal"]),
    (["devices", "hello"], []),
])
def test_completion(words, offered):
    assert complete("./bulkhead", *words) == offered


def test_completion_is_clean(tmp_path):
    (tmp_path / "bulkhead.bash").write_text(completion.text())
    done = subprocess.run(["shellcheck", tmp_path / "bulkhead.bash"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def with_programs(tmp_path, monkeypatch, programs):
    """PATH has these scripts alone."""
    for name, script in programs.items():
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/nowhere")


def test_version(tmp_path, monkeypatch, capsys):
    (tmp_path / "VERSION").write_text("v1-2\n")
    monkeypatch.setattr(cli, "TOP", tmp_path)
    with_programs(tmp_path, monkeypatch, {"qemu-system-x86_64": QEMU})
    assert version.main([]) == 0
    assert capsys.readouterr().out == f"bulkhead v1-2\nQEMU 9.2.1 ({tmp_path}/qemu-system-x86_64)\n"
    (tmp_path / "qemu-system-x86_64").unlink()
    version.main([])
    assert capsys.readouterr().out.endswith("\nno QEMU found\n")


def test_what_is_missing_is_told(tmp_path, monkeypatch, capsys):
    with_programs(tmp_path, monkeypatch, {"clang": "#!/bin/sh\necho clang 1\n"})
    assert doctor.main([]) == 1
    lines = dict(line.split(": ", 1) for line in capsys.readouterr().out.splitlines())
    assert lines["ok       clang"] == f"clang 1 ({tmp_path}/clang)"
    assert (lines["MISSING  ld.lld"], lines["-        gdb"]) == ("not found (in Debian's package lld)", "not found (in Debian's package gdb)")
    assert lines["MISSING  QEMU"] == "qemu-system-x86_64 is not found"
    assert "no Debian" in lines["-        packages for run"]


def test_what_is_there_is_told(tmp_path, monkeypatch, capsys):
    every = [name for group in doctor.GROUPS if group != "prove" for name in doctor.packages(group)]
    debian = "#!/bin/sh\n" + "".join(f"echo {name} installed\n" for name in every)
    with_programs(tmp_path, monkeypatch, {"qemu-system-x86_64": QEMU, "dpkg-query": debian, "clang": "#!/bin/sh\n", "ld.lld": "#!/bin/sh\n"})
    assert doctor.main([]) == 0
    lines = dict(line.split(": ", 1) for line in capsys.readouterr().out.splitlines())
    assert lines["ok       intel-iommu"] == "has intremap, aw-bits, x-flts"
    assert lines["ok       packages for building"] == "all installed"
    assert lines["-        packages for prove"].startswith("not installed: frama-c-base")


def test_cleaning_up(tmp_path, monkeypatch):
    monkeypatch.setattr(cli, "BUILD", tmp_path / "build")
    assert clean.main([]) == 0
    (tmp_path / "build").mkdir()
    (tmp_path / "build/mine").write_text("")
    with pytest.raises(cli.Failure, match="is left alone"):
        clean.main([])
    (tmp_path / "build" / lock.NAME).write_text("")
    assert clean.main([]) == 0 and not (tmp_path / "build").exists()
