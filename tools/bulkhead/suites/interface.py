# SPDX-License-Identifier: BSD-2-Clause
"""Every number and layout of the interface headers against Debian's own headers.

For each of our headers: all its integer macros and enumerators, the size of each structure and the
place and size of each field become one line of a generated C table. The table is compiled twice,
with our header and with Debian's, and the two are compared. What Debian 12 does not have yet is
compared with tests/interface/newer.txt (which wins), written from Linux's documentation; what neither has fails,
so that nothing goes unchecked."""

import json
import pathlib
import re
import struct
import subprocess
import tempfile

from bulkhead import cli

# Our header -> how Debian's programs include theirs.
HEADERS = {f"include/uapi/linux/{path.name}": f"linux/{path.name}"
           for path in sorted((cli.TOP / "include/uapi/linux").glob("*.h"))}
HEADERS |= {f"sdk/include/{name}": name for name in (
    "poll.h", "time.h", "sys/auxv.h", "sys/dirent.h", "sys/epoll.h", "sys/errno.h",
    "sys/eventfd.h", "sys/ioctl.h", "sys/mman.h", "sys/random.h", "sys/resource.h", "sys/stat.h",
    "sys/syscall.h", "sys/timerfd.h", "sys/uio.h", "sys/utsname.h",
    "linux/pci_regs.h", "net/ethernet.h", "net/if_arp.h", "netinet/if_ether.h", "netinet/in.h", "netinet/ip.h", "netinet/ip6.h", "netinet/ip_icmp.h",
    "netinet/tcp.h", "netinet/udp.h", "sched.h", "sys/prctl.h", "sys/signalfd.h", "sys/socket.h", "sys/statfs.h", "sys/sysinfo.h",
    "sys/termios.h", "syslog.h")}
HEADERS |= {"sdk/include/sys/_default_fcntl.h": "fcntl.h", "sdk/include/sys/signal.h": "signal.h",
            "sdk/include/sys/sched.h": "sched.h",
            "sdk/include/sys/dirent.h": "dirent.h", "kernel/lib/error.h": "errno.h"}

# Types, and macros with parameters: nothing in them has a value.
WITHOUT_VALUES = {"include/uapi/linux/ioctl.h", "include/uapi/linux/types.h"}

# What is meant to differ, with the reason.
DIFFERENT = {
    "MINSIGSTKSZ": "a call in glibc", "SIGSTKSZ": "a call in glibc",
    "sigaction": "the C library's own structure, not the kernel's",
    **dict.fromkeys(("EFTYPE", "ENMFILE", "EPROCLIM", "ENOSHARE", "ECASECLASH", "ELBIN"),
                    "names that only newlib has"),
}

OURS = ["sdk/cc", "-std=gnu11", "-D_GNU_SOURCE", "-I.", "-Iinclude"]
THEIRS = ["clang", "-std=gnu11", "-D_GNU_SOURCE"]
NEWER = cli.TOP / "tests/interface/newer.txt"


def run_compiler(command):
    return subprocess.run(command, cwd=cli.TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False)


def defined_macros(path):
    """The names of the macros without parameters that a header file defines itself."""
    names = re.findall(r"^#define ([A-Za-z]\w*)[ \t]+\S", path.read_text(), re.M)
    return [name for name in names if name not in DIFFERENT]


def walk(node):
    yield node
    for child in node.get("inner", ()):
        yield from walk(child)


def expressions(header, source, folder):
    """C expressions for all there is to compare in our header."""
    found = defined_macros(cli.TOP / header)
    text = (cli.TOP / header).read_text()
    done = run_compiler([*OURS, "-fsyntax-only", "-Xclang", "-ast-dump=json", source])
    for node in walk(json.loads(done.stdout)):
        name = node.get("name", "")
        if node["kind"] == "EnumConstantDecl" and re.search(rf"\b{name}\b", text):
            found.append(name)
        if node["kind"] != "RecordDecl" or not node.get("completeDefinition") or name in DIFFERENT:
            continue
        tag = f"{node['tagUsed']} {name}"
        if not name or not re.search(rf"\b{tag}\b \{{", text):
            continue
        found.append(f"sizeof({tag})")
        for field in node.get("inner", ()):
            if field["kind"] in ("FieldDecl", "IndirectFieldDecl") and not field.get("name", "__").startswith("__"):
                found.append(f"__builtin_offsetof({tag}, {field['name']})")
    return list(dict.fromkeys(found))


