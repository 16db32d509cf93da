# SPDX-License-Identifier: BSD-2-Clause
"""--device: what a short name stands for, where the device goes, and how the kernel will find it."""

import dataclasses
import os
import re
import subprocess
import sys
import threading
import time

from bulkhead import cli
from bulkhead.cli import Failure

FIRST_SLOT = 0x10  # of pcie.0: free in every machine we build
SLOT_MAX = 0x1f
DRIVE_SIZE = 64 << 20

# Short names: the -device string, and what else it needs before and behind it. {id} is unique, {folder} is temporary, {drive} what choose_drive()
# says.
PRESETS = {
    # Without the mask edu cuts addresses to 28 bits, silently.
    "edu": ("edu,dma_mask=0xffffffffffffffff", ()),
    "nvme": ("nvme,serial=bulkhead,drive={id}-drive",
             ("-drive", "if=none,id={id}-drive,format=raw,{drive}")),
    # Below a port, which gives addresses to its virtual functions.
    "nvme-vfs": ("nvme,serial=bulkhead,subsys={id}-subsystem,id={id},sriov_max_vfs=2,sriov_vq_flexible=4,sriov_vi_flexible=2",
                 ("-device", "nvme-subsys,id={id}-subsystem", "-drive", "if=none,id={id}-drive,format=raw,{drive}"),
                 ("-device", "nvme-ns,drive={id}-drive,bus={id},nsid=1,shared=on")),
    "e1000e": ("e1000e,netdev={net}", ("-netdev", "user,id={id}-net,restrict=on")),
    "igb": ("igb,netdev={net}", ("-netdev", "user,id={id}-net,restrict=on")),
    "afu-model": ("ivshmem-doorbell,chardev={id}-card,vectors=8,id={id}",
                  ("-chardev", "socket,id={id}-card,path={folder}/{id}.socket",
                   "-chardev", "socket,id={id}-monitor,path={folder}/{id}.qmp,server=on,wait=off",
                   "-mon", "chardev={id}-monitor,mode=control")),
}
# What `--device help` says of them.
SENTENCES = {
    "edu": "QEMU's teaching device: DMA and one interrupt",
    "nvme": "a disk of 64 MiB that is gone afterwards; nvme,file=disk.img: yours",
    "nvme-vfs": "a disk with two virtual functions (SR-IOV), below a port: ...,bus=PORT as in examples/nvme-vf; also with file=",
    "e1000e": "a network card of Intel in QEMU's user network, or in yours: --qemu-arg -netdev --qemu-arg TYPE,id=NAME",
    "igb": "a newer one, which has virtual functions (QEMU 8 or newer); the network as for e1000e",
    "afu-model": "an FPGA card in software, a program beside QEMU: afu-model,mode=NAME makes it misbehave",
}
NETWORK_CARDS = ("e1000e", "igb")
# Slots of presets that do not work everywhere: from another, igb's virtual functions would lie beyond the bus.
SLOTS = {"igb": 4}
# The presets whose device reaches the guest's memory from outside of QEMU: it is in this file of the folder.
SHARE_MEMORY, MEMORY = ("afu-model",), "memory.img"
# Bridges whose bus knows no requester ids and that are no PCI Express devices themselves.
CONVENTIONAL_BRIDGES = ("pci-bridge", "i82801b11-bridge")
# What the kernel is told of a preset unless the command line says otherwise.
KERNEL_OPTIONS = {"afu-model": {"afu": "dfl"}}
# What the kernel finds in an image's machine by these names.
IDS = {"edu": "1234:11e8", "nvme": "1b36:0010", "e1000e": "8086:10d3", "igb": "8086:10c9"}
# How the kernel, and not QEMU, names a device: a place, vendor and device, or a class; one of several by a number.
PLACE = re.compile(r"(?:[0-9a-f]{4}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f](?:/[0-9a-f.]+)*"
                   r"|(?:[0-9a-f]{4}:[0-9a-f]{4}|class:[0-9a-f]*)(?:#.*)?", re.I)
# Words of a SPEC that are not QEMU's: kernel.KEY=VALUE, and by preset the disk image, or the software card's behaviour.
KERNEL_PREFIX = "kernel."
OWN_WORDS = {"nvme": "file=", "nvme-vfs": "file=", "afu-model": "mode="}
SOCKET_PATIENCE = 10  # seconds
MODEL_SECONDS = 86400  # the most it takes: it ends with QEMU


