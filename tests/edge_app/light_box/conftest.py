"""A film with something like a knee on it; photos are drawn of it."""

import cv2
import numpy as np
import pytest

from osteo_edge.radiograph import Pixels


@pytest.fixture(scope="session")
def drawn_film() -> Pixels:
    """A film of 800 x 640 pixels in [0, 1], bone bright."""
    pixels = np.full((800, 640), 40, np.uint8)
    cv2.ellipse(pixels, (320, 400), (170, 420), 8, 0, 360, 120, -1)
    cv2.rectangle(pixels, (240, 60), (400, 330), 190, -1)
    cv2.circle(pixels, (320, 420), 110, 210, -1)
    cv2.rectangle(pixels, (260, 520), (380, 740), 190, -1)
    texture = np.random.default_rng(3).normal(0, 6, pixels.shape)
    return (np.clip(cv2.GaussianBlur(pixels, (0, 0), 2) + texture, 0, 255) / 255).astype(np.float32)
