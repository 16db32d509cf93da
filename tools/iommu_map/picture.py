# SPDX-License-Identifier: BSD-2-Clause
"""The picture: an SVG with a panel for each domain, a legend, and what could not be drawn in words."""

from xml.sax.saxutils import escape

from iommu_map import axis
from iommu_map.reading import LEAVES, PAGE, Domain

WIDTH, MARGIN = 960, 20
INSIDE = WIDTH - 2 * MARGIN
BAR, ABOVE, BELOW, BETWEEN = 24, 20, 16, 10  # heights: of a bar, for what is over and under it, between lines
LETTER = 6.2  # width of one in a label
CELLS = 16  # leaves drawn one by one

STYLE = """
  text { font: 12px sans-serif; fill: #1b2733 }
  .title { font-size: 18px; font-weight: bold } .domain { font-size: 14px; font-weight: bold }
  .label { font: 10px monospace; fill: #3d4b59 } .inside { font: 10px monospace; fill: #111 }
  .warning { fill: #8c0d1f; font-weight: bold }
  .leaf4K { fill: #f0b840 } .leaf2M { fill: #74bdea } .leaf1G { fill: #3fb58b }
  .bar { stroke: #1b2733; stroke-width: 1 } .cell { stroke: #1b2733; stroke-width: .5 }
  .gap { stroke: #7a8794; stroke-width: 1.5; stroke-dasharray: 2 3; fill: none }
  .unknown { fill: #e3e6ea; stroke: #7a8794; stroke-width: 1; stroke-dasharray: 3 2 }
  .stray { fill: #fff; stroke: #b00020; stroke-width: 1; stroke-dasharray: 3 2 }
  .fault { fill: #b00020; stroke: #fff; stroke-width: .5 }
"""


