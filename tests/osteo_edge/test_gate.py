from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from osteo_edge.benchmarks.studies.spoilt_films import STRENGTHS, to_file
from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.edge_app.light_box.drawn import draw_photo, some_scene
from osteo_edge.edge_app.light_box.photo import write_film
from osteo_edge.filters import Pixels
from osteo_edge.gate import DEFAULT_GATE, knee_rejections, rejections
from osteo_edge.knees import Knee
from osteo_edge.layout import lay_out_film, lay_out_knees
from osteo_edge.radiograph import Radiograph, decode, read_radiograph
from osteo_edge.train.phantoms import draw_phantom

LEAST_REFUSED = {"blurred": 2, "shaken": 3, "noisy": 5, "over-exposed": 2, "under-exposed": 4, "compressed": 3,
                 "negative": 1, "strip": 2, "text page": 1, "screenshot": 1, "glare": 1, "implant": 1}  # fmt: skip
"""From which strength on a drawn film is refused, of 1 to 5."""
REASONS = {
    "blurred": "the picture is blurred:",
    "shaken": "the picture is blurred:",
    "noisy": "noise all over the picture:",
    "over-exposed": "over-exposed, or glare, ",
    "under-exposed": "far too dark:",
    "compressed": "compressed until its blocks show:",
    "negative": "a negative,",
    "strip": "a strip, ",
    "text page": "a page of text or a drawing,",
    "screenshot": "a screenshot",
    "glare": "a white patch over the film,",
    "implant": "a white patch over the film,",
}


@pytest.fixture
def radiograph(draw_film: Callable[..., Path]) -> Radiograph:
    return read_radiograph(draw_film())


def test_a_film_passes(radiograph: Radiograph) -> None:
    assert rejections(radiograph, DEFAULT_GATE) == ()


@pytest.mark.parametrize(("height", "width"), [(159, 400), (400, 159)])
def test_a_small_image_is_rejected_with_its_size(height: int, width: int, draw_film: Callable[..., Path]) -> None:
    found = rejections(read_radiograph(draw_film(height=height, width=width)), DEFAULT_GATE)
    assert found == (f"too small: {width} x {height} pixels, at least 160 on each side are needed",)


def test_an_image_of_just_the_smallest_size_passes(draw_film: Callable[..., Path]) -> None:
    assert rejections(read_radiograph(draw_film(height=160, width=160)), DEFAULT_GATE) == ()


def test_another_modality_is_rejected_and_none_is_fine(radiograph: Radiograph) -> None:
    for modality, reasons in (
        ("MR", ("not a radiograph: the file says modality MR",)),
        ("DX", ()),
        (None, ()),
    ):
        seen = replace(radiograph, source=replace(radiograph.source, modality=modality))
        assert rejections(seen, DEFAULT_GATE) == reasons


def test_a_colour_picture_is_rejected_and_a_faint_tint_is_not(radiograph: Radiograph) -> None:
    for chroma, reasons in ((0.07, ("a colour picture, not a radiograph",)), (0.05, ())):
        seen = replace(radiograph, source=replace(radiograph.source, chroma=chroma))
        assert rejections(seen, DEFAULT_GATE) == reasons


@pytest.mark.parametrize("grey", [0.0, 0.5, 1.0])
def test_a_blank_image_is_rejected(grey: float, radiograph: Radiograph) -> None:
    blank = replace(radiograph, pixels=np.full_like(radiograph.pixels, grey))
    assert rejections(blank, DEFAULT_GATE) == ("blank or nearly so: there is almost no contrast",)


def test_every_reason_is_given(radiograph: Radiograph) -> None:
    source = replace(radiograph.source, height=10, width=10, modality="US", chroma=1.0)
    assert len(rejections(Radiograph(np.zeros((10, 10), np.float32), "", source), DEFAULT_GATE)) == 4


def phantom(seed: int = 7_000_003, size: int = 768, view: str = "frontal") -> Pixels:
    return np.asarray(draw_phantom(-2.0, size=size, seed=seed, view=view).pixels / 255, np.float32)


@pytest.fixture(scope="module")
def drawn_knee() -> Pixels:
    return phantom()


