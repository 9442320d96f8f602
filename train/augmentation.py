"""Variations of a training image that leave bone what it is: pose, exposure and noise."""

import cv2
import numpy as np

from osteo_edge.preprocessing import Pixels

MAX_ROTATION_DEG = 10.0
MAX_SCALE_CHANGE = 0.1
MAX_SHIFT = 0.05
MAX_LOG2_GAMMA = 0.35
MAX_CONTRAST_CHANGE = 0.15
MAX_BRIGHTNESS_CHANGE = 0.08
MAX_NOISE = 0.015


def augment(plane: Pixels, rng: np.random.Generator) -> Pixels:
    """A variation of one prepared image, (height, width) in [0, 1]; the same generator state gives the same one.

    Mirrored half of the time (left and right knees), rotated, scaled and shifted a little, then exposed otherwise
    (gamma, contrast, brightness) and given fresh noise, so that brightness and sharpness of a format tell less.
    """
    return _expose(_move(plane, rng), rng)


def _move(plane: Pixels, rng: np.random.Generator) -> Pixels:
    height, width = plane.shape
    angle = rng.uniform(-MAX_ROTATION_DEG, MAX_ROTATION_DEG)
    scale = 1.0 + rng.uniform(-MAX_SCALE_CHANGE, MAX_SCALE_CHANGE)
    matrix = np.asarray(cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, scale), np.float64)
    matrix[:, 2] += rng.uniform(-MAX_SHIFT, MAX_SHIFT, 2) * np.array([width, height])
    moved = cv2.warpAffine(plane, matrix, (width, height), flags=cv2.INTER_LINEAR)
    return np.asarray(moved[:, ::-1] if rng.random() < 0.5 else moved, np.float32)


def _expose(plane: Pixels, rng: np.random.Generator) -> Pixels:
    gamma = 2.0 ** rng.uniform(-MAX_LOG2_GAMMA, MAX_LOG2_GAMMA)
    contrast = 1.0 + rng.uniform(-MAX_CONTRAST_CHANGE, MAX_CONTRAST_CHANGE)
    brightness = rng.uniform(-MAX_BRIGHTNESS_CHANGE, MAX_BRIGHTNESS_CHANGE)
    noise = rng.standard_normal(plane.shape, np.float32) * np.float32(rng.uniform(0.0, MAX_NOISE))
    exposed = (np.power(plane, np.float32(gamma)) - 0.5) * contrast + 0.5 + brightness + noise
    return np.where(plane > 0.0, np.clip(exposed, 0.0, 1.0), 0.0).astype(np.float32)
