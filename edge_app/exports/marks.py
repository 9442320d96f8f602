"""The marks of an outcome: its symbol, and its probability as a bar. Neither is told by its colour alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from fpdf import FPDF

from osteo_edge.wording import Outcome

Colour = tuple[int, int, int]
Point = tuple[float, float]

INK: Final[Colour] = (20, 20, 20)
FAINT: Final[Colour] = (95, 95, 95)
TRACK: Final[Colour] = (232, 232, 232)
WHITE: Final[Colour] = (255, 255, 255)
ACCENTS: Final[dict[Outcome, Colour]] = {  # after Okabe and Ito 2008: the colour-blind tell them apart
    "refer": (213, 94, 0),
    "no_finding": (75, 95, 120),
    "uncertain": (190, 130, 0),
    "rejected": (120, 60, 110),
}
BAR_MM: Final = 5.0
POINTER_MM: Final = 2.4
HATCH_MM: Final = 1.0


@dataclass(frozen=True)
class Bar:
    """A calibrated probability, the operating point that it is compared with, and the ends of the uncertain band."""

    score: float
    threshold: float
    band: tuple[float, float] | None
    outcome: Outcome


def draw_symbol(pdf: FPDF, outcome: Outcome, left: float, top: float, size: float) -> None:
    """Draw the outcome's own shape and sign, `size` mm wide: a triangle with an exclamation mark to refer, a disc with
    a dash for no finding (never a tick), a diamond with three dots, and a square with a cross."""
    pdf.set_fill_color(*ACCENTS[outcome])
    pdf.set_draw_color(*WHITE)
    pdf.set_line_width(size / 9)

    def at(across: float, down: float) -> Point:
        return left + across * size, top + down * size

    if outcome == "refer":
        pdf.polygon([at(0.5, 0.02), at(1, 0.95), at(0, 0.95)], style="F")
        pdf.line(*at(0.5, 0.34), *at(0.5, 0.66))
        _dots(pdf, [at(0.5, 0.81)], size / 16)
    elif outcome == "no_finding":
        pdf.ellipse(*at(0, 0), size, size, style="F")
        pdf.line(*at(0.28, 0.5), *at(0.72, 0.5))
    elif outcome == "uncertain":
        pdf.polygon([at(0.5, 0), at(1, 0.5), at(0.5, 1), at(0, 0.5)], style="F")
        _dots(pdf, [at(across, 0.5) for across in (0.3, 0.5, 0.7)], size / 15)
    else:
        pdf.rect(*at(0.03, 0.03), size * 0.94, size * 0.94, style="F")
        pdf.line(*at(0.3, 0.3), *at(0.7, 0.7))
        pdf.line(*at(0.3, 0.7), *at(0.7, 0.3))


def draw_bar(pdf: FPDF, bar: Bar, left: float, top: float, width: float) -> float:
    """Draw the bar from 0 to 1, the band hatched, the operating point a line across, the score a pointer above.

    Returns where it ends, in mm from the top of the page.
    """

    def at(probability: float) -> float:
        return left + width * min(max(probability, 0.0), 1.0)

    upper, lower = top + POINTER_MM, top + POINTER_MM + BAR_MM
    pdf.set_fill_color(*TRACK)
    pdf.rect(left, upper, width, BAR_MM, style="F")
    pdf.set_fill_color(*ACCENTS[bar.outcome])
    pdf.rect(left, upper + BAR_MM * 0.3, at(bar.score) - left, BAR_MM * 0.4, style="F")
    if bar.band is not None:
        _hatch(pdf, at(bar.band[0]), at(bar.band[1]), upper)
    pdf.set_draw_color(*INK)
    pdf.set_line_width(0.7)
    pdf.line(at(bar.threshold), upper - 1.2, at(bar.threshold), lower + 1.2)
    pdf.set_fill_color(*INK)
    _pointer(pdf, (at(bar.score), upper))
    return lower + 1.8


def _hatch(pdf: FPDF, left: float, right: float, top: float) -> None:
    pdf.set_draw_color(*FAINT)
    pdf.set_line_width(0.2)
    pdf.rect(left, top, right - left, BAR_MM)
    for step in range(1, int((right - left) / HATCH_MM)):
        pdf.line(left + step * HATCH_MM, top, left + step * HATCH_MM, top + BAR_MM)


def _pointer(pdf: FPDF, tip: Point) -> None:
    across, down = tip
    pdf.polygon([(across - 1.4, down - POINTER_MM), (across + 1.4, down - POINTER_MM), tip], style="F")


def _dots(pdf: FPDF, centres: Iterable[Point], radius: float) -> None:
    pdf.set_fill_color(*WHITE)
    for across, down in centres:
        pdf.ellipse(across - radius, down - radius, 2 * radius, 2 * radius, style="F")
