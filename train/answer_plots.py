"""The plots of a model's answers that every report shows."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import numpy.typing as npt

from osteo_edge import curves, metrics
from osteo_edge.answers import Answers, Bools, Indices
from osteo_edge.intervals import Floats
from osteo_edge.subgroups import Subgroup
from osteo_edge.train import plots

GRID = np.linspace(0.0, 1.0, 101)
BAND_REPLICATES = 500
Curve = Callable[[Bools, Floats, Floats], Floats]
Picture = tuple[str, str]
"""An SVG and its caption."""


def question_plots(answers: Mapping[str, Answers]) -> Iterator[Picture]:
    """Receiver operating characteristic and precision-recall of each question, for models by name."""
    first = next(iter(answers.values()))
    for question in first.questions:
        roc = _bands(answers, question.labels, curves.roc_on_grid)
        yield plots.plot_roc(GRID, roc), f"{question.name} against the rest, with pointwise 95 % bands"
        recall = _bands(answers, question.labels, curves.pr_on_grid)
        positive, _ = first.asked(question.labels)
        picture = plots.plot_precision_recall(
            GRID[1:], {name: _rest(band) for name, band in recall.items()}, positive.mean()
        )
        yield picture, f"{question.name}: precision over recall; dotted, the share of positive cases"


def probability_plots(answers: Mapping[str, Answers]) -> Iterator[Picture]:
    """What the probabilities of a positive label are worth: reliability and net benefit, for models by name."""
    asked = {name: found.asked(found.positive_labels) for name, found in answers.items()}
    yield (
        plots.plot_reliability({name: curves.reliability(*pair) for name, pair in asked.items()}),
        "Reliability: on the dotted line, a probability is what comes true; larger points hold more cases",
    )
    yield (
        plots.plot_decision({name: curves.decision_curve(*pair) for name, pair in asked.items()}),
        "Net benefit over the threshold (Vickers and Elkin 2006); a model is of use where it is highest",
    )


def score_plot(answers: Answers, title: str) -> Picture:
    """Predicted against actual: each case's probability by its label."""
    _, score = answers.asked(answers.positive_labels)
    by_label = {label: score[answers.truth == number] for number, label in enumerate(answers.labels)}
    thresholds = np.unique(answers.threshold)
    threshold = float(thresholds[0]) if thresholds.size == 1 else None
    return plots.plot_scores(by_label, threshold), f"{title}: predicted probability by true label"


def confusion_plot(answers: Answers, title: str) -> Picture:
    """Predicted against actual: how many cases of each label were answered as what."""
    counts = metrics.confusion(answers.truth, answers.predicted, len(answers.labels))
    return plots.plot_confusion(counts, answers.labels, title), "Given labels against the most probable ones"


def subgroup_plot(subgroups: tuple[Subgroup, ...], name: str) -> Picture | None:
    """A forest plot of one measure over the subgroups that have enough cases for it; None if none has."""
    rows = [
        (f"{group.factor} {group.value}", group.estimates[name])
        for group in subgroups
        if name in group.estimates and np.isfinite(group.estimates[name].low)
    ]
    return (plots.plot_forest(rows, label=name, line=0.5), f"{name} by subgroup; intervals are wide") if rows else None


def _bands(answers: Mapping[str, Answers], labels: tuple[str, ...], curve: Curve) -> dict[str, plots.Band]:
    return {name: _band(*found.asked(labels), found.groups, curve) for name, found in answers.items()}


def _band(positive: Bools, score: Floats, groups: npt.NDArray[np.str_], curve: Curve) -> plots.Band:
    def drawn(cases: Indices) -> Floats:
        return curve(positive[cases], score[cases], GRID)

    low, high = curves.bootstrap_band(drawn, positive.size, groups=groups, replicates=BAND_REPLICATES)
    return curve(positive, score, GRID), low, high


def _rest(band: plots.Band) -> plots.Band:
    """Without recall 0, at which precision is that of no case."""
    values, low, high = band
    return values[1:], low[1:], high[1:]
