"""Measure every entrant of a cross-validation on the same bootstrap draws, and compare them in pairs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from osteo_edge.alarms import find_alarms
from osteo_edge.answers import Answers, Question, questions_about
from osteo_edge.intervals import Estimate, Floats, as_share
from osteo_edge.measuring import predictive_values
from osteo_edge.subgroups import FACTORS, Subgroup
from osteo_edge.train.baselines import SHORTCUTS
from osteo_edge.train.comparison import Added, Contender, OutOfFold
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.cross_validation import Task
from osteo_edge.train.entrants import Entrant, fused_name
from osteo_edge.train.replicates import (
    Drawn,
    Values,
    all_values,
    draw_weights,
    in_blocks,
    screening_values,
    to_estimate,
)
from osteo_edge.train.settling import settle

Weights = npt.NDArray[np.float32]
Estimates = dict[str, Estimate]

HEADLINE_END = "accuracy of the majority class"


@dataclass(frozen=True)
class Terms:
    """How entrants are compared: against which recipe, with which target sensitivity, at which prevalence if any."""

    reference: str
    config: TrainConfig
    label_source: str
    prevalence: float | None = None


@dataclass(frozen=True, eq=False)
class Measured:
    """An entrant's answers, and every measure of them on every draw: the mean over the repeats."""

    entrant: Entrant
    answers: OutOfFold
    values: Values


def compare(
    task: Task, entrants: Sequence[Entrant], terms: Terms, over: Sequence[str]
) -> tuple[tuple[Contender, ...], tuple[Added, ...]]:
    """Measure all entrants on the same draws of groups; `over` names the baselines that recipes are fused with.

    The intervals say how far the figures depend on which patients were drawn: nothing is fitted again for a draw. How
    far they depend on the division into folds is averaged out over the repeats.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # the products are too small to be worth waking threads
        weights = draw_weights(task.groups)
        measured = {entrant.name: _measure(task, entrant, weights, terms) for entrant in entrants}
        contenders = tuple(_contender(task, each, measured, weights, terms) for each in measured.values())
    return contenders, tuple(_all_added(task, measured, over))


def _measure(task: Task, entrant: Entrant, weights: Weights, terms: Terms) -> Measured:
    answers = settle(task, entrant.by_fold, terms.config)
    return Measured(entrant, answers, _over_repeats(task, answers, all_values, weights))


def _over_repeats(
    task: Task,
    found: OutOfFold,
    values: Callable[[Drawn], Values],
    weights: Weights,
    cases: npt.NDArray[np.bool_] | None = None,
) -> Values:
    """The mean over the repeats, of some of the cases where they are given."""
    chosen = np.ones(task.truth.size, bool) if cases is None else cases
    repeats = [_answers(task, found, repeat).take(chosen) for repeat in range(task.folds.repeats)]
    by_repeat = [in_blocks(values, answers, weights[chosen]) for answers in repeats]
    return {name: np.mean([each[name] for each in by_repeat], axis=0) for name in by_repeat[0]}


def _answers(task: Task, found: OutOfFold, repeat: int) -> Answers:
    return found.in_repeat(repeat, task.truth, task.labels, task.groups, task.folds)


def _contender(
    task: Task, own: Measured, measured: Mapping[str, Measured], weights: Weights, terms: Terms
) -> Contender:
    entrant, is_recipe = own.entrant, own.entrant.kind == "recipe"
    measures, headline = _measures(task, own, terms.prevalence)
    shortcuts = {name: _highest_area(task, measured[name]) for name in SHORTCUTS} if is_recipe else {}
    return Contender(
        name=entrant.name,
        kind=entrant.kind,
        title=entrant.title,
        source=entrant.source,
        about=entrant.about,
        answers=own.answers,
        measures=measures,
        headline=headline,
        differences={} if entrant.name == terms.reference else _differences(task, own, measured[terms.reference]),
        confusion=_confusion(task, own.answers),
        subgroups=tuple(_subgroups(task, own.answers, weights)) if is_recipe else (),
        alarms=find_alarms(measures, terms.label_source, shortcuts) if is_recipe else (),
    )


def _measures(task: Task, own: Measured, prevalence: float | None) -> tuple[Estimates, tuple[str, ...]]:
    """Every measure with its interval, and the names of those to be read first, which come first."""
    members = _members(task, own.answers)
    found = {name: _estimate(values, task.groups, members.get(name)) for name, values in own.values.items()}
    names = list(found)
    first = {name: found[name] for name in names[: names.index(HEADLINE_END) + 1]}
    if prevalence is not None:
        first |= predictive_values(found["sensitivity"], found["specificity"], prevalence)
    return first | found, tuple(first)


def _estimate(values: Floats, groups: npt.NDArray[np.str_], members: npt.NDArray[np.bool_] | None) -> Estimate:
    """A share has the cases it is a share of as its n, and no point as its interval."""
    found = to_estimate(values, groups.size)
    return found if members is None else as_share(found, groups[members])


def _members(task: Task, found: OutOfFold) -> dict[str, npt.NDArray[np.bool_]]:
    """For measures that are a share of cases: of which ones; of those answered so in any repeat for a precision."""
    truth, answered = task.truth, found.probabilities.argmax(axis=2)
    members = {"sensitivity": truth > 0, "accuracy": truth >= 0, HEADLINE_END: truth >= 0}
    members |= dict.fromkeys(("specificity", "specificity at 90 % sensitivity"), truth == 0)
    for number, label in enumerate(task.labels):
        members |= {f"recall {label}": truth == number, f"precision {label}": (answered == number).any(axis=0)}
    return members


def _differences(task: Task, own: Measured, reference: Measured) -> Estimates:
    """The AUROC of each question less the reference's, paired."""
    return {question.name: _difference(task, question, own, reference) for question in questions_about(task.labels[1:])}


