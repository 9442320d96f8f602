"""A whole cross-validation: data set and recipes in, comparison out."""

import os
import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from osteo_edge.console import Advance
from osteo_edge.dataset import Dataset
from osteo_edge.train.audit import Audit, audit
from osteo_edge.train.baselines import Baseline, image_baselines, patient_baselines
from osteo_edge.train.comparing import Terms, compare
from osteo_edge.train.comparison import Added, Comparison, Contender
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.cross_validation import Task, answer_all
from osteo_edge.train.entrants import Entrant, enter, fused_with
from osteo_edge.train.folds import make_folds
from osteo_edge.train.folds_file import keep_folds
from osteo_edge.train.recipe import Recipe
from osteo_edge.version import VERSION

FOLDS_FILE = "folds.csv"
PACKAGES = ("numpy", "scikit-learn", "tensorflow", "opencv-python-headless", "xgboost", "xgboost-cpu")


@dataclass(frozen=True, eq=False)
class Named:
    """A recipe with what is told of it."""

    name: str
    title: str
    source: str
    recipe: Recipe


@dataclass(frozen=True, eq=False)
class Study:
    """What to compare, on what, and where to keep it. `config` has the labels, the targets and the seed."""

    dataset: Dataset
    label_source: str
    recipes: tuple[Named, ...]
    reference: str
    config: TrainConfig
    folds: int
    repeats: int
    prevalence: float | None
    out: Path


def run_study(study: Study, *, on_progress: Advance) -> Comparison:
    """Audit, divide, let every recipe answer for every fold, measure and compare.

    What `study.out` has of the same study already is not done again. Raises `DatasetError` where that is of another
    data set or of other options, or where the data cannot be divided so.
    """
    seconds: dict[str, float] = {}
    with _timed(seconds, "audit"):
        found = audit(
            study.dataset, on_progress=lambda done, total: on_progress(done, total, stage="audit"), confounders=False
        )
    with _timed(seconds, "folds"):
        task = _divide(study, found)
    with _timed(seconds, "recipes"):
        recipes = _answer(study, task, on_progress)
    with _timed(seconds, "baselines"):
        film, patient = _baselines(found, task)
        entrants = enter(task, recipes, film, patient)
    with _timed(seconds, "measures"):
        terms = Terms(study.reference, study.config, study.label_source, study.prevalence)
        contenders, added = compare(task, entrants, terms, fused_with(patient))
    return _comparison(study, task, found, contenders, added, seconds)


def _divide(study: Study, found: Audit) -> Task:
    config = study.config
    made = make_folds(found, study.dataset, config.labels, folds=study.folds, repeats=study.repeats, seed=config.seed)
    folds = keep_folds(made, study.out / FOLDS_FILE)
    by_name = {case.name: case for case in study.dataset.cases}
    return Task(tuple(by_name[image.name] for image in folds.images), config.labels, folds)


def _answer(study: Study, task: Task, on_progress: Advance) -> list[Entrant]:
    answers = answer_all(task, {each.name: each.recipe for each in study.recipes}, study.out, on_progress=on_progress)
    return [
        Entrant(each.name, "recipe", each.title, each.source, each.recipe.describe(), answers[each.name])
        for each in study.recipes
    ]


def _baselines(found: Audit, task: Task) -> tuple[tuple[Baseline, ...], tuple[Baseline, ...]]:
    images = {image.name: image for image in found.images}
    return image_baselines([images[case.name] for case in task.cases]), patient_baselines(task.cases)


def _comparison(
    study: Study,
    task: Task,
    found: Audit,
    contenders: tuple[Contender, ...],
    added: tuple[Added, ...],
    seconds: dict[str, float],
) -> Comparison:
    return Comparison(
        dataset=study.dataset.name,
        label_source=study.label_source,
        labels=task.labels,
        cases=task.cases,
        truth=task.truth,
        groups=task.groups,
        folds=task.folds,
        reference=study.reference,
        contenders=contenders,
        added=added,
        prevalence=study.prevalence,
        excluded=found.exclusions,
        environment=_environment(),
        seconds=seconds,
    )


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[stage] = round(time.perf_counter() - start, 3)


def _environment() -> Mapping[str, str]:
    """Where it was run, and with which versions of what decides the figures."""
    machine = {"osteo-edge": VERSION, "python": platform.python_version(), "platform": platform.platform()}
    versions = {}
    for name in PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return machine | {"cores": str(os.cpu_count())} | versions
