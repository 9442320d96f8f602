"""Draw compressed models as SVG: size against AUROC, a panel for each question, with the bounds and the front.

A marker's area is the time that the model takes, as a multiple of the reference's. Text, not outlines: any browser
shows it, and it can be searched.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from osteo_edge.label_places import Box, place_labels

WIDTH, PANEL_HEIGHT = 900, 330
LEFT, RIGHT, TOP, BETWEEN, BOTTOM = 70, 24, 64, 44, 76
MB = 1_000_000
RADIUS_AT_REFERENCE = 7.0
RADII = (3.5, 18.0)
ARROW_PX = 7
FAR = 4
"""A size bound so many times off all models is drawn at the panel's edge."""
LEAST_SPAN, HIGHEST = 0.02, 1.004
FLOOR_DROPS, FLOOR_LEAST = 5, 0.05
"""A model that loses more than so many times the accepted AUROC, and than 0.05, is drawn at the panel's lower edge."""
CHARACTER_PX, LABEL_PX = 6.8, 15.0

Standing = Literal["chosen", "front", "behind", "failed"]
STYLES: Mapping[Standing, str] = {
    "chosen": 'fill="#d9480f" stroke="#8a2c05"',
    "front": 'fill="#1c7ed6" stroke="#0b4f8a"',
    "behind": 'fill="#ffffff" stroke="#1c7ed6"',
    "failed": 'fill="#e9ecef" stroke="#868e96" stroke-dasharray="2 2"',
}
MEANINGS: Mapping[Standing, str] = {
    "chosen": "chosen",
    "front": "on the front",
    "behind": "another is better",
    "failed": "failed parity",
}


@dataclass(frozen=True)
class Mark:
    """One model to draw: `aurocs` by question, `latency` as a multiple of the reference's."""

    name: str
    size_bytes: int
    latency: float
    aurocs: Mapping[str, float]
    standing: Standing


@dataclass(frozen=True)
class Limits:
    """The bounds to draw: bytes, and the least AUROC of each question; `drop` is how far that is below the float's."""

    size_bytes: int
    least_aurocs: Mapping[str, float]
    drop: float


@dataclass(frozen=True)
class _Scale:
    """From values to pixels, linearly; `start` and `end` are the pixels of `low` and `high`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


@dataclass(frozen=True)
class _Panel:
    """One question's part of the picture, with the models inside it and those that lie below it."""

    question: str
    top: float
    x: _Scale
    y: _Scale

    @property
    def bottom(self) -> float:
        return self.top + PANEL_HEIGHT

    def place(self, mark: Mark) -> tuple[float, float]:
        top = self.bottom - ARROW_PX if self.is_below(mark) else self.y(mark.aurocs[self.question])
        return self.x(math.log(mark.size_bytes)), top

    def budget(self, limits: Limits) -> float:
        return min(max(self.x(math.log(limits.size_bytes)), self.x.start), self.x.end)

    def is_below(self, mark: Mark) -> bool:
        return mark.aurocs[self.question] < self.y.low


