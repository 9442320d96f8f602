import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from osteo_edge.consistency import disagreeing, measure_consistency, spread_of
from osteo_edge.dataset import Case
from osteo_edge.evaluation import Predictions, SecondLooks
from osteo_edge.manifest import Manifest
from tests.routed import routed

FEW = 200


def of_scores(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.stack([1 - scores, np.zeros_like(scores), scores], axis=-1)


def looked(films: list[tuple[str, float, tuple[float, float]]]) -> Predictions:
    """Films by label, score, and the scores of two versions; the second look took four times as long as the first."""
    cases = tuple(Case(Path("x.png"), f"{number}.png", label) for number, (label, _, _) in enumerate(films))
    own, again = np.array([score for _, score, _ in films]), np.array([scores for _, _, scores in films])
    times = np.arange(1.0, len(films) + 1)
    looks = SecondLooks(of_scores(again), times, 4 * times)
    return Predictions(cases, np.array([case.name for case in cases]), of_scores(own), (), looks=looks)


# the golden threshold is 0.6, its band from 0.4 to 0.6
FILMS = [
    ("normal", 0.1, (0.1, 0.15)),
    ("normal", 0.3, (0.3, 0.5)),
    ("normal", 0.7, (0.2, 0.7)),
    ("osteoporosis", 0.9, (0.9, 0.8)),
    ("osteoporosis", 0.8, (0.8, 0.8)),
    ("osteoporosis", 0.35, (0.95, 0.35)),
]


def test_what_a_second_look_tells_is_as_worked_out_by_hand(manifest: Manifest) -> None:
    predictions = looked(FILMS)
    assert predictions.looks is not None
    spread = spread_of(predictions.probabilities, predictions.looks, manifest)
    assert spread.tolist() == pytest.approx([0.05, 0.2, 0.5, 0.1, 0.0, 0.6])
    differing = disagreeing(predictions.probabilities, predictions.looks, manifest)
    assert differing.tolist() == [False, True, True, False, False, True]
    found = measure_consistency(predictions, manifest, replicates=FEW)
    assert found is not None
    assert found.errors == 2
    assert (found.disagreeing.value, found.disagreeing.n) == (0.5, 6)
    assert (found.risk_disagreeing.value, found.risk_disagreeing.n) == pytest.approx((2 / 3, 3))
    assert (found.risk_agreeing.value, found.risk_agreeing.n) == (0.0, 3)
    assert found.auroc.value == 1.0
    assert found.auroc_of_doubt.value == pytest.approx(7 / 8), "0.7 is nearest to 0.6, but 0.8 nearer than 0.35"
    assert found.difference.value == pytest.approx(1 / 8)
    assert (found.first_ms, found.again_ms) == (3.5, 14.0)
    json.dumps(found.to_dict())


def test_without_a_second_look_nothing_is_said(manifest: Manifest) -> None:
    assert measure_consistency(replace(looked(FILMS), looks=None), manifest) is None


def test_the_verdict_follows_the_intervals(manifest: Manifest) -> None:
    rng = np.random.default_rng(0)
    telling, useless = [], []
    for number in range(120):
        label, wrong = ("normal", "osteoporosis")[number % 2], number % 6 in (0, 1)
        score = 0.9 if (label == "osteoporosis") != wrong else 0.1
        away = 0.5 * float(rng.random())
        telling.append((label, score, (score, abs(score - away - 0.3 * wrong))))
        useless.append((label, score, (score, abs(score - away))))
    found = [measure_consistency(looked(films), manifest, replicates=FEW) for films in (telling, useless)]
    verdicts = [one.verdict for one in found if one is not None]
    assert verdicts[0].startswith("disagreement tells wrong decisions, ")
    assert verdicts[1] == "it is not shown that disagreement tells wrong decisions here"


def test_a_look_without_a_number_is_the_widest_spread(manifest: Manifest) -> None:
    predictions = looked([("normal", 0.1, (0.1, float("nan")))])
    assert predictions.looks is not None
    assert spread_of(predictions.probabilities, predictions.looks, manifest).tolist() == [1.0]
    assert disagreeing(predictions.probabilities, predictions.looks, manifest).tolist() == [True]


def test_the_head_of_another_bone_disagrees(manifest: Manifest) -> None:
    limbs = routed(manifest, elbow="abnormality", hand="abnormality")
    elbow, hand = [0.05, 0.9, 0.0, 0.05], [0.0, 0.05, 0.05, 0.9]
    looks = SecondLooks(np.array([[elbow, elbow], [elbow, hand]]), np.ones(2), np.ones(2))
    assert disagreeing(np.array([elbow, elbow]), looks, limbs).tolist() == [False, True]
