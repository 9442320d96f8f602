import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osteo_edge.dataset import Case
from osteo_edge.errors import DatasetError
from osteo_edge.evaluation import Evaluation, Predictions, answers_of, evaluate, measure, predict, to_dict
from osteo_edge.hashing import sha256_file
from osteo_edge.intervals import Estimate
from osteo_edge.manifest import Manifest
from osteo_edge.runtime import Interpreter, Prediction
from osteo_edge.second_look import VERSIONS

LABELS = ("normal", "osteopenia", "osteoporosis")


class Listed:
    """Gives the listed logits, one after the other."""

    name = "listed"

    def __init__(self, logits: Sequence[Sequence[float]]) -> None:
        self._logits = iter(logits)

    def run(self, tensor: object) -> Prediction:
        return Prediction(np.array(next(self._logits), np.float32), None)


def case(label: str, *, path: Path = Path("x.png"), age: float | None = None, sex: str | None = None) -> Case:
    return Case(path, path.name, label, age=age, sex=sex)


def predicted(rows: Sequence[tuple[str, tuple[float, float, float]]], **patients: Sequence[Any]) -> Predictions:
    """Cases by label and probabilities, each a group of its own, with what is known of their patients."""
    known = [dict(zip(patients, values, strict=True)) for values in zip(*patients.values(), strict=True)]
    known = known or [{} for _ in rows]
    cases = tuple(case(label, **about) for (label, _), about in zip(rows, known, strict=True))
    groups = np.array([str(number) for number in range(len(rows))])
    return Predictions(cases, groups, np.array([values for _, values in rows]), ())


SIX = [
    ("normal", (0.9, 0.1, 0.0)),
    ("normal", (0.7, 0.2, 0.1)),
    ("normal", (0.3, 0.6, 0.1)),
    ("osteopenia", (0.5, 0.4, 0.1)),
    ("osteopenia", (0.2, 0.5, 0.3)),
    ("osteoporosis", (0.1, 0.2, 0.7)),
]


@pytest.fixture(scope="module")
def six(manifest: Manifest) -> Evaluation:
    return evaluate(predicted(SIX), manifest, "test")


def test_every_measure_is_as_worked_out_by_hand(six: Evaluation) -> None:
    values = {name: estimate.value for name, estimate in six.estimates.items()}
    assert values == pytest.approx(
        {
            # scores .1 .3 .7 of the negative and .5 .8 .9 of the positive: 8 of 9 pairs are in order
            "AUROC osteopenia or osteoporosis": 8 / 9,
            "AUROC osteoporosis": 1.0,
            "sensitivity": 2 / 3,
            "specificity": 2 / 3,
            "specificity at 90 % sensitivity": 2 / 3,
            "calibration error": (0.1 + 0.3 + 0.7 + 0.5 + 0.2 + 0.1) / 6,
            "balanced accuracy": (2 / 3 + 1 / 2 + 1) / 3,
            "accuracy": 4 / 6,
            "accuracy of the majority class": 3 / 6,
            "AUPRC osteopenia or osteoporosis": (1 + 1 + 3 / 4) / 3,
            "AUPRC osteoporosis": 1.0,
            "Brier score": (0.01 + 0.09 + 0.49 + 0.25 + 0.04 + 0.01) / 6,
            "log loss": -np.log([0.9, 0.7, 0.3, 0.4, 0.5, 0.7]).mean(),
            "net benefit": (2 - 0.6 / 0.4) / 6,
            "Cohen's kappa": (4 / 6 - 14 / 36) / (1 - 14 / 36),
            "AUROC normal": 8 / 9,
            "AUROC osteopenia": 6 / 8,
            "AUROC, macro": (8 / 9 + 6 / 8 + 1) / 3,
            "precision normal": 2 / 3,
            "precision osteopenia": 1 / 2,
            "precision osteoporosis": 1.0,
            "recall normal": 2 / 3,
            "recall osteopenia": 1 / 2,
            "recall osteoporosis": 1.0,
            "F1 normal": 2 / 3,
            "F1 osteopenia": 1 / 2,
            "F1 osteoporosis": 1.0,
            "F1, macro": (2 / 3 + 1 / 2 + 1) / 3,
        }
    )


