# SPDX-License-Identifier: BSD-2-Clause
"""The kernel's report as objects: docs/report.md member by member. `-` of a name is `_` here, and what JSON has as a
text of hexadecimal digits is a number. What a later kernel adds is in `raw`, the object as JSON has it; what one does
not tell is None, or empty."""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from typing import Any


class Address(int):
    """An address or a register's value, which JSON has as a text such as "0xfed90000"."""

    def __new__(cls, value: str | int) -> Address:
        return super().__new__(cls, int(value, 0) if isinstance(value, str) else value)

    def __repr__(self) -> str:
        return hex(self)


class Record:
    """A part of the report. `raw` is what JSON says of it; `part["name"]` and `part.get("name")` look there."""
    raw: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        return self.raw[name]

    def __contains__(self, name: object) -> bool:
        return name in self.raw

    def get(self, name: str, otherwise: Any = None) -> Any:
        return self.raw.get(name, otherwise)


@functools.cache
def annotations_of(kind: type) -> dict[str, Any]:
    found = typing.get_type_hints(kind)
    return {field.name: found[field.name] for field in dataclasses.fields(kind)}  # type: ignore[arg-type]


def build(kind: Any, value: Any) -> Any:
    """`value`, as JSON has it, as what an annotation says."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType:
        return None if value is None else build(inner[0], value)
    if origin is list:
        return [build(inner[0], one) for one in value]
    if origin is dict:
        return {name: build(inner[1], one) for name, one in value.items()}
    if not dataclasses.is_dataclass(kind):
        return Address(value) if kind is Address else value
    known = annotations_of(kind)  # type: ignore[arg-type]
    named = {name.replace("-", "_"): one for name, one in value.items()}
    made = kind(**{name: build(known[name], one) for name, one in named.items() if name in known})
    made.raw = value
    return made


@dataclasses.dataclass
class Exit(Record):
    """Why the run ended: reason is payload, killed, timeout, dma-fault, refused, panic or shown."""
    reason: str = ""
    status: int | None = None  # of a payload that ended by itself
    signal: int | None = None
    sentence: str | None = None
    rip: Address | None = None


@dataclasses.dataclass
class Step(Record):
    """The end of a step of the kernel's story."""
    step: str = ""
    end_ns: int = 0


@dataclasses.dataclass
class Time(Record):
    """Of the run, and how it was measured."""
    tsc_hz: int = 0
    tsc_source: str = ""
    steps: list[Step] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Memory(Record):
    """4 KiB frames and what still holds some."""
    frames_total: int = 0
    frames_free: int = 0
    orphans: int = 0
    pins: int = 0
    heap_bytes: int = 0


@dataclasses.dataclass
class Peak(Record):
    """The most that a domain mapped at once."""
    bytes: int = 0
    leaves: dict[str, int] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Mapping(Record):
    """IO addresses first to last, mapped by leaves of one size."""
    first: Address = Address(0)
    last: Address = Address(0)
    leaf: str = ""
    permissions: str = ""


@dataclasses.dataclass
class Area(Record):
    """A range that was mapped as one."""
    first: Address = Address(0)
    last: Address = Address(0)
    permissions: str = ""
    leaves: dict[str, int] = dataclasses.field(default_factory=dict)
    runs: dict[str, int] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Domain(Record):
    """A domain of a unit. Those that were destroyed know their unit, and no mappings."""
    id: int = 0
    quarantine: bool = False
    requesters_ever: list[str] = dataclasses.field(default_factory=list)
    created_ns: int = 0
    maps: int = 0
    unmaps: int = 0
    leaves_made: dict[str, int] = dataclasses.field(default_factory=dict)
    peak: Peak = dataclasses.field(default_factory=Peak)
    requesters: list[str] = dataclasses.field(default_factory=list)
    tables: int = 0
    leaves: dict[str, int] = dataclasses.field(default_factory=dict)
    mappings: list[Mapping] = dataclasses.field(default_factory=list)
    areas: list[Area] = dataclasses.field(default_factory=list)
    truncated: dict[str, int] = dataclasses.field(default_factory=dict)
    unit: int | None = None
    destroyed_ns: int | None = None


@dataclasses.dataclass
class Latency(Record):
    """How long invalidations of a kind took, in nanoseconds."""
    samples: int = 0
    min: int = 0
    mean: int = 0
    max: int = 0
    histogram: dict[str, int] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Invalidations(Record):
    """Requests by kind, and the waits for them."""
    context: int = 0
    iotlb_global: int = 0
    iotlb_domain: int = 0
    iotlb_pages: int = 0
    device_tlb: int = 0
    interrupt_entries: int = 0
    waits: int = 0
    wait_ns_total: int = 0
    wait_ns_max: int = 0
    queue_errors: int = 0
    time_outs: int = 0
    completion_errors: int = 0
    latency_ns: dict[str, Latency] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Capabilities(Record):
    """What a unit can do, in words."""
    levels: int = 0
    address_bits: int = 0
    largest_leaf: str = ""
    domains: int = 0
    fault_records: int = 0
    max_address_mask: int = 0
    page_selective: bool = False
    coherent: bool = False
    snoop_control: bool = False
    caching_mode: bool = False
    write_buffer_flush: bool = False
    queued_invalidation: bool = False
    interrupt_remapping: bool = False
    extended_interrupts: bool = False
    device_tlb: bool = False


