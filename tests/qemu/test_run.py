# SPDX-License-Identifier: BSD-2-Clause
"""./bulkhead run as a person uses it: statuses, arguments, reports, mistakes, and being ended."""

import json
import os
import signal
import subprocess
import time

import pytest

from conftest import TOP

RUN = [str(TOP / "bulkhead"), "run"]


def run(*words, timeout=60):
    return subprocess.run([*RUN, *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=timeout, check=False)


@pytest.fixture(scope="session")
def args(payload):
    return payload("args")


@pytest.mark.parametrize("status", [0, 1, 37, 125, 255])
def test_exit_status(args, status):
    ran = run("--device", "edu", args, "--", status)
    assert ran.returncode == status, ran.stdout + ran.stderr
    assert f"[{status}]" in ran.stdout


def test_report(args, tmp_path):
    report = tmp_path / "report.json"
    ran = run("--device", "edu", "--report", report, args, "--", "3")
    assert ran.returncode == 3
    assert json.loads(report.read_text())["exit"] == {"status": 3, "reason": "payload"}


AWKWARD = ["7", "two words", 'quo"tes', "back\\slash", "end\\", "# no comment", "a=b", "\u00fc", "--", "'", "a\\\"b"]


def test_arguments_arrive_as_they_are(args):
    ran = run("--device", "edu", args, "--", *AWKWARD)
    assert ran.returncode == 7, ran.stdout + ran.stderr
    shown = [line for line in ran.stdout.splitlines() if line.startswith("[") and line.endswith("]")]
    assert shown == [f"[{word}]" for word in AWKWARD]


def test_long_arguments(args):
    """More than a kernel command line holds."""
    words = ["5"] + [f"{number:03}" + "x" * 150 for number in range(40)]
    ran = run("--device", "edu", args, "--", *words)
    assert ran.returncode == 5, ran.stdout + ran.stderr
    assert all(f"[{word}]" in ran.stdout for word in words)


def test_every_short_name_of_a_device(kernel, tmp_path):
    """Several devices of several kinds, each alone in its group."""
    ran = run("--device", "edu", "--device", "nvme", "--device", "e1000e", "--report", tmp_path / "report.json",
              "/bin/busybox", "--", "ls", "-1", "/dev/vfio")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    groups = {line for line in ran.stdout.splitlines() if line.isdigit()}
    assigned = json.loads((tmp_path / "report.json").read_text())["assigned"]
    assert len(groups) == len(assigned) == 3


def test_files_of_the_user(kernel, tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/greeting").write_text("good morning\n")
    ran = run("--device", "edu", "--files", tmp_path, "/bin/busybox", "--", "cat", "/etc/greeting")
    assert ran.returncode == 0 and "good morning\n" in ran.stdout, ran.stdout + ran.stderr


MISTAKES = {
    "no such payload": (["./nowhere.elf"], "no such payload"),
    "no such example": (["nowhere"], "no example 'nowhere'"),
    "no such option": (["--devise", "edu"], "--devise"),
    "no such firmware": (["--firmware", "bios"], "bios"),
    "no such config": (["--config", "/nowhere.conf"], "/nowhere.conf"),
    "no such bridge": (["--device", "edu,bus=nowhere"], "nowhere"),
    "no such device": (["--device", "nowhere"], "nowhere"),
    "bad iommu option": (["--iommu", "nowhere=1"], "nowhere"),
    "both iommus": (["--no-iommu", "--iommu", "pt=off"], "not allowed"),
    "control character": (["hello-dma", "--", "a\nb"], "control character"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(hello_dma, name):
    words, sentence = MISTAKES[name]
    ran = run(*words)
    assert ran.returncode not in (0, None)
    assert sentence in ran.stderr, ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr


def test_refusal_reaches_the_user(hello_dma):
    ran = run("--no-iommu")
    assert ran.returncode == 125
    assert "DMAR" in ran.stderr and "did not end by itself" in ran.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_qemu_ends_with_the_command(kernel, payload, number):
    """Whatever ends ./bulkhead ends QEMU too."""
    command = [*RUN, "--device", "edu", "--qemu-arg", "-S", str(payload("args"))]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def children():
        path = f"/proc/{process.pid}/task/{process.pid}/children"
        return open(path, encoding="ascii").read().split() if os.path.exists(path) else []

    def qemus():
        return [pid for pid in children() if "qemu" in open(f"/proc/{pid}/cmdline", encoding="ascii").read()]

    deadline = time.monotonic() + 30
    while not (found := qemus()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert found
    process.send_signal(number)
    assert process.wait(20) != 0
    deadline = time.monotonic() + 10
    while os.path.exists(f"/proc/{found[0]}") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not os.path.exists(f"/proc/{found[0]}")
