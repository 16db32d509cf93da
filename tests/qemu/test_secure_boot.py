# SPDX-License-Identifier: BSD-2-Clause
"""Sealed loaders take the files they were made with and no others; a signed one starts under Secure
Boot, an unsigned one does not. As docs/secure-boot.md tells it, with OVMF's snakeoil keys."""

import shutil
import subprocess

import pytest

from bulkhead import disk, firmware, seal
from conftest import TOP, make

QEMU = ["qemu-system-x86_64", "-machine", "q35,kernel-irqchip=split", "-cpu", "max", "-m", "512M", "-nodefaults",
        "-display", "none", "-no-reboot", "-device", "intel-iommu,intremap=on,aw-bits=48",
        "-device", "edu,dma_mask=0xffffffffffffffff"]
CODE, VARIABLES = "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd", "/usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd"
KEY, CERTIFICATE = "/usr/share/ovmf/PkKek-1-snakeoil.key", "/usr/share/ovmf/PkKek-1-snakeoil.pem"
LOADER = "EFI/BOOT/BOOTX64.EFI"


@pytest.fixture
def tree(tmp_path, hello_dma):
    """The files of a sealed image of the demo."""
    make("build/bulkhead.efi")
    folder = tmp_path / "tree"
    made = subprocess.run([TOP / "bulkhead", "image", "--seal", "--dir", folder, "hello-dma"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert made.returncode == 0, made.stdout
    (folder / LOADER).parent.mkdir()
    (folder / "EFI/bulkhead/bulkhead.efi").rename(folder / LOADER)
    return folder


def boot(tmp_path, tree, *firmware_words, until):
    """What the serial line says until `until` appears or the machine is off."""
    disk.write(tmp_path / "disk.img", tree)
    serial = tmp_path / "serial"
    serial.unlink(missing_ok=True)
    process = subprocess.Popen([*QEMU, *(firmware_words or ("-bios", firmware.OVMF)),
                                "-drive", f"format=raw,file={tmp_path}/disk.img", "-serial", f"file:{serial}"],
                               stdin=subprocess.DEVNULL)
    try:
        for _ in range(1800):
            text = serial.read_text(errors="replace") if serial.exists() else ""
            if until in text:
                return text
            try:
                process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
            return serial.read_text(errors="replace")
        return text
    finally:
        process.kill()
        process.wait()


def assert_demo(text):
    assert len([line for line in text.splitlines() if line.startswith("hello-dma: ")]) == 3, text


# The seal

def test_sealed(tmp_path, tree):
    assert_demo(boot(tmp_path, tree, until="nothing"))


def append(path):
    path.write_bytes(path.read_bytes() + b"#")


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


CHANGES = {
    "kernel": ("kernel.elf", flip, "is not the one this loader is sealed for"),
    "payload": ("payload.elf", flip, "is not the one this loader is sealed for"),
    "configuration": ("bulkhead.conf", append, "is not the one this loader is sealed for"),
    "no configuration": ("bulkhead.conf", lambda path: path.unlink(), "is missing"),
    "new options": ("options", lambda path: path.write_text("log-level=debug"),
                    "is not the one this loader is sealed for"),
    "new archive": ("archive.cpio", lambda path: path.write_text("x"), "is not the one this loader is sealed for"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_changed_file(tmp_path, tree, name):
    file, change, sentence = CHANGES[name]
    change(tree / "bulkhead" / file)
    text = boot(tmp_path, tree, until=sentence)
    assert f"bulkhead: cannot start: \\bulkhead\\{file} {sentence}" in text, text


def test_load_options_are_not_used(tmp_path, tree):
    (tree / "startup.nsh").write_bytes("fs0:\r\n\\loader.efi no-such-key=1\r\n".encode("utf-16"))
    (tree / LOADER).rename(tree / "loader.efi")
    text = boot(tmp_path, tree, until="nothing")
    assert "load options are not used" in text
    assert_demo(text)


# Secure Boot

def secure_firmware(tmp_path):
    shutil.copyfile(VARIABLES, tmp_path / "variables")
    return ["-machine", "smm=on", "-global", "driver=cfi.pflash01,property=secure,value=on",
            "-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={CODE}",
            "-drive", f"if=pflash,format=raw,unit=1,file={tmp_path}/variables"]


def sign(tmp_path, loader):
    subprocess.run(["openssl", "rsa", "-in", KEY, "-passin", "pass:snakeoil", "-out", tmp_path / "key.pem"],
                   check=True, stderr=subprocess.DEVNULL)
    subprocess.run(["sbsign", "--key", tmp_path / "key.pem", "--cert", CERTIFICATE, "--output", loader, loader],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_signed(tmp_path, tree):
    sign(tmp_path, tree / LOADER)
    assert_demo(boot(tmp_path, tree, *secure_firmware(tmp_path), until="nothing"))


def test_unsigned(tmp_path, tree):
    text = boot(tmp_path, tree, *secure_firmware(tmp_path), until="Access Denied")
    assert "Access Denied" in text and "bulkhead:" not in text, text


def test_changed_after_signing(tmp_path, tree):
    """Another seal breaks the signature; another file breaks the seal."""
    sign(tmp_path, tree / LOADER)
    flip(tree / "bulkhead/kernel.elf")
    text = boot(tmp_path, tree, *secure_firmware(tmp_path), until="sealed for")
    assert "bulkhead: cannot start: \\bulkhead\\kernel.elf is not the one this loader is sealed for" in text, text

    seal.apply(tree / LOADER, tree / "bulkhead")
    text = boot(tmp_path, tree, *secure_firmware(tmp_path), until="Access Denied")
    assert "Access Denied" in text and "bulkhead:" not in text, text
