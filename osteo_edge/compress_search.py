"""The search for a compressed model: recipe after recipe within a time budget, each result kept as soon as it is there.

What is kept survives an interruption: the next search in the same folder goes on where this one ended.
"""

import math
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from osteo_edge.answers import Answers
from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.compress_measuring import Images, ask, describe, time_together
from osteo_edge.compress_recipes import RECIPES, REFERENCE, STEPS, Recipe, Step
from osteo_edge.compress_record import Record, Subject, open_record, sole_search, write_record
from osteo_edge.console import Advance
from osteo_edge.errors import BundleError, OsteoEdgeError
from osteo_edge.interruption import interruption_taken
from osteo_edge.manifest import Manifest
from osteo_edge.subcommand import Ended, reason_of, run_subcommand

Clock = Callable[[], float]


class RunCommand(Protocol):
    """What runs one of the project's commands; `run_subcommand` does."""

    def __call__(self, words: Sequence[str], *, log: Path, timeout_s: float) -> Ended: ...


@dataclass(frozen=True)
class Plan:
    """What is searched: a Keras bundle's recipes, in order, the reference first, in the folder `out`.

    `budget_s` is the time for all calls together. `epochs` None leaves the number to the commands that train.
    """

    source: Path
    data: Path
    split: Path
    out: Path
    recipes: tuple[Recipe, ...]
    epochs: int | None
    budget_s: float


@dataclass(frozen=True)
class Found:
    """What a search came to for the recipes of its plan; `interrupted` if Ctrl-C ended it."""

    record: Record
    interrupted: bool


def search(
    plan: Plan,
    subject: Subject,
    images: Images,
    *,
    run: RunCommand = run_subcommand,
    clock: Clock = time.monotonic,
    on_progress: Advance,
) -> Found:
    """Try every recipe of the plan that is not done yet, as far as time allows, and time all models together.

    A recipe whose steps are known to take more than what is left is passed over; one that runs when the time is over
    is stopped. A recipe that fails is noted, and the search goes on, but for the reference: without it nothing can be
    measured, and that is an `OsteoEdgeError`.
    """
    open_record(plan.out, subject)
    with sole_search(plan.out):
        at_work = _AtWork(plan, images, open_record(plan.out, subject), run, clock)
        try:
            at_work.try_all(on_progress)
        except KeyboardInterrupt:
            interruption_taken()
            interrupted = True
        else:
            interrupted = False
        finally:
            at_work.keep()
    return Found(_of_plan(at_work.record, plan), interrupted)


def _of_plan(record: Record, plan: Plan) -> Record:
    """The record without the recipes that only an earlier call was about."""
    names = {recipe.name for recipe in plan.recipes}
    return replace(record, candidates={name: found for name, found in record.candidates.items() if name in names})


def least_seconds(steps: Sequence[Step], known: Mapping[str, float]) -> float:
    """What the steps will take at least, going by steps of `known` names that took these seconds.

    A step is taken to last as long as the longest of its kind did. Where there was none, a conversion counts as the
    shortest of all conversions, and a training, of which nothing is known, not at all.
    """
    return sum(_least(step, known) for step in steps)


def _least(step: Step, known: Mapping[str, float]) -> float:
    alike = [seconds for name, seconds in known.items() if STEPS[name].kind == step.kind]
    if alike:
        return max(alike)
    conversions = () if step.trains else (seconds for name, seconds in known.items() if not STEPS[name].trains)
    return min(conversions, default=0.0)


