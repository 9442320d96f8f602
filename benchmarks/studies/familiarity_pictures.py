"""Pictures that are no usable frontal knee film, made of knee films or drawn: to see which of them are refused."""

from collections.abc import Callable, Iterator

import cv2
import numpy as np

from osteo_edge.radiograph import Pixels

DRAWN_PER_KIND = 25
SIDES_PX = (400, 1000)
LINE_PX = 28
LETTERS_A_LINE = 60


def _part(top: float, bottom: float, left: float, right: float) -> Callable[[Pixels], Pixels]:
    def cut(film: Pixels) -> Pixels:
        height, width = film.shape
        return film[int(height * top) : int(height * bottom), int(width * left) : int(width * right)]

    return cut


def _quarters_swapped(film: Pixels) -> Pixels:
    height, width = film.shape
    return np.asarray(np.roll(film, (height // 2, width // 2), axis=(0, 1)), np.float32)


CHANGED: dict[str, Callable[[Pixels], Pixels]] = {
    "turned by 90 degrees": lambda film: np.rot90(film),
    "turned by 180 degrees": lambda film: np.rot90(film, 2),
    "negative": lambda film: 1 - film,
    "strip across": _part(0.1, 0.3, 0, 1),
    "strip along": _part(0, 1, 0.05, 0.25),
    "shaft only": _part(0, 0.3, 0, 1),
    "a quarter": _part(0, 0.5, 0, 0.5),
    "enlarged middle": _part(0.42, 0.58, 0.42, 0.58),
    "quarters swapped": _quarters_swapped,
}
"""What is made of a knee film, (height, width) in [0, 1]."""
STILL_KNEES: dict[str, Callable[[Pixels], Pixels]] = {"mirrored": lambda film: film[:, ::-1]}
"""What is made of one and must be answered like it."""


def drawn(seed: int = 0) -> Iterator[tuple[str, Pixels]]:
    """Drawn pictures with their kind: noise, pages of text, and clouds, whose spectrum is that of natural pictures."""
    rng = np.random.default_rng(seed)
    for _ in range(DRAWN_PER_KIND):
        height, width = (int(side) for side in rng.integers(*SIDES_PX, 2))
        yield "noise", rng.random((height, width), np.float32)
        yield "text", _page(height, width, rng)
        yield "clouds", _clouds(height, width, rng)


def _page(height: int, width: int, rng: np.random.Generator) -> Pixels:
    page = np.full((height, width), 242, np.uint8)
    for y in range(LINE_PX, height, LINE_PX):
        line = "".join(map(chr, rng.integers(ord("a"), ord("z") + 1, LETTERS_A_LINE)))
        cv2.putText(page, line, (20, y), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 25, 1)
    return np.asarray(page / np.float32(255), np.float32)


def _clouds(height: int, width: int, rng: np.random.Generator) -> Pixels:
    """Noise whose amplitude falls with a power of the frequency (Field 1987)."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(height), np.fft.fftfreq(width), indexing="ij"))
    spectrum = np.fft.fft2(rng.normal(size=(height, width))) / (frequency + 1 / max(height, width)) ** rng.uniform(1, 2)
    values = np.real(np.fft.ifft2(spectrum))
    return np.asarray((values - values.min()) / np.ptp(values), np.float32)
