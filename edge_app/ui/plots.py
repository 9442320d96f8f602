"""Two small plots, drawn in the colours of the theme: how right the scores are, and how films change by month."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kivy.graphics import Color, Ellipse, Line, Mesh, Rectangle
from kivy.metrics import dp
from kivy.properties import NumericProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from osteo_edge.edge_app.follow_up_words import Point
from osteo_edge.edge_app.history.drift import Month
from osteo_edge.edge_app.ui.look import look
from osteo_edge.edge_app.ui.screen import load_kv

MARK_DP = 5


class Plane(Widget):  # type: ignore[misc]
    """A field to draw on from (0, 0), its lower left corner, to (1, 1)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name in ("pos", "size"):
            self.fbind(name, self._draw)
        look.bind(theme=self._draw)

    def at(self, across: float, up: float) -> tuple[float, float]:
        """A point of the field in the window."""
        return self.x + across * self.width, self.y + up * self.height

    def line(self, *points: tuple[float, float], width: float = 1.2, dashed: bool = False) -> None:
        """Draw a line through points of the field."""
        corners = [number for point in points for number in self.at(*point)]
        if dashed:
            Line(points=corners, width=1, dash_length=dp(4), dash_offset=dp(3))
        else:
            Line(points=corners, width=dp(width))

    def _draw(self, *_: object) -> None:
        self.canvas.clear()
        with self.canvas:
            Color(*look.line)
            Line(rectangle=(*self.pos, *self.size), width=1)
            self.draw()

    def draw(self) -> None:
        """Draw what the plot shows, with the canvas open."""


class CalibrationPlane(Plane):
    """The share that DXA found positive over the score, each with its interval; on the dashed line scores are right."""

    points: Sequence[Point] = ()

    def show(self, points: Sequence[Point]) -> None:
        """Show these points."""
        self.points = points
        self._draw()

    def draw(self) -> None:
        Color(*look.faint)
        self.line((0, 0), (1, 1), dashed=True)
        Color(*look.button)
        for point in self.points:
            self.line((point.score, point.low), (point.score, point.high), width=1)
            _disc(self.at(point.score, point.share), dp(MARK_DP))


class DriftPlane(Plane):
    """Median and quartiles of each month over the band of the first films; a month that differs is a diamond."""

    months: Sequence[Month] = ()
    band: tuple[float, float] | None = None
    scale = 0.0, 1.0

    def show(self, months: Sequence[Month], band: tuple[float, float] | None, scale: tuple[float, float]) -> None:
        """Show these months, on a field that goes from the first to the second value of `scale`."""
        self.band, self.scale, self.months = band, scale, months
        self._draw()

    def draw(self) -> None:
        if self.band is not None:
            Color(*look.quiet)
            (left, low), (right, high) = self.at(0, self._up(self.band[0])), self.at(1, self._up(self.band[1]))
            Rectangle(pos=(left, low), size=(right - left, high - low))
        for number, month in enumerate(self.months):
            across = (number + 0.5) / len(self.months)
            Color(*(look.warning if month.drifted else look.button))
            self.line((across, self._up(month.lower_quartile)), (across, self._up(month.upper_quartile)), width=1)
            mark = _diamond if month.drifted else _disc
            mark(self.at(across, self._up(month.median)), dp(MARK_DP))

    def _up(self, value: float) -> float:
        low, high = self.scale
        return (value - low) / (high - low)


class Plot(BoxLayout):  # type: ignore[misc]
    """A plane with the ends of its axes and what they are."""

    up = StringProperty()
    across = StringProperty()
    lowest = StringProperty()
    highest = StringProperty()
    first = StringProperty()
    last = StringProperty()
    widest_dp = NumericProperty(420)

    def put(self, plane: Plane) -> None:
        """Put the plane in."""
        self.ids.place.add_widget(plane)


def calibration_plot(points: Sequence[Point], up: str, across: str) -> Plot:
    """The calibration plot, with the names of its axes."""
    plot = Plot(up=up, across=across, lowest="0 %", highest="100 %", first="0 %", last="100 %")
    plane = CalibrationPlane()
    plane.show(points)
    plot.put(plane)
    return plot


def drift_plot(months: Sequence[Month], band: tuple[float, float] | None, scale: tuple[float, float]) -> Plot:
    """The months of one statistic; its values are shares of the brightest that a film can be."""
    low, high = (f"{value:.2f}" for value in scale)
    last = months[-1].month if months[1:] else ""
    plot = Plot(lowest=low, highest=high, first=months[0].month, last=last, widest_dp=640)
    plane = DriftPlane()
    plane.show(months, band, scale)
    plot.put(plane)
    return plot


def _disc(centre: tuple[float, float], radius: float) -> None:
    Ellipse(pos=(centre[0] - radius, centre[1] - radius), size=(2 * radius, 2 * radius))


def _diamond(centre: tuple[float, float], radius: float) -> None:
    across, up, reach = *centre, 1.6 * radius
    corners = [(across, up + reach), (across + reach, up), (across, up - reach), (across - reach, up)]
    vertices = [number for corner in corners for number in (*corner, 0.0, 0.0)]
    Mesh(vertices=vertices, indices=[0, 1, 2, 3], mode="triangle_fan")


load_kv(__file__)
