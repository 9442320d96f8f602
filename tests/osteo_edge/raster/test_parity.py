"""A screening without OpenCV, as on Android, gives the answer that it gives with it: by processes of each form."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from osteo_edge.benchmarks.films.image_path_parity import Reading, difference, films_in, read_all
from osteo_edge.bundle import Bundle
from osteo_edge.filters import Filter
from osteo_edge.manifest import Manifest
from osteo_edge.preprocessing import InputSpec

pytest.importorskip("PIL", reason="decodes where OpenCV is not")

REPOSITORY = Path(__file__).parents[3]
DRAWN_FILM = REPOSITORY / "edge_app" / "drawn_film.jpg"
DEMO_BUNDLE = REPOSITORY / "edge_app" / "demo_bundle"
ONE_GREY_LEVEL = 1 / 255
SAME_PROBABILITY = 0.01
SAME_KNEE = 1e-4
"""In condyle widths."""


@pytest.fixture
def bundles(golden_bundle: Callable[..., Bundle]) -> list[Path]:
    """The demo's bundle, which looks for knees, and the golden ones, which do not."""
    golden = [golden_bundle(f"golden-{precision}", precision=precision).path for precision in ("int8", "float32")]
    return [DEMO_BUNDLE, *golden]


def assert_alike(paths: list[Path], bundles: list[Path]) -> dict[Path, Reading]:
    """Both forms give every file the same answer; returns what OpenCV's form gave."""
    opencv, plain = read_all(paths, bundles)
    for path in paths:
        found = difference(opencv[path], plain[path])
        assert not found.disagreement, path
        assert found.pixel == 0, path
        assert found.tensor <= 2 * ONE_GREY_LEVEL, path
        assert found.score <= SAME_PROBABILITY, path
        assert found.knee <= SAME_KNEE, path
        assert found.evidence <= 2 * ONE_GREY_LEVEL, path
    return opencv


@pytest.fixture
def drawn(tmp_path: Path) -> list[Path]:
    """The drawn film in five sizes and kinds of file, spoilt ones, and files that are no film."""
    folder = tmp_path / "films"
    folder.mkdir()
    film = cv2.imread(str(DRAWN_FILM), cv2.IMREAD_GRAYSCALE)
    assert film is not None
    shutil.copy(DRAWN_FILM, folder / "film.jpg")
    for side in (448, 701, 1500):
        size = (round(film.shape[1] * side / film.shape[0]), side)
        cv2.imwrite(str(folder / f"{side}.png"), cv2.resize(film, size, interpolation=cv2.INTER_AREA))
    cv2.imwrite(str(folder / "wide.tif"), film.astype(np.uint16) * 16)
    cv2.imwrite(str(folder / "mirrored.bmp"), film[:, ::-1])
    cv2.imwrite(str(folder / "blurred.png"), cv2.GaussianBlur(film, (0, 0), 12))
    cv2.imwrite(str(folder / "negative.png"), 255 - film)
    cv2.imwrite(str(folder / "coloured.png"), cv2.applyColorMap(film, cv2.COLORMAP_JET))
    (folder / "cut.jpg").write_bytes(DRAWN_FILM.read_bytes()[:9000])
    (folder / "empty.png").write_bytes(b"")
    return sorted(folder.iterdir())


def test_drawn_films_get_the_same_answer(drawn: list[Path], bundles: list[Path]) -> None:
    opencv = assert_alike(drawn, bundles)
    outcomes = {reading.answers[0].outcome for reading in opencv.values() if reading.answers}
    assert "rejected" in outcomes
    assert len(outcomes) > 1
    assert sum(len(reading.knees) for reading in opencv.values()) >= 4


@pytest.mark.parametrize("resize", ["letterbox", "knees"])
def test_every_filter_of_a_bundle_gives_the_same_tensor(
    resize: str, golden_bundle: Callable[..., Bundle], manifest: Manifest
) -> None:
    assert manifest.input.channels == 3
    kinds = [[Filter("clahe", 2.0), Filter("sobel", 1.0)], [Filter("canny", 0.3)], [Filter("sharpen", 1.0)]]
    bundles = [
        golden_bundle(f"{resize}-{number}", input=_filtered(manifest.input, resize, filters)).path
        for number, filters in enumerate(kinds)
    ]
    assert_alike([DRAWN_FILM], bundles)


def _filtered(spec: InputSpec, resize: str, filters: list[Filter]) -> InputSpec:
    from dataclasses import replace

    return replace(spec, resize=resize, filters=tuple(filters))  # type: ignore[arg-type]


@pytest.mark.slow
def test_real_films_get_the_same_answer(shared_data: Path, bundles: list[Path]) -> None:
    paths = films_in([shared_data / "knees" / "images", shared_data / "knees" / "full_size", shared_data / "ood"])
    assert len(paths) > 200
    opencv = assert_alike(paths, bundles[:1])
    assert sum(bool(reading.knees) for reading in opencv.values()) > 100
    assert_alike(paths[::8], bundles[1:])


def test_real_dicom_files_get_the_same_answer_or_are_named(shared_data: Path, bundles: list[Path]) -> None:
    """A phone has neither python-gdcm nor OpenJPEG: what they alone decode is refused, and what it is is said."""
    pytest.importorskip("gdcm", reason="decodes what the phone cannot")
    paths = films_in([shared_data / "dicom"])
    unread = {"JPEG2000.dcm", "RG3_J2KI.dcm", "RG3_J2KR.dcm", "MR_small_jpeg_ls_lossless.dcm"}
    assert_alike([path for path in paths if path.name not in unread], bundles)
    _, plain = read_all([path for path in paths if path.name in unread], [])
    assert len(plain) == len(unread)
    for path, reading in plain.items():
        assert re.fullmatch(
            rf"{path}: compressed as JPEG[- ](2000|LS) .+; export it uncompressed", reading.problem or ""
        )
