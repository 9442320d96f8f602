"""The page's own code against Python's, one step at a time: planes, figures, places, distances and words."""

import json
import re
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osteo_edge.bundle import Bundle, read_bundle, read_model
from osteo_edge.edge_app.demo_bundle import FOLDER
from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.edge_app.web.building import PROJECT
from osteo_edge.edge_app.web.shared import shared_json
from osteo_edge.evidence import evidence_of
from osteo_edge.familiarity import fit_statistics
from osteo_edge.filters import Pixels
from osteo_edge.gate import rejections
from osteo_edge.image_quality import measure_quality
from osteo_edge.knees import Knee, find_knees
from osteo_edge.layout import lay_out_film, lay_out_knees
from osteo_edge.manifest import Calibration, Decision
from osteo_edge.preprocessing import InputSpec, to_tensor
from osteo_edge.radiograph import Radiograph, Source, read_radiograph
from osteo_edge.raster import matching, scaling, smoothing, tones
from osteo_edge.raster.plain import scaling as plain_scaling
from osteo_edge.runtime import Prediction
from osteo_edge.screening import calibrated, decide
from osteo_edge.wording import Finding
from tests.edge_app.web.parity_core import Core, CoreError, packed, text_of, unpacked

CORE = PROJECT / "src" / "core"
RNG = np.random.default_rng(12)
FINDINGS_OF_MODELS: tuple[tuple[Finding, ...], ...] = (("density",), ("abnormality",))


@cache
def demo() -> Bundle:
    return read_bundle(FOLDER)


@cache
def shared() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shared_json(demo(), name=None, language=None))
    return found


@cache
def drawn() -> Pixels:
    return read_radiograph(DRAWN_FILM).pixels


def noise(height: int, width: int) -> Pixels:
    return RNG.random((height, width), np.float32)


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ((400, 300), (224, 168)),
        ((1000, 700), (256, 179)),
        ((512, 512), (128, 256)),
        ((90, 33), (89, 32)),
        ((6, 4), (1, 1)),
    ],
)
def test_pictures_shrink_to_the_same_samples(core: Core, here: tuple[int, int], there: tuple[int, int]) -> None:
    picture = noise(*here)
    assert np.array_equal(unpacked(core.ask("shrink", packed(picture), *there)), scaling.shrink(picture, *there))


def test_pictures_are_enlarged_to_the_same_samples(core: Core) -> None:
    picture = noise(37, 50)
    for height, width in ((69, 82), (111, 64), (255, 268), (391, 404)):
        larger = unpacked(core.ask("enlarge", packed(picture), height, width))
        assert np.array_equal(larger, plain_scaling.enlarge(picture, height, width))


def test_pictures_are_enlarged_and_moved_alike(core: Core) -> None:
    picture = noise(37, 50)
    larger = unpacked(core.ask("enlarge", packed(picture), 111, 64))
    np.testing.assert_allclose(larger, scaling.enlarge(picture, 111, 64), atol=2e-7)
    move = {"scaleX": 1.7, "shiftX": -3.2, "scaleY": 0.6, "shiftY": 4.5}
    matrix = np.array([[1.7, 0, -3.2], [0, 0.6, 4.5]])
    for way, back in (("linear", False), ("cubic", False), ("linear", True)):
        moved = unpacked(core.ask("warp", packed(picture), move, 40, 41, way, back))
        expected = scaling.warp(picture, matrix, 40, 41, way=way, from_target=back)  # type: ignore[arg-type]
        np.testing.assert_allclose(moved, expected, atol=1e-5)


def test_blurs_means_and_products_are_the_same(core: Core) -> None:
    picture, patch = noise(70, 45), noise(20, 16)
    for sigma in (0.6, 1.0, 6.0, 10.0):
        blurred = unpacked(core.ask("gaussian", packed(picture), sigma))
        np.testing.assert_allclose(blurred, smoothing.gaussian(picture, sigma), atol=1e-6)
    means = unpacked(core.ask("boxMean", packed(picture), 16, 24))
    np.testing.assert_allclose(means, smoothing.box_mean(picture, 16, 24), atol=1e-6)
    products = unpacked(core.ask("covariance", packed(picture), packed(patch)))
    np.testing.assert_allclose(products, matching.covariance(picture, patch), atol=1e-4)
    assert core.ask("otsu", packed(picture**3)) == tones.otsu(tones.to_8_bit(picture**3))


