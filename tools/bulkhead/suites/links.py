# SPDX-License-Identifier: BSD-2-Clause
"""Whether what the documentation points at is there: links to files and headings, paths of the
repository in the text, and pages that sources name."""

import re

from bulkhead import cli

LINK = re.compile(r"(?<!`)\[[^][]*\]\(([^)\s]+)\)")
QUOTED = re.compile(r"`([^`\s]+)[^`]*`")
PAGE = re.compile(r"\bdocs/[\w/-]+\.md(?:#[\w-]+)?")
PLACEHOLDER = re.compile(r"[*<{]|\b_?[A-Z]{3,}|_[A-Z]{3,}")  # of a name that is any name, such as NAME.c
SOURCES = {".c", ".h", ".S", ".py", ".sh", ".mk", ".ld"}
MADE_UP = "tests/tools"  # where tests write pages of their own


def without_code(text):
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(page):
    """The anchors of a page's headings, as forges that show Markdown make them."""
    found = re.findall(r"^#+ +(.*?)\s*$", without_code(page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


def leads_nowhere(target, folder):
    """Why a link with this target, in a page of this folder, is broken; None if it is not."""
    path, _, anchor = target.partition("#")
    file = folder / path
    if not file.exists():
        return "there is no such file"
    if anchor and anchor not in anchors(file):
        return "there is no such heading"
    return None


def targets(path, top, folders):
    """(target, folder it is relative to) of everything that a file points at."""
    text = path.read_text(errors="replace")
    if path.suffix != ".md":
        return [(page, top) for page in PAGE.findall(text)]
    text = without_code(text)
    found = [(link, path.parent) for link in LINK.findall(text) if not re.match(r"[a-z]+:", link)]
    found = [(link if link[0] != "#" else path.name + link, folder) for link, folder in found]
    return found + [(word, top) for word in QUOTED.findall(text)
                    if word.partition("/")[0] in folders and "/" in word and not PLACEHOLDER.search(word)]


def check(files, top=cli.TOP):
    """(all is well, what is not)."""
    folders = {path.relative_to(top).parts[0] for path in files if path.parent != top}
    bad, linked = [], set()
    for path in files:
        if path.suffix not in SOURCES | {".md"} or path.is_relative_to(top / MADE_UP):
            continue
        for target, folder in targets(path, top, folders):
            why = leads_nowhere(target, folder)
            if why:
                bad.append(f"{path.relative_to(top)}: {target}: {why}")
            if path == top / "README.md":
                linked.add((folder / target.partition("#")[0]).resolve())
    bad += [f"{path.relative_to(top)}: README.md does not lead there" for path in files
            if path.suffix == ".md" and path.parent == top / "docs" and path.resolve() not in linked]
    return not bad, "\n".join(bad)
