# SPDX-License-Identifier: BSD-2-Clause
"""Files that programs look for (docs/files.md): held against tests/interface/files.txt, here and on Debian's Linux;
and what happens when one writes to them."""

import os
import re

import pytest

import debian_linux
from conftest import TOP, make
from test_interfaces import cases

LIST = TOP / "tests/interface/files.txt"
ROOT_PORT = ["-device", "pcie-root-port,id=rp,chassis=1,addr=0x1c"]
NVME_VFS = "nvme-vfs,bus=rp,kernel.vfs=2"

# name -> (what differs from the plain machine, the device's address, the sections of the list)
MACHINES = {
    "nvme": ({"devices": ["nvme"]}, "0000:00:10.0", ["vfio", "reset", "express"]),
    "edu-uio": ({"devices": ["edu,kernel.uio=yes"]}, "0000:00:10.0", ["uio"]),
    "nvme-vfs": ({"qemu_args": ROOT_PORT, "devices": [NVME_VFS]}, "0000:01:00.0", ["vfio", "reset", "express", "sriov"]),
}


def rows(address, sections):
    """[(path, pattern of its content, mode or None)] of the list that count for a machine."""
    section, found = None, []
    for line in LIST.read_text().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line.startswith("/") and section in (None, *sections):
            path, pattern, *mode = line.split("\t")
            found.append((path.replace("{pci}", address), pattern.replace("{pci}", re.escape(address)), mode[0] if mode else None))
    return found


def named(path):
    """A pattern for what a path of the list stands for."""
    return re.escape(path).replace(r"\*", "[^/]+")


def differences(output, address, sections):
    """What a run of payloads/files.c says otherwise than the list."""
    told = [line[len("files: "):].split("\t") for line in output.splitlines() if line.startswith("files: /")]
    wrong = []
    for path, pattern, mode in rows(address, sections):
        found = [line for line in told if re.fullmatch(named(path), line[0])]
        if not found or found[0][1] == "absent":
            wrong.append(f"{path}: absent")
        for name, bits, content in (line for line in found if line[1] != "absent"):
            if mode and bits != mode:
                wrong.append(f"{name}: mode {bits}, not {mode}")
            if "/dev/vfio/" not in path and not matches(pattern, content):
                wrong.append(f"{name}: {content[:200]}")
    return wrong


def matches(pattern, content):
    """The pattern is of the bytes; the content is escaped."""
    plain = re.sub(r"\\(n|t|\\|x[0-9a-f]{2})",
                   lambda m: {"n": "\n", "t": "\t", "\\": "\\"}.get(m[1]) or chr(int(m[1][1:], 16)), content)
    return re.fullmatch(pattern, plain) is not None


@pytest.mark.parametrize("name", MACHINES)
def test_the_files_are_those_of_the_list(guest, payload, tmp_path, name):
    options, address, sections = MACHINES[name]
    sections = [*sections, *(f"{section} bulkhead" for section in sections)]
    (tmp_path / "files.txt").write_bytes(LIST.read_bytes())
    words = [address, "/files.txt", *sections]
    ran = guest(payload("files"), args=words, files=tmp_path, **options).run()
    assert ran.status == 0 and "files: done" in ran.serial, ran.log
    assert differences(ran.serial, address, sections) == []


def test_the_list_finds_what_is_missing_or_otherwise():
    said = "files: /sys/bus/pci/devices/A/vendor\t644\t0x12\\n\nfiles: /sys/bus/pci/devices/A/device\tabsent\n"
    wrong = differences(said, "A", [])
    assert "/sys/bus/pci/devices/A/vendor: mode 644, not 444" in wrong
    assert "/sys/bus/pci/devices/A/vendor: 0x12\\n" in wrong
    assert "/sys/bus/pci/devices/A/device: absent" in wrong
    assert "/sys/bus/pci/devices/A/class: absent" in wrong


def test_writes(guest, payload):
    ran = guest(payload("sysfs"), args=["0000:00:10.0"], devices=["nvme"]).run()
    assert ran.status == 0, ran.log
    assert f"{len(cases('sysfs'))} passed, 0 failed" in ran.serial and "as Linux" not in ran.serial


if os.environ.get("BULKHEAD_LONG"):  # downloads a kernel

    NVME = ["-drive", "file={disk},if=none,id=d,format=raw", "-device", "nvme,serial=x,drive=d,addr=0x10"]
    LINUX = {
        "nvme": (NVME, "vfio-pci", 0),
        "edu-uio": (["-device", "edu,addr=0x10"], "uio_pci_generic", 0),
        "nvme-vfs": ([*ROOT_PORT, "-device", "nvme-subsys,id=s", "-device", "nvme,serial=x,subsys=s,bus=rp,sriov_max_vfs=2,"
                      "sriov_vq_flexible=4,sriov_vi_flexible=2"], "vfio-pci", 2),
    }

    def on_linux(tmp_path, name, program, words):
        devices, driver, virtuals = LINUX[name]
        disk = tmp_path / "disk.img"
        disk.write_bytes(bytes(1 << 20))
        init = make("build/payloads/linux_init.musl.elf")
        return debian_linux.run(tmp_path, init, make(f"build/payloads/{program}.musl.elf"), driver=driver,
                                address=MACHINES[name][1], words=words, files=[("files.txt", LIST.read_bytes())], virtuals=virtuals,
                                devices=[word.format(disk=disk) for word in devices])

    @pytest.mark.parametrize("name", LINUX)
    def test_linux_has_the_files_of_the_list(tmp_path, name):
        _, address, sections = MACHINES[name]
        output = on_linux(tmp_path, name, "files", [address, "/files.txt", *sections])
        assert "files: done" in output, output
        assert differences(output, address, sections) == []

    def test_linux_answers_writes_alike(tmp_path):
        """All but those that Linux does as asked."""
        words = ["0000:00:10.0", "what_is_so_is_accepted", "binding_goes_by_the_driver",
                 "a_file_that_is_only_read_or_written_is_that", "a_device_is_reset_while_nobody_uses_it",
                 "config_without_a_user_is_a_view_of_its_own"]
        output = on_linux(tmp_path, "nvme", "sysfs", words)
        assert f"{len(words) - 1} passed, 0 failed" in output, output
