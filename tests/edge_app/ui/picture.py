"""Whether a picture shows what is on the screen: a window may be drawn on in part only, or somewhere else than it says.

A window that no display holds keeps the size at which it was made; nothing in its widgets tells.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from kivy.core.window import Window
from kivy.graphics.opengl import (
    GL_COLOR_BUFFER_BIT,
    GL_RGB,
    GL_SCISSOR_TEST,
    GL_UNSIGNED_BYTE,
    glClear,
    glClearColor,
    glDisable,
    glEnable,
    glReadPixels,
    glScissor,
)
from kivy.uix.label import Label
from kivy.uix.widget import Widget

from tests.edge_app.ui.fit import Box, name_of, shown_below, text_box, visible

SIDE_PX: Final = 4
MARKS: Final = ((1, 2, 3), (250, 120, 10))
LEAST_CONTRAST: Final = 24
"""Between the lightest and the darkest pixel of a text and its ground, of 255; ours have 100 and more."""
LEAST_SEEN: Final = 0.9
"""Of its height, for a text to be looked for: what is scrolled to its edge has little to show."""


def can_be_drawn_on(width: int, height: int) -> bool:
    """Whether what is painted into the corners of a window of this size can be read there again."""
    corners = [(x, y) for x in (0, width - SIDE_PX) for y in (0, height - SIDE_PX)]
    return all(_keeps(corner, mark) for corner in corners for mark in MARKS)


def _keeps(corner: tuple[int, int], mark: tuple[int, int, int]) -> bool:
    glEnable(GL_SCISSOR_TEST)
    glScissor(*corner, SIDE_PX, SIDE_PX)
    glClearColor(*(value / 255 for value in mark), 1)
    glClear(GL_COLOR_BUFFER_BIT)
    glDisable(GL_SCISSOR_TEST)
    read = glReadPixels(*corner, SIDE_PX, SIDE_PX, GL_RGB, GL_UNSIGNED_BYTE)
    return bytes(read) == bytes(mark) * SIDE_PX**2


def not_drawn(root: Widget, picture: Path) -> list[str]:
    """The texts below `root` that are not where they should be in a picture of the window, one line each."""
    import cv2  # a story of a phone has none

    read = cv2.imread(str(picture), cv2.IMREAD_GRAYSCALE)
    assert read is not None
    pixels: npt.NDArray[np.uint8] = read.astype(np.uint8)
    if pixels.shape != (Window.height, Window.width):
        return [f"the picture is {pixels.shape[1]} x {pixels.shape[0]}, the window {Window.width} x {Window.height}"]
    return [
        f"{name_of(label)}: is not in the picture"
        for label, box in _texts(root)
        if _contrast(pixels, box) < LEAST_CONTRAST
    ]


def _texts(root: Widget) -> Iterator[tuple[Label, Box]]:
    """The texts that are in sight, and where."""
    window = Box(0, 0, Window.width, Window.height)
    for widget in shown_below(root):
        if isinstance(widget, Label) and widget.text.strip():
            whole = text_box(widget)
            seen = visible(widget, whole).cut(window)
            if seen.top - seen.y >= LEAST_SEEN * (whole.top - whole.y) and seen.right > seen.x:
                yield widget, seen


def _contrast(pixels: npt.NDArray[np.uint8], box: Box) -> int:
    rows = slice(round(Window.height - box.top), round(Window.height - box.y))
    part = pixels[rows, round(box.x) : round(box.right)]
    return int(part.max()) - int(part.min()) if part.size else 255