def test_every_measure_has_its_interval_and_its_n(six: Evaluation) -> None:
    for estimate in six.estimates.values():
        assert estimate.low <= estimate.value <= estimate.high
    assert {six.estimates[name].n for name in ("sensitivity", "specificity", "recall normal")} == {3}
    assert {six.estimates[name].n for name in ("AUROC osteoporosis", "accuracy", "Brier score")} == {6}


def test_cases_outcomes_and_confusion_are_counted(six: Evaluation) -> None:
    assert six.part == "test"
    assert six.counts == {"normal": 3, "osteopenia": 2, "osteoporosis": 1}
    assert six.outcomes == {"refer": 3, "uncertain": 1, "no_finding": 2}
    assert six.confusion == ((2, 1, 0), (1, 1, 0), (0, 0, 1))


def test_a_part_without_positive_cases_has_no_auroc_and_no_sensitivity(manifest: Manifest) -> None:
    found = evaluate(predicted(SIX[:3]), manifest, "test")
    for name in ("AUROC osteopenia or osteoporosis", "AUROC osteoporosis", "sensitivity"):
        assert np.isnan(found.estimates[name].value)
    assert found.estimates["specificity"].value == pytest.approx(2 / 3)
    assert found.rivals == ()


def test_the_questions_are_about_the_labels_of_the_decision(manifest: Manifest) -> None:
    assert [question.labels for question in answers_of(predicted(SIX), manifest).questions] == [LABELS[1:], LABELS[2:]]
    one = replace(manifest, decision=replace(manifest.decision, positive_labels=LABELS[2:]))
    assert [question.name for question in answers_of(predicted(SIX), one).questions] == ["osteoporosis"]


def test_probabilities_from_anywhere_are_measured_alike(six: Evaluation, manifest: Manifest) -> None:
    truth = np.array([LABELS.index(label) for label, _ in SIX])
    probabilities = np.array([values for _, values in SIX])
    groups = np.array([str(number) for number in range(6)])
    decision = manifest.decision
    found = measure(truth, probabilities, LABELS, decision.positive_labels, decision.threshold, groups)
    assert found == six.estimates
    of_each = measure(truth, probabilities, LABELS, decision.positive_labels, np.array([1, 1, 1, 0, 0, 1]), groups)
    assert of_each["specificity"].value == 1
    assert of_each["sensitivity"].value == pytest.approx(2 / 3)


def test_with_a_prevalence_the_predictive_values_are_there_too(six: Evaluation, manifest: Manifest) -> None:
    found = evaluate(predicted(SIX), manifest, "test", prevalence=0.25)
    assert found.estimates["PPV at a prevalence of 0.25"].value == pytest.approx((2 / 12) / (2 / 12 + 3 / 12))
    assert set(found.headline) - set(six.headline) == {f"{name} at a prevalence of 0.25" for name in ("PPV", "NPV")}


def test_subgroups_and_rivals_are_of_the_patients_that_are_known(manifest: Manifest) -> None:
    found = evaluate(predicted(SIX, sex=["female", "male"] * 3, age=[50, 60, 70, 50, 60, 70]), manifest, "test")
    assert [f"{group.factor} {group.value}, {group.n}" for group in found.subgroups] == [
        "sex female, 3",
        "sex male, 3",
        "age 40-54, 2",
        "age 55-69, 2",
        "age 70+, 2",
        "format png, 6",
    ]
    assert {rival.name for rival in found.rivals} == {"age alone"}


def test_figures_too_good_to_be_true_raise_an_alarm_except_on_drawn_films(six: Evaluation, manifest: Manifest) -> None:
    real = replace(manifest, data=replace(manifest.data, label_source="DXA"))
    (alarm,) = evaluate(predicted(SIX), real, "test").alarms
    assert alarm.startswith("AUROC osteoporosis 1.000: implausibly high")
    assert six.alarms == ()
    baseline = {"image size": Estimate(0.8, 0.7, 0.9, 6)}
    assert len(evaluate(predicted(SIX), real, "test", baselines=baseline).alarms) == 2


