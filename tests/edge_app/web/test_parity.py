"""A packed app in Chromium screens as the library does: the same outcome, words, probabilities and evidence."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser

from osteo_edge.bundle import Bundle, read_bundle, read_model, write_bundle
from osteo_edge.edge_app.demo_bundle import FOLDER
from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.filters import Filter
from osteo_edge.hashing import sha256_bytes
from osteo_edge.manifest import Manifest
from osteo_edge.radiograph import read_radiograph
from osteo_edge.raster import scaling, tones
from osteo_edge.runtime import Interpreter, open_interpreter
from osteo_edge.screening import screen
from tests.edge_app.web.conftest import CHROMIUM, watched
from tests.edge_app.web.parity import Comparison, WebScreener, compare, films_below
from tests.edge_app.web.parity_timing import measure
from tests.osteo_edge.drawn_dicom import dicom_bytes, dicom_of

MAX_RATIO, MAX_ANSWER_MS = 3.0, 2000
GOLDEN = Path(__file__).parents[2] / "data"

Screeners = Callable[[Bundle], Callable[[Path], Comparison]]


@pytest.fixture(scope="module")
def screeners(
    browser: Browser, package_web: Callable[..., Path], serve_folder: Callable[[Path], str]
) -> Iterator[Screeners]:
    """What compares films by a bundle; each bundle's app is packed and opened once."""
    with watched(browser) as context:
        opened: dict[str, tuple[WebScreener, Interpreter]] = {}

        def comparer(bundle: Bundle) -> Callable[[Path], Comparison]:
            key = str(bundle.path)
            if key not in opened:
                app = package_web(bundle.path)
                web = WebScreener(context.new_page(), serve_folder(app), app)
                opened[key] = web, open_interpreter(bundle, threads=1)
            return lambda film: compare(film, opened[key][0], bundle, opened[key][1])

        yield comparer


@pytest.fixture(scope="module")
def demo() -> Bundle:
    """The demonstration's bundle: int8, the whole film."""
    return read_bundle(FOLDER)


def varied(bundle: Bundle, path: Path, **changes: Any) -> Bundle:
    """The same model behind another preparation of its images."""
    manifest = replace(bundle.manifest, input=replace(bundle.manifest.input, **changes))
    files = {"model.tflite": read_model(bundle), "MODEL_CARD.md": (bundle.path / "MODEL_CARD.md").read_bytes()}
    return write_bundle(path, manifest, files)


