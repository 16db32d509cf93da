# SPDX-License-Identifier: BSD-2-Clause
"""busybox, a program nobody here wrote, one applet at a time, through ./bulkhead run."""

import hashlib
import re
import subprocess

import pytest

from conftest import TOP

BUSYBOX = "/bin/busybox"


def run(*words, files=None):
    command = [str(TOP / "bulkhead"), "run", "--device", "edu", *(("--files", str(files)) if files else ()),
               BUSYBOX, "--", *words]
    ran = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         text=True, timeout=180, check=False)
    lines = [line for line in ran.stdout.splitlines() if not re.match(r"\[ *\d+\.\d+\] ", line)]
    return ran.returncode, "\n".join(lines)


CASES = {
    "ls -l /sys/bus/pci/devices": r"0000:00:10\.0",
    "cat /proc/meminfo": r"MemTotal: +\d+ kB\nMemFree: +\d+ kB",
    "cat /proc/slabinfo": r"slabinfo - version: 2\.1\n# name .*\nkmalloc-16 +\d+ +\d+ +16 +\d+ +1 : tunables",
    "uname -a": r"^Linux bulkhead 6\.\d+\.\d+-bulkhead .* x86_64",
    "sleep 1": r"^$",
    "echo one two": r"^one two$",
    "pwd": r"^/$",
    "id -u": r"^0$",
    "free": r"Mem: +\d+ +\d+ +\d+",
    "df /tmp": r"bulkhead +\d+",
    "stat -c %F /dev/null": r"^character special file$",
    "stat -c %t:%T /dev/null": r"^1:3$",
    "readlink /proc/self": r"^1$",
    "head -c 5 /dev/zero": r"^\x00{5}$",
    "dd if=/dev/zero of=/tmp/x bs=4096 count=1000": r"",
    "mktemp": r"^/tmp/tmp\.\w{6}$",
    "cat /proc/self/maps": r"\[stack\]",
    "cat /proc/self/status": r"Threads:\t1",
    "grep -c processor /proc/cpuinfo": r"^1$",
    "mount": r"bulkhead on / type tmpfs(.|\n)*hugetlbfs on /dev/hugepages type hugetlbfs \(.*pagesize=2M\)",
    "ps": r"^PID +USER +COMMAND\n +1 root +busybox ps$",
    "top -bn1": r"CPU: +\d+% usr(.|\n)*\n +1 +0 root +R .* busybox top -bn1",
    "uptime": r"load average: 0\.00, 0\.00, 0\.00",
    "hostname": r"^bulkhead$",
    "id": r"^uid=0\(root\) gid=0\(root\)$",
    "lsmod": r"(?m)^vfio +\d+ +2 vfio_pci_core,vfio_iommu_type1$",
    "readlink -f /dev/stdin": r"^/dev/console$",
    "stat -L -c %F /dev/stdout": r"^character special file$",
    "find /proc/self/fd /proc/self/task": r"/proc/self/fd/3\n/proc/self/task\n/proc/self/task/1\n/proc/self/task/1/comm",
    "xargs -0 -n1 -a /proc/self/cmdline echo": r"^busybox\nxargs\n-0\n",
    "date +%s": r"^\d{10}$",
    "find /sys/kernel/iommu": r"/sys/kernel/iommu/units",
}


@pytest.mark.parametrize("applet", CASES)
def test_applet(applet):
    status, output = run(*applet.split())
    assert status == 0, output
    assert re.search(CASES[applet], output), output


def test_shell():
    script = "cd /tmp; for i in 1 2 3; do echo $i; done > x; while read n; do s=$((s + n)); done < x; echo sum $s; exit 9"
    status, output = run("sh", "-c", script)
    assert (status, output) == (9, "sum 6")


def test_shell_opens_files_by_descriptor():
    """What the shell has open is a file under /proc/self/fd."""
    script = ("cd /tmp; exec 3>file; echo one >&3; exec 4<file; read a < /dev/fd/4; echo $a; echo two > /proc/self/fd/3; read a <&4; echo $a;"
              "echo /proc/self/fd/*; echo three > /dev/stdout; exec 4<&-; [ -e /dev/fd/4 ] || echo gone")
    assert run("sh", "-c", script) == (0, "one\ntwo\n/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 "
                                          "/proc/self/fd/3 /proc/self/fd/4 /proc/self/fd/5\nthree\ngone")


def test_status_of_false():
    assert run("false")[0] == 1


def test_carried_files(tmp_path):
    files = tmp_path / "files"
    (files / "deep" / "down").mkdir(parents=True)
    content = bytes(range(256)) * 5000
    (files / "deep" / "down" / "data.bin").write_bytes(content)
    (files / "hello.txt").write_text("hello\n")
    (files / "etc").mkdir()
    (files / "etc" / "passwd").write_text("admin:x:0:0::/:/bin/sh\n")
    status, output = run("md5sum", "/deep/down/data.bin", files=files)
    assert (status, output) == (0, f"{hashlib.md5(content).hexdigest()}  /deep/down/data.bin")
    assert run("cat", "hello.txt", files=files) == (0, "hello")
    assert run("id", files=files) == (0, "uid=0(admin) gid=0(root)")
    status, output = run("rm", "-f", "/hello.txt", files=files)
    assert status == 1 and "Read-only file system" in output


def test_carried_files_below_a_link(tmp_path):
    """A folder does not take the place of the link of its name, and what is in it is where the link leads."""
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/note").write_text("mine\n")
    assert run("cat", "/proc/1/note", "/proc/self/comm", files=tmp_path) == (0, "mine\nbusybox")