@dataclasses.dataclass
class Assigned:
    """A device on its way to the payload."""
    argument: str  # for -device
    extra: tuple  # more words for QEMU, before it
    behind: tuple  # and behind it
    selector: str  # for the kernel's `device` key, with the device's options
    shares_memory: bool  # with a program beside QEMU


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
    found = re.fullmatch(r"(?:0x)?([0-9a-f]{1,2})(?:\.([0-7]))?", addr, re.I)
    if not found or int(found[1], 16) > SLOT_MAX:
        raise Failure(f"addr={addr} is no place on a bus: SLOT or SLOT.FUNCTION, up to 1f.7")
    return f"{int(found[1], 16):02x}.{found[2] or '0'}"


def selector_of(options, bridges):
    """The kernel's selector: by address on a root bus, by the path of slots below a bridge."""
    bus = options.get("bus", "pcie.0")
    if bus == "pcie.0":
        return f"0000:00:{slot(options['addr'])}"
    if bus not in bridges:
        raise Failure(f"no bridge with id={bus} among the --qemu-arg devices")
    name, bridge = bridges[bus]
    if name == "pxb-pcie":  # another root bus
        return f"0000:{int(bridge.get('bus_nr', '0'), 0):02x}:{slot(options['addr'])}"
    if "addr" not in bridge:
        raise Failure(f"the bridge {bus} needs an addr=, or nobody can tell where it will be")
    return f"{selector_of(bridge, bridges)}/{slot(options['addr'])}"


def speaker(options, bridges):
    """The id of the device in whose name a conventional card's requests arrive: the bridge to PCI nearest to the
    root, if there is one, else the card."""
    found, bus = options["id"], options.get("bus", "pcie.0")
    while bus in bridges:
        name, bridge = bridges[bus]
        if name in CONVENTIONAL_BRIDGES:
            found = bridge["id"]
        bus = bridge.get("bus", "pcie.0")
    return found


def default_address(name, options, bridges, number):
    """A slot for a device that names none: PCIe ports have slot 0 only, other buses start at 1."""
    if options.get("bus", "pcie.0") == "pcie.0":
        return f"{SLOTS.get(name, FIRST_SLOT) + number:#x}"
    kind = bridges.get(options["bus"], ("",))[0]
    return "0x0" if "root-port" in kind or "downstream" in kind or kind == "ioh3420" else "0x1"


def take_kernel_words(spec):
    """Parts a SPEC: (what is QEMU's, the device's options for the kernel). Those are the words kernel.KEY=VALUE
    and, as in bulkhead.conf, all words behind a blank."""
    head, *behind = spec.split() or [""]
    head, words = take_words(head, KERNEL_PREFIX)
    return head, words + behind


def selector_for_any_machine(spec):
    """The kernel's selector of a device in a machine that nobody has made yet."""
    head, words = take_kernel_words(spec)
    name, _, more = head.partition(",")
    if more:
        raise Failure(f"--device '{spec}': '{more}' would be for QEMU, and an image is for any machine; options for the "
                      "kernel follow behind a blank, as KEY=VALUE, or behind a comma, as kernel.KEY=VALUE")
    return " ".join([IDS.get(name, name), *words])


def choose_drive(folder, name, file):
    """The image behind an nvme, for -drive: the user's own, or an empty one that is gone afterwards."""
    if file:
        if not os.path.isfile(file):
            raise Failure(f"--device nvme,file={file}: there is no such disk image")
        return f"file={cli.option_value(os.path.abspath(file))}"
    with open(f"{folder}/{name}.img", "wb") as image:
        image.truncate(DRIVE_SIZE)
    return f"cache=unsafe,file={cli.option_value(folder)}/{name}.img"


def free_nets(qemu_arguments):
    """The ids of the networks among QEMU's own arguments (-netdev) that none of its own devices is in."""
    pairs = list(zip(qemu_arguments, qemu_arguments[1:]))
    taken = {options_of(value)[1].get("netdev") for flag, value in pairs if flag == "-device"}
    given = [options_of(value)[1].get("id") for flag, value in pairs if flag == "-netdev"]
    return [name for name in given if name and name not in taken]


