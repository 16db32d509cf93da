# SPDX-License-Identifier: BSD-2-Clause
"""What --trace tells, held against what the program did; and strace, which tells the same on Linux."""

import io
import pathlib
import re
import shutil
import subprocess

import pytest

from bulkhead import stream, trace
from test_run import run

EDU = "0000:00:10.0"


@pytest.fixture(scope="session")
def traced(payload):
    return payload("traced", "musl")


def lines_of(ran, classes):
    """What was told, without the times."""
    out = io.StringIO()
    taker = trace.Trace(out, trace.parse_classes(classes))
    with open(pathlib.Path(ran.folder) / "stream", "rb") as file:
        assert stream.read(file, taker.takers)
    return [re.sub(r"^\d+\.\d{9} ", "", line) for line in out.getvalue().splitlines()]


def traces(guest, program, classes, *args, **options):
    ran = guest(program, args=args, settings=trace.settings(trace.parse_classes(classes)), **options).run()
    return ran, lines_of(ran, classes)


def find(lines, *patterns):
    """The first lines that match, which come in this order."""
    at, found = 0, []
    for pattern in patterns:
        at = next((number for number in range(at, len(lines)) if re.search(pattern, lines[number])), None)
        assert at is not None, (pattern, "\n".join(lines))
        found.append(lines[at])
        at += 1
    return found


def test_hello_dma(hello_dma, tmp_path):
    """Through ./bulkhead: every ioctl with its structure, interrupts with their eventfd, the fault, and what was mapped."""
    told = tmp_path / "trace"
    ran = run("--trace", "all", "--trace-file", told, "hello-dma")
    assert ran.returncode == 0 and "= 0" not in ran.stderr
    lines = told.read_text().splitlines()
    times = [float(line.split()[0]) for line in lines]
    assert times == sorted(times)
    commands = [found[1] for line in lines if (found := re.search(r"\] ioctl\(\d+<[^>]*>, (VFIO_\w+)", line))]
    assert commands == ["VFIO_GROUP_GET_STATUS", "VFIO_GROUP_SET_CONTAINER", "VFIO_SET_IOMMU", "VFIO_GROUP_GET_DEVICE_FD",
                        "VFIO_DEVICE_GET_REGION_INFO", "VFIO_DEVICE_GET_REGION_INFO", "VFIO_DEVICE_SET_IRQS",
                        "VFIO_IOMMU_MAP_DMA", "VFIO_IOMMU_MAP_DMA", "VFIO_IOMMU_UNMAP_DMA"]
    device = rf"5<anon_inode:\[vfio-device {EDU}\]>"
    find(lines, r'memory: 0x400000-', r'\[1\] open\("/dev/vfio/vfio", O_RDWR\) = 3</dev/vfio/vfio>',
         r"ioctl\(4</dev/vfio/\d+>, VFIO_GROUP_GET_STATUS, \{argsz=8, flags=0\} => \{flags=VFIO_GROUP_FLAGS_VIABLE\}\) = 0$",
         r"VFIO_GROUP_SET_CONTAINER, \[3</dev/vfio/vfio>\]\) = 0$", rf'VFIO_GROUP_GET_DEVICE_FD, "{EDU}"\) = {device}$',
         rf"ioctl\({device}, VFIO_DEVICE_GET_REGION_INFO, \{{argsz=32, flags=0, index=VFIO_PCI_BAR0_REGION_INDEX, .*size=0x100000\}}\) = 0$",
         r"mmap\(NULL, 1048576, PROT_READ\|PROT_WRITE, MAP_SHARED, 5<", r"memory: 0x\w+-0x\w+ rw- mapped",
         r"eventfd2\(0, EFD_CLOEXEC\) = 6<anon_inode:\[eventfd\]>",
         r"index=VFIO_PCI_MSI_IRQ_INDEX, start=0, count=1, data=\[6<anon_inode:\[eventfd\]>\]\}\) = 0$",
         r"VFIO_IOMMU_MAP_DMA, \{argsz=32, flags=VFIO_DMA_MAP_FLAG_READ, vaddr=0x\w+, iova=0x100000000, size=0x1000\} <unfinished ...>$",
         r"domain \d+: iova 0x100000000-0x100000fff mapped to 1 run: \+1x4K$", r"\[1\] <... ioctl resumed>\) = 0$",
         rf"interrupt: {EDU} MSI 0 -> 6<anon_inode:\[eventfd\]>$", r"iova 0x123450000-0x123450fff unmapped: -1x4K$",
         rf"--- {EDU} write to 0x123450000 refused: reason 0x5, no write permission ---$", r"\[1\] exit_group\(0\) = \?$",
         r"\[1\] \+\+\+ exited with 0 \+\+\+$", r"iova 0x100000000-0x100000fff unmapped: -1x4K$")
    assert sum("interrupt: " in line for line in lines) == 3


def normal(lines):
    """What strace and --trace agree in: from the first mark to the second, with no addresses and no names of descriptors."""
    lines = [re.sub(r"(\d)<[^<>]*>", r"\1", line) for line in lines]
    # Newer versions of strace tell the data of an event as one number.
    lines = [re.sub(r"data=\{u32=(\d+), u64=\1\}", lambda data: f"data={int(data[1]):#x}", line) for line in lines]
    first = next(number for number, line in enumerate(lines) if "/traced-begins" in line)
    last = next(number for number, line in enumerate(lines) if "/traced-ends" in line)
    return [re.sub(r"0x[0-9a-f]{5,}", "ADDRESS", re.sub(r"\s+= ", " = ", re.sub(r"^\[1\] ", "", line))) for line in lines[first:last + 1]]


