# SPDX-License-Identifier: BSD-2-Clause
"""The compressed IOVA axis: every mapping and every faulting page gets a width that grows with the
logarithm of its size, every gap gets one width, and the whole is broken into lines like text."""

import math
from dataclasses import dataclass, field

from iommu_map.reading import PAGE, Mapping


@dataclass
class Gap:
    """IOVAs that nothing maps and nobody asked for."""

    first: int
    last: int


@dataclass
class Stray:
    """A page that nothing maps and somebody asked for."""

    first: int
    faults: list

    @property
    def last(self):
        return self.first + PAGE - 1


@dataclass
class Unknown:
    """Behind the last mapping that found room in the report."""

    first: int
    last: int
    faults: list = field(default_factory=list)


@dataclass
class Bar:
    """A mapping, and the faults in it."""

    mapping: Mapping
    faults: list = field(default_factory=list)

    @property
    def first(self):
        return self.mapping.first

    @property
    def last(self):
        return self.mapping.last


@dataclass
class Scale:
    """Widths in pixels."""

    page: float  # of 4 KiB
    doubling: float  # more for each doubling
    gap: float

    def width(self, piece):
        if isinstance(piece, Gap):
            return self.gap
        if isinstance(piece, Unknown):
            return ROOMY.gap
        if isinstance(piece, Stray):
            return self.page
        return self.page + self.doubling * math.log2(piece.mapping.size // PAGE)


@dataclass
class Placed:
    """A piece on its line, which begins at x = 0."""

    piece: object
    x: float
    width: float


ROOMY = Scale(page=24, doubling=6, gap=84)  # room for a label below each address
COMPACT = Scale(page=6, doubling=2, gap=8)
ROOMY_LINES = 10


def known_pieces(domain):
    """Mappings, faulting pages that nothing maps, and what is not known, in order."""
    found = [Bar(mapping) for mapping in domain.mappings]
    if domain.left_out:  # rows are kept in order, so those left out are behind
        first = found[-1].last + 1 if found else 0
        found.append(Unknown(first, max((1 << domain.bits) - 1, *(fault.page + PAGE - 1 for fault in domain.faults), 0)))
    strays = {}
    for fault in domain.faults:
        piece = next((piece for piece in found if piece.first <= fault.page <= piece.last), None)
        (piece.faults if piece else strays.setdefault(fault.page, [])).append(fault)
    return sorted([*found, *(Stray(page, faults) for page, faults in strays.items())], key=lambda piece: piece.first)


def pieces(domain):
    """Everything from 0 to the end of the space in order, without a hole."""
    at = 0
    for piece in known_pieces(domain):
        if piece.first > at:
            yield Gap(at, piece.first - 1)
        yield piece
        at = piece.last + 1
    if at < 1 << domain.bits:
        yield Gap(at, (1 << domain.bits) - 1)


def break_lines(row, scale, width):
    lines, x = [[]], 0.0
    for piece in row:
        wide = scale.width(piece)
        if x + wide > width and lines[-1]:
            lines.append([])
            x = 0.0
        lines[-1].append(Placed(piece, x, wide))
        x += wide
    return lines


def lay_out(domain, width):
    """Lines of placed pieces: with labels everywhere if that does not take too many of them."""
    row = list(pieces(domain))
    lines = break_lines(row, ROOMY, width)
    return lines if len(lines) <= ROOMY_LINES else break_lines(row, COMPACT, width)
