# SPDX-License-Identifier: BSD-2-Clause
"""The demo on every machine it has to work on, judged from inside by its three lines and from
outside by QEMU's trace, by the guest's memory and by the kernel's report."""

import re

import pytest

from guest import find_trace

EDU = "edu,dma_mask=0xffffffffffffffff"
ROOT_PORT = ["-device", "pcie-root-port,id=rp0,chassis=1,addr=0x1c"]
PCI_BRIDGE = ["-device", "pcie-pci-bridge,id=bridge,addr=0x1d"]

# name -> what differs from the plain machine
MACHINES = {
    "plain": {},
    "caching-mode": {"iommu": "caching-mode=on"},
    "aw-bits-39": {"iommu": "aw-bits=39"},
    "default-cpu": {"cpu": "qemu64"},
    "root-port": {"qemu_args": ROOT_PORT, "devices": [f"{EDU},bus=rp0"]},
    "pci-bridge": {"qemu_args": PCI_BRIDGE, "devices": [f"{EDU},bus=bridge"]},
}

# Guest-physical pages that are the demo's IOVAs: where its DMA would land without translation.
IOVA_OUT, IOVA_IN = 0x100000000, 0x123450000


def assert_three_lines(ran):
    lines = ran.output("hello-dma: ")
    assert len(lines) == 3, ran.log
    assert re.fullmatch(r"hello-dma: round trip ok: 4000 bytes, iova 0x[0-9a-f]{9,}", lines[0]), ran.log
    assert lines[1] == "hello-dma: interrupt ok: 2 of 2 through remapping", ran.log
    assert re.fullmatch(rf"hello-dma: stray write blocked: .*write.*{IOVA_IN:#x}.*", lines[2]), ran.log
    assert ran.status == 0, ran.log


@pytest.mark.parametrize("name", MACHINES)
def test_demo(guest, hello_dma, name):
    ran = guest(hello_dma, **{"devices": ["edu"], **MACHINES[name]}).run()
    assert_three_lines(ran)


def test_a_device_that_clamps_addresses(guest, hello_dma):
    """QEMU's edu without a dma_mask. Isolation holds, so the demo says what is wrong and not that it does not."""
    ran = guest(hello_dma, devices=["edu,dma_mask=0xfffffff"]).run()
    lines = ran.output("hello-dma: ")
    reason = r"0000:00:10\.0 write to 0x3450000 refused: .*; the device clamped the address to 28 bits: use edu,dma_mask=0xffffffffffffffff"
    assert re.fullmatch(rf"hello-dma: round trip FAILED: 4000 bytes, iova 0x100000000, 2 faults counted, the last: {reason}", lines[0]), ran.log
    assert re.fullmatch(r"hello-dma: stray write FAILED: the memory is untouched, but the fault was counted at another address "
                        rf"than {IOVA_IN:#x}: {reason}", lines[2]), ran.log
    assert "NOT blocked" not in ran.serial and ran.status == 1, ran.log


@pytest.fixture(scope="module")
def traced(tmp_path_factory, hello_dma):
    """One run of the demo with everything recorded, and canaries where its DMA must not land."""
    from guest import Guest
    ran = Guest(hello_dma, tmp_path_factory.mktemp("traced"), devices=["edu"], memory="6G",
                canaries=(IOVA_OUT, IOVA_IN, IOVA_IN + 0x1000), trace=("vtd_*", "pci_cfg_write"))
    try:
        yield ran.run()
    finally:
        (ran.folder / "memory.img").unlink(missing_ok=True)


def test_canaries_stay_untouched(traced):
    assert_three_lines(traced)
    assert traced.canaries_touched() == []


def test_safe_order(traced):
    """Nothing is translated before there is a root table, and nothing may be before remapping."""
    lines = traced.trace
    order = [find_trace(lines, pattern) for pattern in (
        r"vtd_reg_dmar_root", r"vtd_reg_ir_root", r"vtd_ir_enable enable 1", r"vtd_dmar_enable enable 1")]
    assert None not in order, order
    assert order == sorted(order), "\n".join(line for line in lines[:200] if "vtd" in line)
    assert find_trace(lines, r"vtd_dmar_translate") > order[-1]
    assert find_trace(lines, r"vtd_(dmar|ir)_enable enable 0") is None


