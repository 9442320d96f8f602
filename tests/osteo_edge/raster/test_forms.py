"""The two forms of each topic offer the same functions, and give the same results within stated bounds."""

import inspect
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest

from osteo_edge import raster

FILM = cv2.GaussianBlur(np.random.default_rng(0).random((301, 257), np.float32), (0, 0), 2)
GREY = np.rint(FILM / FILM.max() * 255).astype(np.uint8)
COLOUR = np.stack([GREY, GREY[::-1], np.roll(GREY, 40, axis=1)], axis=-1)
NOISE = np.random.default_rng(1).integers(0, 256, (120, 97, 3), np.uint8)
PATCH = FILM[10:50, 20:84].copy()
Result = Callable[[Any], object]

BETWEEN_TOPICS = {"mirrored"}
"""What one topic of the plain form takes from another."""
CLOSE = 1e-6
"""Rounding of float32."""
MOVED = 1e-5 if cv2.__version__ >= "5" else 0.02
"""OpenCV 4 takes places to the nearest 1/32 of a pixel."""
IN_ONE_STEP = cv2.__version__ >= "5" and cv2.ipp.useIPP() and "AVX" in cv2.ipp.getIppVersion()
"""Whether OpenCV has Intel's IPP enlarge pictures, on a processor that multiplies and adds with one rounding."""


def form_of(topic: str, form: str) -> ModuleType:
    return import_module(f"osteo_edge.raster.{form}.{topic}")


def furthest(topic: str, result: Result) -> float:
    """The largest difference of what the two forms give."""
    found = [result(form_of(topic, form)) for form in ("opencv", "plain")]
    opencv, plain = (one if isinstance(one, tuple) else (one,) for one in found)
    pairs = [(np.asarray(one), np.asarray(other)) for one, other in zip(opencv, plain, strict=True)]
    assert [(one.shape, one.dtype) for one, _ in pairs] == [(other.shape, other.dtype) for _, other in pairs]
    return max(float(np.abs(one.astype(np.float64) - other).max()) for one, other in pairs)


@pytest.mark.parametrize("topic", raster.TOPICS)
def test_both_forms_offer_the_same_functions(topic: str) -> None:
    opencv, plain = (form_of(topic, form) for form in ("opencv", "plain"))
    offered = _own_functions(opencv)
    assert offered
    for name in offered:
        assert _signature(getattr(opencv, name)) == _signature(getattr(plain, name)), name
    assert _own_functions(plain) - offered <= BETWEEN_TOPICS


def _own_functions(module: ModuleType) -> set[str]:
    functions = inspect.getmembers(module, inspect.isfunction)
    return {name for name, one in functions if not name.startswith("_") and one.__module__ == module.__name__}


def _signature(function: Any) -> list[tuple[str, Any, Any]]:
    return [(one.name, one.kind, one.default) for one in inspect.signature(function).parameters.values()]


