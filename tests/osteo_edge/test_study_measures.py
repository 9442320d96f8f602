import json
from dataclasses import replace

import numpy as np
import pytest

from osteo_edge.console import without_nan
from osteo_edge.study_measures import (
    COLUMNS,
    NAMES,
    StudyAnswers,
    StudyTable,
    compare_mean_auroc,
    mean_auroc,
    measure_studies,
)

BONES = ("elbow", "hand", "wrist")


def _answers(n: int = 240, *, seed: int = 0, separation: float = 0.25) -> StudyAnswers:
    rng = np.random.default_rng(seed)
    positive = rng.random(n) < 0.4
    score = np.clip(rng.normal(0.4 + separation * positive, 0.2), 0, 1)
    bones = np.array(BONES)[rng.integers(0, 3, n)]
    return StudyAnswers(bones, positive, score, np.full(n, 0.5), rng.integers(0, n // 2, n))


def _of(bones: str, positive: str, score: list[float]) -> StudyAnswers:
    """Studies of bones h and w, told positive by a +; each is a patient of its own, the threshold is 0.5."""
    truth, n = np.array([sign == "+" for sign in positive]), len(bones)
    return StudyAnswers(np.array(list(bones)), truth, np.array(score), np.full(n, 0.5), np.arange(n))


@pytest.fixture(scope="module")
def table() -> StudyTable:
    return measure_studies(_answers(), replicates=200)


def test_counts_and_measures_of_a_case_worked_by_hand() -> None:
    """Hand: 3 abnormal, 2 called so; 5 normal, 1 called abnormal. Chance agreement (3 x 3 + 5 x 5) / 64 = 17 / 32."""
    answers = _of("hhhhhhhh", "+++-----", [0.9, 0.5, 0.2, 0.7, 0.1, 0.1, 0.3, 0.2])
    (hand,) = measure_studies(answers, replicates=50).bones
    assert hand.counts == (2, 1, 1, 4)
    values = {name: hand.estimates[name].value for name in NAMES}
    assert values == pytest.approx({
        "accuracy": 6 / 8, "precision": 2 / 3, "sensitivity": 2 / 3, "specificity": 4 / 5, "F1": 2 / 3,
        "AUROC": (5 + 4 + 2.5) / 15, "Cohen's kappa": (6 / 8 - 17 / 32) / (1 - 17 / 32),
    })  # fmt: skip
    numbers = {name: hand.estimates[name].n for name in NAMES}
    assert numbers == {
        "accuracy": 8, "precision": 3, "sensitivity": 3, "specificity": 5, "F1": 8, "AUROC": 8, "Cohen's kappa": 8,
    }  # fmt: skip


def test_a_score_at_the_threshold_is_called_abnormal_and_each_study_has_its_own_threshold() -> None:
    answers = _of("hhww", "+-+-", [0.5, 0.4, 0.5, 0.4])
    assert answers.called.tolist() == [True, False, True, False]
    stricter = replace(answers, threshold=np.array([0.5, 0.5, 0.6, 0.3]))
    assert stricter.called.tolist() == [True, False, False, True]


def test_every_measure_is_that_of_scikit_learn(table: StudyTable) -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    answers = _answers()
    for line in (*table.bones, table.all):
        own = answers if line is table.all else answers.take(answers.bones == line.bone)
        truth, called = own.positive, own.called
        expected = {
            "accuracy": sklearn.accuracy_score(truth, called),
            "precision": sklearn.precision_score(truth, called),
            "sensitivity": sklearn.recall_score(truth, called),
            "specificity": sklearn.recall_score(~truth, ~called),
            "F1": sklearn.f1_score(truth, called),
            "Cohen's kappa": sklearn.cohen_kappa_score(truth, called),
        }
        if line is not table.all:
            expected["AUROC"] = sklearn.roc_auc_score(truth, own.score)
        assert {name: line.estimates[name].value for name in expected} == pytest.approx(expected)
        true_negatives, false_positives, false_negatives, true_positives = sklearn.confusion_matrix(
            truth, called
        ).ravel()
        assert line.counts == (true_positives, false_negatives, false_positives, true_negatives)


def test_the_mean_weighs_every_bone_the_same(table: StudyTable) -> None:
    for name in NAMES:
        values = [line.estimates[name].value for line in table.bones]
        assert table.mean[name].value == pytest.approx(np.mean(values))
        assert table.mean[name].low < table.mean[name].value < table.mean[name].high


def test_the_area_of_all_studies_compares_within_a_bone_only() -> None:
    """Each head orders its own studies rightly, though the hand's normal scores lie above the wrist's abnormal ones."""
    answers = _of("hhww", "+-+-", [0.95, 0.9, 0.2, 0.1])
    assert measure_studies(answers, replicates=10).all.estimates["AUROC"].value == 1


def test_studies_of_a_patient_are_drawn_together() -> None:
    answers = _answers(separation=0.1)
    twice = answers.take(np.repeat(np.arange(240), 2))
    alone = replace(answers, groups=np.arange(240))
    once = measure_studies(alone, replicates=400).all.estimates["AUROC"]
    paired = measure_studies(replace(twice, groups=np.repeat(np.arange(240), 2)), replicates=400).all.estimates["AUROC"]
    torn = measure_studies(replace(twice, groups=np.arange(480)), replicates=400).all.estimates["AUROC"]
    assert paired.high - paired.low == pytest.approx(once.high - once.low, rel=0.05)
    assert torn.high - torn.low < 0.85 * (once.high - once.low)


def test_all_or_none_has_an_interval_of_wilson() -> None:
    line = measure_studies(_of("h" * 20, "+-" * 10, [0.9, 0.1] * 10), replicates=50).bones[0]
    sensitivity = line.estimates["sensitivity"]
    assert (sensitivity.value, sensitivity.n) == (1, 10)
    assert sensitivity.low == pytest.approx(0.7225, abs=1e-4)


def test_what_a_bone_does_not_define_is_not_a_number_and_neither_is_its_mean() -> None:
    table = measure_studies(_of("hhww", "--+-", [0.1, 0.2, 0.9, 0.1]), replicates=20)
    hand = table.bones[0]
    assert hand.counts == (0, 0, 0, 2)
    for name in ("precision", "sensitivity", "F1", "AUROC", "Cohen's kappa"):
        assert np.isnan(hand.estimates[name].value)
        assert np.isnan(table.mean[name].value)
    assert hand.estimates["specificity"].value == table.mean["specificity"].value == 1
    assert "not defined" in next(table.rows())


def test_the_rows_stand_under_the_columns_that_the_field_prints(table: StudyTable) -> None:
    rows = list(table.rows())
    assert [row[0] for row in rows] == [*BONES, "mean", "all"]
    assert {len(row) for row in rows} == {len(COLUMNS)}
    wrist = table.bones[2]
    assert rows[2][1:6] == tuple(str(number) for number in (sum(wrist.counts), *wrist.counts))
    assert rows[3][2:6] == ("", "", "", "")


def test_the_table_is_json(table: StudyTable) -> None:
    plain = json.loads(json.dumps(without_nan(table.to_dict())))
    assert plain["bones"][0]["bone"] == "elbow"
    assert set(plain["mean"]) == set(NAMES)


def test_a_model_is_compared_with_another_on_the_same_studies() -> None:
    better, worse = _answers(separation=0.3), _answers(separation=0.05)
    one, other, difference = compare_mean_auroc(better, worse, replicates=200)
    assert one.value == pytest.approx(mean_auroc(better))
    assert difference.value == pytest.approx(one.value - other.value)
    assert difference.low > 0
    same = compare_mean_auroc(better, better, replicates=20)[2]
    assert (same.low, same.value, same.high) == (0, 0, 0)


def test_models_on_different_studies_are_not_compared() -> None:
    with pytest.raises(ValueError, match="on the same studies in the same order only"):
        compare_mean_auroc(_answers(), _answers(seed=1), replicates=1)


def test_the_mean_area_needs_both_classes_of_every_bone() -> None:
    answers = _of("hhww", "--+-", [0.1, 0.2, 0.9, 0.1])
    assert np.isnan(mean_auroc(answers))
    assert mean_auroc(answers, ["w"]) == 1
    assert np.isnan(mean_auroc(answers, ["w", "a bone that was not drawn"]))
    assert np.isnan(mean_auroc(answers.take(np.zeros(4, bool))))


def test_no_studies_are_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="there is no study to measure"):
        measure_studies(_answers(0))


def test_the_two_halves_hold_the_table_and_name_the_bone_in_both(table: StudyTable) -> None:
    (columns, rows), (more_columns, more) = table.halves()
    assert (*columns, *more_columns[1:]) == COLUMNS
    assert columns[0] == more_columns[0] == "Bone"
    assert [(*row, *rest[1:]) for row, rest in zip(rows, more, strict=True)] == list(table.rows())
    assert [row[0] for row in rows] == [row[0] for row in more]
