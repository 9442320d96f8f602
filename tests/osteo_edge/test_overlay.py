from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from osteo_edge import lettering, overlay
from osteo_edge.bundle import Bundle
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.lettering import text_width, wrap
from osteo_edge.overlay import (
    COLOUR_MAPS,
    MARGIN_PX,
    MAX_SIDE_PX,
    MIN_WIDTH_PX,
    ColourMap,
    blend,
    decode_evidence,
    draw_overlay,
    encode_evidence,
    layer,
    write_overlay,
)
from osteo_edge.preprocessing import Pixels
from osteo_edge.raster.opencv import fonts
from osteo_edge.runtime import Interpreter
from osteo_edge.screening import Screening, screen
from osteo_edge.wording import FAILED_CHECK, HEADLINES, Outcome

Draw = Callable[..., Path]
SENTENCE = "Decide on referral by risk factors and age as if there were no such answer."


@pytest.fixture(params=[True, False], ids=["OpenCV 5", "OpenCV 4"])
def either_font(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scalable font where this OpenCV has one, and the stroke font."""
    if request.param and not fonts.HAS_FONTS:
        pytest.skip("this OpenCV has no scalable font")
    monkeypatch.setattr(fonts, "HAS_FONTS", request.param)


@pytest.fixture
def screening(film: Path, bundle: Bundle, answering: Callable[..., Interpreter]) -> Screening:
    return screen(film, bundle, answering([0, 1, 2]))[1]


def evidence_at(y: int, x: int, shape: tuple[int, int]) -> Pixels:
    evidence = np.zeros(shape, np.float32)
    evidence[y - 10 : y + 10, x - 10 : x + 10] = 1
    return evidence


def film_in(picture: lettering.Picture, grey: int) -> tuple[int, int]:
    """The height and width of the area of one grey value."""
    rows, columns = np.nonzero((picture == grey).all(axis=-1))
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


def test_a_grade_is_written_into_the_picture(screening: Screening) -> None:
    pixels = np.full((200, 200), 0.5, np.float32)
    plain, graded = (draw_overlay(pixels, replace(screening, severity=grade)) for grade in (None, "high"))
    assert graded.shape[0] > plain.shape[0]


def test_a_warning_stands_out_below_the_headline(screening: Screening, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[str, object, object]] = []

    def record(_: object, text: str, x: int, baseline: int, size: int, colour: object, *, bold: bool) -> None:
        drawn.append((text, colour, bold))

    monkeypatch.setattr(overlay, "draw_text", record)
    draw_overlay(np.full((400, 1024), 0.5, np.float32), replace(screening, warnings=(FAILED_CHECK,)))
    assert drawn[:2] == [
        (screening.headline, overlay.ACCENTS["refer"], True),
        (FAILED_CHECK, overlay.ACCENTS["rejected"], True),
    ]
    assert drawn[2][1:] == (overlay.INK, False)


@pytest.mark.parametrize("size", [13, 15, 22])
@pytest.mark.parametrize("bold", [False, True])
@pytest.mark.usefixtures("either_font")
def test_text_is_as_wide_as_it_was_measured_to_be(size: int, bold: bool) -> None:
    picture = np.zeros((60, 2000, 3), np.uint8)
    lettering.draw_text(picture, "drawn before in another weight", 0, 20, 30, (0, 0, 0), bold=not bold)
    measured = text_width(SENTENCE, size, bold=bold)
    lettering.draw_text(picture, SENTENCE, 10, 40, size, (255, 255, 255), bold=bold)
    assert np.flatnonzero(picture.any(axis=(0, 2))).max() - 10 == pytest.approx(measured, abs=3)


@pytest.mark.usefixtures("either_font")
def test_lines_are_as_long_as_they_may_be_and_lose_nothing() -> None:
    lines = wrap(SENTENCE, 200, 15)
    assert len(lines) > 1
    assert " ".join(lines) == SENTENCE
    assert max(text_width(line, 15) for line in lines) <= 200
    long_word = "x" * 100
    pieces = wrap(f"a {long_word} b", 200, 15)
    assert "".join(pieces).replace(" ", "") == f"a{long_word}b"
    assert max(text_width(piece, 15) for piece in pieces) <= 200
    assert wrap("", 200, 15) == []
    assert wrap("wide", 1, 15) == list("wide")


@pytest.mark.parametrize("outcome", list(HEADLINES))
@pytest.mark.parametrize("shape", [(400, 1600), (1600, 220), (120, 120), (500, 400)])
@pytest.mark.usefixtures("either_font")
def test_no_text_is_cut_off(
    outcome: Outcome, shape: tuple[int, int], screening: Screening, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(
        panel: lettering.Picture, text: str, x: int, baseline: int, size: int, _: object, bold: bool = False
    ) -> None:
        assert x >= MARGIN_PX
        assert x + text_width(text, size, bold=bold) <= panel.shape[1] - MARGIN_PX
        assert size <= baseline <= panel.shape[0] - size * 0.25
        checked.append(text)

    checked: list[str] = []
    monkeypatch.setattr(overlay, "draw_text", check)
    for evidence in (evidence_at(60, 60, shape), np.zeros(shape, np.float32), None):
        picture = draw_overlay(np.full(shape, 0.5, np.float32), replace(screening, outcome=outcome, evidence=evidence))
        assert picture.shape[1] == max(MIN_WIDTH_PX, min(shape[1], MAX_SIDE_PX))
    assert len(checked) > 10


@pytest.mark.parametrize("shape", [(400, 1600), (1600, 220), (300, 300)])
def test_the_film_keeps_its_aspect(shape: tuple[int, int], screening: Screening) -> None:
    picture = draw_overlay(np.full(shape, 0.5, np.float32), replace(screening, evidence=None))
    height, width = film_in(picture, 127)
    assert height / width == pytest.approx(shape[0] / shape[1], rel=0.01)
    assert max(height, width) == min(max(shape), MAX_SIDE_PX)


def test_the_legend_goes_from_none_to_strong(screening: Screening, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[str, int]] = []

    def record(picture: object, text: str, x: int, *_: object, **__: object) -> None:
        drawn.append((text, x))

    monkeypatch.setattr(overlay, "draw_text", record)
    pixels = np.full((400, 300), 0.5, np.float32)
    draw_overlay(pixels, replace(screening, evidence=evidence_at(50, 50, (400, 300))))
    texts = dict(drawn)
    assert texts["none"] < texts["strong"]
    assert "Evidence to the model, relative to the strongest region of this image:" in texts
    drawn.clear()
    draw_overlay(pixels, replace(screening, evidence=np.zeros((400, 300), np.float32)))
    assert "No region of this image speaks for low bone density to the model." in dict(drawn)
    assert "strong" not in dict(drawn)
    drawn.clear()
    draw_overlay(pixels, replace(screening, evidence=np.zeros((400, 300), np.float32), finding="abnormality"))
    assert "No region of this image speaks for an abnormality to the model." in dict(drawn)


def test_the_picture_says_what_was_found_by_what_and_for_what_use(
    screening: Screening, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(overlay, "draw_text", lambda _, text, *args, **options: drawn.append(text))
    draw_overlay(np.full((400, 1024), 0.5, np.float32), screening)
    text = " ".join(drawn)
    for part in (screening.headline, *screening.reasons, screening.intended_use, screening.model_sha256[:12]):
        assert part in text


def test_evidence_colours_its_region_and_leaves_the_rest_alone() -> None:
    film = blend(np.full((200, 200), 0.5, np.float32), evidence_at(50, 150, (200, 200)))
    coloured = np.ptp(film, axis=-1) > 0
    rows, columns = np.nonzero(coloured)
    assert (rows.mean(), columns.mean()) == (pytest.approx(49.5), pytest.approx(149.5))
    assert (film[~coloured] == 127).all()


def test_a_large_film_is_made_smaller_and_a_small_one_is_not_enlarged() -> None:
    assert blend(np.zeros((4000, 3000), np.float32), np.zeros((4000, 3000), np.float32)).shape == (1024, 768, 3)
    assert blend(np.zeros((40, 30), np.float32), None).shape == (40, 30, 3)


def test_a_picture_is_written_as_png(tmp_path: Path, screening: Screening) -> None:
    path = write_overlay(tmp_path / "new" / "knee.png", np.full((400, 300), 0.5, np.float32), screening)
    picture = cv2.imread(str(path))
    assert picture is not None
    assert picture.shape[1] == MIN_WIDTH_PX


def test_a_picture_that_cannot_be_written_is_one_line(film: Path, screening: Screening) -> None:
    with pytest.raises(OsteoEdgeError) as caught:
        write_overlay(film / "knee.png", np.full((400, 300), 0.5, np.float32), screening)
    assert str(caught.value).startswith(f"{film / 'knee.png'}: the overlay cannot be written (")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("colour_map", COLOUR_MAPS)
def test_a_layer_over_a_black_film_looks_as_if_it_were_blended(colour_map: ColourMap) -> None:
    evidence = np.linspace(0, 1, 200 * 100, dtype=np.float32).reshape(200, 100)
    over = layer(evidence, colour_map).astype(np.float32)
    laid = over[..., 2::-1] * over[..., 3:] / 255
    assert over.shape == (200, 100, 4)
    if colour_map == "viridis":
        blended = blend(np.zeros((200, 100), np.float32), evidence, opacity=1)
        assert np.abs(laid - blended).max() <= 2
    else:
        assert np.abs(laid - layer(evidence)[..., 2::-1]).max() > 60


def test_evidence_comes_back_from_its_file() -> None:
    evidence = np.linspace(0, 1, 512 * 300, dtype=np.float32).reshape(512, 300)
    found = decode_evidence(encode_evidence(evidence))
    assert found is not None
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, evidence, atol=0.5 / 255 + 1e-6)


@pytest.mark.parametrize("shape", [(40, 30, 3), (40, 30, 4)])
def test_a_picture_in_colour_is_no_evidence(shape: tuple[int, ...]) -> None:
    assert decode_evidence(cv2.imencode(".png", np.zeros(shape, np.uint8))[1].tobytes()) is None


@pytest.mark.parametrize("data", [b"", b"no picture"])
def test_what_is_no_picture_is_no_evidence(data: bytes) -> None:
    assert decode_evidence(data) is None
