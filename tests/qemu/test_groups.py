# SPDX-License-Identifier: BSD-2-Clause
"""Isolation groups of machines with bridges, ports and switches, as the report tells them."""

import pytest

ENDPOINT = "e1000e,romfile="
ROOT_PORT = ["-device", "pcie-root-port,id=rp,chassis=1,addr=0x1c"]  # offers access control, off at boot
OPEN_PORT = ["-device", "pcie-root-port,id=rp,chassis=1,addr=0x1c,disable-acs=on"]
SWITCH = ["-device", "x3130-upstream,id=up,bus=rp",
          "-device", "xio3130-downstream,id=d0,bus=up,chassis=2,slot=0",  # no access control
          "-device", "xio3130-downstream,id=d1,bus=up,chassis=3,slot=1",
          "-device", f"{ENDPOINT},bus=d0", "-device", f"{ENDPOINT},bus=d1"]
BRIDGE = ["-device", "pcie-pci-bridge,id=bridge,bus=rp",
          "-device", "edu,bus=bridge,addr=3", "-device", "edu,bus=bridge,addr=4"]

# name -> (QEMU arguments, groups by address)
MACHINES = {
    "root port": ([*ROOT_PORT, "-device", f"{ENDPOINT},bus=rp"], [{"00:1c.0"}, {"01:00.0"}]),
    "root port without access control": ([*OPEN_PORT, "-device", f"{ENDPOINT},bus=rp"], [{"00:1c.0", "01:00.0"}]),
    "switch": ([*ROOT_PORT, *SWITCH],
               [{"00:1c.0"}, {"01:00.0"}, {"02:00.0", "02:01.0", "03:00.0", "04:00.0"}]),
    "switch below an open port": ([*OPEN_PORT, *SWITCH],
                                  [{"00:1c.0", "01:00.0", "02:00.0", "02:01.0", "03:00.0", "04:00.0"}]),
    "bridge": ([*ROOT_PORT, *BRIDGE], [{"00:1c.0"}, {"01:00.0", "02:03.0", "02:04.0"}]),
    "multifunction": (["-device", f"{ENDPOINT},addr=0x1c.0,multifunction=on", "-device", f"{ENDPOINT},addr=0x1c.1"],
                      [{"00:1c.0", "00:1c.1"}]),
}


@pytest.mark.parametrize("name", MACHINES)
def test_groups(guest, hello_dma, name):
    arguments, expected = MACHINES[name]
    ran = guest(hello_dma, devices=["edu"], qemu_args=arguments).run()
    assert ran.status == 0, ran.log
    groups = [{device["address"].removeprefix("0000:") for device in group["devices"]}
              for group in ran.report["groups"]]
    assert [group["id"] for group in ran.report["groups"]] == list(range(len(groups)))
    alone = [{"00:00.0"}, {"00:10.0"}, {"00:1f.0", "00:1f.2", "00:1f.3"}]
    assert sorted(map(sorted, groups)) == sorted(map(sorted, expected + alone)), ran.log
