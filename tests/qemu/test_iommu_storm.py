# SPDX-License-Identifier: BSD-2-Clause
"""A device that faults thousands of times: the log stays readable, the counters go on, the threshold acts."""

import pytest

NVME = "nvme"
BDF = "0000:00:10.0"


def storm(guest, payload, commands, **settings):
    settings = [(key.replace("_", "-"), value) for key, value in settings.items()]
    return guest(payload("storm"), devices=[NVME], args=[BDF, str(commands)], settings=settings,
                 trace=("pci_cfg_write", "vtd_dmar_fault")).run()


def faults_told(ran):
    return [line for line in ran.serial.splitlines() if "refused: reason" in line]


def test_log_is_limited_and_faults_are_counted(guest, payload):
    ran = storm(guest, payload, 8, on_dma_fault="log")
    assert ran.status == 0, ran.log
    sent = sum("vtd_dmar_fault" in line for line in ran.trace)
    assert sent > 1000
    assert 0 < len(faults_told(ran)) < 50
    faults = ran.report["iommu"]["faults"]
    # One record at a time: the unit drops what comes while it is taken, never invents any.
    assert 1 <= faults["count"] <= sent
    assert faults["devices"][0]["requester"] == BDF
    assert faults["devices"][0]["count"] == faults["count"]
    assert ran.report["memory"]["pins"] == 0


def test_threshold_stops_the_device(guest, payload):
    ran = storm(guest, payload, 8, on_dma_fault="stop-device", fault_threshold="2")
    assert ran.report["iommu"]["faults"]["devices"][0]["threshold_reached"] is True, ran.log
    assert ran.report["exit"]["reason"] == "payload"


def test_threshold_kills_the_payload(guest, payload):
    ran = storm(guest, payload, 40, on_dma_fault="kill-payload", fault_threshold="2")
    assert ran.report["exit"]["reason"] == "dma-fault", ran.log
    assert ran.report["memory"]["pins"] == 0


@pytest.mark.parametrize("action", ("log", "stop-device"))
def test_below_the_threshold_nothing_happens(guest, payload, action):
    ran = storm(guest, payload, 1, on_dma_fault=action, fault_threshold="1000000")
    assert ran.status == 0, ran.log
    assert ran.report["iommu"]["faults"]["devices"][0]["threshold_reached"] is False
