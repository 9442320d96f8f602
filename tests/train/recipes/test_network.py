from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from osteo_edge.console import Advance
from osteo_edge.dataset import Dataset
from osteo_edge.train.audit import audit
from osteo_edge.train.config import KNEE_LABELS, TrainConfig
from osteo_edge.train.cross_validation import Task, answer_all
from osteo_edge.train.fitting import Fit
from osteo_edge.train.folds import make_folds
from osteo_edge.train.labelled import Labelled
from osteo_edge.train.linear_head import Features
from osteo_edge.train.recipe import Fold, Recipe
from osteo_edge.train.recipes.boosted import BoostedRecipe
from osteo_edge.train.recipes.network import FittedRecipe, FrozenRecipe, network_recipe
from osteo_edge.train.recipes.two_stage import TwoStageRecipe

FROZEN = TrainConfig(side_px=64, trainable_layers=0)
FITTED = TrainConfig(backbone="custom_cnn", weights="none", side_px=64, epochs=3, patience=3, batch_size=8)


@pytest.fixture
def telling(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Features that tell the label roughly, and no network; the list has the images of each time they are computed."""
    computed = []

    def features(network: None, part: Labelled, spec: object, *, on_progress: Advance) -> Features:
        computed.append(len(part))
        noise = np.random.default_rng(0).normal(0, 0.8, (len(part), 20))
        return (noise + np.eye(20)[part.classes]).astype(np.float32)

    monkeypatch.setattr("osteo_edge.train.recipes.shared_features.build", lambda config, spec: None)
    monkeypatch.setattr("osteo_edge.train.recipes.shared_features.frozen_features", features)
    return computed


def _with_classes(part: Labelled, numbers: np.ndarray) -> Labelled:
    """The same images, those of some groups with another label."""
    classes = part.classes.copy()
    classes[numbers] = (classes[numbers] + 1) % 3
    return replace(part, classes=classes)


def test_a_head_alone_shares_features_and_anything_more_does_not() -> None:
    assert isinstance(network_recipe(FROZEN), FrozenRecipe)
    assert isinstance(network_recipe(FITTED), FittedRecipe)


def test_features_are_computed_once_for_all_folds(fold: Fold, telling: list[int], silent: Advance) -> None:
    recipe = FrozenRecipe(FROZEN)
    recipe.answer(fold, on_progress=silent)
    recipe.answer(replace(fold, train=fold.validation, validation=fold.train), on_progress=silent)
    assert telling == [len(fold.train.prepared.cases)]


@pytest.mark.usefixtures("telling")
def test_no_label_of_a_test_image_reaches_a_frozen_recipe_s_answers(fold: Fold, silent: Advance) -> None:
    shuffled = replace(fold, test=_with_classes(fold.test, np.arange(len(fold.test))))
    one, other = (FrozenRecipe(FROZEN).answer(each, on_progress=silent) for each in (fold, shuffled))
    np.testing.assert_array_equal(one.test, other.test)
    np.testing.assert_array_equal(one.validation, other.validation)


@pytest.mark.usefixtures("telling")
def test_the_head_is_fitted_on_train_and_on_validation(fold: Fold, silent: Advance) -> None:
    plain = FrozenRecipe(FROZEN).answer(fold, on_progress=silent)
    four = np.arange(4)
    for changed in (
        replace(fold, train=_with_classes(fold.train, four)),
        replace(fold, validation=_with_classes(fold.validation, four)),
    ):
        assert not np.allclose(FrozenRecipe(FROZEN).answer(changed, on_progress=silent).test, plain.test)


@pytest.mark.usefixtures("telling")
def test_what_it_says_of_train_and_validation_is_by_heads_that_did_not_see_them(fold: Fold, silent: Advance) -> None:
    """Labels without rhyme or reason: a head knows those it was fitted on, and guesses the others."""
    rng = np.random.default_rng(1)
    guess = replace(
        fold,
        train=replace(fold.train, classes=rng.permutation(fold.train.classes)),
        validation=replace(fold.validation, classes=rng.permutation(fold.validation.classes)),
    )
    answers = FrozenRecipe(replace(FROZEN, standardize=True)).answer(guess, on_progress=silent)
    assert answers.held_out is not None
    truth = np.concatenate([guess.train.classes, guess.validation.classes])
    assert (answers.held_out.argmax(axis=1) == truth).mean() < 0.5
    np.testing.assert_array_equal(answers.validation, answers.held_out[len(guess.train) :])


def test_weights_are_described_by_their_content_not_by_where_they_lie(tmp_path: Path) -> None:
    for name, content in (("a.h5", b"one"), ("b.h5", b"one"), ("c.h5", b"other")):
        (tmp_path / name).write_bytes(content)
    a, b, c = (FrozenRecipe(replace(FROZEN, weights=str(tmp_path / f"{name}.h5"))).describe() for name in "abc")
    assert a == b
    assert a != c


@pytest.mark.tf
@pytest.mark.slow
def test_no_label_of_a_test_image_reaches_a_fitted_recipe_s_answers(fold: Fold, silent: Advance) -> None:
    shuffled = replace(fold, test=_with_classes(fold.test, np.arange(len(fold.test))))
    one, other = (FittedRecipe(FITTED).answer(each, on_progress=silent) for each in (fold, shuffled))
    np.testing.assert_array_equal(one.test, other.test)
    assert one.losses["validation"]


@pytest.mark.parametrize(
    "recipe",
    [
        FittedRecipe(FITTED),
        TwoStageRecipe(FITTED),
        BoostedRecipe(TrainConfig(weights="none", side_px=64)),
    ],
    ids=lambda recipe: type(recipe).__name__,
)
def test_an_interrupted_fit_is_no_answer_and_is_not_kept(
    recipe: Recipe, phantoms: Dataset, tmp_path: Path, silent: Advance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`fit` keeps what it reached and returns; whatever would be answered with is never asked."""
    module = "osteo_edge.train.recipes.network"
    keras = SimpleNamespace(backend=SimpleNamespace(clear_session=lambda: None))
    monkeypatch.setattr(f"{module}.load_tensorflow", lambda: (None, keras))
    monkeypatch.setattr(f"{module}.build", lambda config, spec: None)
    monkeypatch.setattr(f"{module}.fit", lambda *_, **__: Fit((0.5,), 1, interrupted=True))
    folds = make_folds(audit(phantoms, confounders=False), phantoms, KNEE_LABELS, folds=3, repeats=1, seed=0)
    cases = {case.name: case for case in phantoms.cases}
    task = Task(tuple(cases[image.name] for image in folds.images), KNEE_LABELS, folds)
    with pytest.raises(KeyboardInterrupt):
        answer_all(task, {"interrupted": recipe}, tmp_path, on_progress=silent)
    assert list(tmp_path.iterdir()) == []
