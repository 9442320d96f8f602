import tracemalloc
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from osteo_edge.dataset import Case
from osteo_edge.train.fingerprint import HASH_BYTES, VARIANTS, Fingerprint, fingerprint, perceptual_hashes
from osteo_edge.train.near_duplicates import NEAR_DISTANCE, hamming

Image = npt.NDArray[np.uint8]


def _picture(seed: int, height: int = 200, width: int = 160) -> Image:
    """Soft random shapes with grain, in the middle of the brightness range."""
    rng = np.random.default_rng(seed)
    soft = cv2.resize(rng.uniform(60, 190, (9, 7)), (width, height), interpolation=cv2.INTER_CUBIC)
    picture: Image = np.clip(soft + rng.normal(0, 8, soft.shape), 0, 255).astype(np.uint8)
    return picture


def _codes(image: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    hashes = perceptual_hashes(image.astype(np.float32) / 255)
    return np.frombuffer(hashes, np.uint8).reshape(len(VARIANTS), HASH_BYTES)


def _fingerprint(path: Path, image: npt.NDArray[Any]) -> Fingerprint:
    assert cv2.imwrite(str(path), image)
    return fingerprint(Case(path, path.name, "x"))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("saved as a poor JPEG", lambda image: cv2.imdecode(cv2.imencode(".jpg", image, [1, 40])[1], 0)),
        ("half as large", lambda image: cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)),
        ("squeezed to a square", lambda image: cv2.resize(image, (224, 224))),
        ("brighter", lambda image: cv2.convertScaleAbs(image, beta=30)),
        ("flatter", lambda image: cv2.convertScaleAbs(image, alpha=0.7)),
        ("noisier", lambda image: cv2.add(image, np.random.default_rng(9).integers(0, 9, image.shape, np.uint8))),
    ],
)
def test_a_copy_hashes_nearly_the_same(name: str, change: Any) -> None:
    for seed in range(5):
        image = _picture(seed)
        assert hamming(_codes(image)[0], _codes(change(image))[0]) <= NEAR_DISTANCE, name


@pytest.mark.parametrize(
    ("variant", "change"),
    [
        ("mirrored", lambda image: image[:, ::-1]),
        ("upside down", lambda image: image[::-1]),
        ("turned by 180°", lambda image: image[::-1, ::-1]),
        ("transposed", lambda image: image.T),
        ("turned by 90°", lambda image: np.rot90(image, -1)),
        ("turned by 270°", lambda image: np.rot90(image)),
        ("transposed across", lambda image: image[::-1, ::-1].T),
    ],
)
def test_each_variant_is_the_hash_of_the_image_turned_so(variant: str, change: Any) -> None:
    image = _picture(0)
    turned = np.ascontiguousarray(change(image))
    distances = hamming(_codes(turned)[0], _codes(image))
    assert VARIANTS[int(distances.argmin())] == variant
    assert distances.min() <= 4


def test_different_pictures_hash_far_apart() -> None:
    codes = np.array([_codes(_picture(seed))[0] for seed in range(30)])
    distances = hamming(codes[:, None], codes[None])
    assert distances[np.triu_indices(30, 1)].min() > 2 * NEAR_DISTANCE


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((300, 200), np.uint8),
        np.full((300, 200), 128, np.uint8),
        np.random.default_rng(0).integers(126, 131, (1000, 1000), dtype=np.uint8),
        np.tile(np.linspace(0, 255, 256), (256, 1)).astype(np.uint8),
    ],
    ids=["black", "grey", "faint noise", "ramp"],
)
def test_an_image_without_structure_has_no_hash(image: Image) -> None:
    assert perceptual_hashes(image.astype(np.float32) / 255) == b""


def test_an_image_of_one_brightness_is_blank_and_a_dark_film_is_not(tmp_path: Path) -> None:
    blank = np.full((64, 64), 10, np.uint8)
    blank[0, :20] = 11
    film = np.zeros((64, 64), np.uint8)
    cv2.circle(film, (30, 30), 9, 40, -1)
    assert _fingerprint(tmp_path / "blank.png", blank).blank
    assert not _fingerprint(tmp_path / "film.png", film).blank


def test_a_lossless_copy_in_another_format_has_the_same_pixels_and_other_bytes(tmp_path: Path) -> None:
    image = _picture(0)
    png = _fingerprint(tmp_path / "a.png", image)
    colour = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    for copy in (_fingerprint(tmp_path / "b.bmp", image), _fingerprint(tmp_path / "c.tif", colour)):
        assert copy.pixels_sha256 == png.pixels_sha256
        assert copy.sha256 != png.sha256


def test_the_same_pixels_in_another_shape_are_another_picture(tmp_path: Path) -> None:
    image = _picture(0, 64, 64)
    assert (
        _fingerprint(tmp_path / "a.png", image).pixels_sha256
        != _fingerprint(tmp_path / "b.png", image.reshape(32, 128)).pixels_sha256
    )


def test_size_format_and_brightness_are_kept_and_serializable(tmp_path: Path) -> None:
    kept = _fingerprint(tmp_path / "a.png", _picture(0)).to_dict()
    assert (kept["height"], kept["width"], kept["format"], kept["bits"]) == (200, 160, "png", 8)
    assert kept["file_bytes"] == (tmp_path / "a.png").stat().st_size
    assert 0.4 < kept["mean"] < 0.6
    assert len(kept["perceptual_hash"]) == 64
    assert "hashes" not in kept


def test_a_fingerprint_takes_less_than_a_kilobyte(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    assert cv2.imwrite(str(path), _picture(0))
    case = Case(path, path.name, "x")
    kept = [fingerprint(case)]
    tracemalloc.start()
    kept += [fingerprint(case) for _ in range(50)]
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert taken / (len(kept) - 1) < 1024
