# SPDX-License-Identifier: BSD-2-Clause
"""Building: one at a time, in whatever folder, from whatever folder, and not at all where all is there."""

import os
import pathlib
import subprocess
import sys
import time

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))

from bulkhead import cli, lock  # noqa: E402

TARGET = "build/sdk/start.o"  # which needs the compiler and nothing else


def python(code, folder, **environment):
    return subprocess.Popen([sys.executable, "-c", code], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(TOP / "tools"), **environment})


def test_who_waits_says_for_whom(tmp_path):
    held = lock.building(tmp_path / "out")
    waiting = python("import pathlib; from bulkhead import lock; lock.building(pathlib.Path('out'))", tmp_path)
    line = waiting.stderr.readline()
    assert line.startswith(f"bulkhead: waiting for process {os.getpid()} (") and line.endswith(") to finish building in out\n")
    assert "pytest" in line or "python" in line
    held.close()
    assert waiting.communicate(timeout=60) == ("", "") and waiting.returncode == 0


def test_who_does_not_wait_says_nothing(tmp_path):
    for _ in range(2):
        lock.building(tmp_path).close()
    held = lock.building(tmp_path)
    soon = python("import pathlib; from bulkhead import lock; print('ready', flush=True); lock.building(pathlib.Path('.'))", tmp_path)
    soon.stdout.readline()
    time.sleep(lock.PATIENCE / 10)
    held.close()
    assert soon.wait(60) == 0


def test_a_build_folder_elsewhere(tmp_path):
    """Relative to the folder that the command was called in, and told to whatever the command calls."""
    code = f"import os; from bulkhead import cli; cli.build({TARGET!r}); print(cli.built({TARGET!r}), os.environ['BULKHEAD_BUILD'])"
    out, complaints = python(code, tmp_path, BULKHEAD_BUILD="out/there").communicate(timeout=120)
    assert out.splitlines()[-1] == f"{tmp_path}/out/there/sdk/start.o {tmp_path}/out/there", complaints
    assert (tmp_path / "out/there/sdk/start.o").exists()


@pytest.mark.parametrize("name", ["a b", "a#b", "a$b", "a:b"])
def test_a_build_folder_that_make_does_not_take(tmp_path, monkeypatch, name):
    monkeypatch.setattr(cli, "BUILD", tmp_path / name)
    with pytest.raises(cli.Failure, match="BULKHEAD_BUILD=.*: make cannot build in a folder with"):
        cli.build(TARGET)


def test_a_build_folder_that_cannot_be_written(tmp_path, monkeypatch):
    """What is built there will do; what is not needs a sentence. Root may write everywhere, but not to a folder."""
    monkeypatch.setattr(cli, "BUILD", tmp_path)
    cli.build(TARGET)
    (tmp_path / lock.NAME).unlink()
    (tmp_path / lock.NAME).mkdir()
    cli.build(TARGET)
    (tmp_path / "sdk/start.o").unlink()
    with pytest.raises(cli.Failure, match=rf"cannot build in {tmp_path} \(Is a directory\), and not all .* BULKHEAD_BUILD=DIR"):
        cli.build(TARGET)


def test_a_checkout_with_a_blank_in_its_name(tmp_path):
    names = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=TOP, capture_output=True,
                           check=True).stdout.split(b"\0")
    checkout = tmp_path / "a b" / "bulkhead"
    for name in map(os.fsdecode, filter(None, names)):
        if (TOP / name).is_file():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            (checkout / name).write_bytes((TOP / name).read_bytes())
            (checkout / name).chmod((TOP / name).stat().st_mode)
    for target in (TARGET, "build/check"):
        made = subprocess.run(["make", target], cwd=checkout, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              env={key: value for key, value in os.environ.items() if key != "BULKHEAD_BUILD"}, check=False)
        assert made.returncode == 0, made.stderr
    assert (checkout / TARGET).exists() and (checkout / "build/check").exists()