@dataclasses.dataclass
class Unit(Record):
    """A remapping unit."""
    index: int = 0
    registers: Address = Address(0)
    segment: int = 0
    version: str = ""
    cap: Address = Address(0)
    ecap: Address = Address(0)
    capabilities: Capabilities = dataclasses.field(default_factory=Capabilities)
    translating: bool = False
    remapping_interrupts: bool = False
    faults_ignored: bool = False
    fenced: bool = False
    fence_reason: str | None = None
    interrupt_entries_used: int = 0
    table_pages_used: int = 0
    table_pages_stranded: int = 0
    leaves_made: dict[str, int] = dataclasses.field(default_factory=dict)
    invalidations: Invalidations = dataclasses.field(default_factory=Invalidations)
    domains: list[Domain] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Fault(Record):
    """A refused request of a device."""
    text: str = ""
    requester: str = ""
    reason: int = 0
    interrupt: bool = False
    write: bool = False
    address: Address = Address(0)
    time_ns: int = 0


@dataclasses.dataclass
class FaultingDevice(Record):
    """How many requests of a device were refused."""
    requester: str = ""
    count: int = 0
    threshold_reached: bool = False


@dataclasses.dataclass
class Faults(Record):
    """Refused requests of all units."""
    count: int = 0
    devices: list[FaultingDevice] = dataclasses.field(default_factory=list)
    devices_truncated: int = 0
    overflows: int = 0
    strangers: int = 0
    recent: list[Fault] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Snapshot(Record):
    """Of which moment the domains are."""
    taken: str = ""
    time_ns: int = 0
    domains_truncated: int = 0


@dataclasses.dataclass
class Iommu(Record):
    """The units, and what was refused."""
    units: list[Unit] = dataclasses.field(default_factory=list)
    snapshot: Snapshot = dataclasses.field(default_factory=Snapshot)
    past_domains: list[Domain] = dataclasses.field(default_factory=list)
    past_domains_truncated: int = 0
    faults: Faults = dataclasses.field(default_factory=Faults)


@dataclasses.dataclass
class Device(Record):
    """A PCI function; `class` of the report is class_code here."""
    address: str = ""
    id: str = ""
    assigned: bool = False
    reset: str | None = None

    @property
    def class_code(self) -> Address:
        return Address(self.raw.get("class", 0))


@dataclasses.dataclass
class Group(Record):
    """An isolation group."""
    id: int = 0
    devices: list[Device] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Interrupts(Record):
    """How many arrived."""
    devices: int = 0
    stray: int = 0
    nmi: int = 0
    thread_switches: int = 0


@dataclasses.dataclass
class Console(Record):
    """The serial port."""
    stalls: int = 0
    lost_bytes: int = 0


@dataclasses.dataclass
class Life(Record):
    """A life of the payload that has ended, and what was in use after it."""
    number: int = 0
    reason: str = ""
    status: int | None = None
    signal: int | None = None
    sentence: str | None = None
    ended_ns: int = 0
    frames_free: int = 0
    orphans: int = 0
    pins: int = 0
    heap_bytes: int = 0
    domain_ids: int = 0
    interrupt_entries: int = 0
    table_pages: int = 0
    vectors: int = 0


@dataclasses.dataclass
class Lives(Record):
    """The lives of the payload."""
    restarts: int = 0
    no_restart: str | None = None
    ended: list[Life] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Report(Record):
    """All of it."""
    format: int = 0
    version: str = ""
    door: str = ""
    time: Time = dataclasses.field(default_factory=Time)
    memory: Memory = dataclasses.field(default_factory=Memory)
    iommu: Iommu = dataclasses.field(default_factory=Iommu)
    groups: list[Group] = dataclasses.field(default_factory=list)
    assigned: list[str] = dataclasses.field(default_factory=list)
    interrupts: Interrupts = dataclasses.field(default_factory=Interrupts)
    console: Console = dataclasses.field(default_factory=Console)
    lives: Lives = dataclasses.field(default_factory=Lives)
    exit: Exit = dataclasses.field(default_factory=Exit)


def of(raw: dict[str, Any]) -> Report:
    """The report that JSON has so."""
    made: Report = build(Report, raw)
    return made
