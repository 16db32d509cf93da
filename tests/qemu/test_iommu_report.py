# SPDX-License-Identifier: BSD-2-Clause
"""What the kernel tells of its mappings, in the report and under /sys/kernel/iommu: against what the
payload mapped, and against a walker of its own that reads the tables from the guest's memory."""

import json
import pathlib
import re

import pytest

from gdb import Gdb
from iommu_map import picture, reading
from test_iommu_walker import RID, UNIT
from vtd_walker import RTADDR, Walker

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
BDF = "0000:00:10.0"
PAGE, MIB, GIB = 1 << 12, 1 << 20, 1 << 30
CONTROL, STRAY = 0x10000000, 0x123450000
NAMES = {PAGE: "4K", 2 * MIB: "2M", GIB: "1G"}
ROOM_MAPPINGS, ROOM_AREAS = 2048, 512  # docs/report.md
LIMIT = 65535  # mappings of a type1 container

# What payloads/mapped.c maps: IOVA, length, permissions, leaves.
AREAS = [
    (CONTROL, PAGE, "rw", {"4K": 1}),
    (CONTROL + PAGE, PAGE, "rw", {"4K": 1}),
    (CONTROL + 4 * PAGE, PAGE, "r-", {"4K": 1}),
    (CONTROL + 16 * PAGE, 3 * PAGE, "-w", {"4K": 3}),
    (5 * GIB + 2 * MIB, 4 * MIB, "rw", {"2M": 2}),
    (6 * GIB, GIB, "rw", {"1G": 1}),
    (300 * GIB, 2 * MIB + PAGE, "r-", {"4K": 1, "2M": 1}),
]
# The same by leaf size, where neighbours are one row.
MAPPINGS = [
    (CONTROL, 2 * PAGE, "4K", "rw"),
    (CONTROL + 4 * PAGE, PAGE, "4K", "r-"),
    (CONTROL + 16 * PAGE, 3 * PAGE, "4K", "-w"),
    (5 * GIB + 2 * MIB, 4 * MIB, "2M", "rw"),
    (6 * GIB, GIB, "1G", "rw"),
    (300 * GIB, 2 * MIB, "2M", "r-"),
    (300 * GIB + 2 * MIB, PAGE, "4K", "r-"),
]
MAPPED = {"4K": 7, "2M": 3, "1G": 1}
UNMAPPED = {"4K": 0, "2M": 4, "1G": 0}  # 8 MiB that came and went


def leaves(some):
    return {"4K": 0, "2M": 0, "1G": 0, **some}


def mapped(guest, payload, *args, **options):
    return guest(payload("mapped"), devices=["edu"], args=args, memory="4G", icount=8, **options)


def domain_of_edu(ran):
    found = [domain for domain in ran.report["iommu"]["units"][0]["domains"] if domain["requesters"] == [BDF]]
    assert len(found) == 1, ran.log
    return found[0]


# What the tables say


def walk(ran):
    """Every leaf of the device, read from the guest's memory by way of the unit's root table pointer."""
    root = int.from_bytes(ran.qmp.read_physical(UNIT + RTADDR, 8), "little")
    walker = Walker(ran.qmp.read_physical, root)
    contexts = [context for context in walker.contexts() if context.rid == RID]
    return list(walker.leaves(contexts[0]))


def histogram(found, first, last):
    """How many pieces without a physical break there are behind a range, by power of two."""
    runs = []
    for leaf in (leaf for leaf in found if first <= leaf.iova <= last):
        if runs and runs[-1][1] == leaf.physical:
            runs[-1][1] += leaf.size
        else:
            runs.append([leaf.physical, leaf.physical + leaf.size])
    counts = {}
    for begin, end in runs:
        power = f"2^{(end - begin).bit_length() - 1}"
        counts[power] = counts.get(power, 0) + 1
    return counts


def rows_of(domain):
    """The report's mappings as leaves, each with its permissions."""
    sizes = {name: size for size, name in NAMES.items()}
    permissions = {"r-": 1, "-w": 2, "rw": 3}
    return [(iova, sizes[row["leaf"]], permissions[row["permissions"]]) for row in domain["mappings"]
            for iova in range(int(row["first"], 16), int(row["last"], 16), sizes[row["leaf"]])]


