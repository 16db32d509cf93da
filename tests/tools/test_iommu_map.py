# SPDX-License-Identifier: BSD-2-Clause
"""tools/iommu-map: what it draws of a report, and what it says of files that are none."""

import copy
import json
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as tree

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))

from iommu_map import axis, picture, reading  # noqa: E402

EDU, OTHER = "0000:00:10.0", "0000:00:11.0"
GIB = 1 << 30


def mapping(first, last, leaf="4K", permissions="rw"):
    return {"first": hex(first), "last": hex(last), "leaf": leaf, "permissions": permissions}


def fault(address, requester=EDU, interrupt=False):
    return {"text": f"{requester} write to {address:#x} refused", "requester": requester, "reason": 5,
            "interrupt": interrupt, "write": True, "address": hex(address), "time_ns": 1}


def domain(number, mappings, requesters=(EDU,), ever=None, left_out=0):
    return {"id": number, "quarantine": False, "requesters": list(requesters),
            "requesters_ever": list(requesters if ever is None else ever), "leaves": {"4K": 1, "2M": 2, "1G": 3},
            "mappings": mappings, "truncated": {"mappings": left_out}}


def report_of(domains, faults=(), count=None, past=()):
    """The members of a report that a picture needs."""
    return {"format": 2, "iommu": {
        "units": [{"index": 0, "capabilities": {"address_bits": 48}, "domains": domains}],
        "snapshot": {"taken": "payload-end", "time_ns": 1000, "domains_truncated": 0},
        "past_domains": [{"destroyed_ns": time} for time in past], "past_domains_truncated": 0,
        "faults": {"count": len(faults) if count is None else count, "devices": [], "recent": list(faults)}}}


THREE = [mapping(0x1000, 0x3fff), mapping(0x40000000, 0x403fffff, "2M", "r-"), mapping(0x7f0000000000, 0x7f003fffffff, "1G", "-w")]


class Drawing:
    """An SVG, taken apart."""

    def __init__(self, report):
        self.text = picture.draw(reading.understand(report))
        self.root = tree.fromstring(self.text.encode())

    def of(self, style):
        """The elements of a style in what is drawn behind the legend."""
        begun, found = False, []
        for element in self.root.iter():
            begun = begun or element.get("class") == "domain"
            if begun and style in element.get("class", "").split():
                found.append(element)
        return found

    def titles(self, style):
        return [element[0].text for element in self.of(style)]

    @property
    def words(self):
        return "\n".join(element.text or "" for element in self.root.iter() if element.tag.endswith("}text"))


