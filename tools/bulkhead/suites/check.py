# SPDX-License-Identifier: BSD-2-Clause
"""Static checks: format, licence lines, shell, links, layers, circles, unused functions, names of Python modules, clang-tidy, cppcheck, interface numbers, names of tests."""

import re
import subprocess

from bulkhead import cli
from bulkhead.suites import attributes, circles, interface, layers, links, tidy, unused

SPDX = "SPDX-License-Identifier: BSD-2-Clause"
SOURCES = {".c", ".h", ".S", ".py", ".sh", ".mk", ".ld"}
SCRIPTS = ("bulkhead", ".ci/run", "Makefile", "tools/iommu-map")


def output_of(*command):
    """Runs a program in the repository: (worked, all it wrote)."""
    done = subprocess.run(command, cwd=cli.TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    return done.returncode == 0, done.stdout.decode(errors="replace")


def repository_files():
    """Every file that is, or is about to be, under version control."""
    worked, names = output_of("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if not worked:
        raise cli.Failure(f"git cannot tell which files there are to check: {names.strip()}")
    return sorted(path for path in map(cli.TOP.joinpath, names.split("\0")) if path.is_file())


# What versions of clang-format lay out in different ways, as old ones do: an operator behind a macro's
# argument taken for a cast, a cast before a sign or a string, an initializer as a macro, a pointer to what
# has no name, a pointer among the parameters of an array's functions, a choice of _Generic.
UNSETTLED = re.compile(r"^#define.*\((?!int\b|long\b|char\b|unsigned\b|\w+_t\b)\w+\)[-+*&/](?![->&+=])\w"
                       r"|(?<!sizeof)\(\w+_t\) [-~\"]"
                       r"|^#define .*\\\n(?: +\(.*\\\n)? +\{ +\\\n(?:[^;.]*| +\.\w[^;{]*)\}$"
                       r"|^\} \* \w+;|\]\)\(.*\w \* \w+\) = |\b_Generic\([^;]* : ", re.MULTILINE)
UNFORMATTED = re.compile(r"/\* clang-format off \*/.*?/\* clang-format on \*/", re.DOTALL)


def unsettled(path):
    """Lines that the next version of clang-format would not leave alone, as messages."""
    text = UNFORMATTED.sub(lambda off: "\n" * off[0].count("\n"), path.read_text())
    return [f"{path}:{text.count(chr(10), 0, found.start()) + 1}: versions of clang-format differ here; write it another way"
            for found in UNSETTLED.finditer(text)]


BAR = re.compile(r"^/\* ?[-=*#]{2}.*", re.MULTILINE)
BAR_FORM = re.compile(r"/\* ---- .+ ---- \*/")


def odd_bars(path):
    """Headings inside a file that do not look like those of other files, as messages."""
    return [f"{path}: {found[0]}: write it as /* ---- heading ---- */" for found in BAR.finditer(path.read_text())
            if not BAR_FORM.fullmatch(found[0])]


def check_format(files):
    names = [path for path in files if path.suffix in (".c", ".h")]
    passed, output = output_of("clang-format", "--dry-run", "-Werror", *names)
    differing = [line for path in names for line in (*unsettled(path), *odd_bars(path))]
    return passed and not differing, "\n".join([output, *differing])


def check_licences(files):
    def lacks(path):
        form = f"/* {SPDX} */" if path.suffix in (".c", ".h", ".S", ".ld") else f"# {SPDX}"
        return form not in path.read_text(errors="replace").splitlines()[:2]

    bad = [str(path.relative_to(cli.TOP)) for path in files
           if (path.suffix in SOURCES or str(path.relative_to(cli.TOP)) in SCRIPTS) and lacks(path)]
    return not bad, "\n".join(f"{name}: no '{SPDX}' at the top" for name in bad)


def check_shell(files):
    return output_of("shellcheck", *(path for path in files if path.suffix == ".sh" or path.name in SCRIPTS[:1]),
                     cli.TOP / ".ci/run")


def check_cppcheck(_files):
    cache = cli.BUILD / "cppcheck"
    cache.mkdir(parents=True, exist_ok=True)
    folders = [name for name in ("kernel", "tests/kernel", "drivers", "boot", "sdk", "examples") if (cli.TOP / name).is_dir()]
    return output_of("cppcheck", "--quiet", "--error-exitcode=1", "--inline-suppr", f"-j{cli.jobs()}",
                     f"--cppcheck-build-dir={cache}", "--enable=warning,performance,portability",
                     "--suppressions-list=tools/cppcheck.txt", "--library=tools/cppcheck.cfg", "-D__x86_64__", "-I.", "-Iinclude", "-Iinclude/uapi",
                     "--platform=unix64", "--std=c11", *folders)


TEST_DEFINED = re.compile(r"(?:^static void (?=\w+\(void \*\*state)|^def (?=test_)|\bCASE\()(\w+)[()]", re.MULTILINE)
TEST_NAMED = re.compile(r"`([a-z]\w*_\w+(?:\.c|\.py)?)`")


def check_named_tests(files):
    """Every test that docs/pitfalls.md names is there, by its function or its file, and each pitfall_* is named."""
    sources = [path for path in files if path.suffix in (".c", ".py") and path.is_relative_to(cli.TOP / "tests")]
    tests = {name for path in sources for name in TEST_DEFINED.findall(path.read_text())}
    named = set(TEST_NAMED.findall((cli.TOP / "docs/pitfalls.md").read_text()))
    missing = sorted(named - tests - {path.name for path in sources})
    left_out = sorted(name for name in tests - named if name.startswith("pitfall_"))
    return not missing and not left_out, "\n".join([f"docs/pitfalls.md: there is no test {name}" for name in missing] +
                                                   [f"docs/pitfalls.md: {name} is left out" for name in left_out])


def check_circles(_files):
    cli.build("objects")
    return circles.check()


def check_unused(files):
    cli.build("objects")
    return unused.check(files)


CHECKS = {
    "format": check_format,
    "licences": check_licences,
    "shell": check_shell,
    "links": links.check,
    "layers": layers.check,
    "circles": check_circles,
    "unused": check_unused,
    "attributes": attributes.check,
    "cppcheck": check_cppcheck,
    "named-tests": check_named_tests,
}


def run(results):
    cli.make("sdk")  # its headers are among what is checked
    files = repository_files()
    for name, check in CHECKS.items():
        passed, output = check(files)
        results.case(f"check/{name}", passed, output)
        results.note(f"{name}: {'ok' if passed else 'failed'}")
    tidy.run(results)
    interface.run(results)
