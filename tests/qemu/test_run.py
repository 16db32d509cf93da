# SPDX-License-Identifier: BSD-2-Clause
"""./bulkhead run as a person uses it: statuses, arguments, reports, mistakes, and being ended."""

import json
import os
import re
import signal
import subprocess
import time

import pytest

import bulkhead
import report_format
from conftest import TOP, timed

RUN = [str(TOP / "bulkhead"), "run"]


def run(*words, timeout=180, env=None):
    return subprocess.run([*RUN, *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, encoding="utf-8", errors="surrogateescape", timeout=timeout,
                          env={**os.environ, **(env or {})}, check=False)


@pytest.fixture(scope="session")
def args(payload):
    return payload("args")


@pytest.mark.parametrize("status", [0, 1, 37, 125, 255])
def test_exit_status(args, status):
    ran = run("--device", "edu", args, "--", status)
    assert ran.returncode == status, ran.stdout + ran.stderr
    assert f"[{status}]" in ran.stdout


def without_times(text):
    """The lines of the kernel and of the demo, but for what differs from run to run and from build to build."""
    lines = re.findall(r"^(?:    )?((?:\[ +[\d.]+\]|hello-dma:) .*)$", text, re.M)
    return [re.sub(r"^\[ +[\d.]+\]", "[]", re.sub(r"Bulkhead \S+,", "Bulkhead,", line)) for line in lines]


README = without_times((TOP / "README.md").read_text())


def test_demo():
    """What ./bulkhead does by itself: three lines, status 0, and with little work. The best of three,
    because other tests run at the same time."""
    times = []
    while not times or (min(times) >= 5 and len(times) < 3):
        ran, took = timed(run)
        times.append(took)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        lines = [line for line in ran.stdout.splitlines() if line.startswith("hello-dma: ")]
        assert [line.split(":")[1] for line in lines] == [" round trip ok", " interrupt ok", " stray write blocked"]
        assert without_times(ran.stdout) == README
    assert min(times) < 5


def test_demo_does_not_wait(kernel):
    """Counted in instructions: what the devices take, which are three transfers of 100 ms, and no more."""
    ran = run("--qemu-arg=-icount", "--qemu-arg=shift=2,sleep=off")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert 0.3 < float(re.findall(r"^\[ *([\d.]+)\]", ran.stdout, re.M)[-1]) < 1


def test_output_is_what_the_payload_wrote(args):
    """Redirected, its lines end as it ended them: the carriage returns are the terminal's."""
    ran = subprocess.run([*RUN, "--device", "edu", str(args), "--", "0", "two\\", "three"], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=180, check=False)
    assert ran.returncode == 0
    assert ran.stdout.endswith(b"\n[0]\n[two\\]\n[three]\n") and b"\r" not in ran.stdout


def test_calls_are_named(args, tmp_path):
    """The kernel's log has their numbers."""
    (tmp_path / "bulkhead.conf").write_text("log-level = debug\n")
    ran = run("--config", tmp_path / "bulkhead.conf", "--device", "edu", args)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    for line in (r"warn  system call vfork \(58\) is not supported",
                 r"debug payload: thread 1: vfork\(0x[0-9a-f]+, 0x[0-9a-f]+, 0x[0-9a-f]+\): ENOSYS"):
        assert len(re.findall(rf"^\[ +[\d.]+\] {line}$", ran.stdout, re.M)) == 1, ran.stdout


@pytest.mark.parametrize("library", ["sdk", "pie"])
def test_crash_is_named(payload, library):
    """The last line says what ended which program, and where in its source."""
    program = payload("misbehave", library)
    ran = run("--device", "edu", program, "--", "write_null")
    assert ran.returncode == 128 + signal.SIGSEGV
    assert re.search(rf"{program} was ended by signal 11 \(SIGSEGV\): write to 0x[0-9a-f]+: nothing is mapped there, "
                     r"at 0x[0-9a-f]+ in \w+ \(misbehave\.c:\d+\)$", ran.stderr.splitlines()[-1]), ran.stderr


def test_report(args, tmp_path):
    report = tmp_path / "report.json"
    ran = run("--device", "edu", "--report", report, args, "--", "3")
    assert ran.returncode == 3
    report_format.check(report.read_text())
    assert json.loads(report.read_text())["exit"] == {"status": 3, "reason": "payload"}


def test_an_old_report_does_not_pass_for_a_new_one(args, tmp_path):
    report = tmp_path / "report.json"
    report.write_text("{}")
    assert run("--report", report, "--qemu-arg", "-nowhere", args).returncode == 125
    assert report.read_text() == ""


def test_settings_for_the_kernel(args):
    ran = run("--quiet", "--append", 'arg=7  arg="a \\"b c"', "--append", "env=A=b", "--device", "edu", args)
    assert (ran.returncode, ran.stdout) == (7, '[7]\n[a "b c]\n'), ran.stdout + ran.stderr


HOSTILE = b"[    0.100000] info  not the kernel\r\nhalf a line\0\xff\r\r\n[    0."


def test_quiet_is_the_payloads_output_alone(payload, tmp_path):
    """Byte for byte, also where it looks like the kernel's lines, and where those come in the middle of one of its own."""
    (tmp_path / "said").write_bytes(HOSTILE)
    program = payload("say")
    ran = subprocess.run([*RUN, "--quiet", "--device", "edu", "--files", str(tmp_path), str(program), "--", "/said"], stdin=subprocess.DEVNULL,
                         capture_output=True, timeout=180, check=False)
    assert ran.returncode == 0 and ran.stdout == HOSTILE * 2, ran
    assert b"Bulkhead" in ran.stderr and b"(58) is not supported" in ran.stderr and b"half a line" not in ran.stderr


def test_quiet_ends_where_nobody_reads(payload, tmp_path):
    """As in ./bulkhead run --quiet x.elf | head: the machine does not run on for nobody."""
    (tmp_path / "said").write_bytes(HOSTILE)
    reader, writer = os.pipe()
    os.close(reader)
    ran = subprocess.run([*RUN, "--quiet", "--files", str(tmp_path), str(payload("say")), "--", "/said", "for ever"], stdin=subprocess.DEVNULL,
                         stdout=writer, stderr=subprocess.PIPE, timeout=180, check=False)
    os.close(writer)
    assert ran.returncode == 128 + signal.SIGPIPE, ran.stderr


def test_output_to_a_stream_that_is_not_there(args, guest):
    one = guest(args, apart=True)
    one.command = [word.replace('stream-port="0xea"', 'stream-port="none"') for word in one.command]
    assert one.run().report.exit.sentence == "output = stream needs a stream-port"


def test_input_from_a_program():
    """What bulkhead.Guest sends is what the payload reads, byte for byte, and its end."""
    with bulkhead.Guest("/bin/busybox", settings=[("payload-name", "cat")], apart=True, stdin=True) as one:
        one.send(HOSTILE)
        one.wait_for("not the kernel")
        one.send("more")
        one.end_input()
        one.wait()
        assert one.status == 0 and one.stdout == HOSTILE + b"more"


def test_output_apart_from_the_log(args, guest):
    ran = guest(args, args=["0", "one"], apart=True, devices=["edu"]).run()
    assert ran.stdout == b"[0]\n[one]\n" and "[one]" not in ran.serial and "Bulkhead" in ran.serial


def test_a_machine_that_runs_for_too_long(args):
    """It is told who ended it; the payload's own status is not taken for that."""
    ran = run("--timeout", "0.5", "--qemu-arg", "-S", args)
    assert ran.returncode == 124 and "the machine still ran after 0.5 s and was ended (--timeout" in ran.stderr.splitlines()[-1]


def test_what_is_kept_runs_again(args, tmp_path):
    """The line that --keep prints, typed into a shell."""
    kept = run("--keep", "--log-level", "error", args, "--", "5", env={"TMPDIR": str(tmp_path)})
    assert kept.returncode == 5, kept.stderr
    folder, line = (line.removeprefix("bulkhead: ") for line in kept.stderr.splitlines())
    assert folder == f"the files of this run stay in {next(tmp_path.iterdir())}"
    again = subprocess.run(line, shell=True, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180, check=False)
    assert again.returncode == 33 and again.stdout.replace("\r", "") == "[5]\n" and kept.stdout.endswith("[5]\n"), again.stderr


def test_temporary_folder_with_an_odd_name(args, tmp_path):
    """A comma ends a word of QEMU's options."""
    odd = tmp_path / "odd, name"
    odd.mkdir()
    ran = run("--firmware", "uefi", "--device", "nvme", args, "--", "3", env={"TMPDIR": str(odd)})
    assert ran.returncode == 3, ran.stdout + ran.stderr
    assert not list(odd.iterdir())


def test_names_are_those_of_the_callers_folder(args, tmp_path):
    """Whatever folder ./bulkhead is called from, and by whatever name."""
    (tmp_path / "called").symlink_to(TOP / "bulkhead")
    (tmp_path / "my args.elf").symlink_to(args)
    (tmp_path / "my.conf").write_text("arg = 3\n")
    (tmp_path / "disk.img").write_bytes(bytes(1 << 20))
    done = subprocess.run(
        ["./called", "run", "--config", "my.conf", "--report", "report.json", "--qemu-arg", "-drive",
         "--qemu-arg", "if=none,id=mine,format=raw,file=disk.img", "--device", "nvme,drive=mine,serial=1", "my args.elf"],
        cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 3, done.stdout + done.stderr
    assert json.loads((tmp_path / "report.json").read_text())["exit"]["status"] == 3


def test_two_runs_at_once(kernel, args):
    """They build the same files and must not spoil each other's."""
    processes = [subprocess.Popen([*RUN, str(args), "--", str(status)], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for status in (11, 12, 13)]
    complaints = [process.communicate(timeout=180)[1] for process in processes]
    assert [process.returncode for process in processes] == [11, 12, 13], complaints


AWKWARD = ["7", "two words", 'quo"tes', "back\\slash", "end\\", "# no comment", "a=b", "\u00fc", "\udcff", "--", "'", "a\\\"b"]


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
    "no such example": (["nowhere"], "no example 'nowhere'; there are: "),
    "a misspelt example": (["helo-dma"], "no example 'helo-dma', the nearest is 'hello-dma'; there are: "),
    "a place of a real machine": (["--device", "01:00.0"], "names a device of a machine that exists"),
    "one of several of a real machine": (["--device", "1234:11e8#2"], "names a device of a machine that exists"),
    "a class of a real machine": (["--device", "class:0108,kernel.uio=yes"], "names a device of a machine that exists"),
    "an id of a real machine": (["--device", "8086:10d3,kernel.uio=yes"], "names a device of a machine that exists"),
    "no such option": (["--devise", "edu"], "--devise"),
    "no such firmware": (["--firmware", "bios"], "bios"),
    "no such config": (["--config", "/nowhere.conf"], "/nowhere.conf"),
    "a folder as payload": (["/usr/"], "not a file"),
    "unplaced device": (["--device", "edu,addr=zz"], "addr=zz is no place on a bus"),
    "device without a name": (["--device", "{edu}"], "does not begin with the name of a device"),
    "too little memory": (["--memory", "1"], "not a size of at least 16M"),
    "no folder for the report": (["--report", "/nowhere/report.json"], "cannot write the report"),
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
    assert ran.returncode == 125
    assert sentence in ran.stderr, ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr


def test_refusal_reaches_the_user(hello_dma):
    ran = run("--no-iommu")
    assert ran.returncode == 125
    last = ran.stderr.splitlines()[-1]
    assert "the kernel refused to start: " in last and "DMAR" in last
    assert (ran.stdout + ran.stderr).count("DMAR") == last.count("DMAR")  # said once


def test_a_file_that_looks_like_an_example(tmp_path):
    (tmp_path / "stat").write_bytes(b"")
    done = subprocess.run([*RUN, "stat"], cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 125 and done.stderr.endswith("; the file of that name is ./stat\n"), done.stderr


def test_kernel_options_behind_a_blank(hello_dma):
    """As bulkhead.conf has them; behind commas with kernel. before them they are in hello-uio's example.conf."""
    ran = run("--device", "edu uio=yes dma-memory=yes", "hello-uio")
    assert ran.returncode == 0, ran.stdout + ran.stderr


def read_process(pid, name):
    """A file of /proc/PID, "" when the process is gone."""
    try:
        with open(f"/proc/{pid}/{name}", encoding="utf-8", errors="replace") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def has_ended(pid):
    """A dead process may stay in the table until init asks for it, and some containers have no init."""
    return read_process(pid, "stat").rpartition(")")[2].split()[:1] in ([], ["Z"], ["X"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_qemu_ends_with_the_command(kernel, payload, number):
    """Whatever ends ./bulkhead ends QEMU too."""
    def listen():
        """A shell that put the tests into the background has told its children to ignore SIGINT."""
        signal.signal(number, signal.SIG_DFL)

    command = [*RUN, "--device", "edu", "--qemu-arg", "-S", str(payload("args"))]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               preexec_fn=listen if number != signal.SIGKILL else None)

    def qemus():
        children = read_process(process.pid, f"task/{process.pid}/children").split()
        return [pid for pid in children if "qemu" in read_process(pid, "cmdline")]

    deadline = time.monotonic() + 120
    while not (found := qemus()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert found
    process.send_signal(number)
    assert process.wait(60) != 0
    deadline = time.monotonic() + 60
    while not has_ended(found[0]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert has_ended(found[0])