def run(*arguments):
    return subprocess.run([TOP / "tools/iommu-map", *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                          check=False, text=True)


def extents(element):
    """Where an element begins and ends, from left to right."""
    if element.tag.endswith("}rect"):
        begin = float(element.get("x"))
        return begin, begin + float(element.get("width"))
    begin, width = re.fullmatch(r"M([\d.]+) [\d.]+h([\d.]+)", element.get("d")).groups()
    return float(begin), float(begin) + float(width)


# What is drawn


def test_each_mapping_has_the_colour_of_its_leaves():
    drawing = Drawing(report_of([domain(0, THREE)]))
    assert [len(drawing.of(f"leaf{name}")) for name in ("4K", "2M", "1G")] == [1, 1, 1]
    assert drawing.titles("bar") == ["0x1000 to 0x3fff: 12 KiB, 3 x 4K rw", "0x40000000 to 0x403fffff: 4 MiB, 2 x 2M r-",
                                     "0x7f0000000000 to 0x7f003fffffff: 1 GiB, 1 x 1G -w"]
    assert len(set(re.findall(r"\.leaf\w+ { fill: (#\w+)", drawing.text))) == 3
    for label in ("0x1000", "0x40000000", "0x7f0000000000"):
        assert f">{label}</text>" in drawing.text


def test_three_mappings_in_a_large_space_are_readable():
    """Nothing is narrower than what is written in it, in order, without overlap, on one line."""
    drawing = Drawing(report_of([domain(0, THREE)]))
    pieces = sorted((extents(element) for style in ("bar", "gap") for element in drawing.of(style)), key=lambda at: at[0])
    assert len(pieces) == 7
    assert pieces[0][0] == picture.MARGIN and pieces[-1][1] <= picture.WIDTH - picture.MARGIN
    for (_, end), (begin, _) in zip(pieces, pieces[1:]):
        assert abs(end - begin) < 0.2
    assert min(end - begin for begin, end in pieces) >= 20
    assert drawing.titles("gap")[1] == "0x4000 to 0x3fffffff: 1024 MiB not mapped"
    assert drawing.titles("gap")[3] == "0x7f0040000000 to 0xffffffffffff: 129 TiB not mapped"


def test_larger_is_wider():
    widths = [axis.ROOMY.width(axis.Bar(reading.Mapping(0, size - 1, "4K", "rw"))) for size in (4096, 8192, 2 << 20, 1 << 40)]
    assert widths == sorted(set(widths)) and widths[-1] < picture.INSIDE


def test_neighbours_touch():
    drawing = Drawing(report_of([domain(0, [mapping(0, 0x1fffff, "2M"), mapping(0x200000, 0x200fff)])]))
    (_, end), (begin, _) = (extents(element) for element in drawing.of("bar"))
    assert end == begin and len(drawing.of("gap")) == 1
    assert ">0x200000<" not in drawing.text  # only what follows a gap has its address written


def test_a_fault_in_a_gap_has_a_place_of_its_own():
    drawing = Drawing(report_of([domain(0, THREE)], [fault(0x123450000)]))
    assert drawing.titles("stray") == ["0x123450000: not mapped"]
    assert drawing.titles("fault") == [f"{EDU} write to 0x123450000 refused"]
    assert len(drawing.of("gap")) == 5 and ">0x123450000<" in drawing.text


def test_a_fault_in_a_mapping_is_marked_there():
    drawing = Drawing(report_of([domain(0, THREE)], [fault(0x1000), fault(0x3000), fault(0x3000)]))
    begin, end = extents(drawing.of("bar")[0])
    at = [float(re.match(r"M([\d.]+)", mark.get("d"))[1]) for mark in drawing.of("fault")]
    assert len(at) == 2 and begin < at[0] < (begin + end) / 2 < at[1] < end  # two faults on one page are one mark
    assert ">2x<" in drawing.text and not drawing.of("stray")


@pytest.mark.parametrize("first, second, names", [
    ([EDU], [OTHER], ["iommu0 domain 1: 0000:00:11.0"]),
    ([OTHER], [EDU], ["iommu0 domain 0: 0000:00:11.0"]),
])
def test_faults_go_to_the_domain_of_their_device(first, second, names):
    drawing = Drawing(report_of([domain(0, THREE, first), domain(1, THREE, second)], [fault(0x5000, OTHER)]))
    lines = drawing.words.splitlines()
    assert [lines[at - 1] for at, line in enumerate(lines) if "; 1 fault;" in line] == names


def test_faults_of_a_device_that_went_away():
    drawing = Drawing(report_of([domain(0, THREE, [], ever=[OTHER])], [fault(0x5000, OTHER)]))
    assert "iommu0 domain 0: nobody attached" in drawing.words and "; 1 fault;" in drawing.words
    drawing = Drawing(report_of([domain(0, THREE)], [fault(0x5000, OTHER)]))
    assert f"in no domain: {OTHER}" in drawing.words and len(drawing.of("stray")) == 1


def test_a_fault_beyond_the_space():
    drawing = Drawing(report_of([domain(0, [])], [fault(0xfffffffffffff000)]))
    assert drawing.titles("stray") == ["0xfffffffffffff000: not mapped"]
    assert drawing.titles("gap")[0].startswith("0x0 to 0xffffffffffffefff")


def test_a_full_space_has_no_gap():
    drawing = Drawing(report_of([domain(0, [mapping(0, (1 << 48) - 1, "1G")])]))
    assert len(drawing.of("bar")) == 1 and not drawing.of("gap")


@pytest.mark.parametrize("count", [100, 2048])
def test_many_mappings_stay_inside(count):
    drawing = Drawing(report_of([domain(0, [mapping(n * 0x2000, n * 0x2000 + 0xfff) for n in range(count)])]))
    assert len(drawing.of("bar")) == count
    assert all(picture.MARGIN <= x and end <= picture.WIDTH - picture.MARGIN
               for x, end in map(extents, drawing.of("bar")))
    assert float(drawing.root.get("height")) < 3000
    bottom = max(float(element.get("y")) for element in drawing.root.iter() if element.get("y"))
    assert bottom < float(drawing.root.get("height"))


def test_labels_do_not_overlap():
    drawing = Drawing(report_of([domain(0, [mapping(n * 0x2000, n * 0x2000 + 0xfff) for n in range(300)])]))
    ends = {}
    for label in drawing.of("label"):
        x, y = float(label.get("x")), label.get("y")
        assert x >= ends.get(y, 0)
        ends[y] = x + len(label.text) * picture.LETTER
        assert ends[y] <= picture.WIDTH


def test_what_the_report_left_out_is_no_gap():
    drawing = Drawing(report_of([domain(0, THREE[:1], left_out=63487)], [fault(0x50000000)]))
    assert "63,487 mappings more found no room in the report and are not drawn" in drawing.words
    assert drawing.titles("unknown") == ["from 0x4000 on: left out of the report"]
    assert len(drawing.of("gap")) == 1 and not drawing.of("stray") and len(drawing.of("fault")) == 1


def test_what_cannot_be_drawn_is_told():
    report = report_of([domain(0, [])], [fault(0x5000), fault(7, interrupt=True)], count=12, past=[10, 20, 2000])
    report["iommu"]["snapshot"]["domains_truncated"] = 1
    report["iommu"]["past_domains_truncated"] = 1234
    drawing = Drawing(report)
    assert [line for line in drawing.words.splitlines() if line.startswith("Not drawn: ")] == [
        "Not drawn: 1 domain for which the report had no room.",
        "Not drawn: 2 domains that ended before.",
        "Not drawn: 1,234 domains ended and no longer in the report.",
        "Not drawn: 10 older faults no longer in the report.",
        "Not drawn: 1 refused interrupt without a place among IOVAs."]


def test_a_report_without_domains():
    report = report_of([])
    report["iommu"]["units"] = []
    report["iommu"]["snapshot"]["taken"] = "report"
    drawing = Drawing(report)
    assert "No domain existed." in drawing.words and "when the report was written" in drawing.words


def test_the_picture_is_told_in_words():
    drawing = Drawing(report_of([domain(0, THREE)], [fault(0x123450000)]))
    assert drawing.root.get("role") == "img"
    named = [drawing.root.find(f".//*[@id='{name}']").text for name in drawing.root.get("aria-labelledby").split()]
    assert named[0] == "IOVA space when the payload ended"
    for words in (EDU, "0x40000000 to 0x403fffff: 2 x 2M r-.", "Fault: 0000:00:10.0 write to 0x123450000 refused."):
        assert words in named[1]
    legend = drawing.words.split("iommu0")[0]
    for words in ("leaves of 4K", "leaves of 2M", "leaves of 1G", "fault", "gap, compressed"):
        assert words in legend


def test_text_of_the_report_is_no_markup():
    drawing = Drawing(report_of([domain(0, THREE, ["<b>&\x00\ud800"])]))
    assert "iommu0 domain 0: <b>&??" in drawing.words


@pytest.mark.parametrize("size, text", [(0, "0 B"), (1023, "1023 B"), (4096, "4 KiB"), (1536 << 20, "1.5 GiB"),
                                        (1 << 48, "256 TiB"), (1 << 64, "16 EiB"), (1 << 74, "16384 EiB")])
def test_sizes(size, text):
    assert picture.human(size) == text


# The program


def test_help():
    done = run("--help")
    assert done.returncode == 0 and "REPORT" in done.stdout and "--output" in done.stdout


@pytest.mark.parametrize("arguments", [(), ("a", "b"), ("--what", "a")])
def test_wrong_use(arguments):
    done = run(*arguments)
    assert done.returncode == 2 and done.stderr.startswith("usage: tools/iommu-map")


def test_to_a_file_and_to_standard_output(tmp_path):
    (tmp_path / "report.json").write_text(json.dumps(report_of([domain(0, THREE)])))
    done = run(tmp_path / "report.json", "-o", tmp_path / "map.svg")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = run(tmp_path / "report.json")
    assert done.stdout == (tmp_path / "map.svg").read_text()
    assert tree.fromstring(done.stdout.encode()).tag == "{http://www.w3.org/2000/svg}svg"


def test_a_picture_that_cannot_be_written(tmp_path):
    (tmp_path / "report.json").write_text(json.dumps(report_of([])))
    done = run(tmp_path / "report.json", "-o", tmp_path / "nowhere/map.svg")
    assert done.returncode == 1
    assert done.stderr == f"iommu-map: cannot write {tmp_path}/nowhere/map.svg: No such file or directory\n"


def test_nobody_reads_on(tmp_path):
    (tmp_path / "report.json").write_text(json.dumps(report_of([domain(0, THREE)])))
    done = subprocess.run(["sh", "-c", '"$0" "$1" | true', TOP / "tools/iommu-map", tmp_path / "report.json"],
                          capture_output=True, check=False, text=True)
    assert done.stderr == ""


def test_no_report(tmp_path):
    done = run(tmp_path / "nowhere")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"iommu-map: cannot read {tmp_path}/nowhere: No such file or directory\n"
    assert "Is a directory" in run(tmp_path).stderr


@pytest.mark.parametrize("content, words", [
    (b"", "is empty: the kernel did not get as far"),
    (b" \n", "is empty"),
    (b"\xff\xfe{}", "is no text"),
    (b'{"format": 2, "iommu": {', "is no JSON, or its end is missing"),
    (b"[" * 100000, "is no JSON, or its end is missing"),
    (b"[]", "no report of the kernel: it has no format number"),
    (b"{}", "no report of the kernel"),
    (b'{"format": "2"}', "no report of the kernel"),
    (b'{"format": true}', "no report of the kernel"),
    (b'{"format": 1}', "is of format 1, older than format 2"),
    (b'{"format": 3}', "is of format 3, newer than format 2"),
    (b'{"format": 2}', "the report is damaged: there is no iommu"),
])
def test_files_that_are_no_report_of_this_format(tmp_path, content, words):
    (tmp_path / "file").write_bytes(content)
    done = run(tmp_path / "file")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"iommu-map: {tmp_path}/file") and words in done.stderr
    assert len(done.stderr.splitlines()) == 1