def human(size):
    """A size in the largest unit that fits, as "1.5 GiB"."""
    units = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
    power = min((size.bit_length() - 1) // 10, len(units) - 1) if size else 0
    value = size / (1 << 10 * power)
    return f"{value:.1f}".removesuffix(".0") + f" {units[power]}"


def several(count, word):
    return f"{count:,} {word}" + ("" if count == 1 else "s")


def leaves_text(leaves):
    return ", ".join(f"{count:,} of {name}" for name, count in leaves.items() if count) or "none"


def place(value):
    """A coordinate, without digits that nobody can see."""
    return f"{value:.1f}".removesuffix(".0")


class Canvas:
    """Elements from top to bottom."""

    def __init__(self):
        self.elements, self.y = [], 0.0

    def add(self, element):
        self.elements.append(element)

    def text(self, x, y, words, style=""):
        kind = f' class="{style}"' if style else ""
        self.add(f'<text{kind} x="{place(x)}" y="{place(y)}">{escape(words)}</text>')

    def box(self, x, y, width, height, style, title=""):
        about = f"<title>{escape(title)}</title>" if title else ""
        self.add(f'<rect class="{style}" x="{place(x)}" y="{place(y)}" width="{place(width)}" height="{place(height)}">'
                 f"{about}</rect>")

    def path(self, outline, style, title=""):
        about = f"<title>{escape(title)}</title>" if title else ""
        self.add(f'<path class="{style}" d="{outline}">{about}</path>')

    def line_of_text(self, words, style="", height=18):
        self.y += height
        self.text(MARGIN, self.y, words, style)


# One line of a panel


def draw_fault(canvas, x, y, faults):
    """A triangle that points down to (x, y)."""
    canvas.path(f"M{place(x)} {place(y)}l-6 -10h12z", "fault", "\n".join(fault.text for fault in faults))
    if len(faults) > 1:
        canvas.text(x + 8, y - 2, f"{len(faults)}x", "label")


def draw_faults_inside(canvas, placed, x, y):
    """Where in the piece they hit; those that hit one page share a mark."""
    pages = {}
    for fault in placed.piece.faults:
        pages.setdefault(fault.page, []).append(fault)
    first, size = placed.piece.first, placed.piece.last - placed.piece.first + 1
    for page, faults in pages.items():
        draw_fault(canvas, x + placed.width * (page + PAGE // 2 - first) / size, y, faults)


def draw_bar(canvas, placed, x, y):
    mapping = placed.piece.mapping
    leaves = f"{mapping.count} x {mapping.leaf} {mapping.permissions}"
    canvas.box(x, y, placed.width, BAR, f"bar leaf{mapping.leaf}",
               f"{mapping.first:#x} to {mapping.last:#x}: {human(mapping.size)}, {leaves}")
    cell = placed.width / mapping.count
    cells = mapping.count if mapping.count <= CELLS and cell >= 4 else 1
    for number in range(1, cells):
        canvas.path(f"M{place(x + number * cell)} {place(y)}v6", "cell")
    for words in (leaves, mapping.permissions):
        if len(words) * LETTER + 4 <= placed.width:
            canvas.text(x + (placed.width - len(words) * LETTER) / 2, y + 16, words, "inside")
            break
    draw_faults_inside(canvas, placed, x, y)


def draw_stray(canvas, placed, x, y):
    stray = placed.piece
    canvas.box(x, y, placed.width, BAR, "stray", f"{stray.first:#x}: not mapped")
    draw_fault(canvas, x + placed.width / 2, y, stray.faults)


def draw_unknown(canvas, placed, x, y):
    unknown = placed.piece
    canvas.box(x, y, placed.width, BAR, "unknown", f"from {unknown.first:#x} on: left out of the report")
    canvas.text(x + 8, y + 16, "left out", "inside")
    draw_faults_inside(canvas, placed, x, y)


def draw_gap(canvas, placed, x, y):
    gap = placed.piece
    size = human(gap.last - gap.first + 1)
    middle = y + BAR / 2
    canvas.path(f"M{place(x)} {place(middle)}h{place(placed.width)}", "gap",
                f"{gap.first:#x} to {gap.last:#x}: {size} not mapped")
    if len(size) * LETTER <= placed.width:
        canvas.text(x + (placed.width - len(size) * LETTER) / 2, middle - 4, size, "label")


DRAW = {axis.Bar: draw_bar, axis.Stray: draw_stray, axis.Gap: draw_gap, axis.Unknown: draw_unknown}


def draw_line(canvas, line):
    """The pieces, and below them the address of each that follows a gap, as far as there is room."""
    y = canvas.y + BETWEEN + ABOVE
    free, after_gap = 0.0, True
    for placed in line:
        x = MARGIN + placed.x
        DRAW[type(placed.piece)](canvas, placed, x, y)
        label = f"{placed.piece.first:#x}"
        is_gap = isinstance(placed.piece, axis.Gap)
        if after_gap and not is_gap and x >= free and x + len(label) * LETTER <= WIDTH:
            canvas.text(x, y + BAR + 12, label, "label")
            free = x + (len(label) + 1) * LETTER
        after_gap = is_gap
    canvas.y = y + BAR + BELOW


# Panels


def heading(domain):
    who = ", ".join(domain.requesters) or "nobody attached"
    return f"{domain.name}: {who}"


def summary(domain):
    size = sum(LEAVES[name] * count for name, count in domain.leaves.items())
    words = f"{human(size)} mapped, leaves: {leaves_text(domain.leaves)}; {several(len(domain.faults), 'fault')}"
    return f"{words}; space of {domain.bits} bits"


def draw_panel(canvas, domain):
    canvas.y += 14
    canvas.line_of_text(heading(domain), "domain")
    canvas.line_of_text(summary(domain))
    if domain.left_out:
        canvas.line_of_text(f"{several(domain.left_out, 'mapping')} more found no room in the report and are not drawn",
                            "warning")
    for line in axis.lay_out(domain, INSIDE):
        draw_line(canvas, line)


def domain_of_the_lost(report):
    """A panel for the faults of devices that no domain knows."""
    bits = max((domain.bits for domain in report.domains), default=48)
    who = sorted({fault.requester for fault in report.lost})
    return Domain(name="in no domain", bits=bits, requesters=who, ever=who, leaves={}, mappings=[], left_out=0,
                  faults=report.lost)


def draw_legend(canvas):
    y, x = canvas.y + 12, float(MARGIN)
    for name in LEAVES:
        canvas.box(x, y, 24, 14, f"bar leaf{name}")
        canvas.text(x + 30, y + 11, f"leaves of {name}")
        x += 130
    draw_fault(canvas, x + 8, y + 12, [])
    canvas.text(x + 22, y + 11, "fault")
    canvas.box(x + 80, y, 24, 14, "stray")
    canvas.text(x + 110, y + 11, "page not mapped")
    canvas.path(f"M{place(x + 230)} {place(y + 7)}h40", "gap")
    canvas.text(x + 278, y + 11, "gap, compressed")
    canvas.y = y + 14
    canvas.line_of_text("Widths grow with the logarithm of the size. r: the device may read, w: it may write. "
                        "Faults are those of the whole run.", height=22)


def notes(report):
    """What there is that is not drawn."""
    told = ((report.domains_left_out, "domain", "for which the report had no room"),
            (report.past, "domain", "that ended before"),
            (report.past_left_out, "domain", "ended and no longer in the report"),
            (report.faults_left_out, "older fault", "no longer in the report"),
            (report.interrupts, "refused interrupt", "without a place among IOVAs"))
    return [f"Not drawn: {several(count, word)} {why}." for count, word, why in told if count]


def describe(report, panels):
    """The picture in words, for those who do not see it."""
    parts = []
    for domain in panels:
        parts.append(f"{heading(domain)}. {summary(domain)}.")
        parts += [f"{mapping.first:#x} to {mapping.last:#x}: {mapping.count} x {mapping.leaf} {mapping.permissions}."
                  for mapping in domain.mappings[:CELLS]]
        if len(domain.mappings) > CELLS:
            parts.append(f"And {several(len(domain.mappings) - CELLS, 'range')} more.")
        parts += [f"Fault: {fault.text}." for fault in domain.faults[:CELLS]]
    return " ".join(parts + notes(report)) or "No domain existed."


def draw(report):
    """The SVG document of a report (reading.Report)."""
    moment = "when the payload ended" if report.at_payload_end else "when the report was written"
    title = f"IOVA space {moment}"
    panels = [*report.domains, *([domain_of_the_lost(report)] if report.lost else [])]
    canvas = Canvas()
    canvas.line_of_text(title, "title", height=34)
    draw_legend(canvas)
    for domain in panels:
        draw_panel(canvas, domain)
    if not panels:
        canvas.line_of_text("No domain existed.", "domain", height=32)
    canvas.y += 6
    for note in notes(report):
        canvas.line_of_text(note, "warning")
    height = place(canvas.y + MARGIN)
    return "\n".join([
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        'role="img" aria-labelledby="title description">',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="description">{escape(describe(report, panels))}</desc>',
        f"<style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        *canvas.elements, "</svg>", ""])
