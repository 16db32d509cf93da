# SPDX-License-Identifier: BSD-2-Clause
"""Memory that a program gives back while a device may reach it stays as it is and is given to nobody."""

import pytest

MOMENTS = ("mapped", "given back", "with all other memory in use")


@pytest.mark.parametrize("interface,kind", [("type1", "page"), ("type1", "pieces"), ("iommufd", "block"), ("file", "block")])
def test_memory_is_kept_until_it_is_unmapped(guest, payload, interface, kind):
    ran = guest(payload("pinned"), devices=["edu"], args=[interface, "0000:00:10.0", kind], memory="96M", icount=8).run()
    assert ran.status == 0, ran.log
    for moment in MOMENTS:
        assert ran.output(f"pinned: {moment}: ") == 3 * [f"pinned: {moment}: 8 of 8 intact"], ran.log
    assert ran.report["memory"]["pins"] == 0 and ran.report["memory"]["orphans"] == 0


def test_parts_of_a_pinned_gib_are_kept(guest, payload):
    ran = guest(payload("pinned"), devices=["edu"], args=["type1", "0000:00:10.0", "parts"], memory="4G",
                settings=[("memlock", "2G")]).run()
    assert ran.status == 0, ran.log
    assert ran.output("pinned: ") == [f"pinned: {part}: 8 of 8 intact" for part in ("a page", "the last page", "a block")], ran.log
    assert ran.report["memory"]["pins"] == 0 and ran.report["memory"]["orphans"] == 0
