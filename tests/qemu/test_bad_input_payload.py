# SPDX-License-Identifier: BSD-2-Clause
"""Payloads that go wrong in the middle of a transfer: the kernel says what happened, the device is
stopped, and nothing stays pinned."""

import re
import types

import pytest

from bad_input import BUS_MASTER, TRACE, assert_stopped, commands

SEGV, FPE, ILL, TRAP, ABRT = 11, 8, 4, 5, 6
NAMES = {SEGV: "SIGSEGV", FPE: "SIGFPE", ILL: "SIGILL", TRAP: "SIGTRAP", ABRT: "SIGABRT"}

# case of payloads/misbehave.c -> the signal that ends it
CASES = {
    "read_null": SEGV, "write_null": SEGV, "jump_null": SEGV,
    "read_kernel": SEGV, "write_kernel": SEGV, "jump_kernel": SEGV, "read_direct_map": SEGV,
    "read_not_canonical": SEGV, "jump_not_canonical": SEGV,
    "write_code": SEGV, "execute_data": SEGV,
    "overflow_stack": SEGV, "bad_stack_pointer": SEGV,
    "divide_by_zero": FPE, "undefined": ILL, "breakpoint": TRAP, "single_step": TRAP,
    "software_interrupt": SEGV, "linux_32bit_call": SEGV, "sysenter": ILL,
    "halt": SEGV, "disable_interrupts": SEGV, "read_port": SEGV, "write_port": SEGV, "configure_pci": SEGV,
    "read_msr": SEGV, "write_msr": SEGV, "read_cr0": SEGV, "write_cr3": SEGV, "write_cr4": SEGV,
    "load_idt": SEGV, "load_tss": SEGV, "swap_gs": SEGV, "sysret": SEGV, "invalidate_page": SEGV,
    "invalidate_caches": SEGV, "set_xcr0": SEGV, "load_kernel_segment": SEGV,
    "abort": ABRT,
}


@pytest.mark.parametrize("name", CASES)
def test_killed(guest, payload, name):
    ran = guest(payload("misbehave"), devices=["edu"], args=[name], trace=TRACE).run()
    assert ran.output("misbehave: ") == ["misbehave: running"], ran.log
    end = ran.report["exit"]
    assert (end["reason"], end["signal"]) == ("killed", CASES[name]) and end["sentence"] and "rip" in end, ran.log
    assert len(re.findall(rf"error payload: ended by {NAMES[CASES[name]]}", ran.serial)) == 1, ran.log
    assert "PANIC" not in ran.serial
    assert any(value & BUS_MASTER for value in commands(ran.trace)["edu", "00:10.0"]), ran.log
    assert_stopped(ran)
    assert ran.report["memory"]["orphans"] == 0


def test_bad_addresses(guest, payload):
    """Every system call there is, and every ioctl of the device files, with addresses that are the
    kernel's, not canonical, unmapped or at the edge."""
    ran = guest(payload("bad_addresses"), devices=["edu"], trace=TRACE).run()
    assert ran.status == 0, ran.log
    assert ran.output("bad-addresses: ")[-1].endswith("nothing wrong"), ran.log
    assert "PANIC" not in ran.serial
    assert_stopped(ran)


BOOTED = ["pci_cfg_write mch 00:00.0 @0x4 <- 0x103", "pci_cfg_write edu 00:10.0 @0x4 <- 0x406"]
STOPPED = [*BOOTED, "pci_cfg_write edu 00:10.0 @0x4 <- 0x402"]


def ended(trace, devices=("edu,addr=0x10",), pins=0, status=3):
    """What is left of a run that did not take place."""
    return types.SimpleNamespace(trace=trace, command=["-device", *devices], report={"memory": {"pins": pins}},
                                 process=types.SimpleNamespace(returncode=status), log="")


def test_the_judgement_can_fail():
    assert_stopped(ended(STOPPED))
    assert_stopped(ended(STOPPED[:1], devices=()))
    for bad in (ended([]), ended([], devices=()), ended(BOOTED), ended(BOOTED[:1]), ended(STOPPED, pins=1), ended(STOPPED, status=0),
                ended([*STOPPED, "pci_cfg_write edu 00:11.0 @0x4 <- 0x406"], devices=("edu,addr=0x10", "edu,addr=0x11")),
                ended(STOPPED, devices=("edu,addr=0x10", "edu,addr=0x11"))):
        with pytest.raises(AssertionError):
            assert_stopped(bad)
