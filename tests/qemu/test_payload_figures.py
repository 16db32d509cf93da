# SPDX-License-Identifier: BSD-2-Clause
"""What the payload pays, in instructions: QEMU counts one tick of the clock for each."""

import re

# As documented: nobody should be able to make these worse without noticing.
MOST = {"empty call": 80, "thread switch": 800, "map 1 GiB": 4000}


def test_figures(guest, payload):
    ran = guest(payload("figures", "musl"), devices=["edu"], icount=0, memory="3G").run()
    assert ran.status == 0, ran.log
    figures = {name: int(value) for name, value in re.findall(r"^figure: (.*) (\d+)$", ran.serial, re.M)}
    assert figures.keys() == MOST.keys(), ran.log
    assert all(figures[name] <= most for name, most in MOST.items()), figures