def removals(value, path=()):
    """Every member of a report, however deep."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield (*path, key)
        yield from removals(value[key], (*path, key))


SAMPLE = report_of([domain(0, THREE)], [fault(0x5000)], past=[10])


JUNK = {"null": None, "text": "x", "negative": -1, "true": True, "array": [], "object": {}, "numbers": [1],
        "huge": 10 ** 400}


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK.keys())
def test_whatever_is_wrong_with_a_member_is_told(junk):
    """With each member in turn replaced: a picture, or one sentence that names a place."""
    refused = 0
    for path in removals(SAMPLE):
        report = copy.deepcopy(SAMPLE)
        at = report
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = junk
        try:
            picture.draw(reading.understand(report))
        except reading.Problem as problem:
            refused += 1
            assert "damaged: " in str(problem) or path == ("format",)
    assert refused > 20


def test_a_member_that_is_missing_is_named():
    missed = set()
    for path in removals(SAMPLE):
        report = copy.deepcopy(SAMPLE)
        at = report
        for key in path[:-1]:
            at = at[key]
        del at[path[-1]]
        try:
            picture.draw(reading.understand(report))
        except reading.Problem as problem:
            missed.add(str(problem).rsplit(" ", 1)[1])
    assert {"iommu", "iommu.units[0].domains[0].mappings[0].leaf", "iommu.faults.recent[0].address"} <= missed


@pytest.mark.parametrize("rows, words", [
    ([mapping(0x1000, 0x0fff)], "does not consist of leaves of 4K"),
    ([mapping(0x1000, 0x1ffe)], "does not consist of leaves of 4K"),
    ([mapping(0x1000, 0x200fff, "2M")], "does not consist of leaves of 2M"),
    ([mapping(0, 0xfff, "8K")], "leaf is none of 4K, 2M, 1G"),
    ([mapping(0, 0xfff, "4K", "wr")], "permissions is none of r-, -w, rw"),
    ([mapping(0x2000, 0x2fff), mapping(0x1000, 0x1fff)], "mappings[1] is not behind the one before"),
    ([mapping(0x1000, 0x1fff), mapping(0x1000, 0x1fff)], "mappings[1] is not behind the one before"),
    ([dict(mapping(0, 0xfff), first="0")], "mappings[0].first is no address"),
    ([dict(mapping(0, 0xfff), last="0x" + "f" * 17)], "mappings[0].last is no address"),
])
def test_rows_that_make_no_sense(rows, words):
    with pytest.raises(reading.Problem, match="damaged: iommu.units") as problem:
        reading.understand(report_of([domain(0, rows)]))
    assert str(problem.value).endswith(words)


@pytest.mark.parametrize("bits", [0, 12, 65, 10 ** 9])
def test_no_width_of_addresses(bits):
    report = report_of([])
    report["iommu"]["units"][0]["capabilities"]["address_bits"] = bits
    with pytest.raises(reading.Problem, match="address_bits is no width"):
        reading.understand(report)
