# SPDX-License-Identifier: BSD-2-Clause
"""Debian's Linux on the same machine, to run the same program on the same device: its kernel for clouds, as apt
gives it, and an archive of a first program (payloads/linux_init.c), the modules and the program."""

import functools
import pathlib
import subprocess

from bulkhead import cli, cpio

FOLDER = cli.BUILD / "linux"
MODULES = ("irqbypass", "vfio", "vfio_virqfd", "vfio_iommu_type1", "vfio-pci-core", "vfio-pci", "uio", "uio_pci_generic")
MACHINE = ("qemu-system-x86_64", "-M", "q35,kernel-irqchip=split", "-m", "1G", "-cpu", "max", "-nodefaults", "-display", "none",
           "-no-reboot", "-device", "intel-iommu,intremap=on")


def ask(*command):
    return subprocess.run(command, cwd=FOLDER, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True).stdout


@functools.cache
def fetch():
    """The folder of Debian's kernel and modules; downloaded once for a build folder."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    root = FOLDER / "root"
    if not root.exists():
        depends = ask("apt-cache", "depends", "linux-image-cloud-amd64").split()
        package = next(word for word in depends if word.startswith("linux-image-") and word[len("linux-image-")].isdigit())
        ask("apt-get", "download", package)
        ask("dpkg-deb", "-x", str(next(FOLDER.glob(f"{package}_*.deb"))), "unpacked")
        (FOLDER / "unpacked").rename(root)
    return root


def archive(init, program, files):
    """The bytes of the initial file system; `files` are (name, content)."""
    found = {path.name.split(".ko")[0]: path for path in fetch().rglob("*.ko*")}
    members = [("init", init.read_bytes(), 0o100755), ("payload.elf", program.read_bytes(), 0o100755), ("dev", b"", 0o40755),
               ("modules", b"", 0o40755), *((name, content, 0o100644) for name, content in files)]
    members += [(f"modules/{number}-{name}.ko", found[name].read_bytes(), 0o100644)
                for number, name in enumerate(MODULES) if name in found]
    return cpio.archive(members)


def run(folder, init, program, *, driver, address, words, devices, files=(), virtuals=0):
    """What the program says on a device that has the driver; `devices` are words for QEMU."""
    serial, image = pathlib.Path(folder) / "linux.log", pathlib.Path(folder) / "initrd"
    image.write_bytes(archive(init, program, files))
    line = " ".join(["console=ttyS0 quiet no_timer_check intel_iommu=on panic=-1 --", driver, address, str(virtuals), *words])
    subprocess.run([*MACHINE, *devices, "-serial", f"file:{serial}", "-kernel", str(next(fetch().glob("boot/vmlinuz-*"))),
                    "-initrd", str(image), "-append", line], stdin=subprocess.DEVNULL, timeout=900, check=True)
    return serial.read_text(errors="replace").replace("\r", "")
