from dataclasses import replace

import numpy as np
import pytest

from osteo_edge import metrics
from osteo_edge.agreement import measure_agreement
from osteo_edge.answers import Answers
from osteo_edge.intervals import wilson

LABELS = ("normal", "osteopenia", "osteoporosis")


@pytest.fixture
def answers() -> Answers:
    """Forty cases of two patients' films each, answered somewhat better than by chance."""
    rng = np.random.default_rng(0)
    truth = np.arange(40) % 3
    probabilities = rng.dirichlet(np.ones(3), 40) + 0.4 * np.eye(3)[truth]
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    groups = np.array([f"patient {number // 2}" for number in range(40)])
    return Answers(truth, probabilities, LABELS, LABELS[1:], np.full(40, 0.5), groups)


def shifted(answers: Answers, seed: int = 1) -> Answers:
    moved = answers.probabilities + np.random.default_rng(seed).uniform(0, 0.3, answers.probabilities.shape)
    return replace(answers, probabilities=moved / moved.sum(axis=1, keepdims=True))


def test_a_model_agrees_with_itself_in_everything(answers: Answers) -> None:
    found = measure_agreement(answers, answers)
    assert found.largest_difference == found.mean_difference == 0
    assert found.decisions.value == 1
    assert [(paired.difference.low, paired.difference.high) for paired in found.aurocs.values()] == [(0, 0), (0, 0)]
    assert found.calibration_error.difference.value == 0


def test_full_agreement_is_as_uncertain_as_there_are_groups(answers: Answers) -> None:
    found = measure_agreement(answers, answers).decisions
    assert found.n == 40
    assert found.low == pytest.approx(wilson(np.ones(20, bool)).low)


def test_differences_are_those_of_the_probabilities(answers: Answers) -> None:
    other = shifted(answers)
    found = measure_agreement(answers, other)
    differences = np.abs(answers.probabilities - other.probabilities)
    assert found.largest_difference == differences.max()
    assert found.mean_difference == pytest.approx(differences.mean())


def test_decisions_are_those_at_each_models_own_threshold(answers: Answers) -> None:
    _, score = answers.asked(LABELS[1:])
    stricter = replace(answers, threshold=np.full(40, 0.7))
    found = measure_agreement(answers, stricter).decisions
    assert found.value == pytest.approx(1 - np.mean((score >= 0.5) & (score < 0.7)))
    assert found.low < found.value < found.high


def test_copies_of_a_case_in_its_group_make_nothing_more_certain(answers: Answers) -> None:
    alone = replace(answers, groups=np.arange(40), threshold=np.full(40, 0.7))
    twice = alone.take(np.repeat(np.arange(40), 2))
    once, doubled = (measure_agreement(replace(some, threshold=some.threshold - 0.2), some) for some in (alone, twice))
    assert (doubled.decisions.low, doubled.decisions.high) == (once.decisions.low, once.decisions.high)
    assert doubled.aurocs["osteoporosis"].difference.low == once.aurocs["osteoporosis"].difference.low


def test_every_question_is_paired_and_the_difference_is_after_less_before(answers: Answers) -> None:
    other = shifted(answers)
    found = measure_agreement(answers, other)
    assert list(found.aurocs) == ["osteopenia or osteoporosis", "osteoporosis"]
    for labels, paired in zip((LABELS[1:], LABELS[2:]), found.aurocs.values(), strict=True):
        assert paired.before.value == metrics.auroc(*answers.asked(labels))
        assert paired.after.value == metrics.auroc(*other.asked(labels))
        assert paired.difference.value == pytest.approx(paired.after.value - paired.before.value)
        wide = paired.before.high - paired.before.low + paired.after.high - paired.after.low
        assert paired.difference.high - paired.difference.low < wide


def test_the_calibration_error_is_that_of_the_score(answers: Answers) -> None:
    other = shifted(answers)
    found = measure_agreement(answers, other).calibration_error
    assert found.before.value == metrics.calibration_error(*answers.asked(LABELS[1:]))
    assert found.after.value == metrics.calibration_error(*other.asked(LABELS[1:]))


def test_a_question_that_the_cases_do_not_decide_is_not_defined(answers: Answers) -> None:
    some = answers.take(answers.truth < 2)
    found = measure_agreement(some, some)
    assert np.isnan(found.aurocs["osteoporosis"].after.value)
    assert found.aurocs["osteopenia or osteoporosis"].after.value > 0.5
