import numpy as np
import pytest

from osteo_edge.answers import Answers, questions_about

LABELS = ("normal", "osteopenia", "osteoporosis")


def answers(strata: bool = False) -> Answers:
    truth = np.array([0, 1, 2])
    probabilities = np.array([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4], [0.1, 0.4, 0.5]])
    folds = np.array([0, 1, 1]) if strata else None
    return Answers(
        truth, probabilities, LABELS, LABELS[1:], np.array([0.1, 0.2, 0.3]), np.array(["a", "b", "c"]), folds
    )


def test_one_positive_label_is_one_question_and_several_are_two() -> None:
    assert [question.labels for question in questions_about(LABELS[1:])] == [LABELS[1:], LABELS[2:]]
    assert [question.name for question in questions_about(LABELS[2:])] == ["osteoporosis"]


def test_a_question_sums_the_probabilities_of_its_labels() -> None:
    positive, score = answers().asked(LABELS[1:])
    np.testing.assert_array_equal(positive, [False, True, True])
    np.testing.assert_allclose(score, [0.3, 0.7, 0.9])


def test_the_most_probable_label_is_answered() -> None:
    assert answers().predicted.tolist() == [0, 2, 2]


def test_taking_cases_takes_all_that_belongs_to_them() -> None:
    taken = answers(strata=True).take(np.array([2, 2, 0]))
    assert taken.truth.tolist() == [2, 2, 0]
    assert taken.probabilities[:, 0].tolist() == [0.1, 0.1, 0.7]
    assert taken.threshold.tolist() == [0.3, 0.3, 0.1]
    assert taken.groups.tolist() == ["c", "c", "a"]
    assert taken.strata is not None
    assert taken.strata.tolist() == [1, 1, 0]
    assert answers().take(np.array([True, False, False])).strata is None


def test_of_several_bones_the_head_that_answers_counts_and_any_finding_is_asked_for() -> None:
    """The second film is taken for a wrist: what its elbow labels say is no answer."""
    labels = ("elbow normal", "elbow abnormal", "wrist normal", "wrist abnormal")
    probabilities = np.array([[0.6, 0.2, 0.0, 0.2], [0.0, 0.3, 0.7, 0.0]])
    positive, heads = (labels[1], labels[3]), ((0, 1), (2, 3))
    found = Answers(np.array([1, 2]), probabilities, labels, positive, np.full(2, 0.5), np.arange(2), heads=heads)
    assert [(question.name, question.labels) for question in found.questions] == [("any finding", positive)]
    truth, score = found.asked(positive)
    assert truth.tolist() == [True, False]
    assert score == pytest.approx([0.25, 0.0])
    assert found.bone.tolist() == [0, 1]
    assert found.take(np.array([1])).asked(positive)[1] == pytest.approx([0.0])
