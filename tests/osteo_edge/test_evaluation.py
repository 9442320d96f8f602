import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from osteo_edge.dataset import Case
from osteo_edge.errors import DatasetError
from osteo_edge.evaluation import Evaluation, Predictions, evaluate, ost_index, predict, questions, to_dict
from osteo_edge.manifest import Manifest
from osteo_edge.runtime import Interpreter, Prediction

LABELS = ("normal", "osteopenia", "osteoporosis")


class Listed:
    """Gives the listed logits, one after the other."""

    name = "listed"

    def __init__(self, logits: Sequence[Sequence[float]]) -> None:
        self._logits = iter(logits)

    def run(self, tensor: object) -> Prediction:
        return Prediction(np.array(next(self._logits), np.float32), None)


def case(label: str, *, path: Path = Path("x.png"), age: float | None = None, weight: float | None = None) -> Case:
    return Case(path, path.name, label, age=age, weight=weight)


def predicted(
    rows: Sequence[tuple[str, tuple[float, float, float]]], **patients: Sequence[float | None]
) -> Predictions:
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


@pytest.fixture
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
            "accuracy": 4 / 6,
            "accuracy of the majority class": 3 / 6,
            "balanced accuracy": (2 / 3 + 1 / 2 + 1) / 3,
            "Brier score": (0.01 + 0.09 + 0.49 + 0.25 + 0.04 + 0.01) / 6,
            "calibration error": (0.1 + 0.3 + 0.7 + 0.5 + 0.2 + 0.1) / 6,
        }
    )


def test_every_measure_has_its_interval_and_its_n(six: Evaluation) -> None:
    for name, estimate in six.estimates.items():
        assert estimate.low <= estimate.value <= estimate.high
        assert estimate.n == (3 if name in ("sensitivity", "specificity") else 6)


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


def test_one_positive_label_is_one_question_and_several_are_two(manifest: Manifest) -> None:
    assert [question.labels for question in questions(manifest)] == [LABELS[1:], LABELS[2:]]
    one = replace(manifest, decision=replace(manifest.decision, positive_labels=LABELS[2:]))
    assert [question.name for question in questions(one)] == ["osteoporosis"]


def test_the_ost_index_is_low_in_those_at_risk() -> None:
    assert ost_index(weight_kg=60, age_years=70) == pytest.approx(-2)


def many(model_knows: bool) -> Predictions:
    """Sixty patients, of whom either the model or the age tells who has low bone density."""
    telling, blind = np.repeat([0.1, 0.8], 30), np.tile([0.2, 0.4, 0.6], 20)
    score = telling if model_knows else blind
    ages = 40 + 40 * (blind if model_knows else telling)
    rows = [
        ("normal" if number < 30 else LABELS[1 + number % 2], (1 - value, value / 2, value / 2))
        for number, value in enumerate(score)
    ]
    return predicted(rows, age=[float(age) for age in ages], weight=[65.0] * 60)


@pytest.mark.parametrize(("model_knows", "verb"), [(True, "beats"), (False, "does not beat")])
def test_the_verdict_goes_to_whoever_tells_more(model_knows: bool, verb: str, manifest: Manifest) -> None:
    found = evaluate(many(model_knows), manifest, "test")
    first = [rival for rival in found.rivals if rival.question == "osteopenia or osteoporosis"]
    assert [rival.name for rival in first] == ["age alone", "the OST index"]
    for rival in first:
        assert rival.verdict == f"the model {verb} {rival.name}"
        assert rival.auroc.value == pytest.approx(0.5 if model_knows else 1)
        assert rival.model_auroc.value == pytest.approx(1 if model_knows else 0.5)
        assert rival.difference.value == pytest.approx(rival.model_auroc.value - rival.auroc.value)
        assert rival.auroc.n == rival.model_auroc.n == rival.difference.n == 60


def test_a_rival_is_compared_where_its_numbers_are_known(manifest: Manifest) -> None:
    ages = [50.0, None, 55.0, 70.0, None, 80.0]
    weights = [70.0, 70.0, None, 60.0, 60.0, None]
    found = evaluate(predicted(SIX, age=ages, weight=weights), manifest, "test")
    sizes = {(rival.name, rival.question): rival.auroc.n for rival in found.rivals}
    assert sizes == {
        ("age alone", "osteopenia or osteoporosis"): 4,
        ("age alone", "osteoporosis"): 4,
        ("the OST index", "osteopenia or osteoporosis"): 2,
    }


def test_without_age_and_weight_there_is_no_rival(six: Evaluation) -> None:
    assert six.rivals == ()


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


def test_images_that_cannot_be_read_are_skipped_and_listed(
    film: Path, tmp_path: Path, manifest: Manifest, answering: Callable[..., Interpreter]
) -> None:
    cases = [case("normal", path=tmp_path / "gone.png"), case("osteoporosis", path=film)]
    found = predict(cases, ["a", "b"], manifest, answering([0, 1, 2]))
    assert found.cases == (cases[1],)
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
    plain = to_dict(evaluate(many(True), manifest, "test"))
    assert json.loads(json.dumps(plain))["rivals"][0]["verdict"] == "the model beats age alone"
    assert plain["estimates"]["sensitivity"]["n"] == 30
