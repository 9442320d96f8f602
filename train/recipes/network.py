"""Recipes that train one network, or only its head, on each fold."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from osteo_edge.console import Advance
from osteo_edge.hashing import sha256_file
from osteo_edge.strict import to_dict
from osteo_edge.train.backbones import input_spec
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.features import frozen_features
from osteo_edge.train.fitting import fit, predict_logits
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.labelled import Labelled, join
from osteo_edge.train.linear_head import Features, Span, choose_linear, one_thread
from osteo_edge.train.models import build, weights_for
from osteo_edge.train.prepared import Prepared
from osteo_edge.train.recipe import Answers, Fold


def network_recipe(config: TrainConfig) -> "FrozenRecipe | FittedRecipe":
    """The recipe of a configuration: one that fits the head alone shares features between folds."""
    return FrozenRecipe(config) if config.trainable_layers == 0 else FittedRecipe(config)


class FrozenRecipe:
    """A logistic regression on features of a frozen backbone, which are computed once for all folds."""

    def __init__(self, config: TrainConfig) -> None:
        self.spec = input_spec(config)
        self._config = config
        self._about = {"head": "fitted on train and validation"} | _describe(config)
        self._known: tuple[Prepared, Features] | None = None

    def describe(self) -> dict[str, Any]:
        return self._about

    def answer(self, fold: Fold, *, on_progress: Advance) -> Answers:
        """The head is fitted on train and validation; what it says of them is by inner heads that did not see them."""
        features = self._features(fold.train, on_progress)
        seen = join((fold.train, fold.validation))
        with one_thread():
            span = Span(features[seen.places], standardize=self._config.standardize)
            labels, strengths = len(self._config.labels), span.strengths
            chosen = choose_linear(span.train, seen.classes, seen.groups, labels, seed=fold.seed, strengths=strengths)
            test = chosen.head.logits(span.turn(features[fold.test.places]))
        return Answers(chosen.held_out[len(fold.train) :], test, chosen.held_out)

    def _features(self, part: Labelled, on_progress: Advance) -> Features:
        """Features of every prepared image, by its place."""
        if self._known is None or self._known[0] is not part.prepared:
            features = frozen_features(
                build(self._config, self.spec),
                Labelled.of(part.prepared, part.labels),
                self.spec,
                on_progress=lambda done, total: on_progress(done, total, stage="features"),
            )
            self._known = part.prepared, features
        return self._known[1]


class FittedRecipe:
    """A network of its own for each fold, fitted on its training images and kept where validation was best."""

    def __init__(self, config: TrainConfig) -> None:
        self.spec = input_spec(config)
        self._config = config
        self._about = _describe(config)

    def describe(self) -> dict[str, Any]:
        return self._about

    def answer(self, fold: Fold, *, on_progress: Advance) -> Answers:
        _, keras = load_tensorflow()
        keras.backend.clear_session()
        config = replace(self._config, seed=fold.seed)
        network = build(config, self.spec)
        fitted = fit(network, config, self.spec, fold.train, fold.validation, on_progress=on_progress)
        if fitted.interrupted:  # what was reached is a model, but not this recipe's answer
            raise KeyboardInterrupt
        validation, test = (
            predict_logits(network.model, part, self.spec).astype(np.float64) for part in (fold.validation, fold.test)
        )
        return Answers(validation, test, losses={"validation": fitted.validation_losses})


def _describe(config: TrainConfig) -> dict[str, Any]:
    """The configuration, with the content of weights files in place of where they lie; each fold has its own seed."""
    files = {name: Path(weights_for(config, name)) for name in config.backbone.split("+")}
    digests = {name: sha256_file(path) if path.is_file() else str(path) for name, path in files.items()}
    facts: dict[str, Any] = to_dict({**asdict(config), "weights": digests})
    del facts["seed"]
    return facts
