"""Spoil a film on purpose, in ways that the input gate must notice and at five strengths each, as files."""

from collections.abc import Callable, Mapping
from typing import Final

import cv2
import numpy as np

from osteo_edge.filters import Pixels
from osteo_edge.knees import find_knees
from osteo_edge.lettering import Picture, draw_text

STRENGTHS: Final = range(1, 6)

Spoiling = Callable[[Pixels, int], Pixels]
"""Takes a film, (height, width) in [0, 1], and how strongly, 1 to 5; the result may be of another size."""

WORDS: Final = (
    "the",
    "patient",
    "was",
    "seen",
    "for",
    "pain",
    "in",
    "a",
    "left",
    "knee",
    "after",
    "fall",
    "radiograph",
)
PAGE_PX: Final = (1400, 1000)


def to_file(kind: str, film: Pixels, strength: int) -> bytes:
    """The film, spoilt in one of the ways of `KINDS`, as a PNG file; as a JPEG file where it is compressed."""
    if kind == "compressed":
        return compressed(film, strength)
    spoilt = SPOILINGS[kind](film, strength)
    return cv2.imencode(".png", _to_bytes(spoilt), [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()


def compressed(film: Pixels, strength: int) -> bytes:
    """A JPEG file of quality 50, 30, 20, 10 or 5."""
    quality = (50, 30, 20, 10, 5)[strength - 1]
    return cv2.imencode(".jpg", _to_bytes(film), [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def blurred(film: Pixels, strength: int) -> Pixels:
    """Out of focus: a Gaussian whose standard deviation is 0.2 to 3.2 % of the longest side."""
    return np.asarray(cv2.GaussianBlur(film, (0, 0), 0.001 * 2**strength * max(film.shape)), np.float32)


def shaken(film: Pixels, strength: int) -> Pixels:
    """Moved sideways while it was taken, by 0.4 to 6.4 % of the longest side."""
    way = max(3, round(0.002 * 2**strength * max(film.shape)) | 1)
    return np.asarray(cv2.filter2D(film, -1, np.full((1, way), 1 / way, np.float32)), np.float32)


def noisy(film: Pixels, strength: int) -> Pixels:
    """Noise of every pixel of its own, whose standard deviation is 2 to 40 % of the full scale."""
    deviation = (0.02, 0.05, 0.1, 0.2, 0.4)[strength - 1]
    return film + np.random.default_rng(strength).normal(0, deviation, film.shape).astype(np.float32)


def over_exposed(film: Pixels, strength: int) -> Pixels:
    """1.25 to 5 times as bright, and clipped."""
    return film * np.float32((1.25, 1.6, 2, 3, 5)[strength - 1])


def under_exposed(film: Pixels, strength: int) -> Pixels:
    """0.6 to 0.08 times as bright."""
    return film * np.float32((0.6, 0.4, 0.25, 0.15, 0.08)[strength - 1])


def dark_clipped(film: Pixels, strength: int) -> Pixels:
    """10 to 50 % of the full scale taken off, so that what was darker is black."""
    return film - np.float32(0.1 * strength)


def negative(film: Pixels, strength: int) -> Pixels:
    """Dark bone, at a brightness of 100 to 80 %."""
    return (1 - film) * np.float32(1 - 0.05 * (strength - 1))


def strip(film: Pixels, strength: int) -> Pixels:
    """The middle of the shorter side, 1/2 to 1/10 of it."""
    share = (1 / 2, 1 / 3, 1 / 4, 1 / 6, 1 / 10)[strength - 1]
    axis = int(film.shape[1] <= film.shape[0])
    length = max(32, round(film.shape[axis] * share))
    first = (film.shape[axis] - length) // 2
    return film[:, first : first + length] if axis else film[first : first + length]


def text_page(film: Pixels, strength: int) -> Pixels:
    """A page of text instead of the film, in letters of 16 to 64 pixels; the even strengths are white on black."""
    page = np.full((*PAGE_PX, 3), 255, np.uint8)
    size, words = 8 + 8 * strength + 16 * (strength == 5), np.random.default_rng(strength)
    for baseline in range(2 * size, PAGE_PX[0] - size, round(1.5 * size)):
        line = " ".join(words.choice(WORDS, round(1.9 * PAGE_PX[1] / size / 6)))
        draw_text(page, line, 50, baseline, size, (20, 20, 20))
    grey = page[..., 0].astype(np.float32) / 255
    return np.asarray(1 - grey if strength % 2 == 0 else grey, np.float32)


def screenshot(film: Pixels, strength: int) -> Pixels:
    """The film in a window of light grey with a title, which is 3 to 50 % of the picture's sides."""
    share = (0.97, 0.92, 0.85, 0.7, 0.5)[strength - 1]
    (height, width), margin = film.shape, (1 - share) / share
    above, beside = max(8, round(height * margin * 0.7)), max(2, round(width * margin / 2))
    frame = (above, max(2, round(height * margin * 0.3)), beside, beside)
    window: Picture = cv2.copyMakeBorder(_to_bytes(film), *frame, cv2.BORDER_CONSTANT, value=240).astype(np.uint8)
    window = np.repeat(window[..., np.newaxis], 3, axis=2)
    draw_text(window, "Viewer: film 1 of 2   File   View   Help", 8, above * 3 // 4, above // 2 + 1, (40, 40, 40))
    return np.asarray(window[..., 0] / 255, np.float32)


def with_glare(film: Pixels, strength: int) -> Pixels:
    """A lamp's reflection with a soft edge on 0.5 to 10 % of the film."""
    share = (0.005, 0.01, 0.02, 0.05, 0.1)[strength - 1]
    place = np.random.default_rng(strength).uniform(0.35, 0.65, 2)
    radius = float(np.sqrt(share * film.size / np.pi))
    (height, width), lamp = film.shape, np.zeros(film.shape, np.float32)
    axes = (max(1, round(radius * 1.3)), max(1, round(radius / 1.3)))
    cv2.ellipse(lamp, (int(place[0] * width), int(place[1] * height)), axes, 30, 0, 360, (1.2,), -1)
    return film + np.asarray(cv2.GaussianBlur(lamp, (0, 0), max(2, 0.2 * radius)), np.float32)


def with_implant(film: Pixels, strength: int) -> Pixels:
    """A joint replacement drawn over the knee, 0.6 to 1.4 times as wide as its condyles; no real one is at hand."""
    knees = find_knees(film)
    x, y = (knees[0].x_px, knees[0].y_px) if knees else (film.shape[1] / 2, film.shape[0] / 2)
    size = (0.4 + 0.2 * strength) * (knees[0].width_px if knees else max(film.shape) / 5)
    metal = np.zeros(film.shape, np.float32)
    middle, axes = (int(x), int(y - 0.1 * size)), (int(0.5 * size), int(0.45 * size))
    cv2.ellipse(metal, middle, axes, 0, 180, 360, (1.0,), -1)
    for left, top, right, bottom in ((-0.5, 0.0, 0.5, 0.12), (-0.09, 0.0, 0.09, 0.6)):
        corners = [(int(x + across * size), int(y + down * size)) for across, down in ((left, top), (right, bottom))]
        cv2.rectangle(metal, corners[0], corners[1], (1.0,), -1)
    metal = np.asarray(cv2.GaussianBlur(metal, (0, 0), max(0.7, max(film.shape) / 1500)), np.float32)
    return np.asarray(film * (1 - metal) + 0.99 * metal, np.float32)


def white_borders(film: Pixels, strength: int) -> Pixels:
    """What is no fault: beyond the beam a film is white, here on 5 to 25 % of its width at either side."""
    border = round(0.05 * strength * film.shape[1])
    wide = cv2.copyMakeBorder(film, 0, 0, border, border, cv2.BORDER_CONSTANT, value=1.0)
    return np.asarray(cv2.GaussianBlur(wide, (0, 0), 1.5), np.float32)


SPOILINGS: Final[Mapping[str, Spoiling]] = {
    "blurred": blurred,
    "shaken": shaken,
    "noisy": noisy,
    "over-exposed": over_exposed,
    "under-exposed": under_exposed,
    "dark clipped": dark_clipped,
    "negative": negative,
    "strip": strip,
    "text page": text_page,
    "screenshot": screenshot,
    "glare": with_glare,
    "implant": with_implant,
    "white borders": white_borders,
}
KINDS: Final = (*SPOILINGS, "compressed")


def _to_bytes(film: Pixels) -> Picture:
    return np.rint(np.clip(film, 0, 1) * 255).astype(np.uint8)
