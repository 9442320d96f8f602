"""Text on pictures in the font that Pillow brings along."""

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Picture = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]


def text_width(text: str, size: int, *, bold: bool = False) -> int:
    """How many pixels wide `text` is at a height of `size` pixels."""
    return int(_font(size).getlength(text) + 0.5) + 2 * _stroke(size, bold)


def draw_text(
    picture: Picture, text: str, x: int, baseline: int, size: int, colour: Colour, *, bold: bool = False
) -> None:
    """Draw one line of text in place; `x` and `baseline` are in pixels, the colour is blue, green, red."""
    drawn = Image.fromarray(picture)
    stroke, font = _stroke(size, bold), _font(size)
    ImageDraw.Draw(drawn).text((x + stroke, baseline), text, fill=colour, font=font, anchor="ls", stroke_width=stroke)
    picture[...] = np.asarray(drawn)


@cache
def _font(size: int) -> Any:
    return ImageFont.load_default(size)


def _stroke(size: int, bold: bool) -> int:
    """How far bold letters are thickened to each side."""
    return max(1, round(size / 30)) if bold else 0
