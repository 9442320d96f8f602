"""What can happen to a film on its way to the screening, drawn onto it at five strengths each, the first one mild."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from osteo_edge.lettering import draw_text
from osteo_edge.preprocessing import Pixels
from osteo_edge.radiograph import MIN_SIDE_PX

STRENGTHS: Final = 5
TEXT: Final = "NAME, FIRST NAME  1950-01-01  F  KNEE AP  60 kV 5 mAs  ROOM 2"
LARGEST_CORNER_ERROR: Final = 0.03
LARGEST_SHADE: Final = 0.5
LARGEST_REFLECTION: Final = 0.4
PHOTO_BLUR: Final = 0.0015
PHOTO_NOISE: Final = 0.03
PHOTO_QUALITY: Final = 90

Disturb = Callable[[Pixels, float, np.random.Generator], Pixels]
"""Takes a film, (height, width) in [0, 1], and how much; the result may leave [0, 1], or be smaller."""


@dataclass(frozen=True)
class Disturbance:
    """One way to disturb a film: its name, what its `amounts` are, one a strength, and how it is done."""

    name: str
    unit: str
    amounts: tuple[float, ...]
    disturb: Disturb

    def apply(self, film: Pixels, strength: int, seed: tuple[int, ...]) -> Pixels:
        """The film, (height, width) in [0, 1], at a strength from 1 to 5; where chance has a part, `seed` decides.

        Chance takes the same course at every strength: a film that is turned is turned further the same way.
        """
        disturbed = self.disturb(film, self.amounts[strength - 1], np.random.default_rng(seed))
        return np.asarray(np.clip(disturbed, 0.0, 1.0), np.float32)


def to_png(film: Pixels) -> bytes:
    """The film as a PNG file of 8 bits, as a viewer exports it."""
    return cv2.imencode(".png", _to_bytes(film), [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()


def blurred(film: Pixels, percent: float, _: np.random.Generator) -> Pixels:
    """Out of focus: a Gaussian whose standard deviation is in percent of the longest side."""
    return np.asarray(cv2.GaussianBlur(film, (0, 0), percent / 100 * max(film.shape)), np.float32)


def noisy(film: Pixels, percent: float, chance: np.random.Generator) -> Pixels:
    """Noise of every pixel of its own, its standard deviation in percent of the full scale."""
    return film + np.float32(percent / 100) * chance.standard_normal(film.shape, np.float32)


def brightened(film: Pixels, factor: float, _: np.random.Generator) -> Pixels:
    """So many times as bright; below 1 it is darker."""
    return film * np.float32(factor)


def compressed(film: Pixels, quality: float, _: np.random.Generator) -> Pixels:
    """As a JPEG file of this quality gives it back."""
    file = cv2.imencode(".jpg", _to_bytes(film), [cv2.IMWRITE_JPEG_QUALITY, round(quality)])[1]
    return np.asarray(np.asarray(cv2.imdecode(file, cv2.IMREAD_GRAYSCALE)) / 255, np.float32)


def rotated(film: Pixels, degrees: float, chance: np.random.Generator) -> Pixels:
    """Turned about its middle, to either side; what comes in at the corners is black."""
    height, width = film.shape
    turn = degrees if chance.random() < 0.5 else -degrees
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), turn, 1.0)
    return np.asarray(cv2.warpAffine(film, matrix, (width, height), flags=cv2.INTER_LINEAR), np.float32)


def cropped(film: Pixels, percent: float, chance: np.random.Generator) -> Pixels:
    """A part of the film, anywhere in it, its sides that many percent shorter."""
    rows, columns = (min(side, max(MIN_SIDE_PX, round(side * (1 - percent / 100)))) for side in film.shape)
    top, left = (round(share * (side - kept)) for share, side, kept in _shares(chance, film.shape, (rows, columns)))
    return film[top : top + rows, left : left + columns]


def marked(film: Pixels, percent: float, chance: np.random.Generator) -> Pixels:
    """A side marker, L or R in lead, its height in percent of the film's, in one of the four corners."""
    height, width = film.shape
    size, letter = max(6, round(height * percent / 100)), str(chance.choice(["L", "R"]))
    is_left, is_low = chance.random(2) < 0.5
    across, down = 0.05 * width, 0.05 * height
    x = across if is_left else width - across - 0.8 * size
    baseline = height - down if is_low else down + size
    canvas = np.zeros((height, width, 3), np.uint8)
    draw_text(canvas, letter, round(x), round(baseline), size, (255, 255, 255), bold=True)
    return _with_light(film, canvas)


