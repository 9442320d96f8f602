from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from osteo_edge.console import Advance
from osteo_edge.errors import DatasetError
from osteo_edge.preprocessing import Pixels
from osteo_edge.train import texture
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.labelled import Labelled
from osteo_edge.train.recipe import Fold
from osteo_edge.train.recipes.classical import CLASSIFIERS, ClassicalRecipe
from osteo_edge.train.texture import Features

CONFIG = TrainConfig(side_px=64)


@pytest.mark.parametrize("kinds", [(kind,) for kind in CLASSIFIERS])
def test_each_classifier_tells_stripes_apart(kinds: tuple[str, ...], fold: Fold, silent: Advance) -> None:
    answers = ClassicalRecipe(CONFIG, kinds).answer(fold, on_progress=silent)
    assert answers.test.shape == (len(fold.test), 3)
    assert np.mean(answers.test.argmax(axis=1) == fold.test.classes) > 0.9
    assert answers.held_out is not None
    assert answers.held_out.shape == (len(fold.train) + len(fold.validation), 3)
    np.testing.assert_allclose(np.exp(answers.validation).sum(axis=1), 1, atol=0.01)


def test_the_classifier_that_is_best_inside_the_fold_answers(
    fold: Fold, silent: Advance, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sklearn.dummy import DummyClassifier

    monkeypatch.setitem(CLASSIFIERS, "guess", lambda inner, seed: DummyClassifier(strategy="prior"))
    chosen = ClassicalRecipe(CONFIG, ("guess", "knn")).answer(fold, on_progress=silent)
    alone = ClassicalRecipe(CONFIG, ("knn",)).answer(fold, on_progress=silent)
    np.testing.assert_array_equal(chosen.test, alone.test)


def test_the_labels_of_the_test_part_change_nothing(fold: Fold, silent: Advance) -> None:
    turned = replace(fold, test=replace(fold.test, classes=2 - fold.test.classes))
    first, second = (ClassicalRecipe(CONFIG, ("svm",)).answer(given, on_progress=silent) for given in (fold, turned))
    np.testing.assert_array_equal(first.test, second.test)


def test_the_same_fold_gives_the_same_answers(fold: Fold, silent: Advance) -> None:
    first, second = (ClassicalRecipe(CONFIG).answer(fold, on_progress=silent) for _ in range(2))
    np.testing.assert_array_equal(first.test, second.test)
    np.testing.assert_array_equal(first.held_out, second.held_out)


def test_features_are_computed_once_for_all_folds(fold: Fold, silent: Advance, monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[int] = []
    features = texture.texture

    def counted(plane: Pixels) -> Features:
        computed.append(1)
        return features(plane)

    monkeypatch.setattr(texture, "texture", counted)
    recipe = ClassicalRecipe(CONFIG, ("knn",))
    recipe.answer(fold, on_progress=silent)
    recipe.answer(Fold(fold.train, fold.test, fold.validation, 1), on_progress=silent)
    assert len(computed) == len(fold.train) + len(fold.validation) + len(fold.test)


def test_a_label_with_too_few_groups_is_named(
    stripes: Callable[..., Labelled], divided: Callable[..., Fold], silent: Advance
) -> None:
    lacking = divided(stripes(24))
    few = lacking.train.part(np.flatnonzero((lacking.train.classes != 1) | (np.arange(len(lacking.train)) % 12 < 2)))
    with pytest.raises(DatasetError, match=r"osteopenia: 1 groups of images to fit on, at least 4 are needed"):
        ClassicalRecipe(CONFIG).answer(replace(lacking, train=few), on_progress=silent)


def test_what_decides_the_answers_is_described() -> None:
    svm, all_three = ClassicalRecipe(CONFIG, ("svm",)).describe(), ClassicalRecipe(CONFIG).describe()
    assert svm != all_three
    assert ClassicalRecipe(replace(CONFIG, side_px=96)).describe() != all_three
