"""Let every recipe answer for every fold; each answer is kept as it comes, so that a run can go on where it stopped."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt

from osteo_edge.console import Advance
from osteo_edge.dataset import Case
from osteo_edge.errors import DatasetError
from osteo_edge.preprocessing import InputSpec
from osteo_edge.train.folds import TEST, TRAIN, VALIDATION, Folds
from osteo_edge.train.labelled import Labelled
from osteo_edge.train.prepared import prepare
from osteo_edge.train.recipe import Answers, Fold, Recipe
from osteo_edge.train.stored_answers import Stored, answers_key, answers_path, read_answers, write_answers

EXIT_INTERRUPTED = 130

Place = tuple[int, int]
"""A repeat and a fold, both from 0."""
ByFold = dict[Place, Stored]


@dataclass(frozen=True, eq=False)
class Task:
    """What is to be answered: `cases` in the order of the folds' images, `labels` in output order."""

    cases: tuple[Case, ...]
    labels: tuple[str, ...]
    folds: Folds

    @property
    def places(self) -> list[Place]:
        """Every repeat with every fold."""
        return [(repeat, fold) for repeat in range(self.folds.repeats) for fold in range(self.folds.count)]

    @property
    def truth(self) -> npt.NDArray[np.intp]:
        """The class number of each case."""
        return np.array([self.labels.index(case.label) for case in self.cases], np.intp)

    @property
    def groups(self) -> npt.NDArray[np.str_]:
        """The group of each case."""
        return np.array([image.group for image in self.folds.images], np.str_)


def answer_all(task: Task, recipes: Mapping[str, Recipe], out: Path, *, on_progress: Advance) -> dict[str, ByFold]:
    """The answers of every recipe for every fold: those that `out` keeps, and the others as they are made.

    Images are prepared once for each way of preparing them, and only where an answer is missing. Raises
    `DatasetError` where an image can no longer be read.
    """
    found = {name: _kept(task, name, recipe, out) for name, recipe in recipes.items()}
    missing = [(name, place) for name in recipes for place in task.places if place not in found[name]]
    images: dict[InputSpec, Labelled] = {}
    total = len(recipes) * len(task.places)
    for done, (name, place) in enumerate(missing, start=total - len(missing)):
        recipe = recipes[name]
        if recipe.spec not in images:
            images[recipe.spec] = _prepare(task, recipe.spec, on_progress)
        report = _within(on_progress, done, total, f"{name}, repeat {place[0] + 1}, fold {place[1] + 1}")
        found[name][place] = _answer(task, recipe, images[recipe.spec], place, report)
        path, key = answers_path(out, name, *place), answers_key(recipe, task.folds, *place)
        write_answers(path, found[name][place], key)
    return found


@contextmanager
def resumable(out: Path) -> Iterator[None]:
    """On Ctrl-C say in one line how to go on, and leave with the exit code for it."""
    try:
        yield
    except KeyboardInterrupt as error:
        click.echo(f"osteo-edge: {out}: interrupted; finished folds are kept, the same command goes on", err=True)
        raise click.exceptions.Exit(EXIT_INTERRUPTED) from error


def _kept(task: Task, name: str, recipe: Recipe, out: Path) -> ByFold:
    kept = {
        place: read_answers(answers_path(out, name, *place), answers_key(recipe, task.folds, *place))
        for place in task.places
    }
    return {place: stored for place, stored in kept.items() if stored is not None}


def _prepare(task: Task, spec: InputSpec, on_progress: Advance) -> Labelled:
    prepared = prepare(
        task.cases, spec, on_progress=lambda done, total: on_progress(done, total, note="", stage="read images")
    )
    if prepared.skipped:
        raise DatasetError(f"{prepared.skipped[0]} (it was readable when the folds were made)")
    groups = {image.name: image.group for image in task.folds.images}
    return Labelled.of(prepared, task.labels, groups)


def _answer(task: Task, recipe: Recipe, images: Labelled, place: Place, report: Advance) -> Stored:
    train, validation, test = (images.part(task.folds.numbers(*place, part)) for part in (TRAIN, VALIDATION, TEST))
    seed = task.folds.seed + place[0] * task.folds.count + place[1]
    report(0, 1)
    start = time.perf_counter()
    answers = recipe.answer(Fold(train, validation, test, seed), on_progress=report)
    seconds = time.perf_counter() - start
    _check(answers, len(train), len(validation), len(test), len(task.labels))
    return Stored(answers, seconds)


def _check(answers: Answers, train: int, validation: int, test: int, labels: int) -> None:
    """Raise `ValueError` where a recipe breaks its contract."""
    parts = [(answers.validation, validation), (answers.test, test)]
    if answers.held_out is not None:
        parts.append((answers.held_out, train + validation))
    for logits, size in parts:
        if logits.shape != (size, labels) or not np.isfinite(logits).all():
            raise ValueError(f"a recipe must answer finite logits {(size, labels)}, not {logits.shape}")


def _within(on_progress: Advance, finished: int, of: int, name: str) -> Advance:
    """Progress of one recipe on one fold as a note beside the bar over all of them."""

    def report(done: int, total: int, note: str = "", stage: str | None = None) -> None:
        inner = f": {stage or ''} {done}/{total} {note}" if total > 1 else ""
        on_progress(finished, of, f"{name}{inner}", "cross-validate")

    return report
