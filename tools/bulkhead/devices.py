# SPDX-License-Identifier: BSD-2-Clause
"""--device: what a short name stands for, where the device goes, and how the kernel will find it."""

import dataclasses

from bulkhead.cli import Failure

FIRST_SLOT = 0x10  # of pcie.0: free in every machine we build
DRIVE_SIZE = 64 << 20

# Short names: the -device string, and what else it needs. {id} is unique, {folder} is temporary.
PRESETS = {
    # Without the mask edu cuts addresses to 28 bits, silently.
    "edu": ("edu,dma_mask=0xffffffffffffffff", ()),
    "nvme": ("nvme,serial=bulkhead,drive={id}-drive",
             ("-drive", "if=none,id={id}-drive,format=raw,cache=unsafe,file={folder}/{id}.img")),
    "e1000e": ("e1000e,netdev={id}-net", ("-netdev", "user,id={id}-net,restrict=on")),
}


@dataclasses.dataclass
class Assigned:
    """A device on its way to the payload."""
    argument: str  # for -device
    extra: tuple  # more words for QEMU, before it
    selector: str  # for the kernel's `device` key


def options_of(argument):
    """'edu,addr=0x10' -> ('edu', {'addr': '0x10'})"""
    name, *words = argument.split(",")
    return name, dict(word.partition("=")[::2] for word in words)


def bridges_in(arguments):
    """Every bridge among QEMU's own arguments, by id: what --device ...,bus=ID refers to."""
    found = {}
    for flag, value in zip(arguments, arguments[1:]):
        if flag == "-device":
            name, options = options_of(value)
            if "id" in options:
                found[options["id"]] = (name, options)
    return found


def slot(addr):
    """QEMU's addr (SLOT or SLOT.FUNCTION, hexadecimal) as 'DD.F'."""
    device, _, function = addr.partition(".")
    return f"{int(device, 16):02x}.{function or '0'}"


def selector_of(options, bridges):
    """The kernel's selector: by address on the root bus, by the path of slots below a bridge."""
    bus = options.get("bus", "pcie.0")
    if bus == "pcie.0":
        return f"0000:00:{slot(options['addr'])}"
    if bus not in bridges:
        raise Failure(f"no bridge with id={bus} among the --qemu-arg devices")
    _, bridge = bridges[bus]
    if "addr" not in bridge:
        raise Failure(f"the bridge {bus} needs an addr=, or nobody can tell where it will be")
    return f"{selector_of(bridge, bridges)}/{slot(options['addr'])}"


def default_address(options, bridges, number):
    """A slot for a device that names none: PCIe ports have slot 0 only, other buses start at 1."""
    if options.get("bus", "pcie.0") == "pcie.0":
        return f"{FIRST_SLOT + number:#x}"
    kind = bridges.get(options["bus"], ("",))[0]
    return "0x0" if "root-port" in kind or "downstream" in kind or kind == "ioh3420" else "0x1"


def make_drive(folder, name):
    with open(f"{folder}/{name}.img", "wb") as image:
        image.truncate(DRIVE_SIZE)


def assign(spec, number, qemu_arguments, folder):
    """Turns the number-th --device into what QEMU and the kernel have to be told."""
    name, _, more = spec.partition(",")
    template, extra = PRESETS.get(name, (name, ()))
    fill = {"id": f"assigned{number}", "folder": folder}
    argument = template.format(**fill) + (f",{more}" if more else "")
    if name == "nvme":
        if "drive=" in more:
            argument, extra = spec, ()
        else:
            make_drive(folder, fill["id"])
    _, options = options_of(argument)
    bridges = bridges_in(qemu_arguments)
    if "addr" not in options:
        options["addr"] = default_address(options, bridges, number)
        argument += f",addr={options['addr']}"
    return Assigned(argument, tuple(word.format(**fill) for word in extra), selector_of(options, bridges))
