# SPDX-License-Identifier: BSD-2-Clause
"""Boots starter and judges it from outside. `make test` runs this."""

import os
import pathlib

PROGRAM = pathlib.Path(__file__).resolve().parents[1] / "starter.elf"
DEVICE = os.environ.get("DEVICE", "edu")


def test_its_interrupt_comes(guest):
    ran = guest(PROGRAM, devices=[DEVICE]).run()
    assert ran.status == 0, ran.log
    assert "starter: the interrupt came\n" in ran.serial


def test_its_device_reaches_nothing_else(guest):
    """Every access beyond what the program has mapped would have been counted."""
    ran = guest(PROGRAM, devices=[DEVICE]).run()
    assert ran.report.iommu.faults.count == 0
    assert ran.report.memory.pins == 0  # and all is given back at the end


def test_another_device_is_not_taken(guest):
    ran = guest(PROGRAM, args=["0000:00:1f.0"], devices=[DEVICE]).run()
    assert ran.status == 1
