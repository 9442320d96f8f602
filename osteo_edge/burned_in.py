"""Lettering on the pixels of a film: lines of print, found by letters of one height that stand in a row.

A side marker of a few letters is no line. What is handwritten, faint, slanted, vertical, short, or of letters that run
into each other is missed, and so is what is as bright as the bone that it stands on. docs/privacy.md has the figures.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from osteo_edge.preprocessing import Pixels
from osteo_edge.raster import components, scaling, smoothing, tones

Boxes = npt.NDArray[np.int32]

LONGEST_SIDE_PX: Final = 1600
"""What larger films are reduced to: print of 1 % of the longest side is 16 pixels high then."""
CONTRAST: Final = 60
"""By how much of 255 a letter differs from what is around it, at least."""
HEIGHTS_PX: Final = (6, 64)
WIDTHS: Final = (0.3, 1.6)
"""Of a letter's height; "I" and "l" are passed over, since the lines of spongy bone are like them."""
FILLED: Final = (0.12, 0.92)
"""How much of its box a letter fills."""
LEAST_LETTERS: Final = 5
MOST_GAP: Final = 1.3
"""From letter to letter, of their height: a space between words is less."""
SAME_HEIGHT: Final = 0.6
"""The lower of two neighbours, of the higher: small letters beside capitals are 0.65."""
SAME_ROW: Final = 0.35
"""How far the foot of a letter may be from that of the one before, of its height."""


def shows_lettering(pixels: Pixels) -> bool:
    """Whether a line of print stands on a film, (height, width) in [0, 1]: bright, or dark on bright."""
    grey = tones.to_8_bit(pixels)
    height, width = grey.shape
    scale = LONGEST_SIDE_PX / max(height, width)
    if scale < 1:
        grey = scaling.shrink(grey, max(1, round(height * scale)), max(1, round(width * scale)))
    return any(_has_line(_letters(mask)) for mask in _strokes(grey))


def _strokes(grey: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Where it is much brighter, and where much darker, than all around within a letter's size (a top hat)."""
    side = HEIGHTS_PX[1] // 4 * 2 + 1
    opened = smoothing.dilate(smoothing.erode(grey, side), side)
    closed = smoothing.erode(smoothing.dilate(grey, side), side)
    bright = (grey.astype(np.int16) - opened) >= CONTRAST
    dark = (closed.astype(np.int16) - grey) >= CONTRAST
    return bright.astype(np.uint8), dark.astype(np.uint8)


def _letters(mask: npt.NDArray[np.uint8]) -> Boxes:
    """The connected areas that may be letters, from left to right: left, top, width, height, pixels."""
    found = components.sizes_and_boxes(mask)
    width, height, size = found[:, 2], found[:, 3], found[:, 4]
    filled = size / (width * height)
    fits = (height >= HEIGHTS_PX[0]) & (height <= HEIGHTS_PX[1])
    fits &= (width >= WIDTHS[0] * height) & (width <= WIDTHS[1] * height)
    letters = found[fits & (filled >= FILLED[0]) & (filled <= FILLED[1])]
    return letters[np.argsort(letters[:, 0], kind="stable")]


def _has_line(letters: Boxes) -> bool:
    """Whether enough letters follow each other on one line."""
    ends = letters[:, 0] + letters[:, 2]
    feet = letters[:, 1] + letters[:, 3]
    heights = letters[:, 3]
    lengths = np.ones(len(letters), np.int32)
    for at in range(len(letters)):
        higher = np.maximum(heights[:at], heights[at])
        follows = (
            (letters[at, 0] - ends[:at] <= MOST_GAP * higher)
            & (letters[at, 0] >= letters[:at, 0] + letters[:at, 2] // 2)
            & (np.minimum(heights[:at], heights[at]) >= SAME_HEIGHT * higher)
            & (np.abs(feet[at] - feet[:at]) <= SAME_ROW * higher)
        )
        if follows.any():
            lengths[at] = 1 + lengths[:at][follows].max()
            if lengths[at] >= LEAST_LETTERS:
                return True
    return False
