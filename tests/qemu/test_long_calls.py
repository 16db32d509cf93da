# SPDX-License-Identifier: BSD-2-Clause
"""No call on an address space or a device holds the machine, however much it has to do."""

import pytest

import stretch

ADDRESS = "0000:00:10.0"


@pytest.mark.parametrize("device, cases", [
    ("edu", ["allowed_ranges", "many_areas", "attached_areas", "bar_vectors", "bar_mappings", "look_through",
             "left_mapped"]),
    ("nvme", ["reset", "fire"]),
])
def test_lets_others_in(guest, payload, device, cases):
    ran = guest(payload("long_calls", "musl"), devices=[device], args=[ADDRESS, *cases], icount=0, stretch=True,
                timeout=600).run()
    assert ran.status == 0, ran.log
    assert f"{len(cases)} passed, 0 failed" in ran.serial
    assert not stretch.too_long(ran.stretches), stretch.too_long(ran.stretches)