# What the report says


def judge_mappings(domain):
    assert [(row["first"], row["last"], row["leaf"], row["permissions"]) for row in domain["mappings"]] == \
        [(hex(first), hex(first + length - 1), leaf, permissions) for first, length, leaf, permissions in MAPPINGS]
    assert [(area["first"], area["last"], area["permissions"], area["leaves"]) for area in domain["areas"]] == \
        [(hex(first), hex(first + length - 1), permissions, leaves(some)) for first, length, permissions, some in AREAS]
    assert domain["leaves"] == MAPPED
    assert set(domain["truncated"].values()) == {0}


def judge_figures(figures, unmaps):
    assert figures["leaves_made"] == {name: MAPPED[name] + UNMAPPED[name] for name in MAPPED}
    assert figures["peak"] == {"bytes": sum(length for _, length, *_ in AREAS) + 8 * MIB,
                               "leaves": figures["leaves_made"]}
    assert figures["maps"] >= len(AREAS) + 1  # one area may take several calls
    assert figures["unmaps"] == unmaps
    assert figures["requesters_ever"] == [BDF]


def judge_faults(faults, *wanted):
    assert faults["count"] == len(wanted) == len(faults["recent"])
    assert [(fault["address"], fault["write"], fault["requester"]) for fault in faults["recent"]] == \
        [(hex(address), True, BDF) for address in wanted]
    assert faults["devices"] == [{"requester": BDF, "count": len(wanted), "threshold_reached": False}]


def judge_invalidations(ran, invalidations):
    """Against what QEMU saw: it counts each page-selective request and each wait."""
    seen = {name: sum(name in line for line in ran.trace)
            for name in ("vtd_inv_desc_iotlb_pages", "vtd_inv_desc_wait_sw", "vtd_inv_desc_cc_device")}
    assert invalidations["iotlb-pages"] == seen["vtd_inv_desc_iotlb_pages"] > 0
    assert invalidations["waits"] == seen["vtd_inv_desc_wait_sw"] > 0
    for kind, latency in invalidations["latency_ns"].items():
        assert 0 < latency["samples"] <= invalidations[kind]
        assert latency["min"] <= latency["mean"] <= latency["max"]
        assert sum(latency["histogram"].values()) == latency["samples"]
        powers = [int(power[2:]) for power in latency["histogram"]]
        assert (latency["min"] | 1).bit_length() - 1 == min(powers)
        assert (latency["max"] | 1).bit_length() - 1 == max(powers)
    assert "iotlb-pages" in invalidations["latency_ns"]


def text_of_areas(found):
    """The lines of /sys/kernel/iommu/mappings, from what was mapped and what the tables say."""
    for first, length, permissions, some in AREAS:
        last = first + length - 1
        counts = sorted(histogram(found, first, last).items(), key=lambda item: int(item[0][2:]))
        yield (f"  {first:#x}-{last:#x} {permissions} leaves " +
               " ".join(f"{count} {name}" for name, count in leaves(some).items()) + ", runs " +
               " ".join(f"{count} of {power}" for power, count in counts))


def judge_texts(ran, found):
    def shown(name):
        return [line.removeprefix(f"mapped: {name}: ") for line in ran.output(f"mapped: {name}: ")]
    areas = shown("mappings")
    at = areas.index(next(text_of_areas(found)))
    assert areas[at:at + len(AREAS)] == list(text_of_areas(found))
    domains = "\n".join(shown("domains"))
    assert f"leaves {MAPPED['4K']} 4K, {MAPPED['2M']} 2M, {MAPPED['1G']} 1G;" in domains and f" {BDF}\n" in domains
    assert shown("units")[0].startswith(f"iommu0 at {UNIT:#x} segment 0000 cap 0x")
    faults = shown("faults")
    assert faults[0] == "count 2" and len(faults) == 3
    assert f"{BDF} write to {STRAY:#x} refused" in faults[1]
    assert re.search(r"^  waits [1-9]\d*, ns in all \d+, longest \d+; errors: queue 0, time-out 0, completion 0$",
                     "\n".join(shown("invalidations")), re.MULTILINE)