@pytest.fixture(scope="module")
def demo_of_knees(demo: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The same model, shown squares around the knees."""
    return varied(demo, tmp_path_factory.mktemp("bundle") / "knees", resize="knees")


@pytest.fixture(scope="module")
def demo_with_filters(demo: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The same model, shown films that are filtered."""
    filters = (Filter("clahe", 2.0), Filter("sharpen", 0.5))
    return varied(demo, tmp_path_factory.mktemp("bundle") / "filters", filters=filters)


@pytest.fixture
def golden_float32(tmp_path: Path, manifest: Manifest) -> Bundle:
    """A small float32 model that can be followed by hand."""
    data = (GOLDEN / "golden-float32.tflite").read_bytes()
    model = replace(manifest.model, precision="float32", sha256=sha256_bytes(data))
    return write_bundle(tmp_path / "golden", replace(manifest, model=model), {"model.tflite": data})


def drawn_films(folder: Path) -> dict[str, Path]:
    """The drawn film in each of the formats, and pictures that are refused, by their names."""
    film = tones.to_8_bit(scaling.shrink(read_radiograph(DRAWN_FILM).pixels, 512, 488))
    sixteen = (film.astype(np.uint16) << 4) + 7
    colour = np.stack([film, film // 2, 255 - film], axis=-1)
    negative: dict[str, Any] = {"PhotometricInterpretation": "MONOCHROME1", "WindowCenter": 2048, "WindowWidth": 4096}
    contents = {
        "film.png": cv2.imencode(".png", film)[1].tobytes(),
        "sixteen.png": cv2.imencode(".png", sixteen)[1].tobytes(),
        "film.jpg": cv2.imencode(".jpg", film, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes(),
        "film.bmp": cv2.imencode(".bmp", film)[1].tobytes(),
        "film.dcm": dicom_bytes(dicom_of((4095 - sixteen.clip(max=4095)).astype(np.uint16), **negative)),
        "other.dcm": dicom_bytes(dicom_of(sixteen, Modality="MR")),
        "colour.png": cv2.imencode(".png", colour)[1].tobytes(),
        "small.png": cv2.imencode(".png", film[:150, :150])[1].tobytes(),
        "blank.png": cv2.imencode(".png", np.full((300, 300), 90, np.uint8))[1].tobytes(),
        "negative.png": cv2.imencode(".png", 255 - film)[1].tobytes(),
        "cut.jpg": cv2.imencode(".jpg", film)[1].tobytes()[:9000],
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return {name: folder / name for name in contents}


def test_every_format_is_screened_as_python_does(screeners: Screeners, demo: Bundle, tmp_path: Path) -> None:
    comparisons = {name: screeners(demo)(film) for name, film in drawn_films(tmp_path).items()}
    assert {name: one.differences for name, one in comparisons.items() if one.differences} == {}
    assert {one.outcome for one in comparisons.values()} == {"refer", "rejected", "unreadable"}
    assert max(one.probability for one in comparisons.values()) < 1e-6  # an int8 model leaves no room between


def test_a_float32_model_answers_alike(screeners: Screeners, golden_float32: Bundle, tmp_path: Path) -> None:
    for film in list(drawn_films(tmp_path).values())[:3]:
        comparison = screeners(golden_float32)(film)
        assert comparison.differences == ()
        assert comparison.outcome != "rejected"


def test_a_model_that_looks_at_knees_finds_the_same_ones(
    screeners: Screeners, demo_of_knees: Bundle, tmp_path: Path
) -> None:
    film = drawn_films(tmp_path)["film.png"]
    assert screeners(demo_of_knees)(film).differences == ()


def test_a_model_that_is_shown_filtered_films_is_shown_the_same_ones(
    screeners: Screeners, demo: Bundle, demo_with_filters: Bundle, tmp_path: Path
) -> None:
    film = drawn_films(tmp_path)["film.png"]
    filtered = screeners(demo_with_filters)(film)
    assert filtered.differences == ()
    assert filtered.probability < 1e-6
    interpreter = open_interpreter(demo, threads=1)
    given, without = (screen(film, bundle, interpreter)[1].score for bundle in (demo_with_filters, demo))
    assert given != without, "the filters change nothing that the model sees"


@pytest.mark.release
@pytest.mark.slow
def test_a_browser_is_fast_enough() -> None:
    if CHROMIUM is None:
        pytest.skip("no Chromium: make browser")
    figures = measure(films=20)
    assert figures["least_ratio"] <= MAX_RATIO
    assert figures["least_web_answer"] < MAX_ANSWER_MS


def real_films(folder: Path) -> list[Path]:
    films = films_below(folder / "knees", folder / "ood", folder / "dicom")
    if not films:
        pytest.skip(f"no films below {folder}")
    return films


@pytest.mark.slow
def test_a_part_of_the_real_films_is_screened_alike(screeners: Screeners, demo: Bundle, shared_data: Path) -> None:
    different = {film.name: screeners(demo)(film).differences for film in real_films(shared_data)[::12]}
    assert {name: found for name, found in different.items() if found} == {}


@pytest.mark.release
@pytest.mark.slow
@pytest.mark.parametrize("bundle_of", ["demo", "demo_of_knees", "demo_with_filters"])
def test_all_real_films_are_screened_alike(
    screeners: Screeners, bundle_of: str, shared_data: Path, request: pytest.FixtureRequest
) -> None:
    bundle: Bundle = request.getfixturevalue(bundle_of)
    different = {film.name: screeners(bundle)(film).differences for film in real_films(shared_data)}
    assert {name: found for name, found in different.items() if found} == {}
