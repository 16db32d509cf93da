# SPDX-License-Identifier: BSD-2-Clause
"""What docs/report.md promises of a report, as a table that reports are held against. Every guest of
every test is: see Guest.wait(). tests/tools/test_report.py holds the table against the page."""

import json
import re


class Wrong(Exception):
    """A report that is not as docs/report.md says."""


# What a value is to be: a function of (where, value) that raises Wrong.

def number(where, value):
    if type(value) is not int or value < 0:  # a bool is an int, too
        raise Wrong(f"{where}: {value!r} is no number")


def truth(where, value):
    if type(value) is not bool:
        raise Wrong(f"{where}: {value!r} is neither true nor false")


def text(pattern):
    def check(where, value):
        if not isinstance(value, str) or not re.fullmatch(pattern, value, re.ASCII):
            raise Wrong(f"{where}: {value!r} is not like {pattern}")
    return check


def up_to(most):
    def check(where, value):
        number(where, value)
        if value > most:
            raise Wrong(f"{where}: {value} is more than {most}")
    return check


def array(item, most=None):
    def check(where, value):
        if not isinstance(value, list) or (most is not None and len(value) > most):
            raise Wrong(f"{where}: no array, or too long")
        for at, one in enumerate(value):
            item(f"{where}[{at}]", one)
    return check


class Members:
    """An object with these members, and with no others. A name that ends with '?' may be absent."""

    def __init__(self, **members):
        self.members = {name.rstrip("?"): what for name, what in members.items()}
        self.needed = {name for name in members if not name.endswith("?")}

    def __call__(self, where, value):
        if not isinstance(value, dict):
            raise Wrong(f"{where}: no object")
        if value.keys() - self.members.keys() or self.needed - value.keys():
            raise Wrong(f"{where}: too much: {sorted(value.keys() - self.members.keys())}, "
                        f"missing: {sorted(self.needed - value.keys())}")
        for name, one in value.items():
            self.members[name](f"{where}.{name}", one)


class Powers:
    """A histogram: members 2^N, each with a count that is not 0."""

    members = {"2^N": number}

    def __call__(self, where, value):
        if not isinstance(value, dict):
            raise Wrong(f"{where}: no object")
        for name, count in value.items():
            text(r"2\^(0|[1-9]\d?)")(f"{where}: a name", name)
            number(f"{where}.{name}", count)
            if not count:
                raise Wrong(f"{where}.{name}: counts nothing")


class Either:
    """An object like one of these, told apart by the value of one member."""

    def __init__(self, member, kinds):
        self.member, self.kinds = member, kinds
        self.members = {name: what for kind in kinds.values() for name, what in kind.members.items()}

    def __call__(self, where, value):
        if not isinstance(value, dict) or value.get(self.member) not in self.kinds:
            raise Wrong(f"{where}: no object with a known {self.member}")
        self.kinds[value[self.member]](where, value)


ANY_TEXT = text(r"[ -~]+")
HEX = text(r"0x(0|[1-9a-f][0-9a-f]{0,15})")
ADDRESS = text(r"[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]")
PERMISSIONS = text("r-|-w|rw")
LEAF = text("4K|2M|1G")
LEAVES = Members(**{"4K": number, "2M": number, "1G": number})

KINDS = ("context", "iotlb-global", "iotlb-domain", "iotlb-pages", "device-tlb", "interrupt-entries")
LATENCY = Members(samples=number, min=number, mean=number, max=number, histogram=Powers())
INVALIDATIONS = Members(**dict.fromkeys(KINDS, number), waits=number, wait_ns_total=number, wait_ns_max=number,
                        queue_errors=number, time_outs=number, completion_errors=number,
                        latency_ns=Members(**{f"{kind}?": LATENCY for kind in KINDS}))

FIGURES = {"id": number, "quarantine": truth, "requesters_ever": array(ADDRESS, 8), "created_ns": number,
           "maps": number, "unmaps": number, "leaves_made": LEAVES, "peak": Members(bytes=number, leaves=LEAVES)}
DOMAIN = Members(
    **FIGURES, requesters=array(ADDRESS, 8), tables=number, leaves=LEAVES,
    mappings=array(Members(first=HEX, last=HEX, leaf=LEAF, permissions=PERMISSIONS), 2048),
    areas=array(Members(first=HEX, last=HEX, permissions=PERMISSIONS, leaves=LEAVES, runs=Powers()), 512),
    truncated=Members(mappings=number, areas=number, requesters=number, requesters_ever=number))
CAPABILITIES = Members(
    levels=number, address_bits=number, largest_leaf=LEAF, domains=number, fault_records=number,
    max_address_mask=number, page_selective=truth, coherent=truth, snoop_control=truth, caching_mode=truth,
    write_buffer_flush=truth, queued_invalidation=truth, interrupt_remapping=truth, extended_interrupts=truth,
    device_tlb=truth)
UNIT = Members(**{
    "index": number, "registers": HEX, "segment": number, "version": text(r"\d+\.\d+"), "cap": HEX, "ecap": HEX,
    "capabilities": CAPABILITIES, "translating": truth, "remapping_interrupts": truth, "faults_ignored": truth, "fenced": truth,
    "fence_reason?": ANY_TEXT, "interrupt_entries_used": number, "table_pages_used": number,
    "table_pages_stranded": number, "leaves_made": LEAVES, "invalidations": INVALIDATIONS,
    "domains": array(DOMAIN, 64)})
