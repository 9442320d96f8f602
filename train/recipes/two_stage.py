"""Detection and then, for what is positive, an unsupervised grade: the two-stage recipe on one fold."""

import logging
from typing import Any

from osteo_edge.console import Advance
from osteo_edge.train.backbones import input_spec
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.recipe import Answers, Fold
from osteo_edge.train.recipes.network import answers_of, describe_network, fit_fold
from osteo_edge.train.recipes.requirements import require_given_weights
from osteo_edge.train.two_stage import attach_severity, describe_severity

log = logging.getLogger(__name__)


class TwoStageRecipe:
    """A network whose answers are those of its detection stage; how far its grades hold on held-out films is logged.

    `OsteoEdgeError` where detection is a head alone on a network without weights.
    """

    def __init__(self, config: TrainConfig) -> None:
        require_given_weights(config)
        self.spec = input_spec(config)
        self._config = config

    def describe(self) -> dict[str, Any]:
        return {"recipe": "two-stage", "detection": describe_network(self._config)}

    def answer(self, fold: Fold, *, on_progress: Advance) -> Answers:
        network, fitted = fit_fold(self._config, self.spec, fold, on_progress=on_progress)
        graded = attach_severity(network, fold.train, self.spec, seed=fold.seed)
        log.info("severity: %s", describe_severity(graded, {"test": fold.test}, self.spec, seed=fold.seed))
        return answers_of(graded.network, fitted, self.spec, fold)
