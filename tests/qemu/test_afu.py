# SPDX-License-Identifier: BSD-2-Clause
"""UIO and FPGA ports beyond their calls: the examples, cards that misbehave, payloads that die."""

import os

import pytest

from bulkhead import cli, examples

FAMILIES = "edu,kernel.uio=yes,kernel.dma-memory=yes,kernel.afu=edu"


def example(name):
    program = examples.program(name)
    cli.build(str(program.relative_to(cli.TOP)))
    return program


@pytest.mark.parametrize("name,device,last", [
    ("hello-uio", "edu,kernel.uio=yes,kernel.dma-memory=yes", "hello-uio: round trip ok: 2000 bytes, 2 interrupts"),
    ("hello-afu", "edu,kernel.afu=edu", "hello-afu: ok"),
    ("hello-afu", "afu-model", "hello-afu: ok"),
])
def test_example(guest, name, device, last):
    ran = guest(example(name), devices=[device]).run()
    assert ran.status == 0, ran.log
    assert ran.output(f"{name}: ")[-1] == last
    if name == "hello-afu":
        assert ran.output("hello-afu: stray") == ["hello-afu: stray write refused"]
    assert ran.report["memory"]["pins"] == 0


def test_device_without_interrupts_is_no_uio_device(guest):
    ran = guest(example("hello-uio"), devices=["pci-testdev,kernel.uio=yes"]).run()
    assert ran.report["exit"]["reason"] == "refused", ran.log
    assert "has no interrupt for UIO" in ran.report["exit"]["sentence"]


def test_stray_transfer_of_an_afu_faults(guest):
    ran = guest(example("hello-afu"), devices=["edu,kernel.afu=edu"], trace=("vtd_*",)).run()
    assert ran.output("hello-afu: stray") == ["hello-afu: stray write refused"]
    assert any("vtd_dmar_fault" in line for line in ran.trace)


# What the kernel says of a card that lies from the start, and within how many seconds of its time.
LIES = {
    "ack-stuck": "does not acknowledge its reset",
    "endless-list": "more features than fit",
    "garbage": "does not begin with an FME or port",
    "changing": "device feature list",
}


@pytest.mark.parametrize("mode", LIES)
def test_lying_card_is_refused(guest, mode):
    ran = guest(example("hello-afu"), devices=[f"afu-model,mode={mode}"]).run()
    assert ran.status is None, ran.log
    assert ran.report["exit"]["reason"] == "refused"
    assert LIES[mode] in ran.report["exit"]["sentence"]
    assert ran.report["memory"]["pins"] == 0


def test_unknown_ids_are_shown_as_they_are(guest, payload):
    ran = guest(payload("dfl"), devices=["afu-model,mode=wrong-guid"],
                args=["/dev/dfl-port.0", "version_and_extensions", "rows_of_sysfs"]).run()
    assert ran.output("ok ") == ["ok version_and_extensions"], ran.log
    assert len(ran.output("FAIL rows_of_sysfs")) == 1


def test_silent_port_at_the_last_close_is_told(guest, payload):
    ran = guest(payload("dfl"), devices=["afu-model,mode=no-ack"],
                args=["/dev/dfl-port.0", "version_and_extensions"]).run()
    assert ran.status == 0, ran.log
    assert "does not acknowledge its reset; its regions go all the same" in ran.log


def test_one_family_at_a_time(guest, payload):
    ran = guest(payload("families"), devices=[FAMILIES, "edu"], args=["0000:00:10.0", "0000:00:11.0"]).run()
    assert ran.output("FAIL") == [], ran.log
    assert ran.status == 0, ran.log


@pytest.mark.parametrize("family", ("uio", "port"))
@pytest.mark.parametrize("way,reason", (("segv", "killed"), ("exit", "payload"), ("timeout", "timeout")))
def test_death_with_a_transfer_running(guest, payload, family, way, reason):
    ran = guest(payload("dies"), devices=[FAMILIES], args=[family, way], settings=[("payload-timeout", "1")],
                trace=("pci_cfg_write", "vtd_*"), icount=4).run()
    assert ran.output("dies: ") == ["dies: now"], ran.log
    assert ran.report["exit"]["reason"] == reason, ran.log
    assert ran.report["memory"]["pins"] == 0
    assert ran.report["memory"].get("orphans", 0) == 0


@pytest.mark.parametrize("interface", ("port", "type1", "iommufd"))
def test_rounds_leave_nothing(guest, payload, interface):
    rounds = os.environ.get("BULKHEAD_ROUNDS", "500")
    ran = guest(payload("rounds"), devices=["edu,kernel.afu=edu"], args=[interface, rounds, "0000:00:10.0"],
                timeout=300).run()
    assert ran.status == 0, ran.log
    assert ran.report["memory"]["pins"] == ran.report["memory"]["orphans"] == 0