@pytest.mark.parametrize("kind", LEAST_REFUSED)
def test_a_spoilt_film_is_rejected_from_a_strength_on(kind: str, drawn_knee: Pixels) -> None:
    judged = {
        strength: rejections(decode(to_file(kind, drawn_knee, strength), Path("film")), DEFAULT_GATE)
        for strength in STRENGTHS
    }
    assert [strength for strength in STRENGTHS if judged[strength]] == [*STRENGTHS][LEAST_REFUSED[kind] - 1 :]
    assert judged[LEAST_REFUSED[kind]][0].startswith(REASONS[kind])


@pytest.mark.parametrize("kind", ["dark clipped", "white borders"])
def test_what_leaves_the_bone_as_it_was_is_let_through(kind: str, drawn_knee: Pixels) -> None:
    for strength in (1, 5) if kind == "white borders" else (1, 2):
        assert rejections(decode(to_file(kind, drawn_knee, strength), Path("film")), DEFAULT_GATE) == ()


def test_one_fault_is_told_and_not_what_follows_from_it(drawn_knee: Pixels) -> None:
    blurred_negative = np.asarray(1 - cv2.GaussianBlur(drawn_knee, (0, 0), 8), np.float32)
    film = Radiograph(blurred_negative, "", decode(to_file("negative", drawn_knee, 1), Path("film")).source)
    assert len(rejections(film, DEFAULT_GATE)) == 1


@pytest.mark.parametrize("size", [192, 384, 1536])
@pytest.mark.parametrize("view", ["frontal", "lateral"])
def test_phantoms_pass_at_any_size(size: int, view: str) -> None:
    for seed in range(7_000_000, 7_000_004):
        film = decode(cv2.imencode(".png", 255 * phantom(seed, size, view))[1].tobytes(), Path("phantom.png"))
        assert rejections(film, DEFAULT_GATE) == ()


def test_the_film_that_comes_with_the_app_passes() -> None:
    assert rejections(read_radiograph(DRAWN_FILM), DEFAULT_GATE) == ()


@pytest.mark.parametrize("brightness", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_knee_drawn_in_three_greys_passes(brightness: float, draw_film: Callable[..., Path]) -> None:
    """There is no noise in it, as there is none in a page of print."""
    for height, width in ((160, 160), (400, 300), (1024, 768)):
        film = read_radiograph(draw_film(height=height, width=width, brightness=brightness))
        assert rejections(film, DEFAULT_GATE) == ()


def test_photos_of_a_film_pass(drawn_knee: Pixels, tmp_path: Path) -> None:
    for seed in range(6):
        drawn = draw_photo(drawn_knee, some_scene(seed))
        photo = write_film(tmp_path / "photo.jpg", drawn.photo, drawn.corners)
        assert rejections(read_radiograph(photo), DEFAULT_GATE) == ()


def test_real_knees_pass(shared_data: Path) -> None:
    """Every tenth film; all of them are in `python -m osteo_edge.benchmarks.studies.gate`."""
    films = sorted((shared_data / "knees" / "images").rglob("*.jpg"))[::10]
    assert [film.name for film in films if rejections(read_radiograph(film), DEFAULT_GATE)] == []
    assert len(films) > 15


def test_a_film_without_a_knee_is_rejected_where_knees_were_looked_for() -> None:
    reasons = knee_rejections(lay_out_knees((400, 300), (), (32, 64)))
    assert reasons == ("no knee joint was found in this image: use a frontal film that shows the whole joint",)


def test_a_found_knee_passes_and_a_film_that_was_not_searched_does() -> None:
    knee = Knee(x_px=150.0, y_px=200.0, width_px=100.0, score=1.5, fibula_right=True)
    assert knee_rejections(lay_out_knees((400, 300), (knee,), (32, 64))) == ()
    assert knee_rejections(lay_out_film((400, 300), (32, 64))) == ()


@pytest.mark.parametrize(("kind", "is_refused"), [("implant", False), ("strip", False), ("blurred", True)])
def test_metal_and_long_films_are_no_fault_to_a_model_that_is_to_find_what_is_abnormal(
    kind: str, is_refused: bool, drawn_knee: Pixels
) -> None:
    """A plate is what such a model is for; blur is a fault to any."""
    film = decode(to_file(kind, drawn_knee, 3), Path("film"))
    assert len(rejections(film, DEFAULT_GATE)) == 1
    assert bool(rejections(film, DEFAULT_GATE, findings=("density", "abnormality"))) == is_refused
