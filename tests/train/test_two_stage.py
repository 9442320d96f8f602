"""Grades that k-means finds, the head that answers them, and a graded bundle from training to the screen."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from osteo_edge.bundle import Bundle, read_bundle, write_bundle
from osteo_edge.cli import run
from osteo_edge.dataset import Dataset
from osteo_edge.errors import DatasetError
from osteo_edge.preprocessing import normalize
from osteo_edge.samples import PARITY, read_samples
from osteo_edge.split import Split
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.two_stage import OUTPUTS, Graded, agreement, attach_severity, describe_severity, find_grades
from osteo_edge.wording import SEVERITIES, severity_words

Features = npt.NDArray[np.float32]
DRAWN = TrainConfig(backbone="alexnet", weights="none", side_px=64, trainable_layers=0)
"""A head on drawn features: without batch normalization they differ from film to film before anything is learnt."""


@pytest.fixture
def clouds() -> Callable[..., Features]:
    """Draw features around points at so many steps from the origin, in 40 dimensions of different scale."""

    def draw(*steps: float, each: int = 20) -> Features:
        rng = np.random.default_rng(0)
        scale = np.geomspace(0.01, 100, 40)
        rows = [step * np.ones(40) + rng.normal(0, 0.3, (each, 40)) for step in steps]
        return np.asarray(np.concatenate(rows) * scale + 3, np.float32)

    return draw


def test_grades_are_in_the_order_of_their_distance_from_the_reference(clouds: Callable[..., Features]) -> None:
    grading = find_grades(clouds(3.0, 1.0, 2.0), clouds(0.0), seed=0)
    np.testing.assert_array_equal(grading.grades(clouds(3.0, 1.0, 2.0)), np.repeat([2, 0, 1], 20))
    turned = find_grades(clouds(3.0, 1.0, 2.0), clouds(4.0), seed=0)
    np.testing.assert_array_equal(turned.grades(clouds(3.0, 1.0, 2.0)), np.repeat([0, 2, 1], 20))


def test_the_head_answers_the_nearest_centroid(clouds: Callable[..., Features]) -> None:
    grading = find_grades(clouds(3.0, 1.0, 2.0), clouds(0.0), seed=0)
    anywhere = clouds(0.0, 0.5, 1.4, 1.6, 2.4, 2.6, 5.0)
    logits = grading.head().logits(anywhere)
    np.testing.assert_array_equal(logits.argmax(axis=1), grading.grades(anywhere))
    assert np.abs(logits.mean(axis=1)).max() < 1e-9
    assert np.abs(logits).max() < 100


def test_a_feature_that_never_varies_says_nothing(clouds: Callable[..., Features]) -> None:
    def with_constant(features: Features, value: float) -> Features:
        return np.column_stack([features, np.full(len(features), value, np.float32)])

    plain = find_grades(clouds(1.0, 2.0, 3.0), clouds(0.0), seed=0)
    grading = find_grades(with_constant(clouds(1.0, 2.0, 3.0), 7.0), with_constant(clouds(0.0), 0.0), seed=0)
    elsewhere = with_constant(clouds(1.0, 2.0, 3.0), -1e6)
    np.testing.assert_array_equal(grading.grades(elsewhere), plain.grades(elsewhere[:, :-1]))
    assert np.isfinite(grading.head().kernel).all()


@pytest.mark.parametrize(("positive", "reference"), [(2, 5), (0, 5), (5, 0)])
def test_too_few_images_to_grade_by_are_one_clear_line(
    positive: int, reference: int, clouds: Callable[..., Features]
) -> None:
    with pytest.raises(DatasetError, match=f"two-stage: {positive} positive images and {reference} of the reference"):
        find_grades(clouds(1.0, each=positive), clouds(0.0, each=reference), seed=0)


def test_copies_of_two_images_are_no_three_grades(clouds: Callable[..., Features]) -> None:
    copies = np.repeat(clouds(1.0, each=2), 5, axis=0)
    for features in (copies, np.ones_like(copies)):
        with pytest.raises(DatasetError, match="at least 3 that differ to the network"):
            find_grades(features, clouds(0.0), seed=0)


@pytest.fixture(scope="module")
def graded_bundle(
    phantoms: Dataset, phantom_split: Split, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Bundle, Graded]:
    """A small graded network, its head fitted on phantoms; its gate lets their small films through."""
    from osteo_edge.train.training import Job, finish, fit_job

    folder = tmp_path_factory.mktemp("graded")
    job = Job(phantoms, phantom_split, DRAWN, "graded", "phantom")
    fitted = fit_job(job, folder / "graded", on_progress=_silent)
    graded = attach_severity(fitted.network, fitted.parts["train"], fitted.spec, seed=0)
    held_out = {"test": fitted.parts["test"]}
    found = describe_severity(graded, held_out, fitted.spec, seed=0)
    share = agreement(graded, held_out["test"], fitted.spec, seed=0)
    assert found["agreement_with_groups_found_again"] == {"test": share}
    assert share is not None
    assert 0 <= share <= 1
    assert sum(found["training_images"].values()) == int((fitted.parts["train"].classes > 0).sum())
    manifest, files, _ = finish(job, replace(fitted, network=graded.network))
    gate = replace(manifest.gate, min_side_px=32, min_contrast=0.0)
    return write_bundle(folder / "graded", replace(manifest, outputs=OUTPUTS, gate=gate), files), graded


def _silent(done: int, total: int, note: str = "", stage: str | None = None) -> None:
    pass


@pytest.mark.tf
@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_a_graded_bundle_is_converted_and_screens_with_its_grades(
    precision: str,
    graded_bundle: tuple[Bundle, Graded],
    phantoms: Dataset,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from osteo_edge.convert.conversion import convert_bundle
    from osteo_edge.runtime import open_interpreter

    bundle, graded = graded_bundle
    converted = convert_bundle(bundle, precision, tmp_path / precision, on_progress=_silent)  # type: ignore[arg-type]
    places = read_bundle(converted.path).manifest.outputs
    assert sorted([places.logits, places.activation_map or 0, places.severity or 0]) == [0, 1, 2]
    assert converted.manifest.parity is not None
    assert converted.manifest.parity.mean_difference < (1e-5 if precision == "float32" else 0.05)
    interpreter, planes = open_interpreter(converted), read_samples(bundle, PARITY)
    spec = bundle.manifest.input
    answers = [interpreter.run(normalize(planes[[number]], spec)).severity for number in range(len(planes))]
    found = np.stack([answer for answer in answers if answer is not None])
    expected = graded.network.model(normalize(planes, spec), training=False)[OUTPUTS.severity or 0].numpy()
    if precision == "float32":
        np.testing.assert_allclose(found, expected, atol=1e-4)
    agreeing = found.argmax(axis=1) == expected.argmax(axis=1)
    assert agreeing.mean() >= (1.0 if precision == "float32" else 0.7)
    _check_screens(converted, phantoms, tmp_path, capsys)


def _check_screens(converted: Bundle, phantoms: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    films = [str(case.path) for case in phantoms.cases]
    assert run(["screen", str(converted.path), *films, "--json", "--overlay", str(tmp_path / "pictures")]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    referred = [answer for answer in answers if answer["outcome"] == "refer"]
    assert referred
    assert {answer["severity"] for answer in referred} <= set(SEVERITIES)
    assert all(answer["severity"] is None for answer in answers if answer["outcome"] != "refer")
    assert run(["screen", str(converted.path), referred[0]["image"]]) == 0
    assert severity_words(referred[0]["severity"]) in capsys.readouterr().out