def evaluate(compiler, include, wanted, folder):
    """{expression: value} for those expressions that are integer constants with this compiler."""
    source, probe, raw = (pathlib.Path(folder) / name for name in ("probe.c", "probe.o", "probe.bin"))
    wanted = list(wanted)
    while wanted:
        lines = [f"#include <{include}>", "__attribute__((section(\".probe\"), used)) const unsigned long long probe[] = {"]
        lines += [f"(unsigned long long)({expression})," for expression in wanted]
        source.write_text("\n".join([*lines, "};", ""]))
        done = run_compiler([*compiler, "-w", "-ferror-limit=0", "-c", str(source), "-o", str(probe)])
        if done.returncode == 0:
            break
        bad = {int(number) - 3 for number in re.findall(r"probe\.c:(\d+):\d+: error", done.stderr.decode())}
        if not bad:
            raise cli.Failure(f"{include}: {done.stderr.decode()}")
        wanted = [expression for at, expression in enumerate(wanted) if at not in bad]
    else:
        return {}
    run_compiler(["llvm-objcopy", "-O", "binary", "--only-section=.probe", str(probe), str(raw)])
    data = raw.read_bytes()
    return dict(zip(wanted, struct.unpack(f"<{len(data) // 8}Q", data)))


def read_newer():
    """{expression: value} from lines `NAME VALUE` and `struct NAME SIZE FIELD@OFFSET...`."""
    known = {}
    for line in NEWER.read_text().splitlines():
        words = line.partition("#")[0].split()
        if words[:1] == ["struct"]:
            tag = f"struct {words[1]}"
            known[f"sizeof({tag})"] = int(words[2])
            for field, _, offset in (word.partition("@") for word in words[3:]):
                known[f"__builtin_offsetof({tag}, {field})"] = int(offset)
        elif words:
            known[words[0]] = int(words[1], 0)
    return known


def check_header(ours, theirs, newer, folder):
    """(what is wrong, how many were compared with Debian's header, how many with newer.txt)."""
    source = pathlib.Path(folder) / "ours.c"
    include = ours.removeprefix("include/uapi/").removeprefix("sdk/include/")
    source.write_text(f"#include <{include}>\n")
    mine = evaluate(OURS, include, expressions(ours, str(source), folder), folder)
    exists = run_compiler([*THEIRS, "-fsyntax-only", "-include", theirs, "-xc", "/dev/null"]).returncode == 0
    debian = evaluate(THEIRS, theirs, mine, folder) if exists else {}
    wrong, from_debian, from_newer = [], 0, 0
    for expression, value in mine.items():
        if expression in newer:
            expected, from_newer = newer[expression], from_newer + 1
        elif expression in debian:
            expected, from_debian = debian[expression], from_debian + 1
        else:
            wrong.append(f"{expression}: neither Debian's <{theirs}> nor {NEWER.name} has it")
            continue
        # Negative numbers are of different widths in different headers; 32 bits tell them apart.
        if value != expected and value & 0xffffffff != expected & 0xffffffff:
            wrong.append(f"{expression}: {value:#x} here, {expected:#x} in Linux")
    if not mine and ours not in WITHOUT_VALUES:
        wrong.append("nothing in it can be compared")
    return wrong, from_debian, from_newer


def run(results):
    newer = read_newer()
    with tempfile.TemporaryDirectory(prefix="bulkhead.") as folder:
        for ours, theirs in HEADERS.items():
            wrong, from_debian, from_newer = check_header(ours, theirs, newer, folder)
            results.case(f"check/interface/{ours}", not wrong, "\n".join(wrong))
            results.note(f"interface: {ours}: {from_debian} as in Debian, {from_newer} as in {NEWER.name}")
