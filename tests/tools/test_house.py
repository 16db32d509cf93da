# SPDX-License-Identifier: BSD-2-Clause
"""The checks on the order of the house: each must find what is planted, and pass without it."""

import pathlib
import subprocess
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))

from bulkhead.suites import attributes, circles, layers, unused  # noqa: E402

TABLE = "| layer | folder | job |\n|---|---|---|\n| 1 | `kernel/high/`, `kernel/main.c` | |\n| 0 | `kernel/low` | |\n"

INCLUDES = {
    # file, what it includes -> what is wrong with it
    ("kernel/high/a.c", "kernel/low/b.h"): "",
    ("kernel/high/a.c", "kernel/high/b.h"): "",
    ("kernel/main.c", "kernel/high/b.h"): "",
    ("kernel/low/a.c", "elsewhere/b.h"): "",
    ("kernel/low/a.c", "kernel/high/b.h"):
        "kernel/low/a.c (layer 0) includes kernel/high/b.h (layer 1): that points up",
    ("kernel/low/deep/a.h", "kernel/high/b.h"):
        "kernel/low/deep/a.h (layer 0) includes kernel/high/b.h (layer 1): that points up",
    ("kernel/high/a.c", "kernel/high/internal.h"): "",
    ("kernel/high/a.c", "kernel/low/internal.h"):
        "kernel/high/a.c includes kernel/low/internal.h: that is another folder's own",
    ("kernel/third/a.c", "kernel/low/b.h"): "kernel/third/a.c: docs/architecture.md gives it no layer",
}


def write(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@pytest.mark.parametrize("name, included", INCLUDES)
def test_arrows_that_point_up(tmp_path, name, included):
    files = {"docs/architecture.md": TABLE, "kernel/high/b.h": "", "kernel/main.c": "", "kernel/low/b.h": "",
             name: f'#include "{included}"\n'}
    write(tmp_path, files)
    wrong = INCLUDES[name, included]
    assert layers.check([tmp_path / name for name in files], tmp_path) == (not wrong, wrong)


def test_a_layer_that_is_gone(tmp_path):
    write(tmp_path, {"docs/architecture.md": TABLE, "kernel/main.c": "", "kernel/low/b.h": ""})
    assert layers.check([], tmp_path) == (False, "docs/architecture.md: there is no kernel/high")


def test_the_table_of_layers_is_read():
    table = layers.layers((TOP / layers.PAGE).read_text())
    assert table["kernel/lib"] == 0 < table["kernel/iommu"] < table["kernel/linux"] < table["boot"]


ONE = "int two(void); int one(void);\nint one(void) { return two(); }\n"
TWO = "int two(void);\nint two(void) { return 2; }\n"
TWO_CALLS = "int one(void); int two(void);\nint two(void) { return one(); }\n"
TWO_IS_HANDED = "int two(void); int run(int (*f)(void)); int run(int (*f)(void)) { return f(); }\nint two(void) { return 2; }\n"
ONE_HANDS = "int one(void); int run(int (*f)(void)); static int own(void) { return 1; }\nint one(void) { return run(own); }\n"


@pytest.mark.parametrize("one, two, told", [
    (ONE, TWO, ""),
    (ONE_HANDS, TWO_IS_HANDED, ""),
    (ONE, TWO_CALLS, "2 files use each other in a circle:\n"
                     "  kernel/x/one.c -> kernel/x/two.c: two\n  kernel/x/two.c -> kernel/x/one.c: one"),
])
def test_circles(tmp_path, one, two, told):
    write(tmp_path, {"kernel/x/one.c": one, "kernel/x/two.c": two, "kernel/x/x.h": ""})
    (tmp_path / "build/obj/kernel/x").mkdir(parents=True)
    for name in ("one", "two"):
        subprocess.run(["clang", "-O1", "-flto", "-c", f"kernel/x/{name}.c", "-o", f"build/obj/kernel/x/{name}.c.o"],
                       cwd=tmp_path, check=True)
    assert circles.check(("kernel/x",), tmp_path, tmp_path / "build") == (not told, told)


def test_a_circle_of_three_and_one_beside_it():
    arrows = {"a": {"b": ["f"]}, "b": {"c": ["g"]}, "c": {"a": ["h"], "d": ["i"]}, "d": {}}
    assert circles.circles(arrows) == [("a", "b", "c")]


def test_the_folders_with_circles_to_find_are_there():
    assert all((TOP / folder).is_dir() for folder in circles.FOLDERS)


HEADER = "int one(void);\nint two(int n);\nint three(void);\n"
PAGE = "`three()` is for others.\n"


def function(head, result):
    return f"{head}\n{{\n    return {result};\n}}\n\n"


CALLS_TWO = function("int one(void)", "two(1)") + function("int three(void)", "0")
CALLS_NONE = CALLS_TWO.replace("two(1)", "0")
CALLS_ONE = function("int two(int n)", "n + one()")
CALLS_ITSELF = function("int two(int n)", "n ? two(n - 1) : 0") + "/* one() */\n"
AT_HOME = function("int two(int n)", "n") + "int (*entry)(void) = one;\n"
TRIES = function("int test(void)", "three() + two(1)")
IDLE = function("int test(void)", "0")


def told_of(tmp_path, files):
    """What the check says of these files, whose sources are compiled first; it must pass if that is nothing."""
    write(tmp_path, {"docs/ioas.md": PAGE, "docs/iommu.md": "", **files})
    for name in files:
        if name.endswith(".c"):
            (tmp_path / f"build/obj/{name}").parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["clang", "-I.", "-O1", "-flto", "-c", name, "-o", f"build/obj/{name}.o"], cwd=tmp_path, check=True)
    passed, told = unused.check([tmp_path / name for name in files], tmp_path, tmp_path / "build")
    assert passed == (not told)
    return told