def list_presets():
    """What --device takes, for people."""
    lines = [f"  {name:10} {text}\n" for name, text in SENTENCES.items()]
    return ("--device SPEC gives the machine a device and assigns it to the payload. SPEC is\n\n" + "".join(lines) +
            "\nor any -device string of QEMU, such as virtio-net-pci,disable-legacy=on (qemu-system-x86_64 -device help lists\n"
            "them). More words of QEMU's follow behind commas, as in e1000e,addr=0x1c or nvme,bus=PORT. Options for the kernel\n"
            "follow behind a blank, as in \"edu uio=yes\", or as ,kernel.uio=yes (docs/configuration.md#devices).\n")


def take_words(spec, prefix):
    """Splits the words of a SPEC that begin with prefix off: (what is left, the words' rests)."""
    words = spec.split(",")
    taken = [word.removeprefix(prefix) for word in words if word.startswith(prefix)]
    return ",".join(word for word in words if not word.startswith(prefix)), taken


def watch_model(process):
    """A card that dies during a transfer leaves the machine paused: not without a word."""
    if process.wait():
        print("bulkhead: the software FPGA died; the machine may stand still", file=sys.stderr)


def start_model(folder, name, requester, mode):
    """Starts the software card and waits until QEMU can connect to it. It ends when QEMU does."""
    socket = f"{folder}/{name}.socket"
    command = [cli.BUILD / "afu-model", "--socket", socket, "--memory", f"{folder}/{MEMORY}",
               "--monitor", f"{folder}/{name}.qmp", "--id", requester, "--seconds", str(MODEL_SECONDS)]
    command += ["--mode", mode] if mode else []
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=cli.die_with_parent)
    deadline = time.monotonic() + SOCKET_PATIENCE
    while not os.path.exists(socket):
        if process.poll() is not None or time.monotonic() > deadline:
            raise Failure("the software FPGA did not start")
        time.sleep(0.01)
    threading.Thread(target=watch_model, args=(process,), daemon=True).start()


def assign(spec, number, qemu_arguments, folder, nets=None):
    """Turns the number-th --device into what QEMU and the kernel have to be told. A network card takes the first
    of `nets`, the networks that are still free, or else gets one of its own."""
    spec, kernel_words = take_kernel_words(spec)
    own_word = OWN_WORDS.get(spec.partition(",")[0])
    spec, own_values = take_words(spec, own_word) if own_word else (spec, [])
    own_value = own_values[-1] if own_values else None
    name, _, more = spec.partition(",")
    if PLACE.fullmatch(name):
        raise Failure(f"--device {name} names a device of a machine that exists, as `image` takes it; `run` makes a machine: "
                      f"name a device of QEMU, such as {', '.join(PRESETS)}")
    if not re.fullmatch(r"[\w.-]+", name):
        raise Failure(f"--device '{spec}' does not begin with the name of a device")
    template, extra, *behind = PRESETS.get(name, (name, ()))
    fill = {"id": f"assigned{number}", "folder": cli.option_value(folder), "net": f"assigned{number}-net"}
    if name in NETWORK_CARDS and "netdev=" in more:
        template, extra = name, ()
    elif name in NETWORK_CARDS and nets:
        fill["net"], extra = nets.pop(0), ()
    argument = template.format(**fill) + (f",{more}" if more else "")
    if name in ("nvme", "nvme-vfs"):
        if "drive=" in more:
            if own_value:
                raise Failure(f"--device nvme: file={own_value} and drive= are two disks for one device")
            argument, extra = spec, ()
        else:
            fill["drive"] = choose_drive(folder, fill["id"], own_value)
    _, options = options_of(argument)
    bridges = bridges_in(qemu_arguments)
    if name == "afu-model":
        cli.build("build/afu-model")
        start_model(folder, fill["id"], speaker(options, bridges), own_value)
    if "addr" not in options:
        options["addr"] = default_address(name, options, bridges, number)
        argument += f",addr={options['addr']}"
    said = {word.partition("=")[0] for word in kernel_words}
    preset = [f"{key}={value}" for key, value in KERNEL_OPTIONS.get(name, {}).items() if key not in said]
    selector = " ".join([selector_of(options, bridges), *preset, *kernel_words])
    extra, behind = (tuple(word.format(**fill) for word in words) for words in (extra, *(behind or ((),))))
    return Assigned(argument, extra, behind, selector, name in SHARE_MEMORY)
