"""The filters of a bundle in the page's own code against Python's, sample by sample."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from typing import Any

import cv2
import numpy as np
import pytest

from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.edge_app.web.building import supported_file
from osteo_edge.filters import DEFAULT_AMOUNTS, Filter, Pixels, apply_filters, parse_filter
from osteo_edge.preprocessing import InputSpec, Normalization, to_tensor
from osteo_edge.radiograph import read_radiograph
from osteo_edge.raster import scaling, smoothing, tones
from tests.edge_app.web.parity_core import Core, packed, unpacked

RNG = np.random.default_rng(21)
KINDS: tuple[str, ...] = tuple(json.loads(supported_file().read_text("utf-8"))["filters"])
IN_8_BITS = ("canny", "clahe")
SIZES = ((224, 224), (224, 179), (221, 168), (61, 50), (16, 24), (9, 3), (1, 7), (8, 1), (1, 1))
ROUNDING = 5e-7
"""Sums of 32 bits: OpenCV adds the last columns of a picture, those that fill no register, in another order."""


@cache
def pictures() -> list[Pixels]:
    """Of each size the drawn film, noise, and noise that is blurred."""
    film = read_radiograph(DRAWN_FILM).pixels
    noise = [RNG.random(size, np.float32) for size in SIZES]
    blurred = [smoothing.gaussian(picture, 2.0) for picture in noise]
    return [*(scaling.shrink(film, *size) for size in SIZES), *noise, *blurred]


def filtered(core: Core, picture: Pixels, steps: Sequence[Filter]) -> Pixels:
    """What the page makes of a picture."""
    return unpacked(core.ask("filtered", packed(picture), [asdict(step) for step in steps]))


def test_the_page_knows_the_filters_that_python_has() -> None:
    assert set(KINDS) == set(DEFAULT_AMOUNTS)


@pytest.mark.parametrize("kind", KINDS)
def test_each_filter_gives_the_same_samples(core: Core, kind: Any) -> None:
    amounts = (0.05, 0.3, 1.0) if kind == "canny" else (0.3, DEFAULT_AMOUNTS[kind], 40.0)
    for picture in pictures():
        for amount in amounts:
            step, rounding = Filter(kind, amount), 0.0 if kind in IN_8_BITS else ROUNDING * max(1.0, amount)
            np.testing.assert_allclose(
                filtered(core, picture, [step]),
                apply_filters(picture, [step]),
                rtol=0,
                atol=rounding,
                err_msg=str(step),
            )


@pytest.mark.parametrize(
    "chain", ["clahe sobel", "sharpen clahe canny", "prewitt:0.5 clahe:8 roberts", "sharpen canny"]
)
def test_filters_one_after_the_other_give_the_same_samples(core: Core, chain: str) -> None:
    steps = [parse_filter(word) for word in chain.split()]
    for picture in pictures():
        expected = apply_filters(picture, steps)
        np.testing.assert_allclose(filtered(core, picture, steps), expected, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("resize", ["letterbox", "knees"])
def test_the_network_is_given_the_same_filtered_tensor(core: Core, resize: Any) -> None:
    spec = InputSpec(96, 192, resize=resize, filters=(parse_filter("clahe"), parse_filter("sharpen:0.5")))
    picture = scaling.shrink(read_radiograph(DRAWN_FILM).pixels, 384, 366)
    tensor = unpacked({"data": core.ask("tensor", packed(picture), asdict(spec)), "shape": (1, 96, 192, 3)})
    np.testing.assert_allclose(tensor, to_tensor(picture, spec), atol=2e-5)


def test_the_canvas_around_a_film_gives_no_edge(core: Core) -> None:
    spec = InputSpec(32, 96, channels=1, filters=(parse_filter("sobel"),), normalization=Normalization((1.0,), (0.0,)))
    tensor = unpacked({"data": core.ask("tensor", packed(np.ones((64, 64))), asdict(spec)), "shape": (32, 96)})
    assert not tensor.any()


@pytest.mark.skipif(not cv2.__version__.startswith("5."), reason="older OpenCV rounds twice where 5 does once")
def test_an_enlarged_film_has_the_same_grey_levels(core: Core) -> None:
    levels = tones.to_8_bit(scaling.shrink(read_radiograph(DRAWN_FILM).pixels, 112, 100))
    film = levels.astype(np.float32) / np.float32(255)
    for height, width in ((224, 200), (448, 401), (150, 143)):
        enlarged = unpacked(core.ask("enlarge", packed(film), height, width))
        assert np.array_equal(tones.to_8_bit(enlarged), tones.to_8_bit(scaling.enlarge(film, height, width)))