FAULT = Members(text=ANY_TEXT, requester=ADDRESS, reason=number, interrupt=truth, write=truth, address=HEX,
                time_ns=number)
IOMMU = Members(
    units=array(UNIT),
    snapshot=Members(taken=text("payload-end|report"), time_ns=number, domains_truncated=number),
    past_domains=array(Members(**FIGURES, unit=number, destroyed_ns=number), 32), past_domains_truncated=number,
    faults=Members(count=number, devices_truncated=number, overflows=number, strangers=number, recent=array(FAULT, 64),
                   devices=array(Members(requester=ADDRESS, count=number, threshold_reached=truth))))

LIFE = {"number": number, "sentence?": ANY_TEXT, "ended_ns": number, "frames_free": number, "orphans": number, "pins": number,
        "heap_bytes": number, "domain_ids": number, "interrupt_entries": number, "table_pages": number, "vectors": number}
KILLED = Members(reason=ANY_TEXT, signal=number, **LIFE)
LIVES = Members(**{"restarts": number, "no_restart?": ANY_TEXT, "ended": array(Either("reason", {
    "payload": Members(reason=ANY_TEXT, status=up_to(255), **LIFE),
    **dict.fromkeys(("killed", "timeout", "dma-fault"), KILLED)}), 16)})

STEPS = ("start", "find", "close", "group", "load", "run", "stop")
END = Either("reason", {
    "payload": Members(reason=ANY_TEXT, status=up_to(255)),
    "killed": Members(**{"reason": ANY_TEXT, "signal": number, "sentence": ANY_TEXT, "rip?": HEX}),
    "timeout": Members(reason=ANY_TEXT, sentence=ANY_TEXT),
    "dma-fault": Members(reason=ANY_TEXT, sentence=ANY_TEXT),
    "refused": Members(reason=ANY_TEXT, sentence=ANY_TEXT),
    "panic": Members(reason=ANY_TEXT),
    "shown": Members(reason=ANY_TEXT),
})
REPORT = Members(
    format=number, version=ANY_TEXT, door=text("pvh|uefi"),
    time=Members(tsc_hz=number, tsc_source=text("cpuid|model|base|pit|acpi-timer|refined|none"), steps=array(Members(step=text("|".join(STEPS)), end_ns=number))),
    memory=Members(frames_total=number, frames_free=number, orphans=number, pins=number, heap_bytes=number),
    iommu=IOMMU,
    groups=array(Members(id=number, devices=array(Members(**{
        "address": ADDRESS, "id": text("[0-9a-f]{4}:[0-9a-f]{4}"), "class": HEX, "assigned": truth,
        "reset?": text("none|function-level|advanced-features|power-management|secondary-bus")})))),
    assigned=array(ADDRESS),
    interrupts=Members(devices=number, stray=number, nmi=number, thread_switches=number),
    console=Members(stalls=number, lost_bytes=number),
    lives=LIVES,
    exit=END)


# What holds between members.

def check_steps(steps):
    """The story's steps in order, without a hole but for those between a refusal and its stop."""
    names = [step["step"] for step in steps]
    times = [step["end_ns"] for step in steps]
    if names[-1:] != ["stop"] or tuple(names[:-1]) != STEPS[:len(names) - 1] or times != sorted(times):
        raise Wrong(f"time.steps: {steps}")


def check_unit(unit):
    if unit["fenced"] != ("fence_reason" in unit):
        raise Wrong(f"iommu{unit['index']}: fenced without a reason, or the other way round")
    for kind, latency in unit["invalidations"]["latency_ns"].items():
        if sum(latency["histogram"].values()) != latency["samples"] or \
           not latency["min"] <= latency["mean"] <= latency["max"]:
            raise Wrong(f"iommu{unit['index']}: latency of {kind}: {latency}")


def check_sums(report):
    check_steps(report["time"]["steps"])
    for unit in report["iommu"]["units"]:
        check_unit(unit)
    faults = report["iommu"]["faults"]
    if len(faults["recent"]) > faults["count"] or \
       sum(one["count"] for one in faults["devices"]) + faults["devices_truncated"] != faults["count"]:
        raise Wrong(f"iommu.faults: more or less than there are: {faults}")
    assigned = [one["address"] for group in report["groups"] for one in group["devices"] if one["assigned"]]
    if sorted(assigned) != sorted(report["assigned"]):
        raise Wrong(f"assigned: {report['assigned']}, but of the groups {assigned}")
    memory = report["memory"]
    if memory["frames_free"] > memory["frames_total"]:
        raise Wrong(f"memory: {memory}")


def names_once(pairs):
    if len(dict(pairs)) < len(pairs):
        raise Wrong(f"a member twice: {[name for name, _ in pairs]}")
    return dict(pairs)


def check(written):
    """Raises Wrong if the text of a report is not what docs/report.md says."""
    report = json.loads(written, object_pairs_hook=names_once)
    REPORT("report", report)
    check_sums(report)


def member_names(what=REPORT, found=None):
    """The names of all members that a report can have."""
    found = set() if found is None else found
    for cell in getattr(what, "__closure__", None) or ():  # the items of an array
        if callable(cell.cell_contents):
            member_names(cell.cell_contents, found)
    for name, one in getattr(what, "members", {}).items():
        found.add(name)
        member_names(one, found)
    return found