def test_opencv_is_used_where_it_is_and_the_plain_form_where_it_is_not() -> None:
    assert raster.FORM == "opencv"
    code = (
        "import sys; sys.modules['cv2'] = None\n"
        "from osteo_edge import raster\n"
        "modules = [getattr(raster, topic).__name__ for topic in raster.TOPICS]\n"
        "assert modules == [f'osteo_edge.raster.plain.{topic}' for topic in raster.TOPICS], modules\n"
        "import osteo_edge.screening, osteo_edge.overlay, osteo_edge.page\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_is_no_topic_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="no attribute 'topic'"):
        raster.topic  # noqa: B018


@pytest.mark.parametrize("picture", [FILM, GREY, COLOUR], ids=["film", "grey", "colour"])
@pytest.mark.parametrize("size", [(128, 128), (128, 109), (301, 200), (1, 1), (299, 256), (43, 257)])
def test_areas_are_averaged_to_the_last_bit(picture: Any, size: tuple[int, int]) -> None:
    assert furthest("scaling", lambda scaling: scaling.shrink(picture, *size)) == 0


@pytest.mark.parametrize(("factor", "bound"), [(1, 0), (2, 1e-7), (3, 0), (4, 0), (7, 1e-7)])
def test_blocks_of_whole_samples_are_averaged(factor: int, bound: float) -> None:
    for picture in (FILM[: 40 * factor, : 30 * factor], GREY[: 40 * factor, : 30 * factor]):
        assert furthest("scaling", lambda scaling, whole=picture: scaling.shrink(whole, 40, 30)) <= bound  # type: ignore[misc]


def test_an_area_that_is_hardly_covered_does_not_count() -> None:
    film = np.random.default_rng(3).random((2, 2402), np.float32)
    assert furthest("scaling", lambda scaling: scaling.shrink(film, 2, 2000)) == 0


def test_pictures_are_enlarged() -> None:
    assert furthest("scaling", lambda scaling: scaling.enlarge(FILM, 700, 311)) < CLOSE
    assert furthest("scaling", lambda scaling: scaling.enlarge(GREY, 700, 311)) <= 1


@pytest.mark.skipif(not IN_ONE_STEP, reason="OpenCV rounds otherwise here, within `CLOSE`")
@pytest.mark.parametrize("size", [(602, 514), (700, 311), (487, 444), (100, 90), (1, 900)])
def test_pictures_are_enlarged_to_the_last_bit(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(4).random((227, 164), np.float32)
    for picture in (FILM, noise):
        assert furthest("scaling", lambda scaling, of=picture: scaling.enlarge(of, *size)) == 0  # type: ignore[misc]


def test_the_edges_go_on() -> None:
    reach = {"top": 3, "bottom": 0, "left": 50, "right": 7}
    for picture in (FILM, COLOUR):
        assert furthest("scaling", lambda scaling, of=picture: scaling.continue_edges(of, **reach)) == 0  # type: ignore[misc]


@pytest.mark.parametrize("way", ["linear", "cubic"])
@pytest.mark.parametrize("scale", [0.3, 0.93, 1.7])
def test_pictures_are_moved(way: str, scale: float) -> None:
    matrix = np.array([[scale, 0, -20.3], [0, scale * 1.1, 11.7]])
    assert furthest("scaling", lambda scaling: scaling.warp(FILM, matrix, 126, 90, way=way)) < MOVED
    back = np.array([[1 / scale, 0, -2.3], [0, 0.7, 1.7]])
    assert furthest("scaling", lambda scaling: scaling.warp(FILM, back, 50, 400, from_target=True)) < MOVED


def test_a_matrix_that_turns_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="turns or shears"):
        form_of("scaling", "plain").warp(FILM, np.array([[1, 0.1, 0], [0, 1, 0]]), 5, 5)


@pytest.mark.parametrize("sigma", [0.7, 1, 2, 5, 6, 8, 10])
def test_pictures_are_blurred(sigma: float) -> None:
    assert furthest("smoothing", lambda smoothing: smoothing.gaussian(FILM, sigma)) < CLOSE
    assert furthest("smoothing", lambda smoothing: smoothing.gaussian(GREY, sigma)) <= 1
    tiny = FILM[:7, :5].copy()
    assert furthest("smoothing", lambda smoothing: smoothing.gaussian(tiny, sigma)) < CLOSE


@pytest.mark.parametrize(("rows", "columns"), [(16, 24), (64, 64), (40, 64), (5, 5), (4, 3), (1, 2)])
def test_boxes_are_averaged(rows: int, columns: int) -> None:
    assert furthest("smoothing", lambda smoothing: smoothing.box_mean(FILM, rows, columns)) < CLOSE
    for picture in (GREY, COLOUR):
        assert furthest("smoothing", lambda smoothing, of=picture: smoothing.box_mean(of, rows, columns)) <= 1  # type: ignore[misc]


@pytest.mark.parametrize("side", [1, 2, 3, 5, 8, 41])
def test_squares_are_dilated_and_eroded(side: int) -> None:
    assert furthest("smoothing", lambda smoothing: smoothing.dilate(GREY, side)) == 0
    assert furthest("smoothing", lambda smoothing: smoothing.erode(GREY, side)) == 0


def test_a_patch_is_found_where_it_was_cut() -> None:
    assert furthest("matching", lambda matching: matching.covariance(FILM, PATCH)) < 1e-3
    for form in ("opencv", "plain"):
        matching = form_of("matching", form)
        likeness = matching.covariance(FILM, PATCH) / np.sqrt(FILM.size)
        assert matching.highest(likeness[:40, :40].copy())[1:] == (10, 20)


def test_the_highest_place_is_the_first_by_rows() -> None:
    plane = np.zeros((4, 5), np.float32)
    plane[2, 1] = plane[2, 3] = plane[3, 0] = 7
    for form in ("opencv", "plain"):
        assert tuple(form_of("matching", form).highest(plane)) == (7.0, 2, 1)


def test_colours_become_grey_and_are_taken_apart() -> None:
    wide = NOISE.astype(np.uint16) * 257
    for picture in (NOISE, COLOUR, wide):
        assert furthest("colour", lambda colour, of=picture: colour.luminance(of)) == 0  # type: ignore[misc]
        assert furthest("colour", lambda colour, of=picture: colour.mean_chroma(of)) < CLOSE  # type: ignore[misc]
    assert furthest("colour", lambda colour: colour.to_rgb(NOISE)) == 0
    assert furthest("colour", lambda colour: colour.to_ycrcb(NOISE)) == 0
    assert furthest("colour", lambda colour: colour.from_ycrcb(NOISE)) == 0


@pytest.mark.parametrize("colour_map", ["viridis", "cividis", "jet"])
def test_the_colour_maps_are_opencvs(colour_map: str) -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert furthest("colour", lambda colour: colour.coloured(levels, colour_map)) == 0


def test_figures_of_a_picture() -> None:
    assert furthest("statistics", lambda statistics: statistics.mean_and_deviation(FILM)) < CLOSE
    ratio = [form_of("statistics", form).squared_difference(FILM[1:], FILM[:-1]) for form in ("opencv", "plain")]
    assert ratio[0] == pytest.approx(ratio[1], rel=1e-6)
    assert furthest("statistics", lambda statistics: statistics.channel_means(COLOUR)) < 1e-9


def test_the_deviation_of_a_nearly_blank_film_is_exact() -> None:
    film = np.float32(0.7) + FILM * np.float32(1e-3)
    assert furthest("statistics", lambda statistics: statistics.mean_and_deviation(film)) < 1e-9


def test_grey_levels() -> None:
    assert furthest("tones", lambda tones: tones.to_8_bit(FILM * np.float32(1.4))) == 0
    assert furthest("tones", lambda tones: tones.histogram(GREY)) == 0
    assert furthest("tones", lambda tones: tones.look_up(GREY, NOISE[:, 0, 0].repeat(3)[:256].copy())) == 0
    table = np.random.default_rng(2).integers(0, 256, (256, 3), np.uint8)
    assert furthest("tones", lambda tones: tones.look_up(COLOUR, table)) == 0


def test_dark_and_bright_are_parted_at_the_same_level() -> None:
    random = np.random.default_rng(4)
    for _ in range(100):
        grey = random.integers(0, random.integers(2, 257), (40, 40), np.uint16).astype(np.uint8)
        assert furthest("tones", lambda tones, of=grey: tones.otsu(of)) == 0  # type: ignore[misc]
    assert furthest("tones", lambda tones: tones.otsu(np.full((9, 9), 7, np.uint8))) == 0


def test_gradients() -> None:
    assert furthest("edges", lambda edges: edges.sobel(FILM)) < CLOSE
    assert furthest("edges", lambda edges: edges.laplacian(FILM)) < CLOSE
    for kernel in (np.array([[1, 0], [0, -1]], np.float32), np.ones((3, 5), np.float32)):
        assert furthest("edges", lambda edges, by=kernel: edges.correlate(FILM, by)) < 1e-5  # type: ignore[misc]


@pytest.mark.parametrize(("low", "high"), [(10, 30), (57.7, 144.2), (200, 500)])
def test_edges_are_thin_and_the_same(low: float, high: float) -> None:
    for grey in (GREY, NOISE[..., 0].copy()):
        assert furthest("edges", lambda edges, of=grey: edges.canny(of, low, high)) == 0  # type: ignore[misc]


@pytest.mark.parametrize("clip", [1, 2, 40])
@pytest.mark.parametrize("shape", [(224, 224), (221, 219), (224, 219), (50, 50)])
def test_local_contrast_is_evened_out(clip: float, shape: tuple[int, int]) -> None:
    grey = GREY[: shape[0], : shape[1]].copy()
    assert furthest("edges", lambda edges: edges.even_out(grey, clip, 8)) == 0


def test_text_is_as_wide_as_it_is_measured() -> None:
    for form in ("opencv", "plain"):
        fonts = form_of("fonts", form)
        for bold in (False, True):
            panel = np.zeros((60, 500, 3), np.uint8)
            fonts.draw_text(panel, "Femur and tibia", 20, 40, 24, (255, 128, 0), bold=bold)
            columns = np.flatnonzero(panel.any(axis=(0, 2)))
            width = fonts.text_width("Femur and tibia", 24, bold=bold)
            assert columns[0] >= 18
            assert width - 8 <= columns[-1] - 20 <= width + 2
            assert 120 < width < 260
