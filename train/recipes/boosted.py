"""Gradient-boosted trees on pooled features of ResNet50."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.console import Advance
from osteo_edge.extras import load_extra
from osteo_edge.train.backbones import input_spec
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.fitting import FitOptions
from osteo_edge.train.labelled import Labelled
from osteo_edge.train.pooling import pooled_features
from osteo_edge.train.recipe import Answers, Fold, Logits
from osteo_edge.train.recipes.network import describe_network, fit_fold
from osteo_edge.train.recipes.requirements import has_given_weights, require_every_label
from osteo_edge.train.recipes.shared_features import SharedFeatures

Features = npt.NDArray[np.float32]

BACKBONE = "resnet50"
MOST_EPOCHS = 3
"""The network is fitted briefly: the trees are to do the rest."""
BOOSTING = {
    "objective": "multi:softprob",
    "eval_metric": "mlogloss",
    "n_estimators": 500,
    "early_stopping_rounds": 20,
    "learning_rate": 0.05,
    "max_depth": 4,
    "subsample": 0.8,
    "colsample_bytree": 0.5,
    "tree_method": "hist",
}


class BoostedRecipe:
    """XGBoost (Chen and Guestrin 2016) on features of ResNet50 (He et al. 2016), stopped early on validation.

    A recipe common in public student work. With epochs, each fold's network is fitted first, at the learning rate
    that a range test finds; without, or with no trainable layers, the frozen network's features are shared by all
    folds. Without weights they are features of a random network, which the description says.
    """

    def __init__(self, config: TrainConfig) -> None:
        self._config = replace(config, backbone=BACKBONE, alpha=1.0, epochs=min(config.epochs, MOST_EPOCHS))
        self.spec = input_spec(self._config)
        self._shared = SharedFeatures(self._config, self.spec)

    def describe(self) -> dict[str, Any]:
        random = not has_given_weights(self._config) and not self._is_fitted
        return {
            "recipe": "resnet50-xgboost",
            "features": "random, as no weights were given" if random else "of the weights given",
            "network_fitted": self._is_fitted,
            "network": describe_network(self._config),
            "boosting": BOOSTING,
        }

    def answer(self, fold: Fold, *, on_progress: Advance) -> Answers:
        require_every_label(fold.train, groups=1, purpose="to fit on")
        train, validation, test = self._features(fold, on_progress)
        on_progress(0, 1, stage="boost")
        model = _boosted(train, fold.train, validation, fold.validation, fold.seed)
        losses = {"validation": tuple(map(float, model.evals_result()["validation_0"]["mlogloss"]))}
        return Answers(_margins(model, validation), _margins(model, test), losses=losses)

    @property
    def _is_fitted(self) -> bool:
        return self._config.epochs > 0 and self._config.trainable_layers != 0

    def _features(self, fold: Fold, on_progress: Advance) -> tuple[Features, Features, Features]:
        if self._is_fitted:
            return self._fitted_features(fold, on_progress)
        features = self._shared.of(fold.train, on_progress)
        return features[fold.train.places], features[fold.validation.places], features[fold.test.places]

    def _fitted_features(self, fold: Fold, on_progress: Advance) -> tuple[Features, Features, Features]:
        options = FitOptions(find_rate=True)
        network, _ = fit_fold(self._config, self.spec, fold, on_progress=on_progress, options=options)
        train, validation, test = (
            pooled_features(network, part, self.spec) for part in (fold.train, fold.validation, fold.test)
        )
        return train, validation, test


def _boosted(train: Features, fitted_on: Labelled, validation: Features, chosen_on: Labelled, seed: int) -> Any:
    """Trees in which each label counts alike, as many as validation wants."""
    from sklearn.utils.class_weight import compute_sample_weight

    xgboost = _load_xgboost()
    weights = compute_sample_weight("balanced", fitted_on.classes)
    model = xgboost.XGBClassifier(**BOOSTING, random_state=seed)
    seen = [(validation, chosen_on.classes)]
    return model.fit(train, fitted_on.classes, sample_weight=weights, eval_set=seen, verbose=False)


def _load_xgboost() -> Any:
    (xgboost,) = load_extra(("xgboost",), feature="the recipe resnet50-xgboost", package="XGBoost", extra="train")
    return xgboost


def _margins(model: Any, features: Features) -> Logits:
    """What the trees add up to before the softmax, (n, labels)."""
    return np.asarray(model.predict(features, output_margin=True), np.float64)