@pytest.mark.parametrize("one, two, test, names", [
    (CALLS_TWO, CALLS_ONE, TRIES, []),
    (CALLS_TWO, AT_HOME, TRIES, []),
    (CALLS_TWO, CALLS_ONE, IDLE, ["three"]),  # promised, but nobody has tried it
    (CALLS_TWO, CALLS_ITSELF, TRIES, ["one"]),  # neither its own call nor a comment counts
    (CALLS_NONE, CALLS_ITSELF, TRIES, ["one", "two"]),  # a test of what no page promises is no reason
])
def test_functions_that_nobody_calls(tmp_path, one, two, test, names):
    sources = {"kernel/x/one.c": one, "kernel/x/two.c": two, "tests/kernel/test.c": test}
    told = told_of(tmp_path, {"kernel/x/x.h": HEADER} | {name: f'#include "kernel/x/x.h"\n{text}' for name, text in sources.items()})
    assert [line.rpartition(" ")[2] for line in told.splitlines()] == [f"{name}()" for name in names]


@pytest.mark.parametrize("source, names", [
    ("int x;\n", ["four"]),  # five() has its use in it
    ("int x = 4; /* four(4) */\nconst char *y = \"four(4)\";\n#define six(n) (n)\n", ["four"]),  # what is a source's own is its own
    ('#include "kernel/x/x.h"\nunsigned long x(void)\n{\n    return four(4);\n}\n', []),
])
def test_what_headers_define_and_nobody_mentions(tmp_path, source, names):
    header = "#define five(n) ((unsigned long)(n))\nstatic inline unsigned long\nfour(int n)\n{\n    return five(n);\n}\n"
    told = told_of(tmp_path, {"kernel/x/x.h": header, "kernel/x/x.c": source})
    assert told.splitlines() == [f"kernel/x/x.h: nothing mentions {name}()" for name in names]


CUT = """
#include "kernel/iommu/domain.h"
#include "kernel/table/split.h"

int cut(struct iommu_domain *domain, struct splittable *cpu);
int cut(struct iommu_domain *domain, struct splittable *cpu)
{
    return page_table_cut(%s, 0);
}
"""


@pytest.mark.parametrize("table, told", [
    ("cpu", None),
    ("&domain->table", "incompatible pointer types passing 'struct page_table *' to parameter of type 'struct splittable *'"),
])
def test_leaves_of_devices_cannot_be_split(table, told):
    done = subprocess.run(["clang", "-std=c11", "-Wall", "-Werror", "-I.", "-Iinclude", "-fsyntax-only", "-x", "c", "-"], cwd=TOP,
                          input=CUT % table, stderr=subprocess.PIPE, text=True, check=False)
    errors = [line.partition("error: ")[2] for line in done.stderr.splitlines() if "error: " in line]
    assert (done.returncode == 0) == (not errors) == (told is None), done.stderr
    assert told is None or len(errors) == 1 and told in errors[0], done.stderr


@pytest.mark.parametrize("text, told", [
    ("from bulkhead import crash\ncrash.sentence", ""),
    ("from bulkhead import crash as c\ndef f():\n    return c.ELF_HEADER", "3: bulkhead.crash has no ELF_HEADER"),
    ("from bulkhead.crash import sentence, sentences", "1: bulkhead.crash has no sentences"),
    ("from bulkhead import crash\ndef f(crash):\n    return [crash.x for crash in crash.y]", ""),
    ("from bulkhead import crash\n[lambda x: x.y and crash.z]", "2: bulkhead.crash has no z"),
])
def test_names_of_modules(tmp_path, monkeypatch, text, told):
    module = tmp_path / "tools/bulkhead/crash.py"
    module.parent.mkdir(parents=True)
    module.write_text("def sentence():\n    inner = 1\n")
    (tmp_path / "user.py").write_text(text)
    monkeypatch.setattr(attributes.cli, "TOP", tmp_path)
    assert attributes.check([module, tmp_path / "user.py"]) == (not told, told and f"user.py:{told}")
