"""Figures drawn by matplotlib as SVG that stands in a page, takes its colours from it, and can be searched as text."""

import io
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from osteo_edge.extras import load_extra

INK = "#010203"
"""Stands for the page's own text colour, and is replaced by it."""
COLOURS = ("#0b6e99", "#c4420d", "#5b8c2a", "#8a4fbe", "#b8860b", "#d1477a", "#3d7a74", "#7a5c3d")
SIZE_INCHES = (4.6, 4.0)
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "osteo-edge",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": INK,
    "text.parse_math": False,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


@contextmanager
def svg_axes(
    across: str, up: str, *, title: str = "", square: bool = False, size: tuple[float, float] = SIZE_INCHES
) -> Iterator[tuple[Any, Callable[[], str]]]:
    """Empty axes, and a function that gives the finished picture once the block is left.

    `size` is in inches; `square` axes go from 0 to 1 both ways. `MissingExtraError` without matplotlib.
    """
    matplotlib, figures = load_extra(
        ("matplotlib", "matplotlib.figure"), feature="a report with figures", package="matplotlib", extra="report"
    )
    with matplotlib.rc_context(STYLE):
        figure = figures.Figure(figsize=size, layout="constrained")
        axes = figure.add_subplot(xlabel=across, ylabel=up, title=title)
        if square:
            axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
        yield axes, lambda: _to_svg(figure, matplotlib)


def _to_svg(figure: Any, matplotlib: Any) -> str:
    """The figure as an `<svg>` element of a page: no file header, no namespaces, in the colour of the text around."""
    buffer = io.StringIO()
    with matplotlib.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the browser has its own fonts
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    element = re.sub(r"(?s)^.*?(?=<svg)|<metadata>.*?</metadata>", "", buffer.getvalue())
    element = re.sub(r' xmlns(:xlink)?="[^"]*"', "", element).replace("xlink:href", "href")
    return element.replace(INK, "currentColor")
