from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from osteo_edge.gate import DEFAULT_GATE, knee_rejections, rejections
from osteo_edge.knees import Knee
from osteo_edge.layout import lay_out_film, lay_out_knees
from osteo_edge.radiograph import Radiograph, read_radiograph


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


def test_a_film_without_a_knee_is_rejected_where_knees_were_looked_for() -> None:
    reasons = knee_rejections(lay_out_knees((400, 300), (), (32, 64)))
    assert reasons == ("no knee joint was found in this image: use a frontal film that shows the whole joint",)


def test_a_found_knee_passes_and_a_film_that_was_not_searched_does() -> None:
    knee = Knee(x_px=150.0, y_px=200.0, width_px=100.0, score=1.5, fibula_right=True)
    assert knee_rejections(lay_out_knees((400, 300), (knee,), (32, 64))) == ()
    assert knee_rejections(lay_out_film((400, 300), (32, 64))) == ()
