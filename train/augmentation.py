"""Variations of a training image that leave bone what it is: pose, exposure, noise and, if strong, file quality."""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from osteo_edge.preprocessing import Pixels

Level = Literal["none", "standard", "strong"]


@dataclass(frozen=True)
class Strength:
    """How far an exposure may be changed, up and down, and how much noise may be added."""

    log2_gamma: float
    contrast: float
    brightness: float
    noise: float


MAX_ROTATION_DEG = 10.0
MAX_SCALE_CHANGE = 0.1
MAX_SHIFT = 0.05
STANDARD = Strength(log2_gamma=0.35, contrast=0.15, brightness=0.08, noise=0.015)
STRONG = Strength(log2_gamma=0.8, contrast=0.35, brightness=0.15, noise=0.03)
MIN_CROP = 0.7
MIN_RESOLUTION = 0.5
MAX_BLUR_PX = 1.2
JPEG_QUALITY = (30, 95)
MAX_CUTOUT = 0.25


def augment(plane: Pixels, rng: np.random.Generator, level: Level = "standard") -> Pixels:
    """A variation of one prepared image, (height, width) in [0, 1]; the same generator state gives the same one.

    "standard": mirrored half of the time (left and right knees), rotated, scaled and shifted a little, then exposed
    otherwise (gamma, contrast, brightness) and given fresh noise, so that brightness and sharpness of a format tell
    less. "strong" exposes further, crops, degrades as a poor file would (resolution, blur, JPEG), and covers a
    rectangle (cutout, DeVries and Taylor 2017). "none" is the image itself.
    """
    if level == "none":
        return plane
    if level == "standard":
        return _expose(_move(plane, rng), rng, STANDARD)
    moved = _move(_crop(plane, rng), rng)
    worn = np.where(moved > 0.0, _degrade(_expose(moved, rng, STRONG), rng), 0.0)
    return _cut_out(np.asarray(worn, np.float32), rng)


def _move(plane: Pixels, rng: np.random.Generator) -> Pixels:
    height, width = plane.shape
    angle = rng.uniform(-MAX_ROTATION_DEG, MAX_ROTATION_DEG)
    scale = 1.0 + rng.uniform(-MAX_SCALE_CHANGE, MAX_SCALE_CHANGE)
    matrix = np.asarray(cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, scale), np.float64)
    matrix[:, 2] += rng.uniform(-MAX_SHIFT, MAX_SHIFT, 2) * np.array([width, height])
    moved = cv2.warpAffine(plane, matrix, (width, height), flags=cv2.INTER_LINEAR)
    return np.asarray(cv2.flip(moved, 1) if rng.random() < 0.5 else moved, np.float32)


def _expose(plane: Pixels, rng: np.random.Generator, most: Strength) -> Pixels:
    """Gamma, contrast about mid-grey, brightness and noise; what is black stays black."""
    gamma = 2.0 ** rng.uniform(-most.log2_gamma, most.log2_gamma)
    contrast = 1.0 + rng.uniform(-most.contrast, most.contrast)
    brightness = rng.uniform(-most.brightness, most.brightness)
    offset = 0.5 - 0.5 * contrast + brightness
    noise = _noise(plane.shape, rng, offset, rng.uniform(0.0, most.noise))
    exposed = np.asarray(cv2.scaleAdd(np.power(plane, np.float32(gamma)), contrast, noise), np.float32)
    return np.clip(exposed, 0.0, 1.0, out=exposed) * (plane > 0.0)


def _noise(shape: tuple[int, ...], rng: np.random.Generator, mean: float, deviation: float) -> Pixels:
    """Normal noise, drawn by OpenCV in a fifth of NumPy's time.

    OpenCV keeps a generator for each thread; it is seeded here, so that `rng` alone decides. The first number that it
    draws has the sign of its seed, so seeds of both signs are taken.
    """
    cv2.setRNGSeed(int(rng.integers(-(2**31), 2**31)))
    return np.asarray(cv2.randn(np.empty(shape, np.float32), np.array([mean]), np.array([deviation])), np.float32)


def _crop(plane: Pixels, rng: np.random.Generator) -> Pixels:
    """A part of the image, its sides at least `MIN_CROP` of the whole ones, at the whole size."""
    height, width = plane.shape
    share = rng.uniform(MIN_CROP, 1.0)
    rows, columns = max(1, round(height * share)), max(1, round(width * share))
    top, left = rng.integers(height - rows + 1), rng.integers(width - columns + 1)
    part = plane[top : top + rows, left : left + columns]
    return np.asarray(cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _degrade(plane: Pixels, rng: np.random.Generator) -> Pixels:
    """Lose resolution, blur and compress, so that the quality of a file tells nothing of the label."""
    height, width = plane.shape
    share = rng.uniform(MIN_RESOLUTION, 1.0)
    small = cv2.resize(plane, (max(1, round(width * share)), max(1, round(height * share))), None, 0, 0, cv2.INTER_AREA)
    again = cv2.resize(small, (width, height), None, 0, 0, cv2.INTER_LINEAR)
    blurred = cv2.GaussianBlur(again, (0, 0), rng.uniform(0.1, MAX_BLUR_PX))
    levels = np.rint(np.clip(blurred, 0.0, 1.0) * 255).astype(np.uint8)
    quality = int(rng.integers(*JPEG_QUALITY, endpoint=True))
    _, file = cv2.imencode(".jpg", levels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(np.asarray(cv2.imdecode(file, cv2.IMREAD_GRAYSCALE)) / 255, np.float32)


def _cut_out(plane: Pixels, rng: np.random.Generator) -> Pixels:
    """Black out one rectangle whose sides are at most `MAX_CUTOUT` of the image's."""
    height, width = plane.shape
    rows, columns = (int(side * rng.uniform(0.0, MAX_CUTOUT)) for side in (height, width))
    top, left = rng.integers(height - rows + 1), rng.integers(width - columns + 1)
    covered = plane.copy()
    covered[top : top + rows, left : left + columns] = 0.0
    return covered
