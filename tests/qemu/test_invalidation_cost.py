# SPDX-License-Identifier: BSD-2-Clause
"""What the choice between page-selective and domain-selective invalidation rests on: the kernel's
instructions for one more block, and the walks after either."""

import re

BDF, USED, PAGES = "0000:00:10.0", 0x20080000, 8
MOST = 16  # INVALIDATE_BLOCKS_MAX
TABLES = 10  # from here on the two pages are in two tables, which has a price of its own


def run(guest, payload, what):
    ran = guest(payload("blocks"), devices=["edu"], args=[BDF, what], icount=0, trace=("vtd_*",)).run()
    assert ran.status == 0, ran.log
    return ran


def test_one_more_block(guest, payload):
    """docs/iommu.md counts about 95 instructions for one more block, all the same."""
    ran = run(guest, payload, "cost")
    ticks = {int(blocks): int(count) for _, blocks, count in map(str.split, ran.output("blocks: "))}
    steps = [ticks[n + 1] - ticks[n] for n in range(2, MOST) if n + 1 != TABLES]
    assert max(steps) - min(steps) <= 8 and 20 <= min(steps) and max(steps) <= 120, ticks
    # Behind the threshold there is one request, however many blocks it would have been.
    assert max(ticks[n] for n in range(MOST + 1, 21)) < ticks[MOST], ticks


def requests(ran):
    """What was asked of the IOTLB for the pages that came and went, in order: "pages" or "domain"."""
    found = (re.search(r"vtd_inv_desc_iotlb_(pages|domain)", line) for line in ran.trace)
    return [match[1] for match in found if match]


def test_what_is_walked_again(guest, payload):
    """After a page-selective invalidation nothing that is in use, after a domain-selective one all of it."""
    ran = run(guest, payload, "refill")
    walks = [int(match[1], 16) for match in (re.search(r"vtd_iotlb_page_update .* iova (\S+) ", line) for line in ran.trace) if match]
    pages = [USED + i * 4096 for i in range(PAGES)]
    assert walks == pages + pages
    hits = [match[1] for match in (re.search(r"vtd_iotlb_page_hit .* iova (\S+) ", line) for line in ran.trace) if match]
    assert len(hits) == PAGES
    # An emptied table that had been kept goes in between, which is one request for a page.
    asked = requests(ran)
    assert asked[:2] == ["pages", "pages"] and asked.index("domain") == asked.count("pages"), asked
