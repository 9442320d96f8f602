"""The light box finds, tells and cuts out the same with and without OpenCV."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from pathlib import Path

import cv2
import numpy as np
import pytest

from osteo_edge import raster
from osteo_edge.edge_app.light_box import camera, corners, crop, edges, hints, photo, shot
from osteo_edge.edge_app.light_box.drawn import Scene, draw_photo, some_scene
from osteo_edge.edge_app.light_box.photo import LARGEST_PX
from osteo_edge.lettering import Picture
from osteo_edge.radiograph import Pixels

Swap = Callable[[], AbstractContextManager[None]]

SCENES = [
    Scene(),
    Scene(pitch=15, yaw=-12, roll=6, fill=0.75),
    Scene(placement="at_edge", yaw=8),
    Scene(placement="fills_panel"),
    Scene(margin=0.06, glare=0.02),
    Scene(unevenness=0.35, exposure=0.85, noise=5),
    Scene(height=1440, width=1080, blur=1.6),
    Scene(height=480, width=640),
    Scene(pitch=35, fill=0.6),
    Scene(fill=1.3),
    Scene(blur=9.0, exposure=0.2),
    *(some_scene(seed) for seed in range(6)),
]


@pytest.fixture
def plain_form(monkeypatch: pytest.MonkeyPatch) -> Swap:
    """Within it the light box works by numpy and Pillow."""

    @contextmanager
    def swapped() -> Iterator[None]:
        with monkeypatch.context() as patch:
            for module in (camera, corners, crop, edges, hints, photo, shot):
                for topic in set(raster.TOPICS) & vars(module).keys():
                    patch.setattr(module, topic, import_module(f"osteo_edge.raster.plain.{topic}"))
            yield

    return swapped


@pytest.mark.parametrize("scene", SCENES)
def test_the_same_corners_are_found_and_the_same_hints_raised(
    drawn_film: Pixels, scene: Scene, plain_form: Swap
) -> None:
    drawn = draw_photo(drawn_film, scene)
    mine = shot.shot_of(drawn.photo)
    with plain_form():
        other = shot.shot_of(drawn.photo)
    assert np.abs(mine.corners_px - other.corners_px).max() < 0.2
    assert (mine.origin, mine.raised, mine.is_usable) == (other.origin, other.raised, other.is_usable)
    assert np.abs(mine.shown.astype(int) - other.shown).max() <= 1


@pytest.mark.parametrize("scene", SCENES[:8])
def test_the_same_film_is_cut_out(drawn_film: Pixels, scene: Scene, plain_form: Swap) -> None:
    drawn = draw_photo(drawn_film, scene)
    mine = crop.crop(drawn.photo, drawn.corners)
    with plain_form():
        other = crop.crop(drawn.photo, drawn.corners)
    assert mine.shape == other.shape
    difference = np.abs(mine.astype(int) - other)
    assert difference.mean() < 0.01
    assert difference.max() <= 6


def test_a_film_much_larger_than_its_crop_is_averaged_in_the_same_way(plain_form: Swap) -> None:
    noise = np.random.default_rng(4).integers(0, 256, (400, 6000, 3)).astype(np.uint8)
    large = np.asarray(cv2.GaussianBlur(noise, (0, 0), 1), np.uint8)
    frame = np.array([[5.0, 5], [5990, 5], [5990, 390], [5, 390]])
    mine = crop.crop(large, frame)
    with plain_form():
        other = crop.crop(large, frame)
    assert np.abs(mine.astype(int) - other).mean() < 0.05


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_photos_are_read_the_same_and_turned_as_the_camera_noted(
    drawn_film: Pixels, tmp_path: Path, orientation: int, plain_form: Swap
) -> None:
    path = photo_file(tmp_path, draw_photo(drawn_film, Scene(height=600, width=800)).photo, orientation)
    mine = photo.read_photo(path)
    with plain_form():
        other = photo.read_photo(path)
    assert mine.shape == ((600, 800, 3) if orientation in (1, 3) else (800, 600, 3))
    assert np.array_equal(mine, other)


@pytest.mark.parametrize(("height", "width", "shares"), [(900, 1200, 1), (901, 1200, 2), (1800, 2401, 4)])
def test_a_photo_larger_than_asked_for_is_read_smaller(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    height: int,
    width: int,
    shares: int,
    plain_form: Swap,
) -> None:
    monkeypatch.setattr(photo, "LARGEST_PX", (1200, 900))
    noise = np.random.default_rng(0).integers(0, 256, (height // 50, width // 50, 3)).astype(np.uint8)
    smooth = np.asarray(cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
    path = photo_file(tmp_path, smooth, 6)
    mine = photo.read_photo(path)
    with plain_form():
        other = photo.read_photo(path)
    assert mine.shape == other.shape == (-(-width // shares), -(-height // shares), 3)
    assert np.abs(mine.astype(int) - other).max() <= 2


def test_a_usual_phones_photo_is_read_whole() -> None:
    assert LARGEST_PX[0] * LARGEST_PX[1] >= 3072 * 4080


def photo_file(folder: Path, picture: Picture, orientation: int) -> Path:
    """A JPEG file as a camera writes it, with EXIF's orientation."""
    entry = b"\x01\x12\x00\x03\x00\x00\x00\x01" + orientation.to_bytes(2, "big") + b"\0\0"
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01" + entry + b"\0\0\0\0"
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()
    path = folder / "photo.jpg"
    path.write_bytes(data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:])
    return path
