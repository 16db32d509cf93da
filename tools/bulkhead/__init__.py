# SPDX-License-Identifier: BSD-2-Clause
"""Boots payloads on Bulkhead under QEMU, from Python:

    import bulkhead

    with bulkhead.Guest("mine.elf", devices=["edu"], args=["quick"]) as guest:
        guest.wait_for("ready")
        guest.wait()
        assert guest.status == 0 and guest.report.iommu.faults.count == 0

The names of __all__ are for everybody, and stay: Guest, one run of a payload; GuestTimeout; Qmp, QEMU's control socket;
Report and its parts (bulkhead.report_types), what the kernel tells of a run; Failure, one clear sentence for what went
wrong before that; and bulkhead.pytest, a plugin with the fixture `guest`. All other modules stand behind ./bulkhead, one
per command, and change with it. Python's standard library only. docs/ci.md tells more."""

from bulkhead.cli import Failure
from bulkhead.guest import Guest, GuestTimeout, Qmp
from bulkhead.report_types import Report

__all__ = ["Failure", "Guest", "GuestTimeout", "Qmp", "Report"]