@cache
def pictures() -> dict[str, Pixels]:
    """A drawn film, spoilt in the ways that the gate knows, and pictures that are no film."""
    film = scaling.shrink(drawn(), 512, 488)
    page = np.where(RNG.random((300, 220)) < 0.08, 0.0, 1.0).astype(np.float32)
    blocks = scaling.enlarge(scaling.shrink(film, 64, 61), 512, 488)
    patched = film.copy()
    patched[200:260, 200:260] = 1
    framed = np.pad(film[:400], ((0, 0), (80, 20)), constant_values=0.6).astype(np.float32)
    return {
        "a film": film,
        "a small film": drawn()[:300:2, :200:2].copy(),
        "a negative": 1 - film,
        "dark": film * np.float32(0.1),
        "blurred": smoothing.gaussian(film, 6.0),
        "over-exposed": np.clip(film * 4, 0, 1),
        "blocks": blocks,
        "a patch": patched,
        "a screenshot": framed,
        "noise": noise(200, 300),
        "a page": page,
        "a strip": film[:, :90].copy(),
        "all white": np.ones((180, 180), np.float32),
    }


def test_the_figures_of_a_picture_are_the_same(core: Core) -> None:
    for name, picture in pictures().items():
        figures, expected = core.ask("quality", packed(picture)), asdict(measure_quality(picture))
        assert figures == pytest.approx(expected, rel=1e-4, abs=1e-6), name


def test_a_picture_is_refused_in_the_same_words(core: Core) -> None:
    gate, found = demo().manifest.gate, set[tuple[str, ...]]()
    for name, picture in pictures().items():
        source = Source(Path(name), "png", picture.shape[0], picture.shape[1], bits=8, chroma=0.0)
        for findings in FINDINGS_OF_MODELS:
            expected = rejections(Radiograph(picture, "", source), gate, findings=findings)
            metal_counts = findings == ("abnormality",)
            assert tuple(core.ask("rejections", packed(picture), asdict(gate), metal_counts)) == expected, name
            found.add(expected)
    assert len(found) >= 10


def test_knees_are_found_at_the_same_places(core: Core) -> None:
    picture = scaling.shrink(drawn(), 512, 488)
    expected = find_knees(picture)
    found = core.ask("knees", packed(picture))
    assert len(found) == len(expected) > 0
    for knee, other in zip(found, expected, strict=True):
        places = [knee[name] for name in ("x", "y", "width", "score")]
        assert places == pytest.approx([other.x_px, other.y_px, other.width_px, other.score], abs=1e-3)
        assert knee["fibulaRight"] == other.fibula_right


@pytest.mark.parametrize("resize", ["letterbox", "knees"])
def test_the_network_is_given_the_same_tensor(core: Core, resize: Any) -> None:
    spec = InputSpec(96, 192, resize=resize)
    for picture in (scaling.shrink(drawn(), 384, 366), noise(60, 41)):
        tensor = unpacked({"data": core.ask("tensor", packed(picture), asdict(spec)), "shape": (1, 96, 192, 3)})
        np.testing.assert_allclose(tensor, to_tensor(picture, spec), atol=2e-5)


@pytest.mark.parametrize("knees", [None, (Knee(300.0, 410.0, 260.0, 1.2, False), Knee(820.0, 395.0, 250.0, 1.1, True))])
def test_the_evidence_lies_in_the_same_places(core: Core, knees: tuple[Knee, ...] | None) -> None:
    film, canvas, manifest = (900, 1100), (224, 448), demo().manifest
    layout = lay_out_film(film, canvas) if knees is None else lay_out_knees(film, knees, canvas)
    values = RNG.normal(size=(7, 14, 3)).astype(np.float32)
    expected = evidence_of(Prediction(values.mean(axis=(0, 1)), values), manifest, layout)
    given = (
        None
        if knees is None
        else [
            {"x": k.x_px, "y": k.y_px, "width": k.width_px, "score": k.score, "fibulaRight": k.fibula_right}
            for k in knees
        ]
    )
    found = unpacked(core.ask("evidence", film, given, canvas, packed(values), manifest.to_dict()))
    assert expected is not None
    assert expected.any()
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_distances_from_the_training_films_are_the_same(core: Core) -> None:
    embeddings = np.abs(RNG.normal(size=(60, 40))).astype(np.float32)
    statistics = fit_statistics(embeddings[:48])
    stored = replace(statistics, directions=statistics.directions.astype(np.float16).astype(np.float64))
    given = np.vstack([embeddings, np.zeros((1, 40)), 50 * embeddings[:2]]).astype(np.float32)
    distances = core.ask("distances", text_of(statistics.pack()), packed(given))
    np.testing.assert_allclose(distances, stored.distances(given), rtol=1e-5)