def command_writes(lines):
    """[(line number, device, value)] of every write to a PCI command register."""
    expression = re.compile(r"pci_cfg_write (\S+) (\S+) @0x4 <- (0x[0-9a-f]+)")
    for number, line in enumerate(lines):
        match = expression.search(line)
        if match:
            yield number, match.group(1), int(match.group(3), 16)


def test_bus_mastering(traced):
    """Off everywhere before translation is on; afterwards only edu gets it, once it is assigned."""
    lines = traced.trace
    enabled = find_trace(lines, r"vtd_dmar_enable enable 1")
    state = {}
    for number, device, value in command_writes(lines):
        if number > enabled and device != "edu":
            assert not value & 4, f"bus mastering of {device} switched on: {lines[number]}"
        if number < enabled:
            state[device] = value
    assert "edu" in state and not any(value & 4 for value in state.values()), f"on before translation: {state}"
    edu_writes = [value & 4 for number, device, value in command_writes(lines) if device == "edu" and number > enabled]
    assert 4 in edu_writes and edu_writes[-1] == 0, "edu's bus mastering has to be on for the demo and off at its end"


def test_fault_is_the_stray_write(traced):
    """All 1,000 words of the stray write are refused, and nothing else is."""
    faults = [line for line in traced.trace if "vtd_dmar_fault" in line]
    assert faults
    for line in faults:
        address = int(re.search(r"addr (0x[0-9a-f]+)", line).group(1), 16)
        assert IOVA_IN <= address < IOVA_IN + 4000 and "write 1" in line, line


def test_report(traced):
    report = traced.report
    assert report["exit"] == {"status": 0, "reason": "payload"}
    assert report["memory"]["pins"] == 0 and report["memory"]["orphans"] == 0


@pytest.mark.parametrize("queue, entries", [(256, 256), (32768, 65536)])
def test_sizes_are_the_operator_s(guest, hello_dma, queue, entries):
    """As QEMU reads them from the unit's registers."""
    ran = guest(hello_dma, devices=["edu"], trace=("vtd_inv_qi_setup", "vtd_reg_ir_root"),
                settings=[("invalidation-queue", str(queue)), ("interrupt-entries", str(entries))]).run()
    assert ran.status == 0, ran.log
    trace = "\n".join(ran.trace)
    assert re.search(rf"vtd_inv_qi_setup .* size {queue}$", trace, re.M), trace
    assert int(re.search(r"vtd_reg_ir_root .* size (\w+)$", trace, re.M).group(1), 0) == entries, trace


def test_no_iommu_is_refused(guest, hello_dma):
    ran = guest(hello_dma, devices=["edu"], iommu=None).run()
    assert ran.status is None
    assert re.search(r"no IOMMU|no DMAR|without an IOMMU", ran.serial, re.I), ran.log
    assert ran.output("hello-dma") == []


def test_no_remapping_is_refused(guest, hello_dma):
    ran = guest(hello_dma, devices=["edu"], iommu="intremap=off").run()
    assert ran.status is None
    assert "remap interrupts" in ran.serial.lower(), ran.log
    assert ran.output("hello-dma") == []


def test_unsafe_interrupts(guest, hello_dma):
    """The operator may allow it, and is told what that means. The demo does not call it good."""
    ran = guest(hello_dma, devices=["edu"], iommu="intremap=off", config="unsafe-interrupts = yes\n").run()
    assert "INTERRUPTS ARE NOT REMAPPED" in ran.serial, ran.log
    lines = ran.output("hello-dma: ")
    assert lines[1] == "hello-dma: interrupt FAILED: 2 of 2 without remapping", ran.log
    assert lines[2].startswith("hello-dma: stray write blocked:") and ran.status == 1, ran.log
