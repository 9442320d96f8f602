"""Several recipes whose calibrated probabilities are averaged."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from osteo_edge.console import Advance
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.preprocessing import MOBILENET, InputSpec
from osteo_edge.screening import calibrated
from osteo_edge.train.calibrating import fit_temperature
from osteo_edge.train.recipe import Answers, Fold, Logits, Recipe

SMALLEST_PROBABILITY = 1e-9


class EnsembleRecipe:
    """The mean of its members' probabilities, each calibrated on validation (Lakshminarayanan et al. 2017)."""

    def __init__(self, members: Sequence[Recipe]) -> None:
        if len(members) < 2:
            raise OsteoEdgeError("ensemble: needs at least two recipes")
        if len({_plane_of(member.spec) for member in members}) > 1:
            raise OsteoEdgeError(
                "ensemble: its recipes see images of different sizes or filters; choose one --side for all"
            )
        self.spec = members[0].spec
        self._members = tuple(members)

    def describe(self) -> dict[str, Any]:
        return {"recipe": "ensemble", "members": [member.describe() for member in self._members]}

    def answer(self, fold: Fold, *, on_progress: Advance) -> Answers:
        answers = [member.answer(fold, on_progress=on_progress) for member in self._members]
        temperatures = [fit_temperature(given.validation, fold.validation.classes) for given in answers]

        def mean(logits: Sequence[Logits]) -> Logits:
            pairs = zip(logits, temperatures, strict=True)
            probabilities = np.mean([calibrated(values, temperature) for values, temperature in pairs], axis=0)
            return np.asarray(np.log(np.maximum(probabilities, SMALLEST_PROBABILITY)))

        held_out = [given.held_out for given in answers if given.held_out is not None]
        return Answers(
            mean([given.validation for given in answers]),
            mean([given.test for given in answers]),
            mean(held_out) if len(held_out) == len(answers) else None,
            _losses(answers),
        )


def _plane_of(spec: InputSpec) -> InputSpec:
    """What decides the prepared plane alone: channels and normalization come after it."""
    return replace(spec, channels=3, normalization=MOBILENET)


def _losses(answers: Sequence[Answers]) -> dict[str, tuple[float, ...]]:
    """The members' learning curves, with the member's number before their names."""
    return {
        f"member {number}: {name}": values
        for number, given in enumerate(answers, start=1)
        for name, values in given.losses.items()
    }
