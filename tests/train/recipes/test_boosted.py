from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from osteo_edge.console import Advance
from osteo_edge.errors import DatasetError
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.labelled import Labelled
from osteo_edge.train.recipe import Fold
from osteo_edge.train.recipes.boosted import MOST_EPOCHS, BoostedRecipe

FROZEN = TrainConfig(weights="none", side_px=64, epochs=0)


def test_random_features_are_called_so() -> None:
    frozen, fitted = BoostedRecipe(FROZEN).describe(), BoostedRecipe(replace(FROZEN, epochs=1)).describe()
    assert frozen["features"].startswith("random")
    assert not fitted["features"].startswith("random")
    named, given = (BoostedRecipe(replace(FROZEN, weights=f"resnet50={of},imagenet")) for of in ("none", "imagenet"))
    assert named.describe()["features"].startswith("random")
    assert not given.describe()["features"].startswith("random")
    head_alone = BoostedRecipe(replace(FROZEN, epochs=5, trainable_layers=0)).describe()
    assert (head_alone["features"][:6], head_alone["network_fitted"]) == ("random", False)
    assert (frozen["network_fitted"], fitted["network_fitted"]) == (False, True)
    assert frozen["network"]["backbone"] == "resnet50"
    assert BoostedRecipe(replace(FROZEN, epochs=100)).describe()["network"]["epochs"] == MOST_EPOCHS


def test_a_label_that_is_not_among_the_training_images_is_named(fold: Fold, silent: Advance) -> None:
    lacking = replace(fold, train=fold.train.part(np.flatnonzero(fold.train.classes != 2)))
    with pytest.raises(DatasetError, match="osteoporosis: 0 groups of images to fit on"):
        BoostedRecipe(FROZEN).answer(lacking, on_progress=silent)


@pytest.mark.tf
@pytest.mark.slow
@pytest.mark.usefixtures("feature_cache")
def test_frozen_features_are_computed_once_and_boosted_in_each_fold(
    fold: Fold, feature_cache: Path, silent: Advance
) -> None:
    recipe = BoostedRecipe(FROZEN)
    first = recipe.answer(fold, on_progress=silent)
    assert first.test.shape == (len(fold.test), 3)
    assert np.mean(first.test.argmax(axis=1) == fold.test.classes) > 0.6
    assert len(list(feature_cache.rglob("*.npy"))) == len(fold.train.prepared.cases)
    for file in feature_cache.rglob("*.npy"):
        file.unlink()
    turned = replace(fold, test=replace(fold.test, classes=2 - fold.test.classes))
    again = recipe.answer(turned, on_progress=silent)
    assert not list(feature_cache.rglob("*.npy"))
    np.testing.assert_array_equal(first.test, again.test)
    assert again.losses["validation"]


@pytest.mark.tf
@pytest.mark.slow
def test_with_epochs_the_network_is_fitted_first(
    stripes: Callable[..., Labelled], divided: Callable[..., Fold], silent: Advance
) -> None:
    small = divided(stripes(8))
    stages: list[str] = []

    def note(done: int, total: int, note: str = "", stage: str | None = None) -> None:
        if stage is not None and stage not in stages:
            stages.append(stage)

    answers = BoostedRecipe(replace(FROZEN, epochs=1, batch_size=4)).answer(small, on_progress=note)
    assert stages == ["range test", "train", "boost"]
    assert answers.test.shape == (len(small.test), 3)
    assert np.isfinite(answers.test).all()
