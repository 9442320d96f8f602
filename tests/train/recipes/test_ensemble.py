from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from osteo_edge.console import Advance
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.preprocessing import GREY, InputSpec
from osteo_edge.screening import calibrated
from osteo_edge.train.calibrating import fit_temperature
from osteo_edge.train.recipe import Answers, Fold
from osteo_edge.train.recipes.ensemble import EnsembleRecipe

SPEC = InputSpec(64, 64)


@dataclass(frozen=True)
class Noisy:
    """Answers the truth with noise, `scale` times too sure of itself."""

    scale: float
    spec: InputSpec = SPEC
    stacks: bool = True

    def describe(self) -> dict[str, Any]:
        return {"scale": self.scale}

    def answer(self, fold: Fold, *, on_progress: Advance) -> Answers:
        rng = np.random.default_rng(int(self.scale * 10))

        def logits(classes: Any) -> Any:
            return self.scale * (np.eye(3)[classes] + rng.normal(0, 0.5, (classes.size, 3)))

        seen = np.concatenate([fold.train.classes, fold.validation.classes])
        held_out = logits(seen) if self.stacks else None
        return Answers(logits(fold.validation.classes), logits(fold.test.classes), held_out, {"validation": (1.0,)})


def test_an_ensemble_answers_the_mean_of_calibrated_probabilities(fold: Fold, silent: Advance) -> None:
    members = (Noisy(0.5), Noisy(30.0))
    answers = EnsembleRecipe(members).answer(fold, on_progress=silent)
    expected = []
    for member in members:
        alone = member.answer(fold, on_progress=silent)
        expected.append(calibrated(alone.test, fit_temperature(alone.validation, fold.validation.classes)))
    np.testing.assert_allclose(np.exp(answers.test), np.mean(expected, axis=0), atol=1e-6)
    assert answers.held_out is not None
    assert answers.held_out.shape == (len(fold.train) + len(fold.validation), 3)
    assert answers.losses == {"member 1: validation": (1.0,), "member 2: validation": (1.0,)}


def test_a_member_without_held_out_answers_leaves_none_for_the_ensemble(fold: Fold, silent: Advance) -> None:
    answers = EnsembleRecipe((Noisy(1.0), Noisy(2.0, stacks=False))).answer(fold, on_progress=silent)
    assert answers.held_out is None


def test_members_must_see_the_same_planes_but_may_normalize_them_otherwise() -> None:
    grey = InputSpec(64, 64, channels=1, normalization=GREY)
    assert EnsembleRecipe((Noisy(1.0), Noisy(2.0, spec=grey))).spec == SPEC
    with pytest.raises(OsteoEdgeError, match="different sizes or filters"):
        EnsembleRecipe((Noisy(1.0), Noisy(2.0, spec=replace(grey, width=96))))
    with pytest.raises(OsteoEdgeError, match="at least two"):
        EnsembleRecipe((Noisy(1.0),))


def test_an_ensemble_is_described_by_its_members() -> None:
    assert EnsembleRecipe((Noisy(1.0), Noisy(2.0))).describe()["members"] == [{"scale": 1.0}, {"scale": 2.0}]
