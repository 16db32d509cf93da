# SPDX-License-Identifier: BSD-2-Clause
"""What include/uapi says of the interfaces of devices, for showing it to people: the numbers of names, and where the
members of structures are. Reads the little C that those headers are written in."""

import dataclasses
import functools
import re

from bulkhead import cli

HEADERS = ("vfio.h", "iommufd.h", "fpga-dfl.h")
SIZES = {"__u8": 1, "__u16": 2, "__u32": 4, "__s32": 4, "__u64": 8, "__aligned_u64": 8}
MEMBER = re.compile(r"(struct )?(\w+)\s*(\*?)(\w+)(?:\[(\w*)\])?$")


@dataclasses.dataclass(frozen=True)
class Member:
    """Of a structure. `inner`: the structure that it is. `count`: of an array; 0: as many as follow; None: no array."""
    name: str
    offset: int
    size: int  # of one
    signed: bool
    inner: str
    count: int | None


@dataclasses.dataclass(frozen=True)
class Struct:
    members: tuple
    size: int
    alignment: int


def without_comments(text):
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL).replace("\\\n", " ")


def value_of(expression, known):
    """The value of a constant expression, or None."""
    call = re.match(r"_IO([RW]*)\((.*)\)$", expression.strip())
    if call:
        words = [word.strip() for word in call[2].split(",")]
        kind, number = value_of(words[0], known), value_of(words[1], known)
        size = 0 if len(words) < 3 else SIZES.get(words[2], known.get(words[2], 4))
        return {"": 0, "W": 1, "R": 2, "WR": 3}[call[1]] << 30 | size << 16 | kind << 8 | number
    words = re.sub(r"'(.)'", lambda found: str(ord(found[1])), expression)
    words = re.sub(r"\b[A-Za-z_]\w*\b", lambda found: str(known.get(found[0], "?")), words)
    return eval(words) if re.fullmatch(r"[\d\sx()<|+*a-fA-F-]+", words) else None  # numbers and operators alone


def read_struct(body, structs):
    """Where the members are. Of a union the first is shown: all of them are alike here."""
    body = re.sub(r"union \{\s*([^;]*;)[^}]*\}\s*;", r"\1", re.sub(r"^\s*#.*$", "", body, flags=re.MULTILINE))
    members, at, alignment = [], 0, 1
    for line in filter(None, (line.strip() for line in body.split(";"))):
        struct, kind, pointer, name, count = MEMBER.match(line).groups()
        inner = kind if struct and not pointer else ""
        size = structs[inner].size if inner else 8 if pointer else SIZES[kind]
        align = structs[inner].alignment if inner else size
        at = -(-at // align) * align
        number = None if count is None else int(count or 0)
        members.append(Member(name, at, size, kind == "__s32", inner, number))
        at += size * (1 if number is None else number)
        alignment = max(alignment, align)
    return Struct(tuple(members), -(-at // alignment) * alignment, alignment)


@functools.cache
def read():
    """({name: number}, {name: Struct}) of the headers."""
    names, structs = {}, {}
    for header in HEADERS:
        text = without_comments((cli.TOP / "include/uapi/linux" / header).read_text())
        for found in re.finditer(r"^struct (\w+) \{\n((?:.*\n)*?)\};", text, re.MULTILINE):
            structs[found[1]] = read_struct(found[2], structs)
        for body in re.findall(r"^enum \w*\s*\{([^}]*)\}", text, re.MULTILINE):
            number = -1
            for row in filter(None, (row.strip() for row in body.split(","))):
                name, _, given = row.partition("=")
                number = value_of(given, names) if given else number + 1
                names[name.strip()] = number
        known = {f"struct {name}": struct.size for name, struct in structs.items()}
        for name, given in re.findall(r"^#define (\w+)[ \t]+(\S.*)$", text, re.MULTILINE):
            number = value_of(given, names | known)
            if number is not None:
                names[name] = number
    return names, structs