@pytest.mark.parametrize("interface", ["type1", "iommufd"])
def test_what_is_told_is_what_was_mapped(guest, payload, interface):
    ran = mapped(guest, payload, interface, BDF, "show", qmp=True, settings=[("memlock", "2G")],
                 trace=("vtd_inv_desc_*",))
    ran.command += ["-gdb", f"unix:{ran.short.name}/gdb,server=on,wait=off"]
    ran.start().wait_for("mapped: ready")
    found = walk(ran)
    with Gdb(f"{ran.short.name}/gdb") as gdb:
        gdb.write(next(leaf.physical for leaf in found if leaf.iova == CONTROL), 1, 8)
    ran.wait()
    assert ran.status == 0, ran.log
    domain = domain_of_edu(ran)
    assert ran.report["iommu"]["snapshot"]["taken"] == "payload-end"
    judge_mappings(domain)
    judge_figures(domain, unmaps=1)
    assert rows_of(domain) == [(leaf.iova, leaf.size, leaf.permissions) for leaf in found]
    for area in domain["areas"]:
        assert area["runs"] == histogram(found, int(area["first"], 16), int(area["last"], 16))
    judge_faults(ran.report["iommu"]["faults"], STRAY, CONTROL + 4 * PAGE)
    judge_invalidations(ran, ran.report["iommu"]["units"][0]["invalidations"])
    judge_texts(ran, found)
    assert ran.report["memory"]["pins"] == 0


def test_a_payload_that_closes_leaves_figures(guest, payload):
    ran = mapped(guest, payload, "type1", BDF, "close", settings=[("memlock", "2G")]).run()
    assert ran.status == 0, ran.log
    iommu = ran.report["iommu"]
    assert [domain for domain in iommu["units"][0]["domains"] if not domain["quarantine"]] == []
    assert len(iommu["past_domains"]) == 1 and iommu["past_domains_truncated"] == 0
    judge_figures(iommu["past_domains"][0], unmaps=1 + len(AREAS))
    assert iommu["past_domains"][0]["created_ns"] < iommu["past_domains"][0]["destroyed_ns"] < \
        iommu["snapshot"]["time_ns"]


def test_a_killed_payload_leaves_its_mappings(guest, payload):
    ran = mapped(guest, payload, "type1", BDF, "kill",
                 settings=[("memlock", "2G"), ("on-dma-fault", "kill-payload"), ("fault-threshold", "3")]).run()
    assert ran.report["exit"]["reason"] == "dma-fault", ran.log
    judge_mappings(domain_of_edu(ran))
    assert ran.report["memory"]["pins"] == 0


def test_more_mappings_than_the_report_holds(guest, payload):
    ran = mapped(guest, payload, "type1", BDF, "many", str(LIMIT), settings=[("memlock", "2G")]).run()
    assert ran.status == 0, ran.log
    domain = domain_of_edu(ran)
    assert domain["leaves"] == leaves({"4K": LIMIT})
    assert len(domain["mappings"]) + domain["truncated"]["mappings"] == LIMIT
    assert len(domain["areas"]) + domain["truncated"]["areas"] == LIMIT
    assert (len(domain["mappings"]), len(domain["areas"])) == (ROOM_MAPPINGS, ROOM_AREAS)
    assert [int(row["first"], 16) for row in domain["mappings"]] == \
        [CONTROL + number * 2 * PAGE for number in range(ROOM_MAPPINGS)]
    assert len(json.dumps(ran.report.raw)) < MIB
    lines, left_out = map(int, re.fullmatch(r"mapped: (\d+) lines, the last: and (\d+) more",
                                            ran.output("mapped: ")[0]).groups())
    assert lines - 2 + left_out == LIMIT and lines > ROOM_AREAS  # without the domain's name and the last


def test_the_picture_in_the_docs_is_of_such_a_run(guest, payload):
    ran = mapped(guest, payload, "type1", BDF, "stay", settings=[("memlock", "2G")]).run()
    assert ran.status == 0, ran.log
    assert picture.draw(reading.read(ran.report_path)) == (DOCS / "iommu-map.svg").read_text()