def test_as_strace_tells_it(guest, traced, tmp_path):
    ran, lines = traces(guest, traced, "calls", "files")
    assert ran.status == 3
    subprocess.run([shutil.which("strace"), "-o", tmp_path / "strace", traced, "files"], check=False, stdin=subprocess.DEVNULL, timeout=60)
    assert normal(lines) == normal((tmp_path / "strace").read_text().splitlines())


def test_iommufd_and_threads_and_signals(guest, traced):
    """What an iommufd program did; a thread that waits is told of before it goes on; and the end."""
    ran, lines = traces(guest, traced, "calls,maps,faults", "iommufd", "blocked", "signals", devices=["edu"], icount=8)
    ioas, memory = re.fullmatch(r"traced: ioas (\d+) at (0x\w+)", ran.output("traced: ")[0]).groups()
    mapping = (r"IOMMU_IOAS_MAP, \{size=40, flags=IOMMU_IOAS_MAP_FIXED_IOVA\|IOMMU_IOAS_MAP_WRITEABLE\|IOMMU_IOAS_MAP_READABLE, "
               rf"ioas_id={ioas}, user_va={memory}, length=0x4000, iova=0x200000\}}\) = ")
    find(lines, r'open\("/dev/iommu", O_RDWR\|O_LARGEFILE\) = 3</dev/iommu>',
         rf"IOMMU_IOAS_ALLOC, \{{size=12, flags=0x0, out_ioas_id=0\}} => \{{out_ioas_id={ioas}\}}\) = 0$", mapping + "0$",
         mapping + r"-1 EEXIST \(File exists\)$", rf"IOMMU_IOAS_UNMAP, \{{size=24, ioas_id={ioas}, iova=0x200000, length=0x4000\}}\) = 0$",
         rf"IOMMU_DESTROY, \{{size=8, id={ioas}\}}\) = 0$", r'\[1\] writev\(1</dev/console>, \[\{iov_base="traced: ioas ')
    find(lines, r"\[1\] nanosleep\(\{tv_sec=0, tv_nsec=10000000\}, NULL <unfinished ...>$", r"\[2\] read\(4<anon_inode:\[eventfd\]>,  <unfinished ...>$",
         r"\[1\] <... nanosleep resumed>\) = 0$", r'\[1\] write\(4<anon_inode:\[eventfd\]>, "\\1\\0\\0\\0\\0\\0\\0\\0", 8\) = 8$',
         r'\[2\] <... read resumed>"\\1\\0\\0\\0\\0\\0\\0\\0", 8\) = 8$', r"\[2\] exit\(0\) = \?$", r"\[2\] \+\+\+ exited with 0 \+\+\+$")
    find(lines, r"\[1\] kill\(1, SIGUSR1\) = 0$", r"--- SIGUSR1 \{si_signo=SIGUSR1, si_code=SI_USER, si_pid=1, si_uid=0\} ---$",
         r"\[1\] read\(5<pipe>, 0x\w+, 1\) = -1 EINTR \(Interrupted system call\)$", r"--- SIGALRM \{si_signo=SIGALRM, si_code=SI_KERNEL\} ---$",
         r"\[1\] page fault: write to 0x8: not allowed$", r"\[1\] --- page fault at 0x8, rip 0x\w+: SIGSEGV ---$",
         r"\[1\] --- SIGSEGV \{si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x8\} ---$", r"\[1\] \+\+\+ killed by SIGSEGV \+\+\+$")


def test_pointers_to_nowhere_and_to_devices(guest, traced):
    """What cannot be read, and what may not, is left out; what is there is told up to the end of its page."""
    ran, lines = traces(guest, traced, "calls", "hostile", devices=["edu"])
    assert ran.status == 3
    find(lines, r"open\(0xf{16}, O_RDONLY\|O_LARGEFILE\) = -1 EFAULT", r"open\(0xffffffff80200000, .* EFAULT", r'open\("e{8}", .* EFAULT',
         r'open\("", .* ENOENT', r"write\(3<[^>]*>, 0x10000, 18446744073709551615\) = -1 E", r"ioctl\(3<[^>]*>, _IOC\(3, 0x54, 0x0, 0x3fff\), 0x\w+\) = -1 ENOTTY",
         r"ioctl\(3<[^>]*>, VFIO_GET_API_VERSION, 0x\w+\) = -1 ENOTTY", r"writev\(3<[^>]*>, \[\{iov_base=0x8000000000000000, iov_len=18446744073709551615\}\], -1\)",
         r"writev\(3<[^>]*>, \[\{iov_base=0x8000000000000000, iov_len=18446744073709551615\}\], 1\)", r"syscall_0xffffffff\(.*\) = -1 ENOSYS",
         r"syscall_0xffff\(0x1, 0x2, 0x3, 0x4, 0x5, 0x6\) = -1 ENOSYS", r"poll\(\[(\{fd=0</dev/console>, events=0\}, ){32}...\], 18446744073709551615, 0\) = -1 EINVAL",
         r"write\(3<[^>]*>, 0x\w+, 8\) = ", r"write\(3<[^>]*>, 0x\w+, 8\) = -1 EFAULT")


def test_nothing_is_told_unasked(guest, traced):
    ran = guest(traced, args=["blocked"]).run()
    assert ran.status == 3 and (pathlib.Path(ran.folder) / "stream").stat().st_size == 0


def test_what_cannot_be_told_is_refused(guest, traced):
    """Without a stream there is nobody to tell."""
    machine = guest(traced, settings=[("trace", "1")])
    machine.command = [re.sub(r"stream-port=\S+", "", word) for word in machine.command]
    ran = machine.run()
    assert ran.report["exit"]["sentence"] == "trace needs a stream-port, which is where it is written to"
