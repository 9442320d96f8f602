"""A comparison as JSON values: every figure, curve and out-of-fold probability."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge import curves
from osteo_edge.answers import Answers, Question
from osteo_edge.console import without_nan
from osteo_edge.intervals import Estimate
from osteo_edge.train.comparison import Comparison, Contender, FoldRun

Floats = npt.NDArray[np.floating[Any]]

GRID = np.linspace(0, 1, 51)
DIGITS = 6


def to_dict(comparison: Comparison) -> dict[str, Any]:
    """All of it; NaN stays NaN."""
    names = [case.name for case in comparison.cases]
    return {
        "dataset": comparison.dataset,
        "label_source": comparison.label_source,
        "labels": list(comparison.labels),
        "positive_labels": list(comparison.positive_labels),
        "counts": {label: int((comparison.truth == k).sum()) for k, label in enumerate(comparison.labels)},
        "groups": int(np.unique(comparison.groups).size),
        "folds": comparison.folds.count,
        "repeats": comparison.folds.repeats,
        "seed": comparison.folds.seed,
        "reference": comparison.reference,
        "prevalence": comparison.prevalence,
        "contenders": {each.name: _contender(comparison, each) for each in comparison.contenders},
        "added": [added.to_dict() for added in comparison.added],
        "cases": {"names": names, "truth": comparison.truth.tolist(), "tested_in": comparison.folds.tested_in.tolist()},
        "excluded": comparison.excluded,
        "environment": dict(comparison.environment),
        "seconds": comparison.seconds,
    }


def to_bytes(values: dict[str, Any]) -> bytes:
    """JSON text in UTF-8, with null for NaN, which JSON does not have."""
    return json.dumps(without_nan(values), allow_nan=False, ensure_ascii=False).encode()


def _contender(comparison: Comparison, contender: Contender) -> dict[str, Any]:
    answers = contender.answers
    return {
        "kind": contender.kind,
        "title": contender.title,
        "source": contender.source,
        "about": contender.about,
        "headline": list(contender.headline),
        "measures": _estimates(contender.measures),
        "differences": _estimates(contender.differences),
        "confusion": [list(row) for row in contender.confusion],
        "subgroups": [subgroup.to_dict() for subgroup in contender.subgroups],
        "alarms": list(contender.alarms),
        "curves": {question.name: _curves(comparison, contender, question) for question in comparison.questions},
        "runs": [_run(run) for run in answers.runs],
        "seconds": round(contender.seconds, 3),
        "probabilities": answers.probabilities.round(DIGITS).tolist(),
        "thresholds": answers.thresholds.round(DIGITS).tolist(),
    }


def _run(run: FoldRun) -> dict[str, Any]:
    """One fold; the infinite loss of an epoch that diverged, which JSON does not have either, is NaN."""
    losses = {name: [loss if np.isfinite(loss) else np.nan for loss in of] for name, of in run.losses.items()}
    return {**asdict(run), "losses": losses}


def _estimates(estimates: dict[str, Estimate]) -> dict[str, Any]:
    return {name: estimate.to_dict() for name, estimate in estimates.items()}


def _curves(comparison: Comparison, contender: Contender, question: Question) -> dict[str, Any]:
    """ROC and precision-recall as means over the folds, reliability and net benefit over all repeats together."""
    repeats = [comparison.answers(contender.name, repeat) for repeat in range(comparison.folds.repeats)]
    asked = [answers.asked(question.labels) for answers in repeats]
    positive, score = (np.concatenate(parts) for parts in zip(*asked, strict=True))
    found, decision = curves.reliability(positive, score), curves.decision_curve(positive, score)
    return {
        "roc": {"x": _plain(GRID), "y": _plain(_over_folds(curves.roc_on_grid, repeats, question))},
        "precision_recall": {"x": _plain(GRID), "y": _plain(_over_folds(curves.pr_on_grid, repeats, question))},
        "reliability": {
            "predicted": _plain(found.predicted),
            "observed": _plain(found.observed),
            "n": found.n.tolist(),
        },
        "decision": {name: _plain(values) for name, values in vars(decision).items()},
    }


def _over_folds(curve: Callable[[Any, Any, Floats], Floats], repeats: list[Answers], question: Question) -> Floats:
    """The mean of a curve over the folds that have both classes (vertical averaging, Fawcett 2006)."""
    values = []
    for answers in repeats:
        positive, score = answers.asked(question.labels)
        for fold in np.unique(np.asarray(answers.strata)):
            own = answers.strata == fold
            if 0 < positive[own].sum() < own.sum():
                values.append(curve(positive[own], score[own], GRID))
    return np.mean(values, axis=0) if values else np.full(GRID.size, np.nan)


def _plain(values: Floats) -> list[float]:
    return [round(float(value), DIGITS) for value in values]
