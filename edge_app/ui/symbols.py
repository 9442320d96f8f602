"""The outcomes' symbols in a window, in the same shapes as on paper (`exports.marks`)."""

from collections.abc import Iterable
from typing import Any

from kivy.graphics import Color, Ellipse, Line, Mesh, Rectangle
from kivy.utils import get_color_from_hex

from osteo_edge.edge_app.ui.look import look
from osteo_edge.wording import Outcome

Point = tuple[float, float]


def draw_symbol(canvas: Any, outcome: Outcome, pos: Point, size: Point) -> None:
    """Draw on a canvas, in the square at `pos`: a triangle with an exclamation mark to refer, a disc with a dash for
    no finding (never a tick), a diamond with three dots where it is uncertain, a square with a cross if rejected."""
    side = min(size)

    def at(across: float, up: float) -> Point:
        return pos[0] + across * side, pos[1] + up * side

    with canvas:
        Color(*get_color_from_hex(look.accent(outcome)))
        if outcome == "refer":
            _polygon([at(0.5, 0.98), at(1, 0.05), at(0, 0.05)])
        elif outcome == "no_finding":
            Ellipse(pos=pos, size=(side, side))
        elif outcome == "uncertain":
            _polygon([at(0.5, 1), at(1, 0.5), at(0.5, 0), at(0, 0.5)])
        else:
            Rectangle(pos=pos, size=(side, side))
        Color(*look.card)
        width = side / 18
        if outcome == "refer":
            Line(points=[*at(0.5, 0.66), *at(0.5, 0.36)], width=width)
            _dots([at(0.5, 0.2)], side / 15)
        elif outcome == "no_finding":
            Line(points=[*at(0.28, 0.5), *at(0.72, 0.5)], width=width)
        elif outcome == "uncertain":
            _dots([at(across, 0.5) for across in (0.3, 0.5, 0.7)], side / 15)
        else:
            Line(points=[*at(0.3, 0.3), *at(0.7, 0.7)], width=width)
            Line(points=[*at(0.3, 0.7), *at(0.7, 0.3)], width=width)


def _polygon(corners: Iterable[Point]) -> None:
    vertices = [(*corner, 0.0, 0.0) for corner in corners]
    Mesh(
        vertices=[number for vertex in vertices for number in vertex],
        indices=list(range(len(vertices))),
        mode="triangle_fan",
    )


def _dots(centres: Iterable[Point], radius: float) -> None:
    for across, up in centres:
        Ellipse(pos=(across - radius, up - radius), size=(2 * radius, 2 * radius))
