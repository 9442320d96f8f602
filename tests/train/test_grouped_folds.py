import numpy as np
import pytest
from sklearn.model_selection import StratifiedGroupKFold

from osteo_edge.train.grouped_folds import grouped_divisions, grouped_folds


@pytest.mark.parametrize("count", [2, 4, 5])
@pytest.mark.parametrize("seed", range(6))
def test_they_are_those_of_scikit_learn(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    classes = rng.choice(3, 90, p=(0.6, 0.25, 0.15))
    groups = rng.integers(0, 60 if seed % 2 else 30, 90).astype(str)
    found = grouped_folds(classes, groups, count, seed)
    splits = StratifiedGroupKFold(count, shuffle=True, random_state=seed).split(classes, classes, groups)
    for fold, (_, tested) in enumerate(splits):
        assert np.flatnonzero(found == fold).tolist() == tested.tolist()


def test_classes_may_be_any_numbers() -> None:
    groups = np.arange(12)
    np.testing.assert_array_equal(
        grouped_folds(np.repeat([3, 7], 6), groups, 3, 0), grouped_folds(np.repeat([0, 1], 6), groups, 3, 0)
    )


def test_each_division_is_one_fold_beside_all_the_others() -> None:
    classes, groups = np.repeat([0, 1, 2], 8), np.arange(24) // 2
    fold_of = grouped_folds(classes, groups, 4, 1)
    for fold, (fit, rest) in enumerate(grouped_divisions(classes, groups, 4, 1)):
        np.testing.assert_array_equal(rest, np.flatnonzero(fold_of == fold))
        assert sorted([*fit, *rest]) == list(range(24))
        assert not set(groups[fit]) & set(groups[rest])
