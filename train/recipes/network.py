"""Recipes that train one network, or only its head, on each fold."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from osteo_edge.console import Advance
from osteo_edge.hashing import sha256_file
from osteo_edge.preprocessing import InputSpec
from osteo_edge.strict import to_dict
from osteo_edge.train.backbones import input_spec
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.fitting import Fit, FitOptions, fit, predict_logits
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.labelled import join
from osteo_edge.train.linear_head import Span, choose_linear, one_thread
from osteo_edge.train.models import Network, build, weights_for
from osteo_edge.train.recipe import Answers, Fold
from osteo_edge.train.recipes.requirements import require_given_weights
from osteo_edge.train.recipes.shared_features import SharedFeatures


def network_recipe(config: TrainConfig) -> "FrozenRecipe | FittedRecipe":
    """The recipe of a configuration: one that fits the head alone shares features between folds."""
    return FrozenRecipe(config) if config.trainable_layers == 0 else FittedRecipe(config)


class FrozenRecipe:
    """A logistic regression on features of a frozen backbone, which are computed once for all folds.

    `OsteoEdgeError` where no backbone has weights: their features would be random.
    """

    def __init__(self, config: TrainConfig) -> None:
        require_given_weights(config)
        self.spec = input_spec(config)
        self._config = config
        self._about = {"head": "fitted on train and validation"} | describe_network(config)
        self._shared = SharedFeatures(config, self.spec)

    def describe(self) -> dict[str, Any]:
        return self._about

    def answer(self, fold: Fold, *, on_progress: Advance) -> Answers:
        """The head is fitted on train and validation; what it says of them is by inner heads that did not see them."""
        features = self._shared.of(fold.train, on_progress)
        seen = join((fold.train, fold.validation))
        with one_thread():
            span = Span(features[seen.places], standardize=self._config.standardize)
            labels, strengths = len(self._config.labels), span.strengths
            chosen = choose_linear(span.train, seen.classes, seen.groups, labels, seed=fold.seed, strengths=strengths)
            test = chosen.head.logits(span.turn(features[fold.test.places]))
        return Answers(chosen.held_out[len(fold.train) :], test, chosen.held_out)


class FittedRecipe:
    """A network of its own for each fold, fitted on its training images and kept where validation was best."""

    def __init__(self, config: TrainConfig) -> None:
        self.spec = input_spec(config)
        self._config = config
        self._about = describe_network(config)

    def describe(self) -> dict[str, Any]:
        return self._about

    def answer(self, fold: Fold, *, on_progress: Advance) -> Answers:
        network, fitted = fit_fold(self._config, self.spec, fold, on_progress=on_progress)
        return answers_of(network, fitted, self.spec, fold)


def fit_fold(
    config: TrainConfig, spec: InputSpec, fold: Fold, *, on_progress: Advance, options: FitOptions | None = None
) -> tuple[Network, Fit]:
    """A network of the fold's own, fitted with the fold's seed, and how the fit went.

    `KeyboardInterrupt` for a fit that Ctrl-C ended: what it reached is a model, but no recipe's answer.
    """
    _, keras = load_tensorflow()
    keras.backend.clear_session()
    config = replace(config, seed=fold.seed)
    network = build(config, spec)
    fitted = fit(network, config, spec, fold.train, fold.validation, on_progress=on_progress, options=options)
    if fitted.interrupted:
        raise KeyboardInterrupt
    return network, fitted


def answers_of(network: Network, fitted: Fit, spec: InputSpec, fold: Fold) -> Answers:
    """What a fitted network answers for the fold, with the course of its fit."""
    validation, test = (
        predict_logits(network.model, part, spec).astype(np.float64) for part in (fold.validation, fold.test)
    )
    return Answers(validation, test, losses={"validation": fitted.validation_losses})


def describe_network(config: TrainConfig) -> dict[str, Any]:
    """The configuration, with the content of weights files in place of where they lie; each fold has its own seed."""
    files = {name: Path(weights_for(config, name)) for name in config.backbone.split("+")}
    digests = {name: sha256_file(path) if path.is_file() else str(path) for name, path in files.items()}
    facts: dict[str, Any] = to_dict({**asdict(config), "weights": digests})
    del facts["seed"]
    return facts
