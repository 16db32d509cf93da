# SPDX-License-Identifier: BSD-2-Clause
"""docs/hardware.md against the source: its table of quirks has every row of kernel/pci/quirks.c."""

import pathlib
import re

TOP = pathlib.Path(__file__).resolve().parents[2]
KIND = re.compile(r"^    (QUIRK_\w+),", re.M)
ROW = re.compile(r"\{(QUIRK_\w+), ((?:0x\w+|\d+)(?:, (?:0x\w+|\d+))*)(.*?)\}", re.S)
FIELD = re.compile(r"\.(oldest|newest|class|subsystem) = (0x\w+|\d+)")


def table():
    """{kind: {vendor: [device, ...]}} of the source, each device as the page has it."""
    found = {kind: {} for kind in KIND.findall((TOP / "kernel/pci/quirks.h").read_text())}
    for kind, numbers, rest in ROW.findall((TOP / "kernel/pci/quirks.c").read_text()):
        vendor, first, last = (int(number, 0) for number in numbers.split(", ")[:3])
        fields = {name: int(value, 0) for name, value in FIELD.findall(rest)}
        words = [f"subsystem {fields['subsystem']:04x}"] if "subsystem" in fields else []
        words += [f"class {fields['class']:04x}"] if "class" in fields else []
        if "oldest" in fields or "newest" in fields:
            words += [f"revisions {fields.get('oldest', 0):02x} to {fields.get('newest', 255):02x}"]
        device = f"{first:04x}" + (f" to {last:04x}" if last else "") + (f" ({', '.join(words)})" if words else "")
        found[kind].setdefault(f"{vendor:04x}", []).append(device)
    return found


def cell(devices):
    return "; ".join(f"{vendor}: {', '.join(ids)}" for vendor, ids in devices.items())


def test_the_page_has_the_table_of_quirks():
    page = (TOP / "docs/hardware.md").read_text()
    rows = {kind: ids for kind, ids in re.findall(r"^\| `(QUIRK_\w+)` \| .+ \| (.+) \|$", page, re.M)}
    wanted = {kind: cell(devices) for kind, devices in table().items()}
    assert wanted and all(wanted.values())
    differing = [f"| `{kind}` | ... | {ids} |" for kind, ids in wanted.items() if rows.get(kind) != ids]
    assert not differing, "docs/hardware.md has to say:\n" + "\n".join(differing)
    assert set(rows) == set(wanted)