class _AtWork:
    """A search that is going on: its record grows."""

    def __init__(self, plan: Plan, images: Images, record: Record, run: RunCommand, clock: Clock) -> None:
        self.plan, self.images, self.run = plan, images, run
        self.record = replace(_without_lost(record, plan.out), failed={}, untried={})
        self._now = partial(_elapsed, clock, clock() - record.spent_s)
        self._reference: Answers | None = None

    def try_all(self, on_progress: Advance) -> None:
        self.keep()
        recipes = self.plan.recipes
        for number, recipe in enumerate(recipes):
            on_progress(number, len(recipes), stage=recipe.name)
            if recipe.name not in self.record.candidates:
                self._try(recipe)
        on_progress(len(recipes), len(recipes), stage="time all")
        self._time_all()

    def keep(self) -> None:
        self.record = replace(self.record, spent_s=round(self._now(), 3))
        write_record(self.plan.out, self.record)

    def _try(self, recipe: Recipe) -> None:
        try:
            self._check_time(recipe)
            self._note(recipe, self._make(recipe))
        except _OutOfTimeError as reason:
            self.record = replace(self.record, untried={**self.record.untried, recipe.name: str(reason)})
            self._require_reference(recipe, f"{reason}; raise --time-budget-min")
        except OsteoEdgeError as reason:
            self.record = replace(self.record, failed={**self.record.failed, recipe.name: str(reason)})
            self._require_reference(recipe, str(reason))
        self.keep()

    def _check_time(self, recipe: Recipe) -> None:
        left = self.plan.budget_s - self._now()
        needed = least_seconds(self._lacking(recipe), self.record.steps)
        if left <= 0:
            raise _OutOfTimeError("no time was left")
        if needed > left:
            raise _OutOfTimeError(f"takes {_minutes(needed)} or more, {_minutes(left)} were left")

    def _lacking(self, recipe: Recipe) -> list[Step]:
        return [step for step in recipe.steps if step.name not in self.record.steps]

    def _make(self, recipe: Recipe) -> Bundle:
        """The recipe's bundle, by those of its steps that are not done yet."""
        source = self.plan.source
        for step in recipe.steps:
            out = self.plan.out / step.name
            if step.name not in self.record.steps:
                self._take(step, source, out)
            source = out
        return read_bundle(source)

    def _take(self, step: Step, source: Path, out: Path) -> None:
        """Run one step; what was left of an earlier attempt goes first.

        A conversion that misses its parity bound ends with 1 like any failure, but leaves a bundle that says so.
        """
        _remove(out)
        plan, log = self.plan, out.with_name(f"{out.name}.log")
        words = step.words(source, out, plan.data, plan.split, plan.epochs)
        ended = self.run(words, log=log, timeout_s=max(0.0, plan.budget_s - self._now()))
        if ended.code is None:
            _remove(out)
            raise _OutOfTimeError(f"{step.name} was stopped after {_minutes(ended.seconds)}, when the time was over")
        if ended.code != 0 and not (ended.code == 1 and _missed_parity(out)):
            _remove(out)
            raise OsteoEdgeError(f"{step.name}: {reason_of(ended.code, log)}")
        self.record = replace(self.record, steps={**self.record.steps, step.name: round(ended.seconds, 3)})
        self.keep()

    def _note(self, recipe: Recipe, bundle: Bundle) -> None:
        reference = self._reference_answers()
        answers = reference if recipe.name == REFERENCE else ask(bundle, self.images)
        seconds = sum(self.record.steps[step.name] for step in recipe.steps)
        candidate = describe(bundle, reference, answers, seconds=seconds)
        self.record = replace(self.record, candidates={**self.record.candidates, recipe.name: candidate})

    def _reference_answers(self) -> Answers:
        if self._reference is None:
            self._reference = ask(read_bundle(self.plan.out / REFERENCE), self.images)
        return self._reference

    def _require_reference(self, recipe: Recipe, reason: str) -> None:
        if recipe.name == REFERENCE:
            raise OsteoEdgeError(f"{self.plan.source}: nothing to compare with: {reason}")

    def _time_all(self) -> None:
        bundles = {name: read_bundle(self.plan.out / name) for name in self.record.candidates}
        timed = time_together(bundles, REFERENCE, self.images)
        candidates = {name: replace(one, latency=timed[name]) for name, one in self.record.candidates.items()}
        self.record = replace(self.record, candidates=candidates)


class _OutOfTimeError(OsteoEdgeError):
    """The time budget does not allow for this; the message says why."""


def _without_lost(record: Record, out: Path) -> Record:
    """The record without the steps whose bundles are gone or altered, and without what was made from them."""
    whole = _whole_steps(record, out)
    kept = {name: found for name, found in record.candidates.items() if whole.get(name) == found.sha256}
    if kept.get(REFERENCE) != record.candidates.get(REFERENCE):
        kept = {}
    steps = {name: seconds for name, seconds in record.steps.items() if name in whole}
    return replace(record, steps=steps, candidates=kept)


def _whole_steps(record: Record, out: Path) -> dict[str, str]:
    """The SHA-256 of the model that each step made, for those that are whole and made from what is there."""
    made: dict[str, str] = {}
    for recipe in RECIPES.values():
        parent = record.subject.bundle_sha256
        for step in recipe.steps:
            if step.name not in made:
                manifest = _whole(out / step.name) if step.name in record.steps else None
                if manifest is None or manifest.parent.sha256 != parent:
                    break
                made[step.name] = manifest.model.sha256
            parent = made[step.name]
    return made


def _whole(path: Path) -> Manifest | None:
    """The manifest of a bundle in which every file is as it says, or None."""
    try:
        return read_bundle(path).manifest
    except BundleError:
        return None


def _missed_parity(out: Path) -> bool:
    if not out.exists():
        return False
    parity = read_bundle(out).manifest.parity
    return parity is not None and parity.passed is False


def _remove(out: Path) -> None:
    """Remove what an interrupted command may have left of the bundle `out`."""
    for path in (out, *out.parent.glob(f".{out.name}.*.partial")):
        shutil.rmtree(path, ignore_errors=True)


def _elapsed(clock: Clock, start: float) -> float:
    return clock() - start


def _minutes(seconds: float) -> str:
    """
    >>> _minutes(90), _minutes(2)
    ('1.5 min', '0.1 min')
    """
    return f"{max(0.1, math.ceil(seconds / 6) / 10):g} min"
