# SPDX-License-Identifier: BSD-2-Clause
"""Options of ./bulkhead run that need no machine: settings for the kernel, time limits, networks, statuses."""

import argparse
import pathlib
import subprocess
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))

from bulkhead import boot, cli, devices, limit, machine, report, run, words  # noqa: E402


@pytest.mark.parametrize("text, settings", [
    ("", []),
    ("a=1  b=2", [("a", "1"), ("b", "2")]),
    ('args="one \\"two three\\" four"', [("args", 'one "two three" four')]),
    ('env=A="b c"d', [("env", "A=b cd")]),
    (r'arg="\\" arg=\ ', [("arg", "\\"), ("arg", "\\")]),
])
def test_the_kernels_command_line(text, settings):
    assert words.settings(text) == settings
    assert words.settings(boot.command_line(settings)) == settings


@pytest.mark.parametrize("text, sentence", [("quiet", "'quiet' is not KEY=VALUE"), ('arg="one', "a quote is not closed")])
def test_what_is_no_command_line(text, sentence):
    with pytest.raises(cli.Failure, match=sentence):
        words.settings(text)


@pytest.mark.parametrize("text", ["0", "-1", "1e300", "nan", "soon"])
def test_what_is_no_time(text):
    with pytest.raises(argparse.ArgumentTypeError):
        limit.seconds(text)


def test_time_that_has_passed():
    process = subprocess.Popen(["sleep", "1000"])
    with limit.Limit(process, 0.01) as allowed:
        process.wait(60)
    with pytest.raises(cli.Failure, match="--timeout") as failure:
        allowed.check()
    assert failure.value.status == 124


@pytest.mark.parametrize("allowed", [None, 1000])
def test_time_that_has_not_passed(allowed):
    with limit.Limit(subprocess.Popen(["true"]), allowed) as watched:
        pass
    watched.check()
    assert watched.timer.finished.is_set()


NET = ["-netdev", "socket,id=wire,listen=:0", "-netdev", "user,id=mine", "-device", "e1000e,netdev=mine"]


@pytest.mark.parametrize("specs, netdevs, own", [
    (["e1000e"], ["wire"], 0),
    (["igb", "e1000e"], ["wire", "assigned1-net"], 1),
    (["e1000e,netdev=mine", "e1000e"], ["mine", "wire"], 0),
])
def test_networks_of_cards(tmp_path, specs, netdevs, own):
    """A network that was given is for the first card that has none; only who gets none has one of its own."""
    command, _ = machine.prepare(machine.Machine(payload=tmp_path / "x", devices=specs, qemu_args=NET), tmp_path)
    cards = [word for word in command[command.index("-device", command.index(NET[-1])):] if word.startswith(("e1000e,", "igb,"))]
    assert [devices.options_of(card)[1]["netdev"] for card in cards] == netdevs
    assert all(card.count("netdev=") == 1 for card in cards)
    assert sum(word.endswith("-net,restrict=on") for word in command) == own


def test_igb_has_a_slot_whose_virtual_functions_stay_on_the_bus(tmp_path):
    assert devices.assign("igb", 0, [], tmp_path).selector == "0000:00:04.0"
    assert devices.assign("igb,addr=0x9", 0, [], tmp_path).selector == "0000:00:09.0"


def test_every_preset_is_told_of():
    assert list(devices.SENTENCES) == list(devices.PRESETS)


@pytest.mark.parametrize("end, status", [
    ({"reason": "killed", "signal": 11}, 139), ({"reason": "killed", "signal": "x"}, 125), ({"reason": "killed", "signal": 200}, 125),
    ({"reason": "timeout"}, 125), ({"reason": "refused"}, 125), ({}, 125)])
def test_statuses_of_what_the_payload_did_not_end(end, status):
    with pytest.raises(cli.Failure) as failure:
        report.exit_status({"exit": end}, 35)
    assert failure.value.status == status


@pytest.mark.parametrize("arguments", [["--nonsense"], ["--timeout", "0"], ["nowhere.elf"], ["nowhere"], ["--config", "nowhere", "a.elf"]])
def test_own_failures_are_no_payloads(arguments):
    with pytest.raises((cli.Failure, SystemExit)) as failure:
        run.main(arguments)
    assert getattr(failure.value, "status", None) == 125 or getattr(failure.value, "code", None) == 125
