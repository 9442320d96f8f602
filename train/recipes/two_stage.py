"""Detection and then, for what is positive, an unsupervised grade: the two-stage recipe on one fold."""

import logging
from dataclasses import replace
from typing import Any

import numpy as np

from osteo_edge.console import Advance
from osteo_edge.train.backbones import input_spec
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.fitting import fit, predict_logits
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.models import build
from osteo_edge.train.recipe import Answers, Fold
from osteo_edge.train.recipes.network import network_recipe
from osteo_edge.train.two_stage import attach_severity, describe_severity

log = logging.getLogger(__name__)


class TwoStageRecipe:
    """A network whose answers are those of its detection stage; how far its grades hold on held-out films is logged."""

    def __init__(self, config: TrainConfig) -> None:
        self.spec = input_spec(config)
        self._config = config

    def describe(self) -> dict[str, Any]:
        return {"recipe": "two-stage", "detection": network_recipe(self._config).describe()}

    def answer(self, fold: Fold, *, on_progress: Advance) -> Answers:
        _, keras = load_tensorflow()
        keras.backend.clear_session()
        config = replace(self._config, seed=fold.seed)
        network = build(config, self.spec)
        fitted = fit(network, config, self.spec, fold.train, fold.validation, on_progress=on_progress)
        graded = attach_severity(network, fold.train, self.spec, seed=fold.seed)
        log.info("severity: %s", describe_severity(graded, {"test": fold.test}, self.spec, seed=fold.seed))
        validation, test = (
            predict_logits(graded.network.model, part, self.spec).astype(np.float64)
            for part in (fold.validation, fold.test)
        )
        return Answers(validation, test, losses={"validation": fitted.validation_losses})