def draw_models(marks: Sequence[Mark], limits: Limits, title: str) -> str:
    """The picture as SVG; there is at least one mark, and all have the questions of the limits."""
    x = _size_scale(marks, limits)
    parts = [_text(LEFT, 26, title, size=15, weight="bold"), _legend(LEFT, 46)]
    for number, question in enumerate(limits.least_aurocs):
        top = TOP + number * (PANEL_HEIGHT + BETWEEN)
        panel = _Panel(question, top, x, _auroc_scale(marks, question, limits, top))
        parts += [_frame(panel), _bounds(panel, limits), _front_line(panel, marks), _marks(panel, marks, limits)]
    height = TOP + len(limits.least_aurocs) * (PANEL_HEIGHT + BETWEEN) - BETWEEN + BOTTOM
    parts.append(
        _text((LEFT + WIDTH - RIGHT) / 2, height - 22, "size of the model file, MB (log scale)", anchor="middle")
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        f'font-family="system-ui, sans-serif" role="img" aria-label="{escape(title)}">\n'
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _size_scale(marks: Sequence[Mark], limits: Limits) -> _Scale:
    sizes = [mark.size_bytes for mark in marks]
    if min(sizes) / FAR <= limits.size_bytes <= max(sizes) * FAR:
        sizes.append(limits.size_bytes)
    return _Scale(math.log(min(sizes) / 1.5), math.log(max(sizes) * 1.5), LEFT, WIDTH - RIGHT)


def _auroc_scale(marks: Sequence[Mark], question: str, limits: Limits, top: float) -> _Scale:
    least = limits.least_aurocs[question]
    floor = least + limits.drop - max(FLOOR_DROPS * limits.drop, FLOOR_LEAST)
    shown = [least, *(mark.aurocs[question] for mark in marks if mark.aurocs[question] >= floor)]
    low, high = min(shown), max(shown)
    room = max(LEAST_SPAN - (high - low), (high - low) * 0.4) / 2
    return _Scale(low - room, min(high + room, HIGHEST), top + PANEL_HEIGHT, top)


def _frame(panel: _Panel) -> str:
    parts = [
        f'<rect x="{LEFT}" y="{panel.top}" width="{WIDTH - LEFT - RIGHT}" height="{PANEL_HEIGHT}" fill="none" '
        'stroke="#adb5bd"/>'
    ]
    for size in _sizes(panel.x):
        at = panel.x(math.log(size * MB))
        parts.append(_line(at, panel.bottom, at, panel.bottom + 5, "#495057"))
        parts.append(_text(at, panel.bottom + 19, f"{size:g}", anchor="middle", size=11))
    for value in _round_values(panel.y.low, panel.y.high):
        at = panel.y(value)
        parts.append(_line(LEFT, at, WIDTH - RIGHT, at, "#e9ecef"))
        parts.append(_text(LEFT - 8, at + 4, f"{value:.3f}".rstrip("0").rstrip("."), anchor="end", size=11))
    middle = panel.top + PANEL_HEIGHT / 2
    parts.append(
        f'<g transform="translate(20 {middle:.1f}) rotate(-90)">'
        f"{_text(0, 0, f'AUROC {panel.question}', anchor='middle', size=12)}</g>"
    )
    return "\n".join(parts)


def _bounds(panel: _Panel, limits: Limits) -> str:
    least, budget = panel.y(limits.least_aurocs[panel.question]), panel.budget(limits)
    allowed = (
        f'<rect x="{LEFT}" y="{panel.top}" width="{budget - LEFT:.1f}" height="{least - panel.top:.1f}" '
        'fill="#2b8a3e" fill-opacity="0.07"/>'
    )
    is_at_end = budget > WIDTH - RIGHT - 60
    beside, anchor = (budget - 5, "end") if is_at_end else (budget + 5, "start")
    words = f"float32 less {limits.drop:g}"
    return "\n".join(
        [
            allowed,
            _line(LEFT, least, WIDTH - RIGHT, least, "#2b8a3e", dashed=True),
            _line(budget, panel.top, budget, panel.bottom, "#2b8a3e", dashed=True),
            _text(WIDTH - RIGHT - 6, least + 13, words, anchor="end", size=11, colour="#2b8a3e"),
            _text(beside, panel.top + 14, f"{limits.size_bytes / MB:g} MB", anchor=anchor, size=11, colour="#2b8a3e"),
        ]
    )


def _words_of_bounds(panel: _Panel, limits: Limits) -> list[Box]:
    """Where the bounds are named."""
    least, budget = panel.y(limits.least_aurocs[panel.question]), panel.budget(limits)
    right = WIDTH - RIGHT
    return [Box(right - 120, least, right, least + 18), Box(budget - 60, panel.top, budget + 60, panel.top + 18)]


def _front_line(panel: _Panel, marks: Sequence[Mark]) -> str:
    """The steps from each smallest file of its AUROC to the next better one."""
    corners: list[tuple[float, float]] = []
    best = -math.inf
    for mark in sorted(marks, key=lambda mark: (mark.size_bytes, -mark.aurocs[panel.question])):
        value = mark.aurocs[panel.question]
        if mark.standing == "failed" or value <= best:
            continue
        at = panel.place(mark)
        corners += [(at[0], corners[-1][1]), at] if corners else [at]
        best = value
    points = " ".join(f"{left:.1f},{top:.1f}" for left, top in corners)
    return f'<polyline points="{points}" fill="none" stroke="#74a9d8" stroke-width="1.5"/>'


def _marks(panel: _Panel, marks: Sequence[Mark], limits: Limits) -> str:
    places = [panel.place(mark) for mark in marks]
    names = [_named(panel, mark) for mark in marks]
    inside = Box(LEFT + 4, panel.top + 4, WIDTH - RIGHT - 4, panel.bottom - 4)
    sizes = [(len(name) * CHARACTER_PX + 4, LABEL_PX) for name in names]
    points = [(*place, _radius(mark)) for place, mark in zip(places, marks, strict=True)]
    labels = place_labels(points, sizes, inside, _words_of_bounds(panel, limits))
    parts = []
    for mark, name, (left, top), label in zip(marks, names, places, labels, strict=True):
        shape = _triangle(left, top) if panel.is_below(mark) else _circle(left, top, _radius(mark))
        words = f"{mark.name}: {mark.size_bytes / MB:.2f} MB, AUROC {mark.aurocs[panel.question]:.3f}"
        tip = escape(f"{words}, {mark.latency:.2f} x the time of float32, {MEANINGS[mark.standing]}")
        near = (min(max(left, label.left), label.right), min(max(top, label.top), label.bottom))
        if math.dist(near, (left, top)) > _radius(mark) + 8:
            parts.append(_line(left, top, *near, "#adb5bd"))
        parts.append(f'<g {STYLES[mark.standing]} fill-opacity="0.85">{shape}<title>{tip}</title></g>')
        weight = "bold" if mark.standing == "chosen" else "normal"
        middle = (label.left + label.right) / 2
        parts.append(_text(middle, label.bottom - 4, name, anchor="middle", size=12, weight=weight))
    return "\n".join(parts)


def _named(panel: _Panel, mark: Mark) -> str:
    below = f", AUROC {mark.aurocs[panel.question]:.2f}" if panel.is_below(mark) else ""
    return f"{mark.name}, {mark.latency:.1f}x{below}"


def _legend(left: float, top: float) -> str:
    parts = []
    for standing, meaning in MEANINGS.items():
        parts.append(f"<g {STYLES[standing]}>{_circle(left + 6, top, 5)}</g>")
        parts.append(_text(left + 17, top + 4, meaning, size=11))
        left += 34 + len(meaning) * CHARACTER_PX
    left += 10
    for ratio in (0.5, 1, 2):
        radius = RADIUS_AT_REFERENCE * math.sqrt(ratio)
        parts.append(f'<g fill="none" stroke="#495057">{_circle(left + 8, top, radius)}</g>')
        words = f"{ratio:g}" if ratio != 2 else "2 times the time of float32"
        parts.append(_text(left + 22, top + 4, words, size=11))
        left += 32 + len(words) * CHARACTER_PX
    return "\n".join(parts)


def _radius(mark: Mark) -> float:
    return min(max(RADIUS_AT_REFERENCE * math.sqrt(mark.latency), RADII[0]), RADII[1])


def _sizes(x: _Scale) -> list[float]:
    """Sizes to name on the axis, in MB: 1, 2, 5 and their tenfolds."""
    low, high = math.exp(x.low) / MB, math.exp(x.high) / MB
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [step * 10.0**power for power in powers for step in (1, 2, 5) if low <= step * 10.0**power <= high]


def _round_values(low: float, high: float) -> list[float]:
    """Four to ten round values between `low` and `high`, none above 1: an AUROC is not."""
    raw = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw)
    first, last = math.ceil(low / step), math.floor(min(high, 1.0) / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def _circle(left: float, top: float, radius: float) -> str:
    return f'<circle cx="{left:.1f}" cy="{top:.1f}" r="{radius:.1f}" stroke-width="1.5"/>'


def _triangle(left: float, top: float) -> str:
    """An arrowhead that points down, off the panel."""
    return f'<path d="M{left - ARROW_PX:.1f},{top - 5:.1f} h{2 * ARROW_PX} l-{ARROW_PX},11 z" stroke-width="1.5"/>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, *, dashed: bool = False) -> str:
    dashes = ' stroke-dasharray="5 4"' if dashed else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{dashes}/>'


def _text(
    left: float,
    top: float,
    words: str,
    *,
    anchor: str = "start",
    size: int = 13,
    weight: str = "normal",
    colour: str = "#212529",
) -> str:
    return (
        f'<text x="{left:.1f}" y="{top:.1f}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" '
        f'fill="{colour}" stroke="#ffffff" stroke-width="3" stroke-opacity="0.8" paint-order="stroke">'
        f"{escape(words)}</text>"
    )
