"""Text on pictures: OpenCV 5's own scalable font, or the stroke font of OpenCV 4 where that is what is installed."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]

HAS_FONTS = hasattr(cv2, "FontFace")
STROKE_FONT_PX = 30.0


def text_width(text: str, size: int, *, bold: bool = False) -> int:
    """How many pixels wide `text` is at a height of `size` pixels."""
    weight, scale, thickness = _style(size, bold)
    if HAS_FONTS:  # without a weight, it would be measured in that of the last text drawn
        box: Any = cv2.getTextSize((0, 0), text, (0, 0), cv2.FontFace("sans"), size, weight)
        return int(box[0] + box[2])
    return int(cv2.getTextSize(_ascii(text), cv2.FONT_HERSHEY_SIMPLEX, scale, thickness)[0][0])


def draw_text(
    picture: Picture, text: str, x: int, baseline: int, size: int, colour: Colour, *, bold: bool = False
) -> None:
    """Draw one line of text in place; `x` and `baseline` are in pixels, the colour is blue, green, red."""
    weight, scale, thickness = _style(size, bold)
    if HAS_FONTS:
        cv2.putText(picture, text, (x, baseline), colour, cv2.FontFace("sans"), size, weight)
        return
    cv2.putText(picture, _ascii(text), (x, baseline), cv2.FONT_HERSHEY_SIMPLEX, scale, colour, thickness, cv2.LINE_AA)


def _style(size: int, bold: bool) -> tuple[int, float, int]:
    """The weight of OpenCV 5's font; the scale and the thickness of OpenCV 4's."""
    return 600 if bold else 400, size / STROKE_FONT_PX, 2 if bold else 1


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()