def _difference(task: Task, question: Question, own: Measured, other: Measured) -> Estimate:
    name = f"AUROC {question.name}"
    return to_estimate(own.values[name] - other.values[name], task.truth.size)


def _highest_area(task: Task, own: Measured) -> Estimate:
    """The greater one of the AUROCs of the questions."""
    names = [f"AUROC {question.name}" for question in questions_about(task.labels[1:])]
    return max((to_estimate(own.values[name], task.truth.size) for name in names), key=lambda found: found.value)


def _confusion(task: Task, found: OutOfFold) -> tuple[tuple[float, ...], ...]:
    """Cases by given label and answered label, the mean over the repeats."""
    size = len(task.labels)
    table = np.zeros((size, size))
    for answered in found.probabilities.argmax(axis=2):
        np.add.at(table, (task.truth, answered), 1 / task.folds.repeats)
    return tuple(tuple(round(float(cell), 6) for cell in row) for row in table)


def _subgroups(task: Task, found: OutOfFold, weights: Weights) -> Iterator[Subgroup]:
    """By sex, age and format of the file, as `subgroups.measure_subgroups` does for one set of answers."""
    for factor, value_of in FACTORS.items():
        values = [value_of(case) for case in task.cases]
        for value in sorted({value for value in values if value is not None}):
            yield _subgroup(task, found, weights, factor, value, np.array([value == each for each in values]))


def _subgroup(
    task: Task, found: OutOfFold, weights: Weights, factor: str, value: str, cases: npt.NDArray[np.bool_]
) -> Subgroup:
    truth, groups, n = task.truth[cases] > 0, task.groups[cases], int(cases.sum())
    positives = int(truth.sum())
    if not 0 < positives < n:
        return Subgroup(factor, value, n, positives, {})
    drawn = _over_repeats(task, found, screening_values, weights, cases)
    members = {"sensitivity": truth, "specificity": ~truth}
    estimates = {name: _estimate(values, groups, members.get(name)) for name, values in drawn.items()}
    return Subgroup(factor, value, n, positives, estimates)


def _all_added(task: Task, measured: Mapping[str, Measured], over: Sequence[str]) -> Iterator[Added]:
    """What each recipe's image adds to each of `over`, for each question."""
    for name, own in measured.items():
        for patient in over if own.entrant.kind == "recipe" else ():
            fused = measured[fused_name(name, patient)]
            for question in questions_about(task.labels[1:]):
                yield Added(name, patient, question.name, _difference(task, question, fused, measured[patient]))
