from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from osteo_edge.answers import Answers
from osteo_edge.dataset import Case
from osteo_edge.rivals import Rival, compare_rivals

LABELS = ("normal", "osteopenia", "osteoporosis")
Known = Sequence[float | None]


def compare(truth: Sequence[int], score: Sequence[float], ages: Known, weights: Known) -> tuple[Rival, ...]:
    """The rivals of a model whose score is shared by both positive labels, each case a group of its own."""
    half = np.array(score) / 2
    probabilities = np.stack([1 - 2 * half, half, half], axis=1)
    n = len(truth)
    answers = Answers(np.array(truth), probabilities, LABELS, LABELS[1:], np.full(n, 0.5), np.arange(n))
    known = zip(truth, ages, weights, strict=True)
    cases = [Case(Path("x.png"), "x.png", LABELS[number], age=age, weight=weight) for number, age, weight in known]
    return compare_rivals(cases, answers)


@pytest.mark.parametrize(("model_knows", "verb"), [(True, "beats"), (False, "does not beat")])
def test_the_verdict_goes_to_whoever_tells_more(model_knows: bool, verb: str) -> None:
    truth = [0] * 30 + [1, 2] * 15
    telling, blind = np.repeat([0.1, 0.8], 30), np.tile([0.2, 0.4, 0.6], 20)
    ages = 40 + 40 * (blind if model_knows else telling)
    found = compare(truth, list(telling if model_knows else blind), list(ages), [65.0] * 60)
    first = [rival for rival in found if rival.question == "osteopenia or osteoporosis"]
    assert [rival.name for rival in first] == ["age alone", "the OST index"]
    for rival in first:
        assert rival.verdict == f"the model {verb} {rival.name}"
        assert rival.auroc.value == pytest.approx(0.5 if model_knows else 1)
        assert rival.model_auroc.value == pytest.approx(1 if model_knows else 0.5)
        assert rival.difference.value == pytest.approx(rival.model_auroc.value - rival.auroc.value)
        assert rival.auroc.n == rival.model_auroc.n == rival.difference.n == 60
        assert rival.to_dict()["verdict"] == rival.verdict


def test_a_rival_is_compared_where_its_numbers_are_known() -> None:
    ages = [50.0, None, 55.0, 70.0, None, 80.0]
    weights = [70.0, 70.0, None, 60.0, 60.0, None]
    found = compare([0, 0, 0, 1, 1, 2], [0.1, 0.3, 0.7, 0.5, 0.8, 0.9], ages, weights)
    assert {(rival.name, rival.question): rival.auroc.n for rival in found} == {
        ("age alone", "osteopenia or osteoporosis"): 4,
        ("age alone", "osteoporosis"): 4,
        ("the OST index", "osteopenia or osteoporosis"): 2,
    }


def test_without_age_and_weight_there_is_no_rival() -> None:
    assert compare([0, 1, 2], [0.1, 0.5, 0.9], [None] * 3, [None] * 3) == ()