def test_every_case_is_run_in_order_with_its_group(draw_film: Callable[..., Path], manifest: Manifest) -> None:
    cases = [case(label, path=draw_film(f"{label}.png")) for label in LABELS]
    progress: list[tuple[int, int]] = []
    interpreter = Listed([np.log(row).tolist() for row in ([0.2, 0.3, 0.5], [0.6, 0.3, 0.1], [0.1, 0.1, 0.8])])
    found = predict(
        cases, ["a", "b", "a"], manifest, interpreter, on_progress=lambda done, total: progress.append((done, total))
    )
    np.testing.assert_allclose(found.probabilities, [[0.2, 0.3, 0.5], [0.6, 0.3, 0.1], [0.1, 0.1, 0.8]], rtol=1e-6)
    assert found.cases == tuple(cases)
    assert list(found.groups) == ["a", "b", "a"]
    assert list(found.truth(LABELS)) == [0, 1, 2]
    assert progress == [(1, 3), (2, 3), (3, 3)]


def test_what_is_measured_is_calibrated_and_its_file_known(film: Path, manifest: Manifest) -> None:
    warm = replace(manifest, calibration=replace(manifest.calibration, temperature=2.0))
    found = predict([case("normal", path=film)], ["a"], warm, Listed([np.log([0.04, 0.09, 0.25]).tolist()]))
    np.testing.assert_allclose(found.probabilities, [[0.2, 0.3, 0.5]], rtol=1e-6)
    assert found.sha256s == (sha256_file(film),)


def test_images_that_cannot_be_read_are_skipped_and_listed(
    film: Path, tmp_path: Path, manifest: Manifest, answering: Callable[..., Interpreter]
) -> None:
    cases = [case("normal", path=tmp_path / "gone.png"), case("osteoporosis", path=film)]
    found = predict(cases, ["a", "b"], manifest, answering([0, 1, 2]))
    assert found.cases == (cases[1],)
    assert len(found.sha256s) == 1
    assert list(found.groups) == ["b"]
    (line,) = found.skipped
    assert line.startswith(f"{tmp_path / 'gone.png'}: cannot be read")
    assert evaluate(found, manifest, "test").skipped == found.skipped


def test_no_readable_image_at_all_is_an_error(
    tmp_path: Path, manifest: Manifest, answering: Callable[..., Interpreter]
) -> None:
    with pytest.raises(DatasetError, match=r"none of 1 images can be measured: .*gone\.png"):
        predict([case("normal", path=tmp_path / "gone.png")], ["a"], manifest, answering([0, 1, 2]))
    with pytest.raises(DatasetError, match=r"none of 0 images can be measured$"):
        predict([], [], manifest, answering([0, 1, 2]))


def test_an_evaluation_is_plain_for_machines(manifest: Manifest) -> None:
    found = evaluate(predicted(SIX, age=[50, 60, 70, 50, 60, 70]), manifest, "test")
    plain = json.loads(json.dumps(to_dict(found)))
    assert plain["rivals"][0]["verdict"] == "the model does not beat age alone"
    assert plain["estimates"]["sensitivity"]["n"] == 3
    assert plain["subgroups"][-1]["value"] == "png"
    assert plain["alarms"] == []
    assert plain["headline"][0] == "AUROC osteopenia or osteoporosis"


def test_with_a_second_look_every_version_of_each_film_is_answered_too(
    draw_film: Callable[..., Path], manifest: Manifest, tmp_path: Path, answering: Callable[..., Interpreter]
) -> None:
    cases = [case("normal", path=draw_film("a.png")), case("normal", path=tmp_path / "gone.png")]
    logits = answering([0.0, 1.0, 1.0])
    plain = predict(cases, ["a", "b"], manifest, logits)
    looked = predict(cases, ["a", "b"], manifest, logits, second_look=True)
    assert plain.looks is None
    assert looked.looks is not None
    assert looked.looks.probabilities.shape == (1, len(VERSIONS), 3)
    assert (looked.looks.probabilities == plain.probabilities).all()
    assert (looked.looks.first_ms > 0).all()
    assert (looked.looks.again_ms > 0).all()