@pytest.mark.parametrize("damage", [b"", b"no archive", "cut"])
def test_damaged_statistics_are_refused_in_a_sentence(core: Core, damage: bytes | str) -> None:
    whole = fit_statistics(RNG.random((30, 8))).pack()
    data = whole[: len(whole) // 2] if isinstance(damage, str) else damage
    with pytest.raises(CoreError, match="model's files are damaged") as raised:
        core.ask("distances", text_of(data), packed(np.zeros((1, 8))))
    assert raised.value.is_for_user


def test_numbers_are_written_as_python_writes_them(core: Core) -> None:
    values = [*RNG.random(500), 0.125, 0.375, 0.5, 2.5, 0.0005, 0.99951171875, 1e-12, 1.0]
    asked = [(float(value), digits) for value in values for digits in (0, 1, 2, 3, 9)]
    assert core.ask("fixed", asked) == [f"{value:.{digits}f}" for value, digits in asked]


def test_answers_are_given_in_the_same_words(core: Core) -> None:
    scores = [*map(float, RNG.random(200)), 0.0, 1.0, 0.4, 0.5, 0.6, 0.5996, 0.39999, 1e-9, 1 - 1e-12]
    for low, threshold, high in ((0.4, 0.6, 0.6), (0.3, 0.5, 0.6), (0.0, 0.0, 0.0), (0.25, 0.375, 0.875)):
        decision = Decision(("low",), threshold, 0.9, low, high, "validation")
        answers = core.ask("decide", scores, asdict(decision))
        assert [(answer["outcome"], answer["reason"]) for answer in answers] == [
            decide(score, decision) for score in scores
        ]


def test_probabilities_are_calibrated_alike(core: Core) -> None:
    for logits in ([1.0, -2.0, 0.5], [300.0, 0.0, -300.0]):
        expected = calibrated(np.array(logits), Calibration("temperature", 0.8824, "validation"))
        assert core.ask("calibrated", logits, 0.8824) == pytest.approx(list(expected), rel=1e-12)


def test_a_model_that_gives_no_number_gives_no_answer(core: Core) -> None:
    answer = core.ask("decide", [None], asdict(demo().manifest.decision))[0]  # JSON has no NaN
    assert answer["outcome"] == "uncertain"
    assert answer["reason"] == "the model gave no number for this image"


@pytest.mark.parametrize("name", ["demo", "golden-int8", "golden-float32"])
def test_the_ends_of_a_model_are_read_as_litert_reads_them(core: Core, name: str) -> None:
    golden = Path(__file__).parents[2] / "data" / f"{name}.tflite"
    model = read_model(demo()) if name == "demo" else golden.read_bytes()
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=model)
    ends = core.ask("ends", text_of(model))
    for found, expected in (
        (ends["inputs"], interpreter.get_input_details()),
        (ends["outputs"], interpreter.get_output_details()),
    ):
        assert [(end["index"], end["shape"], end["type"]) for end in found] == [
            (detail["index"], list(detail["shape"]), np.dtype(detail["dtype"]).name) for detail in expected
        ]
        scales = [(end["scale"], end["zeroPoint"]) for end in found]
        assert scales == [pytest.approx(detail["quantization"]) for detail in expected]


def test_every_line_that_the_page_looks_up_is_one_of_python_s() -> None:
    sources = [path.read_text("utf-8") for path in CORE.rglob("*.ts")]
    starts = {start for source in sources for start in re.findall(r'\bline\(\s*"([^"]+)"', source)}
    assert len(starts) > 30
    for start in starts:
        assert sum(message.startswith(start) for message in shared()["messages"]) == 1, start


def test_no_sentence_of_python_is_typed_again() -> None:
    sentences = [message for message in shared()["messages"] if len(message) > 40]
    sources = {path: path.read_text("utf-8") for path in CORE.rglob("*.ts")}
    assert [
        (path.name, message) for message in sentences for path, source in sources.items() if message in source
    ] == []


def test_a_worker_that_was_ended_answers_no_later_film_with_silence(core: Core) -> None:
    first, second = core.ask("ended")
    assert first == second
    assert "The screening was ended by the browser" in first