def annotated(film: Pixels, lines: float, _: np.random.Generator) -> Pixels:
    """So many lines of text burnt in from the top left corner down; a letter is 3 % of the film's height."""
    height, width = film.shape
    size = max(6, round(0.03 * height))
    canvas = np.zeros((height, width, 3), np.uint8)
    for number in range(round(lines)):
        draw_text(canvas, TEXT, size // 2, round((1.5 + 1.4 * number) * size), size, (255, 255, 255))
    return _with_light(film, canvas)


def photographed(film: Pixels, percent: float, chance: np.random.Generator) -> Pixels:
    """What is left of a photo of the film on a light box, once it has been cut out along its corners.

    At 100 %: corners that were missed by up to 3 % of the sides, light that falls to a half at one side, a black that
    lets 10 % through, a dull reflection, blur of a standard deviation of 0.15 % of the longest side, noise of one of
    3 %, and a JPEG file of quality 90. The app draws whole photos, in a room, for a study of its own.
    """
    share, (height, width) = percent / 100, film.shape
    corners = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], np.float32)
    missed = chance.uniform(-1, 1, (4, 2)) * LARGEST_CORNER_ERROR * share * np.array([width, height])
    view = cv2.getPerspectiveTransform(corners, np.asarray(corners + missed, np.float32))
    seen = cv2.warpPerspective(film, view, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    black = 0.1 * share
    shade = LARGEST_SHADE * share * _slope(film.shape, chance.uniform(0, 2 * np.pi))
    light = (black + (1 - black) * seen) * (1 - shade)
    light = light + LARGEST_REFLECTION * share * _reflection(film.shape, chance.uniform(0.2, 0.8, 2))
    soft = cv2.GaussianBlur(np.asarray(light, np.float32), (0, 0), max(0.1, PHOTO_BLUR * share * max(film.shape)))
    return compressed(noisy(np.asarray(soft, np.float32), 100 * PHOTO_NOISE * share, chance), PHOTO_QUALITY, chance)


DISTURBANCES: Final = (
    Disturbance("blur", "standard deviation, % of the longest side", (0.05, 0.1, 0.2, 0.4, 0.8), blurred),
    Disturbance("noise", "standard deviation, % of the full scale", (1, 2, 5, 10, 20), noisy),
    Disturbance("darker", "times as bright", (0.8, 0.6, 0.45, 0.3, 0.2), brightened),
    Disturbance("brighter", "times as bright, clipped", (1.1, 1.25, 1.5, 2, 3), brightened),
    Disturbance("JPEG", "quality", (70, 50, 30, 15, 5), compressed),
    Disturbance("rotation", "degrees, to either side", (3, 6, 10, 15, 25), rotated),
    Disturbance("crop", "% of each side cut away", (5, 10, 20, 30, 45), cropped),
    Disturbance("marker", "height of a white L or R, % of the film's", (4, 7, 11, 16, 24), marked),
    Disturbance("text", "lines burnt in", (1, 2, 4, 8, 16), annotated),
    Disturbance("photo of film", "% of the worst photo that is simulated", (20, 40, 60, 80, 100), photographed),
)


def _to_bytes(film: Pixels) -> npt.NDArray[np.uint8]:
    return np.rint(np.clip(film, 0, 1) * 255).astype(np.uint8)


def _with_light(film: Pixels, canvas: npt.NDArray[np.uint8]) -> Pixels:
    """The film, white wherever the canvas, (height, width, 3), is."""
    return np.maximum(film, np.asarray(canvas[..., 0] / 255, np.float32))


def _shares(chance: np.random.Generator, sides: tuple[int, ...], kept: tuple[int, int]) -> Any:
    return zip(chance.random(2), sides, kept, strict=True)


def _slope(shape: tuple[int, ...], angle: float) -> Pixels:
    """From 0 at one edge to 1 at the opposite one, along `angle` in radians; (height, width)."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    along = np.cos(angle) * x / shape[1] + np.sin(angle) * y / shape[0]
    return np.asarray((along - along.min()) / max(1e-6, float(np.ptp(along))), np.float32)


def _reflection(shape: tuple[int, ...], place: npt.NDArray[np.float64]) -> Pixels:
    """A soft spot, 1 in its middle, at `place` in shares of the sides (down, across); (height, width)."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    squares = (y / shape[0] - place[0]) ** 2 + (x / shape[1] - place[1]) ** 2
    return np.asarray(np.exp(-squares / (2 * 0.08**2)), np.float32)
