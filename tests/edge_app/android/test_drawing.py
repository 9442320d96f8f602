import cv2
import numpy as np
import pytest

from osteo_edge.edge_app.android.drawing import ADAPTIVE_PX, ICON_PX, SAFE, draw_images

IMAGES = draw_images()


def decoded(name: str) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    found = cv2.imdecode(np.frombuffer(IMAGES[name], np.uint8), cv2.IMREAD_UNCHANGED)
    assert found is not None
    return np.asarray(found, np.uint8)


def test_the_same_pictures_are_drawn_again() -> None:
    assert draw_images() == IMAGES
    assert sum(map(len, IMAGES.values())) < 50_000


@pytest.mark.parametrize(
    ("name", "side_px"),
    [("icons/icon.png", ICON_PX), ("icons/foreground.png", ADAPTIVE_PX), ("icons/background.png", ADAPTIVE_PX)],
)
def test_icons_have_the_sizes_that_android_asks_for(name: str, side_px: int) -> None:
    assert decoded(name).shape == (side_px, side_px, 4)


def test_the_foreground_lies_where_every_mask_shows_it() -> None:
    alpha = decoded("icons/foreground.png")[..., 3]
    down, across = np.nonzero(alpha)
    farthest = np.hypot(down + 0.5 - ADAPTIVE_PX / 2, across + 0.5 - ADAPTIVE_PX / 2).max()
    assert farthest <= ADAPTIVE_PX * SAFE / 2
    assert alpha.mean() > 10  # something is drawn


def test_the_background_covers_everything() -> None:
    assert decoded("icons/background.png")[..., 3].min() == 255


def test_two_bones_with_a_gap_between_them() -> None:
    alpha = decoded("icons/foreground.png")[..., 3]
    parts, _ = cv2.connectedComponents((alpha > 127).astype(np.uint8))
    assert parts - 1 == 2
