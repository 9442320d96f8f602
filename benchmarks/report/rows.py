"""What the figures share that show one row for each variant: names above the rows, and a scale across."""

import math
from collections.abc import Sequence
from typing import Any

BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"
LOGARITHMIC_FROM = 6.0
"""Where the highest value is so many times the lowest, a linear scale hides the low ones."""
WIDTH_INCHES, FRAME_INCHES = 4.0, 0.75
FEWEST_TICKS = 3
LABEL_POINTS = 8.5


def rows_size(rows: int, *, each: float) -> tuple[float, float]:
    """The width and height of a figure in inches, `each` of them for a row."""
    return WIDTH_INCHES, FRAME_INCHES + each * rows


def short(name: str, characters: int) -> str:
    """A name that fits, its middle left out if need be; without characters that cannot be printed.

    >>> short("mobilenet_v2-1.0-int8, LiteRT, 4 threads", 20)
    'mobilenet_…4 threads'
    """
    shown = "".join(character if character.isprintable() else "?" for character in name)
    if len(shown) <= characters:
        return shown
    start = characters // 2
    return f"{shown[:start]}…{shown[-(characters - start - 1) :]}"


def label_rows(axes: Any, labels: Sequence[str]) -> None:
    """Put each row's words above it, at the left; row 0 is the topmost."""
    for place, words in enumerate(labels):
        axes.text(0.005, place - 0.34, words, transform=axes.get_yaxis_transform(), va="bottom", fontsize=LABEL_POINTS)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_ylim(len(labels) - 0.5, -0.8)


def scale_across(axes: Any, low: float, high: float) -> None:
    """A scale from `low` to `high`, logarithmic where they are far apart, with round numbers on it."""
    if low > 0 and high / low >= LOGARITHMIC_FROM:
        axes.set_xscale("log")
        axes.set_xlim(low, high)
        ticks = round_numbers(low, high)
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.set_xticks([], minor=True)
    elif low < high:
        axes.set_xlim(low, high)


def round_numbers(low: float, high: float) -> list[float]:
    """1, 2, 5 and their tenfolds between two positive numbers, or only the tenfolds if these are enough.

    >>> round_numbers(0.8, 30)
    [1.0, 2.0, 5.0, 10.0, 20.0]
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    tenfolds = [10.0**power for power in powers if low <= 10.0**power <= high]
    if len(tenfolds) > FEWEST_TICKS:
        return tenfolds
    return [step * 10.0**power for power in powers for step in (1, 2, 5) if low <= step * 10.0**power <= high]
