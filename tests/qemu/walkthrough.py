# SPDX-License-Identifier: BSD-2-Clause
"""A page of the documentation, done as it says, from top to bottom, by somebody who has an empty folder.

A fence with a name behind its language (```c main.c) is a file to write. One in `console` is a
session with a shell: `$ command`, which goes on in lines that begin with `> `, and below it what is
printed, where a line `...` stands for any lines, and `...` in a line for any text. A command that
fails is one that prints `(status N)` last."""

import os
import pathlib
import re
import subprocess

FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STATUS = re.compile(r"\(status (\d+)\)")


class Difference(Exception):
    """The page says one thing, and another one happened."""


def steps(text):
    """What is to be done, in order: ("file", name, content) or ("command", line, expected output)."""
    for language, name, body in FENCE.findall(text):
        if name:
            yield "file", name, body
        elif language == "console":
            yield from commands(body)


def commands(body):
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        count = 1
        while count < len(lines) and lines[count].startswith("> "):
            count += 1
        words = [lines[0], *(line[2:] for line in lines[1:count])]
        yield "command", "\n".join(words), lines[count:]


def line_pattern(line):
    return ".*".join(re.escape(part) for part in line.split("..."))


def fits(expected, output):
    """Is this output what the page shows?"""
    pattern = "".join(r"(?:.*\n)*" if line == "..." else line_pattern(line) + r"\n" for line in expected)
    return re.fullmatch(pattern, "".join(f"{line.rstrip()}\n" for line in output.splitlines())) is not None


def follow(page, folder, bulkhead, timeout=600):
    """Does what the page says in an empty folder, where `bulkhead` is the command of that path, and
    so is `./bulkhead` to begin with, as for somebody in the folder of the sources."""
    folder = pathlib.Path(folder)
    (folder / "bin").mkdir()
    (folder / "bin/bulkhead").symlink_to(bulkhead)
    work = folder / "work"
    work.mkdir()
    (work / "bulkhead").symlink_to(bulkhead)
    environment = {**os.environ, "PATH": f"{folder}/bin:/usr/bin:/bin:{os.environ['PATH']}", "HOME": str(folder)}
    count = 0
    for kind, what, detail in steps(page.read_text()):
        if kind == "file":
            (work / what).parent.mkdir(parents=True, exist_ok=True)
            (work / what).write_text(detail)
            continue
        work = obey(page, what, detail, work, environment, timeout)
        count += 1
    assert count, f"{page.name} has no command to follow"


def obey(page, command, expected, work, environment, timeout):
    """Runs one command; returns the folder that the next one begins in."""
    found = re.fullmatch(r"cd (\S+)", command)
    if found:
        return work / found[1]
    done = subprocess.run(["bash", "-c", command], cwd=work, env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=timeout, check=False)
    status = STATUS.fullmatch(expected[-1]) if expected else None
    wanted = int(status[1]) if status else 0
    shown = expected[:-1] if status else expected
    if done.returncode != wanted or (shown and not fits(shown, done.stdout)):
        raise Difference(f"{page.name}: $ {command}\nstatus {done.returncode}, not {wanted}; or not what the page shows:\n"
                         f"--- the page\n" + "\n".join(shown) + f"\n--- what was printed\n{done.stdout[-6000:]}")
    return work
