"""Text on pictures: OpenCV 5's own scalable font, or the stroke font of OpenCV 4 where that is what is installed."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]

HAS_FONTS = hasattr(cv2, "FontFace")
STROKE_FONT_PX = 30.0


def text_width(text: str, size: int) -> int:
    """How many pixels wide `text` is at a height of `size` pixels."""
    if HAS_FONTS:
        box: Any = cv2.getTextSize((0, 0), text, (0, 0), cv2.FontFace("sans"), size)  # type: ignore[call-overload]
        return int(box[0] + box[2])
    return int(cv2.getTextSize(_ascii(text), cv2.FONT_HERSHEY_SIMPLEX, size / STROKE_FONT_PX, 1)[0][0])


def draw_text(
    picture: Picture, text: str, x: int, baseline: int, size: int, colour: Colour, *, bold: bool = False
) -> None:
    """Draw one line of text in place; `x` and `baseline` are in pixels, the colour is blue, green, red."""
    if HAS_FONTS:
        weight = 600 if bold else 400
        cv2.putText(picture, text, (x, baseline), colour, cv2.FontFace("sans"), size, weight)  # type: ignore[call-overload]
        return
    scale, thickness = size / STROKE_FONT_PX, 2 if bold else 1
    cv2.putText(picture, _ascii(text), (x, baseline), cv2.FONT_HERSHEY_SIMPLEX, scale, colour, thickness, cv2.LINE_AA)


def wrap(text: str, width: int, size: int) -> list[str]:
    """Break `text` at spaces into lines of at most `width` pixels; a longer word keeps a line of its own."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()
