"""From attenuation to a finished film: exposure, noise, collimation, side marker and the 8-bit window."""

import cv2
import numpy as np
import numpy.typing as npt

from osteo_edge.train.phantom_projection import Plane

Pixels = npt.NDArray[np.uint8]

MEAN_BRIGHTNESS = (0.24, 0.4)  # of the exposed field, 0 to 1: drawn for each film, whatever its bone
WINDOW_PERCENTILES = (1.0, 99.8)


def expose(
    soft: Plane,
    bone: Plane,
    side: str,
    rng: np.random.Generator,
    *,
    brightness: float = 1.0,
    white: float = WINDOW_PERCENTILES[1],
) -> Pixels:
    """Return the uint8 film of two float32 (height, width) attenuation planes, bone bright.

    The window is set so that the exposed field has a mean brightness drawn from `MEAN_BRIGHTNESS`: how bright a film
    is tells nothing about the bone in it. `brightness` scales that mean, where a limb covers little of the film;
    `white` is the percentile from which on the film is white.
    """
    height, width = soft.shape
    field = _collimated_field(height, width, rng)
    film = soft + np.float32(rng.uniform(0.85, 1.15)) * bone  # a softer beam shows more bone
    film = np.asarray(cv2.GaussianBlur(film, (0, 0), float(height / 512 * rng.uniform(0.5, 0.9))), np.float32)
    noise = cv2.GaussianBlur(rng.standard_normal((height, width), np.float32), (0, 0), 0.5)
    film += np.float32(rng.uniform(0.5, 1.0)) * noise * (np.float32(0.3) + film / np.float32(40))
    film = _window(film, field, white, brightness * rng.uniform(*MEAN_BRIGHTNESS))
    pixels = np.asarray(np.round(film * field * 255), np.uint8)
    _mark(pixels, side, rng)
    return pixels


def _window(film: Plane, field: Plane, white: float, target: float) -> Plane:
    """Stretch percentiles of the exposed field to 0 and 1, then find the gamma that gives it the mean `target`."""
    step = max(1, film.shape[0] // 128)
    sample = film[::step, ::step][field[::step, ::step] > 0.5]
    low, high = np.percentile(sample, (WINDOW_PERCENTILES[0], white))
    sample = np.clip((sample - low) / (high - low), 0, 1)
    least, most = 0.2, 5.0
    for _ in range(12):
        gamma = float(np.sqrt(least * most))
        least, most = (gamma, most) if float(np.mean(sample**gamma)) > target else (least, gamma)
    stretched = np.clip((film - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.asarray(cv2.pow(stretched, gamma), np.float32)


def _collimated_field(height: int, width: int, rng: np.random.Generator) -> Plane:
    """Return 1 where the beam reached the film and about 0 beyond the collimator's blades, on none to four sides."""
    margins = np.where(rng.random(4) < 0.4, rng.uniform(0.01, 0.09, 4), -0.05)
    left, right, top, bottom = (float(m) for m in margins)
    corners = np.array([(left, top), (1 - right, top), (1 - right, 1 - bottom), (left, 1 - bottom)])
    corners += rng.normal(0, 0.003, (4, 2))
    field = np.full((height, width), rng.uniform(0, 0.05), np.float32)
    pixels = np.round(corners * (width, height) * 16).astype(np.int32)
    cv2.fillPoly(field, [pixels], (1.0,), cv2.LINE_8, 4)
    return np.asarray(cv2.blur(field, (3, 3)), np.float32)


def _mark(film: Pixels, side: str, rng: np.random.Generator) -> None:
    """Put a lead letter, L or R, near a corner; some in a plate, as on a digital film."""
    height, width = film.shape
    letter = side[0].upper()
    scale = height / 512 * rng.uniform(0.6, 1.2)
    thickness = max(1, round(2 * scale))
    (wide, high), _ = cv2.getTextSize(letter, cv2.FONT_HERSHEY_SIMPLEX, scale, thickness)
    inset = rng.uniform(0.02, 0.12, 2)
    x = round(inset[0] * width) if rng.random() < 0.5 else round((1 - inset[0]) * width) - wide
    y = round(inset[1] * height) + high if rng.random() < 0.7 else round((1 - inset[1]) * height)
    bright = float(rng.uniform(190, 255))
    pad = max(2, round(6 * scale))
    if rng.random() < 0.5:
        plate = (x - pad, y - high - pad), (x + wide + pad, y + pad)
        cv2.rectangle(film, *plate, (0.35 * bright,), cv2.FILLED)
        cv2.rectangle(film, *plate, (bright,), max(1, thickness // 2))
    cv2.putText(film, letter, (x, y), cv2.FONT_HERSHEY_SIMPLEX, scale, (bright,), thickness, cv2.LINE_8)
