# SPDX-License-Identifier: BSD-2-Clause
"""The kernel by itself: how it starts, refuses, panics, schedules, and what it says about it. No payload
gets to run here, so any file will do for one."""

import re

import pytest

# QEMU's exit status is (code << 1) | 1, the codes are those of kernel/machine/exit.h.
REFUSED, PANIC = 41, 43


def boot(guest, kernel, *settings, **options):
    return guest(kernel, settings=list(settings), **options).run()


def make_test(guest, test_kernel, name, **options):
    """Boots the test kernel, which makes this test of tests/kernel."""
    return guest(test_kernel, args=[name], kernel=test_kernel, **options).run()


def sentence(ran):
    return ran.report["exit"].get("sentence", "")


def test_no_such_test(guest, test_kernel):
    ran = make_test(guest, test_kernel, "thread")
    assert ran.process.returncode == REFUSED, ran.log
    assert sentence(ran) == "there is no test 'thread'"


def test_threads(guest, test_kernel):
    ran = make_test(guest, test_kernel, "threads")
    assert "test threads: passed" in ran.serial, ran.log


@pytest.mark.parametrize("cpu", ["qemu64", "Skylake-Client-v4", "EPYC", "max,-xsave", "max,-smap,-smep,-umip"])
def test_threads_on_other_processors(guest, test_kernel, cpu):
    ran = make_test(guest, test_kernel, "threads", cpu=cpu)
    assert "test threads: passed" in ran.serial, ran.log


def test_small_memory(guest, test_kernel):
    ran = make_test(guest, test_kernel, "threads", memory="16M")
    assert "test threads: passed" in ran.serial, ran.log


def test_panic_names_its_place(guest, test_kernel):
    ran = make_test(guest, test_kernel, "panic")
    assert ran.process.returncode == PANIC, ran.log
    assert "KERNEL PANIC: asked for by the test" in ran.serial
    assert "the thread last let others in at: the test's own point" in ran.serial
    trace = ran.serial[ran.serial.index("backtrace:"):]
    for function in ("test_panic+0x", "kernel_main+0x", "kernel_entry+0x"):
        assert function in trace, ran.log
    assert ran.report["exit"]["reason"] == "panic"


def test_kernel_fault_shows_address_and_registers(guest, test_kernel):
    ran = make_test(guest, test_kernel, "fault")
    assert ran.process.returncode == PANIC, ran.log
    assert "page fault in the kernel, vector 14, error 0x0, address 0xffff900000001238" in ran.serial
    assert "cr2 ffff900000001238" in ran.serial
    assert "test_fault+0x" in ran.serial


def test_stack_overflow_hits_the_guard_page(guest, test_kernel):
    ran = make_test(guest, test_kernel, "overflow")
    assert ran.process.returncode == PANIC, ran.log
    assert "double fault in the kernel" in ran.serial
    assert "descend+0x" in ran.serial


def test_protection_is_on(guest, test_kernel):
    """CR0.WP, and CR4's SMAP, SMEP, OSXSAVE, UMIP, as the panic prints them."""
    ran = make_test(guest, test_kernel, "panic")
    line = next(line for line in ran.serial.splitlines() if " cr0 " in line)
    words = line.split()
    cr0, cr4 = (int(words[words.index(name) + 1], 16) for name in ("cr0", "cr4"))
    assert cr0 & 1 << 16
    for bit in (21, 20, 18, 11):
        assert cr4 & 1 << bit, (bit, line)


PE, MP, ET, NE, WP, PG = (1 << bit for bit in (0, 1, 4, 5, 16, 31))
CR4_BITS = {5: "PAE", 6: "MCE", 7: "PGE", 9: "OSFXSR", 10: "OSXMMEXCPT", 11: "UMIP", 18: "OSXSAVE", 20: "SMEP", 21: "SMAP"}
SCE, LME, LMA, NXE = (1 << bit for bit in (0, 8, 10, 11))
CHOSEN = {"CR0": PE | MP | ET | NE | WP | PG, "CR4": sum(1 << bit for bit in CR4_BITS), "EFER": SCE | LME | LMA | NXE,
          "DR7": 0x400, "DR6": 0xffff0ff0, "FCW": 0x37f, "MXCSR": 0x1f80}
# The first instructions of the door that QEMU enters, and what they become: other bits of CR4 (PVI, TSD, DE, PCE,
# FSGSBASE, PKE), EFER (SCE, SVME, FFXSR) and CR0 (TS, AM).
DOOR = {b"\xb8\x20\0\0\0\x0f\x22\xe0": b"\xb8\x2e\x01\x41\0\x0f\x22\xe0",
        b"\x0d\0\x01\0\0\x0f\x30": b"\x0d\x01\x51\0\0\x0f\x30",
        b"\x0d\0\0\x01\x80\x0f\x22\xc0": b"\x0d\x08\0\x05\x80\x0f\x22\xc0"}


def careless_door(kernel, folder):
    """The kernel behind a door that leaves control registers as no other does."""
    image = kernel.read_bytes()
    for found, put in DOOR.items():
        assert image.count(found) == 1
        image = image.replace(found, put)
    (folder / "kernel.elf").write_bytes(image)
    return folder / "kernel.elf"


