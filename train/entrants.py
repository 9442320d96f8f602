"""Who takes part in a comparison: the recipes, each fused with what is known of the patient, and the baselines."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from osteo_edge.train.baselines import AGE, Baseline
from osteo_edge.train.comparison import Kind
from osteo_edge.train.cross_validation import ByFold, Task
from osteo_edge.train.settling import answer_with, fuse_all


@dataclass(frozen=True, eq=False)
class Entrant:
    """A contender before it is measured: its answers for every fold; `about` is what `Recipe.describe` told."""

    name: str
    kind: Kind
    title: str
    source: str
    about: dict[str, Any]
    by_fold: ByFold


def enter(
    task: Task, recipes: Sequence[Entrant], film: Sequence[Baseline], patient: Sequence[Baseline]
) -> tuple[Entrant, ...]:
    """The recipes, the same fused with age and with all that is known of the patient, and the baselines."""
    baselines = {each.name: _of_baseline(task, each) for each in (*film, *patient)}
    fused = [_fused(task, recipe, baselines[over]) for recipe in recipes for over in fused_with(patient)]
    return (*recipes, *fused, *baselines.values())


def fused_with(patient: Sequence[Baseline]) -> tuple[str, ...]:
    """The names of the baselines that recipes are fused with: age, and everything that is known together."""
    names = [baseline.name for baseline in patient]
    return tuple(name for name in names if name in (AGE, names[-1]))


def fused_name(recipe: str, over: str) -> str:
    return f"{recipe} + {over}"


def _of_baseline(task: Task, baseline: Baseline) -> Entrant:
    return Entrant(baseline.name, "baseline", baseline.title, "", {}, answer_with(task, baseline))


def _fused(task: Task, recipe: Entrant, patient: Entrant) -> Entrant:
    title = f"{recipe.title}; with {patient.name}, by logistic stacking"
    by_fold = fuse_all(task, recipe.by_fold, patient.by_fold)
    return Entrant(fused_name(recipe.name, patient.name), "fused", title, recipe.source, recipe.about, by_fold)
