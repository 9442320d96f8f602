"""The command: what it says of a conversion that keeps the answers, and of one that does not."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from osteo_edge.activation_ranges import RANGES_FILE, ActivationRanges
from osteo_edge.bundle import Bundle, read_bundle, write_bundle
from osteo_edge.cli import run
from osteo_edge.convert import conversion
from osteo_edge.convert.keras import load_tensorflow
from osteo_edge.convert.parity import MAX_MEAN_DIFFERENCE, keras_logits, measure_parity
from osteo_edge.convert.tflite import load_keras
from osteo_edge.manifest import Manifest, Outputs, Precision, Verdict
from osteo_edge.placement import load_graph
from osteo_edge.runtime import Interpreter
from osteo_edge.samples import CALIBRATION, PARITY, SAMPLES_FILE, pack_samples, read_samples
from osteo_edge.screening import calibrated, score_of
from osteo_edge.train.keras_bundle import model_bytes, model_file
from osteo_edge.wording import FAILED_CHECK

pytestmark = pytest.mark.tf
FAILED = "FAILED parity: decisions agree on "


def _network(shared_bias: float) -> Any:
    """The mean brightness b of each patch as the maps 4 (1 - b), 1 and 6 b, all of them raised by `shared_bias`.

    Probabilities do not see what all logits share, but int8 has 256 steps for logits as large as that.
    """
    _, keras = load_tensorflow()
    image = keras.Input((32, 32, 3))
    brightness = keras.layers.AveragePooling2D(8)(image)  # of values in [-1, 1]
    head = keras.layers.Conv2D(3, 1, name="activation_map")
    activation_map = head(brightness)
    kernel = np.tile(np.array([-2.0, 0.0, 3.0]) / 3, (1, 1, 3, 1))
    head.set_weights([kernel, np.array([2.0, 1.0, 3.0]) + shared_bias])
    return keras.Model(image, [keras.layers.GlobalAveragePooling2D()(activation_map), activation_map])


@pytest.fixture
def make_keras(tmp_path: Path, manifest: Manifest) -> Callable[[float], Bundle]:
    """Write a Keras bundle of such a network, with films from dark to bright to compare on."""

    def make(shared_bias: float) -> Bundle:
        model = _network(shared_bias)
        data = model_bytes(model)
        described = replace(manifest, model=model_file(model, data), outputs=Outputs(0, 1), parity=None)
        planes = np.linspace(0, 1, 40, dtype=np.float32)[:, np.newaxis, np.newaxis] * np.ones((32, 32), np.float32)
        samples = pack_samples({CALIBRATION: planes, PARITY: planes})
        return write_bundle(tmp_path / "keras", described, {described.model.file: data, SAMPLES_FILE: samples})

    return make


def convert(source: Bundle, out: Path, *options: str) -> int:
    return run(["convert", str(source.path), "--precision", "int8", "--plain", "--out", str(out), *options])


def test_a_bundle_that_misses_its_bound_is_written_marked_and_refused_by_screen(
    make_keras: Callable[[float], Bundle],
    film: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source, out = make_keras(1000.0), tmp_path / "int8"
    assert convert(source, out) == 1
    printed = capsys.readouterr()
    (line,) = printed.err.splitlines()
    assert line.startswith(FAILED)
    assert "of 40 images, 98.0% are asked for" in line
    assert "osteo-edge qat" in line
    assert f"Written: {out}" in printed.out
    assert "Next:" not in printed.out
    parity = read_bundle(out).manifest.parity
    assert parity is not None
    assert parity.passed is False
    assert parity.decision_agreement < 0.9
    assert json.loads((out / "manifest.json").read_text("utf-8"))["parity"]["verdict"]["passed"] is False
    assert run(["screen", str(out), str(film)]) == 1
    assert FAILED_CHECK in capsys.readouterr().err


def test_a_bundle_that_reaches_its_bound_is_to_be_screened_with(
    make_keras: Callable[[float], Bundle], film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert convert(make_keras(0.0), tmp_path / "int8") == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "Passed: asked for are decisions that agree on 98.0%" in printed.out
    assert "Next: osteo-edge screen" in printed.out
    assert run(["screen", str(tmp_path / "int8"), str(film)]) == 0


@pytest.mark.parametrize(("shared_bias", "passed"), [(0.0, True), (1000.0, False)])
def test_machines_are_told_whether_it_passed(
    shared_bias: float,
    passed: bool,
    make_keras: Callable[[float], Bundle],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert convert(make_keras(shared_bias), tmp_path / "int8", "--json") == (0 if passed else 1)
    printed = capsys.readouterr()
    assert json.loads(printed.out)["passed"] is passed
    assert printed.err.startswith(FAILED) is not passed


@pytest.mark.parametrize(("added", "agreement"), [(1e-5, 1.0), (1e-2, 0.0)])
def test_rounding_across_the_threshold_is_no_other_decision(
    added: float,
    agreement: float,
    make_keras: Callable[[float], Bundle],
    answering: Callable[..., Interpreter],
) -> None:
    source = make_keras(0.0)
    planes, model, manifest = read_samples(source, PARITY)[20:21], load_keras(source), source.manifest
    logits = keras_logits(model, planes, manifest.input)[0] + np.array([0, 0, added])
    score = float(score_of(calibrated(logits, manifest.calibration), manifest))
    at_score = replace(manifest.decision, threshold=score - added / 100, abstain_low=0.0, abstain_high=1.0)
    reference = replace(source, manifest=replace(manifest, decision=at_score))
    assert measure_parity(reference, model, answering(logits), planes).decision_agreement == agreement


def test_the_share_that_must_agree_can_be_set(make_keras: Callable[[float], Bundle], tmp_path: Path) -> None:
    source = make_keras(1000.0)
    assert convert(source, tmp_path / "failed", "--min-agreement", "0.5") == 1  # probabilities differ too much
    assert convert(source, tmp_path / "wrong", "--min-agreement", "98") == 2
    verdict = read_bundle(tmp_path / "failed").manifest.parity.verdict  # type: ignore[union-attr]
    assert verdict is not None
    assert verdict.min_agreement == 0.5


def test_a_model_that_gives_no_number_agrees_on_nothing(
    make_keras: Callable[[float], Bundle], answering: Callable[..., Interpreter]
) -> None:
    source = make_keras(0.0)
    planes = read_samples(source, PARITY)
    parity = measure_parity(source, load_keras(source), answering([np.nan] * 3), planes, min_agreement=0.0)
    assert (parity.decision_agreement, parity.mean_difference, parity.largest_difference) == (0.0, 1.0, 1.0)
    assert parity.verdict == Verdict(0.0, MAX_MEAN_DIFFERENCE, False)


def test_every_precision_converts_and_screens(
    make_keras: Callable[[float], Bundle], film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = make_keras(0.0)
    for precision in get_args(Precision):
        out = tmp_path / precision
        assert run(["convert", str(source.path), "--precision", precision, "--out", str(out)]) == 0
        assert capsys.readouterr().err == ""
        manifest = read_bundle(out).manifest
        assert manifest.model.precision == precision
        recorded = manifest.parent.recipe["convert"]
        assert recorded["precision"] == precision
        assert recorded["calibration"]["images"] == (0 if precision in ("float32", "float16") else 40)
        assert run(["screen", str(out), str(film)]) == 0
        capsys.readouterr()


def test_settings_come_from_a_file_and_options_win(make_keras: Callable[[float], Bundle], tmp_path: Path) -> None:
    config, out = tmp_path / "recipe.toml", tmp_path / "out"
    config.write_text(
        'precision = "mixed"\nmixed = ["activation_map"]\nranges = "mse"\ninput_type = "uint8"\n', "utf-8"
    )
    source = make_keras(0.0)
    options = ["--config", str(config), "--ranges", "percentile", "--percentile", "99.9", "--out", str(out)]
    assert run(["convert", str(source.path), *options]) == 0
    recorded = read_bundle(out).manifest.parent.recipe["convert"]
    assert recorded["found"] == {"ranges": "percentile", "in_float": ["activation_map"]}
    assert (recorded["percentile"], recorded["input_type"], recorded["output_type"]) == (99.9, "uint8", "int8")


@pytest.mark.parametrize(
    ("options", "code", "problem"),
    [
        (["--precision", "mixed", "--mixed", "activation_mop"], 1, "the nearest is 'activation_map'"),
        (
            ["--precision", "int16x8", "--input-type", "uint8"],
            1,
            "input_type of int16x8 can be int16 or int8 or ",
        ),
        (["--precision", "int8", "--percentile", "120"], 1, "percentile must lie between 50 and 100, not 120"),
        (["--precision", "mixed", "--mixed-share", "1.5"], 1, "mixed_share must lie between 0 and 1, not 1.5"),
        (["--precision", "int8", "--mixed", "auto", "--mixed-share", "0"], 1, "mixed_share must lie between 0 and 1"),
        (["--precision", "mixed", "--plain"], 1, "engine tflite-converter makes no mixed models"),
        (["--precision", "int8", "--calibration", "films"], 2, "need both --calibration DATA and --split SPLIT"),
        (["--precision", "int8", "--calibration", "films", "--split", "none.csv"], 1, "none.csv"),
        (
            ["--precision", "float16", "--calibration", "films", "--split", "none.csv"],
            1,
            "float16, made like this, nee",
        ),
        (
            ["--precision", "dynamic", "--ranges", "mse"],
            1,
            "ranges does nothing here: dynamic finds ranges on the devi",
        ),
        (["--precision", "int8", "--plain", "--rescale"], 2, "--plain goes without --rescale"),
        (["--precision", "int8", "--plain", "--engine", "ai-edge-quantizer"], 2, "--plain goes without --engine"),
        ([], 1, "no precision: give --precision"),
    ],
)
def test_wrong_usage_is_one_clear_line(
    options: list[str],
    code: int,
    problem: str,
    make_keras: Callable[[float], Bundle],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    assert run(["convert", str(make_keras(0.0).path), "--out", str(out), *options]) == code
    printed = capsys.readouterr()
    assert problem in printed.err.strip().splitlines()[-1]
    assert code == 2 or len(printed.err.strip().splitlines()) == 1
    assert not out.exists()


def test_a_bundle_with_few_calibration_images_cannot_become_int8(
    make_keras: Callable[[float], Bundle], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = make_keras(0.0)
    file = whole.manifest.model.file
    planes = read_samples(whole, PARITY)
    samples = pack_samples({CALIBRATION: planes[:5], PARITY: planes})
    files = {file: whole.model_path.read_bytes(), SAMPLES_FILE: samples}
    source = write_bundle(tmp_path / "few", whole.manifest, files)
    assert convert(source, tmp_path / "int8") == 1
    assert "5 training images that the bundle carries are too few to calibrate int8 on" in capsys.readouterr().err
    assert run(["convert", str(source.path), "--precision", "float16", "--out", str(tmp_path / "half")]) == 0


@pytest.fixture
def trained(make_keras: Callable[[float], Bundle], tmp_path: Path) -> Bundle:
    """A bundle as of a network that was trained for int8, with the range of one tensor."""
    whole, ranges = make_keras(0.0), ActivationRanges({"activation_map": (-20.0, 20.0)})
    file = whole.manifest.model.file
    files = {name: (whole.path / name).read_bytes() for name in (file, SAMPLES_FILE)}
    return write_bundle(tmp_path / "trained", whole.manifest, {**files, RANGES_FILE: ranges.pack()})


@pytest.mark.parametrize(
    ("option", "shares", "problem"),
    [
        ("--equalize", False, "equalize does nothing here: the network was trained for int8"),
        ("--compensate", True, "compensate does nothing here: the network's weights share values"),
    ],
)
def test_a_step_that_the_network_does_not_allow_is_refused_before_images_are_read(
    option: str,
    shares: bool,
    problem: str,
    trained: Bundle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(conversion, "shares_values", lambda model: shares)
    source = read_bundle(tmp_path / "keras") if shares else trained
    words = ["convert", str(source.path), "--precision", "int8", option, "--out", str(tmp_path / "out")]
    assert run([*words, "--calibration", "no films", "--split", "none.csv"]) == 1
    assert capsys.readouterr().err.startswith(f"osteo-edge: {problem}")
    assert not (tmp_path / "out").exists()


def test_ranges_that_a_network_was_trained_for_are_kept(trained: Bundle, tmp_path: Path) -> None:
    source, out = trained, tmp_path / "int8"
    assert run(["convert", str(source.path), "--precision", "int8", "--out", str(out)]) == 0
    recorded = read_bundle(out).manifest.parent.recipe["convert"]
    assert recorded["trained_ranges"] is True
    assert not any(recorded[step] for step in ("equalize", "rescale", "compensate", "correct_logits"))
    details = load_graph(read_bundle(out).model_path).get_output_details()
    (scale,) = (detail["quantization"][0] for detail in details if len(detail["shape"]) == 4)
    assert scale == pytest.approx(40 / 255, rel=1e-3)