def registers(ran):
    """{name: value}, as QEMU shows them; of a table or segment its base and limit are "NAME base", "NAME limit"."""
    text = ran.qmp.monitor("info registers")
    found = {name: int(value, 16) for name, value in re.findall(r"(\w+)=\s*([0-9a-f]+)", text)}
    for name, base, limit in re.findall(r"(\w+) *=[0-9a-f]{4} ([0-9a-f]{16}) ([0-9a-f]{8})", text):
        found[f"{name} base"], found[f"{name} limit"] = int(base, 16), int(limit, 16)
    return found


@pytest.mark.parametrize("door", ["pvh", "uefi", "careless"])
def test_control_registers_are_the_kernel_s(guest, kernel, payload, tmp_path, door):
    """Whatever the door left. A second CPU is not where the firmware had it wait, but waits to be started: QEMU takes its
    INIT when an NMI wakes it. And a machine check, which would restart the machine without CR4.MCE, is told."""
    options = {"careless": {"kernel": careless_door(kernel, tmp_path)},
               "uefi": {"firmware": "uefi", "qemu_args": ["-smp", "2"]}}.get(door, {})
    ran = guest(payload("spin"), qmp=True, **options).start()
    ran.wait_for("spin: here")
    if door == "uefi":
        ran.qmp.monitor("nmi")
        waits = re.compile(r"CPU#1\s.*?IP=0*fff0 .*?HLT=1.*?CS =f000", re.DOTALL)
        ran.wait_until(lambda: waits.search(ran.qmp.monitor("info registers -a")), "CPU 1 after INIT")
    found = registers(ran)
    assert {name: found[name] for name in CHOSEN} == CHOSEN, found
    assert (found["LDT"], found["LDT base"], found["LDT limit"]) == (0, 0, 0), found
    assert found["GS base"] == 0
    # Neither legacy controller would name an exception's vector to whoever asks.
    assert sorted(re.findall(r"imr=(\w+).*irq_base=(\w+)", ran.qmp.monitor("info pic"))) == [("ff", "e0"), ("ff", "e8")]
    ran.qmp.monitor("mce 0 1 0xbe00000000000135 0x5 0x12340 0x85")
    assert ran.wait().process.returncode == PANIC, ran.log
    assert "KERNEL PANIC: machine check in user mode, vector 18" in ran.serial
    assert "machine check in bank 1: uncorrected, processor context corrupt: cache, data read, data, level 1 " \
        "(status be00000000000135, address 12340, misc 85)" in ran.serial, ran.log


def test_cpu_without_no_execute_is_refused(guest, kernel):
    ran = boot(guest, kernel, cpu="qemu64,-nx")
    assert ran.process.returncode == REFUSED, ran.log
    assert sentence(ran) == "the CPU lacks no-execute pages"


def test_no_iommu_is_refused(guest, kernel):
    ran = boot(guest, kernel, iommu=None)
    assert ran.process.returncode == REFUSED, ran.log
    assert "no DMAR table" in sentence(ran)
    assert ran.serial.count("refused:") == 1


def test_no_interrupt_remapping_is_refused(guest, kernel):
    ran = boot(guest, kernel, iommu="intremap=off")
    assert ran.process.returncode == REFUSED, ran.log
    assert "cannot remap interrupts" in sentence(ran)


def test_bad_setting_is_refused_with_the_nearest_key(guest, kernel):
    ran = boot(guest, kernel, ("devise", "1234:11e8"))
    assert ran.process.returncode == REFUSED, ran.log
    assert "devise" in sentence(ran) and "'device'" in sentence(ran)


def test_keep_out_over_the_kernel_is_refused(guest, kernel):
    ran = boot(guest, kernel, ("keep-out", "0x200000+4K"))
    assert ran.process.returncode == REFUSED, ran.log
    assert "keep-out range 0x200000 covers the kernel image" in sentence(ran)


def right(frequency):
    """Of the time-stamp counter where one instruction, or a power of two, is a nanosecond."""
    return abs(frequency - 1_000_000_000) < 2_000_000


def test_a_clock_that_is_wrong_is_found_by_another(guest, test_kernel, tmp_path):
    """The kernel takes the first clock for one of twice its frequency."""
    image = test_kernel.read_bytes()
    pit, twice = (hertz.to_bytes(4, "little") for hertz in (1193182, 2 * 1193182))
    assert image.count(pit) > 0
    (tmp_path / "kernel.elf").write_bytes(image.replace(pit, twice))
    ran = make_test(guest, tmp_path / "kernel.elf", "threads", icount=0)
    assert "two clocks disagree" in ran.serial, ran.log
    assert right(ran.report["time"]["tsc_hz"]), ran.log
    assert "test threads: passed" in ran.serial, ran.log


def test_steps_are_timed(guest, kernel):
    ran = boot(guest, kernel, icount=0)
    steps = {step["step"]: step["end_ns"] for step in ran.report["time"]["steps"]}
    times = list(steps.values())
    assert times == sorted(times) and all(times)
    assert steps["start"] < 1_000_000, "the clock must be calibrated in at most 1 ms"
    assert list(steps)[:4] == ["start", "find", "close", "group"]
    assert right(ran.report["time"]["tsc_hz"])
    assert ran.report["time"]["tsc_source"] == "pit"


def test_the_clock_gets_better_while_the_payload_runs(guest, payload):
    ran = guest(payload("spin"), settings=[("payload-timeout", "2")], icount=8).run()
    assert ran.report["exit"]["reason"] == "timeout", ran.log
    assert ran.report["time"]["tsc_source"] == "refined"
    assert abs(ran.report["time"]["tsc_hz"] - 1_000_000_000) < 100_000
