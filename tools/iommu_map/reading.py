# SPDX-License-Identifier: BSD-2-Clause
"""From a report to what there is to draw. Nothing in the file is trusted: what is missing or makes no
sense is told with its place."""

import json
import pathlib
import re
from dataclasses import dataclass, field

FORMAT = 2  # docs/report.md
PAGE = 4096
LEAVES = {"4K": PAGE, "2M": 2 << 20, "1G": 1 << 30}


class Problem(Exception):
    """One sentence for the user."""


@dataclass
class Mapping:
    """IOVAs without a hole, mapped by leaves of one size; both ends inclusive."""

    first: int
    last: int
    leaf: str
    permissions: str

    @property
    def size(self):
        return self.last - self.first + 1

    @property
    def count(self):
        """Of leaves."""
        return self.size // LEAVES[self.leaf]


@dataclass
class Fault:
    """A refused DMA request."""

    page: int
    requester: str
    text: str


@dataclass
class Domain:
    """What shares one page table."""

    name: str
    bits: int  # of an IOVA
    requesters: list
    ever: list  # requesters attached at any time
    leaves: dict  # by name of their size
    mappings: list
    left_out: int  # mappings that found no room in the report
    faults: list = field(default_factory=list)


@dataclass
class Report:
    """All there is to draw, and how much there is that cannot be drawn."""

    at_payload_end: bool
    domains: list
    lost: list  # faults of requesters in no domain
    interrupts: int  # refused interrupts among the newest faults
    faults_left_out: int
    domains_left_out: int
    past: int  # domains that ended before
    past_left_out: int  # domains that ended, when is not known


class Node:
    """A value of the report that knows where it is."""

    def __init__(self, value, path):
        self.value, self.path = value, path

    def fail(self, what):
        raise Problem(f"the report is damaged: {self.path or 'all of it'} {what}")

    def expect(self, kind, name):
        if not isinstance(self.value, kind):
            self.fail(f"is no {name}")
        return self.value

    def __getitem__(self, key):
        path = f"{self.path}.{key}".lstrip(".")
        if key not in self.expect(dict, "object"):
            raise Problem(f"the report is damaged: there is no {path}")
        return Node(self.value[key], path)

    def items(self):
        return [Node(value, f"{self.path}[{number}]") for number, value in enumerate(self.expect(list, "array"))]

    def number(self):
        if isinstance(self.value, bool) or not 0 <= self.expect(int, "number") < 1 << 64:
            self.fail("is no number")
        return self.value

    def flag(self):
        return self.expect(bool, "truth value")

    def text(self):
        """Without what XML cannot hold."""
        return "".join(letter if letter.isprintable() else "?" for letter in self.expect(str, "string"))

    def texts(self):
        return [item.text() for item in self.items()]

    def address(self):
        if not re.fullmatch("0x[0-9a-f]{1,16}", self.expect(str, "string")):
            self.fail("is no address")
        return int(self.value, 16)

    def one_of(self, words):
        if self.expect(str, "string") not in words:
            self.fail(f"is none of {', '.join(words)}")
        return self.value


def read_mapping(node, before):
    mapping = Mapping(node["first"].address(), node["last"].address(), node["leaf"].one_of(tuple(LEAVES)),
                      node["permissions"].one_of(("r-", "-w", "rw")))
    size = LEAVES[mapping.leaf]
    if mapping.first % size or (mapping.last + 1) % size or mapping.last < mapping.first:
        node.fail(f"does not consist of leaves of {mapping.leaf}")
    if mapping.first <= before:
        node.fail("is not behind the one before")
    return mapping


def read_domain(node, unit, bits):
    mappings, before = [], -1
    for item in node["mappings"].items():
        mappings.append(read_mapping(item, before))
        before = mappings[-1].last
    name = f"iommu{unit} domain {node['id'].number()}" + (" (quarantine)" if node["quarantine"].flag() else "")
    return Domain(name=name, bits=bits, requesters=node["requesters"].texts(), ever=node["requesters_ever"].texts(),
                  leaves={leaf: node["leaves"][leaf].number() for leaf in LEAVES}, mappings=mappings,
                  left_out=node["truncated"]["mappings"].number())


def read_units(units):
    for unit in units.items():
        bits = unit["capabilities"]["address_bits"]
        if not 12 < bits.number() <= 64:
            bits.fail("is no width of addresses")
        for domain in unit["domains"].items():
            yield read_domain(domain, unit["index"].number(), bits.value)


def read_faults(recent):
    return [Fault(node["address"].address() // PAGE * PAGE, node["requester"].text(), node["text"].text())
            for node in recent if not node["interrupt"].flag()]


def give_faults(domains, faults):
    """Each fault to the domain its requester is in, or else was in. Returns those that no domain takes."""
    lost = []
    for fault in faults:
        found = [domain for domain in domains if fault.requester in domain.requesters] or \
            [domain for domain in domains if fault.requester in domain.ever]
        (found[0].faults if found else lost).append(fault)
    return lost


def check_format(root):
    found = root.value.get("format") if isinstance(root.value, dict) else None
    if not isinstance(found, int) or isinstance(found, bool):
        raise Problem("this is JSON, but no report of the kernel: it has no format number")
    if found != FORMAT:
        age = "older" if found < FORMAT else "newer"
        raise Problem(f"the report is of format {found}, {age} than format {FORMAT}, which is what this program reads; "
                      "use kernel and tool of one version")


def understand(value):
    """What there is to draw in a report that was read as JSON."""
    root = Node(value, "")
    check_format(root)
    iommu = root["iommu"]
    domains = list(read_units(iommu["units"]))
    recent = iommu["faults"]["recent"].items()
    faults = read_faults(recent)
    moment = iommu["snapshot"]["time_ns"].number()
    return Report(
        at_payload_end=iommu["snapshot"]["taken"].one_of(("payload-end", "report")) == "payload-end",
        domains=domains, lost=give_faults(domains, faults), interrupts=len(recent) - len(faults),
        faults_left_out=max(0, iommu["faults"]["count"].number() - len(recent)),
        domains_left_out=iommu["snapshot"]["domains_truncated"].number(),
        past=sum(past["destroyed_ns"].number() < moment for past in iommu["past_domains"].items()),
        past_left_out=iommu["past_domains_truncated"].number())


def read(name):
    """The report in a file."""
    try:
        text = pathlib.Path(name).read_text(encoding="utf-8")
    except OSError as problem:
        raise Problem(f"cannot read {name}: {problem.strerror}") from None
    except ValueError:
        raise Problem(f"{name} is no text, so it is no report") from None
    if not text.strip():
        raise Problem(f"{name} is empty: the kernel did not get as far as writing a report")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise Problem(f"{name} is no JSON, or its end is missing: {problem}") from None
    try:
        return understand(value)
    except Problem as problem:
        raise Problem(f"{name}: {problem}") from None
