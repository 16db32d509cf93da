# SPDX-License-Identifier: BSD-2-Clause
"""`import bulkhead`: what is promised to everybody is there, annotated and documented, and the report's objects have what
docs/report.md tells of."""

import dataclasses
import inspect
import json
import pathlib
import re
import subprocess
import sys
import typing

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "tools"), str(TOP / "tests/qemu"), str(TOP / "tests/tools")]

import bulkhead  # noqa: E402
import report_format  # noqa: E402
from bulkhead import guest, report_types  # noqa: E402
from test_report import GOOD  # noqa: E402

PAGE = (TOP / "docs/ci.md").read_text()


def members_of(kind, what):
    """(member of the format, the names of the class's fields) for a class and all below it."""
    names = set(report_types.annotations_of(kind)) | {name for name, one in vars(kind).items() if isinstance(one, property)}
    for name, one in getattr(what, "members", {}).items():
        yield f"{kind.__name__}.{name}", {"class": "class_code"}.get(name, name.replace("-", "_")) in names
        annotation = report_types.annotations_of(kind).get(name.replace("-", "_"))
        if typing.get_origin(annotation) is dict:  # whose names are no fields
            one = next(iter(one.members.values()))
        inner = inner_class(annotation)
        if inner:
            yield from members_of(inner, item_of(one))


def inner_class(annotation):
    """The class of a report's part that an annotation speaks of, or None."""
    for one in (annotation, *typing.get_args(annotation)):
        if dataclasses.is_dataclass(one):
            return one
    return None


def item_of(what):
    """What the elements of an array of the format are; else itself."""
    for cell in getattr(what, "__closure__", None) or ():
        if callable(cell.cell_contents):
            return cell.cell_contents
    return what


def test_every_member_of_a_report_has_its_field():
    found = dict(members_of(report_types.Report, report_format.REPORT))
    assert len(found) > 100 and [name for name, there in found.items() if not there] == []


def test_a_report_as_objects():
    report = report_types.of(json.loads(json.dumps(GOOD)))
    assert report.exit.status == 0 and report.exit.signal is None
    assert report.iommu.units[0].registers == 0xfed90000 and repr(report.iommu.units[0].cap) == "0xd2008c222f0606"
    assert report.iommu.units[0].invalidations.latency_ns["context"].histogram == {"2^0": 1, "2^1": 2}
    assert report.groups[0].devices[0].class_code == 0xff0010 and report.time.steps[1].step == "stop"
    assert report.lives.ended[0].vectors == 2


def test_what_a_later_kernel_tells_is_kept():
    report = report_types.of({"format": 3, "weather": {"rain": 1}, "exit": {"reason": "bored", "mood": "low"}})
    assert report["weather"] == {"rain": 1} and report.exit["mood"] == "low" and report.exit.get("status") is None
    assert "weather" in report and report.iommu.units == [] and report.memory.pins == 0


def public():
    """The functions that the names of __all__ promise."""
    for name in bulkhead.__all__:
        for word, one in vars(getattr(bulkhead, name)).items():
            one = one.fget if isinstance(one, property) else one
            if inspect.isfunction(one) and not word.startswith("__") and one.__module__ in (guest.__name__, report_types.__name__):
                yield f"{name}.{word}", one


@pytest.mark.parametrize("name, function", public())
def test_what_is_public_is_typed(name, function):
    parameters = [one for one in inspect.signature(function).parameters.values() if one.name != "self"]
    assert all(one.annotation is not one.empty for one in parameters) and inspect.signature(function).return_annotation
    assert typing.get_type_hints(function).get("return") is not None


def test_the_page_tells_of_every_public_name():
    named = set(re.findall(r"`([\w.]+)", PAGE))
    assert [name for name in bulkhead.__all__ if not any(name in word.split(".") for word in named)] == []
    methods = [name.partition(".")[2] for name, function in public() if name.startswith("Guest.") and function.__doc__]
    assert [name for name in methods if name not in {word.rpartition(".")[2] for word in named} and
            name not in ("build", "connect", "takes_input")] == []


def test_the_package_is_marked_as_typed():
    assert (TOP / "tools/bulkhead/py.typed").exists()


def test_the_plugin_tells_what_the_guests_of_a_failed_test_have_shown(tmp_path):
    """And ends them. The guest is played by a subclass that starts no machine."""
    (tmp_path / "conftest.py").write_text("""
import pytest

pytest_plugins = ["bulkhead.pytest"]


class Played:
    def __init__(self, payload, folder, **options):
        self.folder, self.log = folder, f"shown by {payload} {options}"

    def close(self):
        print("closed", self.folder.name)


@pytest.fixture(scope="session")
def guest_type():
    return Played
""")
    (tmp_path / "test_it.py").write_text("""
def test_bad(guest):
    guest("one.elf"), guest("two.elf", memory="1G")
    assert False


def test_good(guest):
    guest("three.elf")
""")
    done = subprocess.run([sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", tmp_path], cwd=tmp_path, capture_output=True,
                          text=True, env={"PYTHONPATH": str(TOP / "tools"), "PATH": "/usr/bin:/bin"}, check=False)
    assert "1 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert "guest 0" in done.stdout and "shown by one.elf {}" in done.stdout and "shown by two.elf {'memory': '1G'}" in done.stdout
    assert "three.elf" not in done.stdout and done.stdout.count("closed guest") >= 2
