# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures: building payloads, and guests that are ended with the test."""

import pathlib
import resource
import subprocess
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "tools"), str(TOP / "tests/qemu")]

from bulkhead import cli, lock, skips  # noqa: E402
import stretch  # noqa: E402
from guest import Guest  # noqa: E402

pytest_plugins = ["bulkhead.pytest"]


def pytest_collection_modifyitems(items):
    """Leaves out what tests/skips.txt says that this system cannot run."""
    for item in items:
        reason = skips.reason_for(item.nodeid.replace(".py::", "/"))
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))


def make(target):
    """Builds one target; what it prints is shown only if it fails."""
    with lock.building(cli.BUILD):
        done = subprocess.run(cli.make_command(target), cwd=TOP, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return cli.built(target)


def timed(run):
    """(what run() returns, the seconds of processor time that what it started took): a clock on the
    wall would tell how busy this machine is, which its load tells too late or not at all."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = run()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return result, after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime


@pytest.fixture(scope="session")
def kernel():
    return make("build/kernel.elf")


@pytest.fixture(scope="session")
def test_kernel():
    """The kernel with the tests of tests/kernel: guest(program, args=["threads"], kernel=test_kernel)."""
    return make("build/test-kernel.elf")


@pytest.fixture(scope="session")
def hello_dma(kernel):
    return make("build/examples/hello-dma.elf")


@pytest.fixture(scope="session")
def payload(kernel):
    """payload("name") builds tests/qemu/payloads/name.c with the SDK; payload("name", "musl"), ..."""
    return lambda name, library="sdk": make(f"build/payloads/{name}.{library}.elf")


@pytest.fixture(scope="session")
def guest_type():
    """What the fixture `guest` of bulkhead.pytest makes. With stretch=True it is measured how long interrupts are kept out."""
    def make_guest(program, folder, **options):
        if options.get("stretch"):
            options["stretch"] = stretch.plugin(make)
        return Guest(program, folder, **options)

    return make_guest
