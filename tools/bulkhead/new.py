# SPDX-License-Identifier: BSD-2-Clause
"""./bulkhead new: a project to start from, made of examples/project."""

import argparse
import os
import pathlib
import re
import shutil

from bulkhead import cli, devices

DESCRIPTION = """Makes a project in the new folder NAME: one C source that finds its device, maps a buffer and waits for an
interrupt; a makefile that builds it with the SDK, musl and for Linux (make, make musl, make linux), boots it (make run) and
tests it (make test); a README and a script for continuous integration. docs/ci.md tells more."""

TEMPLATE = cli.TOP / "examples/project"
STARTER = "starter"  # its name in there
# What the kernel has another interface for than the template uses, and the example that shows it.
OTHERS = {"afu-model": "hello-afu", "nvme-vfs": "nvme-vf"}
# What is edu's in main.c: the match, and everything from its registers to the next function.
MATCH = "{.vendor = 0x1234, .device = 0x11e8}"
EDU = re.compile(r"/\* edu's registers.*?(?=/\* The best kind)", re.S)
OTHER_DEVICE = """/* To be filled in: has the device use the buffer, and raise an interrupt when it is done. */
static void start_device(volatile uint8_t *registers, const struct dma_memory *buffer)
{
    (void)registers; /* *(volatile uint32_t *)(registers + SOME_REGISTER) = ...; */
    (void)buffer;    /* the device finds it at buffer->iova */
}

/* To be filled in: what the device wants to see once its interrupt has come. */
static void acknowledge(volatile uint8_t *registers)
{
    (void)registers;
}

"""


def parser():
    made = argparse.ArgumentParser(prog="./bulkhead new", description=DESCRIPTION, allow_abbrev=False)
    made.add_argument("--device", metavar="SPEC", default="edu", help="the device to drive, as of ./bulkhead run (default: edu)")
    made.add_argument("name", metavar="NAME", help="of the folder, and of the program")
    return made


def match_of(device):
    """How main.c says which device it wants: by its ids, where they are known, else any."""
    vendor, _, product = devices.IDS.get(device, "").partition(":")
    return f"{{.vendor = 0x{vendor}, .device = 0x{product}}}" if vendor else "{.vendor = 0, .device = 0}"


def source_of(text, device):
    """main.c for this device: what was edu's is left to be filled in."""
    if device == "edu":
        return text
    return EDU.sub(lambda _: OTHER_DEVICE, text).replace(MATCH, match_of(device))


def content_of(path, name, spec, device):
    """What becomes of a file of the template."""
    text = path.read_text().replace(STARTER, name)
    if path.name == "main.c":
        text = source_of(text, device)
    elif path.name == "Makefile":
        text = text.replace("DEVICE ?= edu", f"DEVICE ?= {spec}")
        if not cli.INSTALLED:
            text = text.replace("BULKHEAD ?= bulkhead", f"BULKHEAD ?= {cli.TOP}/bulkhead")
    return text


def main(arguments):
    options = parser().parse_args(arguments)
    folder = pathlib.Path(options.name)
    name, device = folder.resolve().name, re.split(r"[,\s]", options.device)[0]
    if not re.fullmatch(r"[A-Za-z][\w-]*", name):
        raise cli.Failure(f"'{name}' is no name for a program: it begins with a letter; letters, digits, - and _ follow")
    if device == "help":
        print(devices.list_presets(), end="")
        return 0
    if device in OTHERS:
        raise cli.Failure(f"{device} is driven in another way than other devices: begin with examples/{OTHERS[device]}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise cli.Failure(f"{folder} is there, and not an empty folder")
    for path in sorted(TEMPLATE.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and not path.match("*.elf"):
            target = folder / str(path.relative_to(TEMPLATE)).replace(STARTER, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content_of(path, name, options.device, device))
            shutil.copymode(path, target)
            os.chmod(target, target.stat().st_mode | 0o200)
    print(f"made {folder}: cd {folder} && make run")
    return 0
