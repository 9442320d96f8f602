"""One self-contained HTML page about a cross-validation: who is better, and whether an image adds anything."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from osteo_edge import page
from osteo_edge.answers import Answers
from osteo_edge.errors import RadiographError
from osteo_edge.filters import Pixels
from osteo_edge.intervals import Estimate
from osteo_edge.page import escape
from osteo_edge.radiograph import read_radiograph
from osteo_edge.train.answer_plots import Picture, probability_plots, question_plots, score_plot, subgroup_plot
from osteo_edge.train.comparison import Comparison, Contender
from osteo_edge.train.plots import plot_confusion, plot_forest, plot_learning
from osteo_edge.writing import write_whole

HARDEST = 6
MOST_CURVES = 6
"""More lines than these in one plot cannot be told apart."""


def write_cv_report(comparison: Comparison, path: Path) -> Path:
    """Write the page. `OsteoEdgeError` if it cannot be written."""
    return write_whole(path, render_cv_report(comparison).encode(), "the report")


def render_cv_report(comparison: Comparison) -> str:
    """The page as text; it loads nothing from anywhere."""
    return page.render_page(f"Cross-validation on {comparison.dataset}", _sections(comparison))


def _sections(comparison: Comparison) -> Iterator[str]:
    yield f"<h1>Cross-validation on {escape(comparison.dataset)}</h1>"
    yield f"<p>{escape(_facts(comparison))}</p>"
    yield page.alarms(f"{found.name}: {alarm}" for found in comparison.contenders for alarm in found.alarms)
    yield f"<h2>Does an image add anything?</h2>{_added(comparison)}"
    yield f"<h2>Side by side</h2>{_side_by_side(comparison)}"
    recipes = _recipes(comparison)
    answers = {found.name: _all_repeats(comparison, found.name) for found in recipes[:MOST_CURVES]}
    yield f"<h2>Curves</h2>{page.plots(question_plots(answers))}{page.plots(probability_plots(answers))}"
    yield (
        '<p class="faint">Curves pool the folds, whose models differ; the AUROC of the tables ranks within a fold only.'
        "</p>"
    )
    for found in recipes:
        yield from _recipe(comparison, found)
    yield f"<h2>Left out</h2>{_excluded(comparison)}"
    yield f'<p class="faint">{escape(_environment(comparison))}</p>'


def _facts(comparison: Comparison) -> str:
    counts = ", ".join(
        f"{int((comparison.truth == number).sum())} {label}" for number, label in enumerate(comparison.labels)
    )
    folds = comparison.folds
    return (
        f"{folds.count} folds, {folds.repeats} repeats, grouped by copies and patients, the same for all. "
        f"Usable images: {counts}. Labels come from: {comparison.label_source}. Intervals are 95 %, of a bootstrap "
        f"over groups; differences are paired, against {comparison.reference}."
    )


def _added(comparison: Comparison) -> str:
    if not comparison.added:
        return "<p>Nothing is known of the patients that an image could be compared with.</p>"
    rows = ((added.recipe, added.question, added.verdict) for added in comparison.added)
    return page.table(("Recipe", "Question", "Fused with what is known of the patient, the image"), rows)


def _side_by_side(comparison: Comparison) -> str:
    names = [f"AUROC {question.name}" for question in comparison.questions]
    rows = (_row(comparison, found, names) for found in comparison.contenders)
    head = ("", "Kind", *names, *(f"{question.name}, less {comparison.reference}" for question in comparison.questions))
    return page.table(head, rows) + page.plots((_forest(comparison, name) for name in names), wide=True)


def _row(comparison: Comparison, found: Contender, names: list[str]) -> list[object]:
    differences = [found.differences.get(question.name) for question in comparison.questions]
    measured = [_short(found.measures.get(name)) for name in names]
    return [f"{found.name}: {found.title}", found.kind, *measured, *(map(_short, differences))]


def _short(found: Estimate | None) -> str:
    """Without n, which is the same in every row."""
    if found is None or not np.isfinite(found.value):
        return ""
    return f"{found.value:.3f} [{found.low:.3f},\N{NO-BREAK SPACE}{found.high:.3f}]"


def _forest(comparison: Comparison, name: str) -> Picture:
    rows = [
        (found.name, found.measures[name])
        for found in comparison.contenders
        if name in found.measures and np.isfinite(found.measures[name].value)
    ]
    return plot_forest(rows, label=name, line=0.5), f"{name}; dotted, chance"


def _recipe(comparison: Comparison, found: Contender) -> Iterator[str]:
    yield f"<h2>{escape(found.name)}</h2><p>{escape(found.title)}. Source: {escape(found.source)}. "
    yield f"All folds took {found.seconds:.0f} s.</p>"
    yield page.estimate_table((name, found.measures[name]) for name in found.headline)
    yield page.plots(_strips(comparison, found), wide=True)
    yield page.plots(_squares(comparison, found))
    yield f"<p>The hardest cases, worst first: far from their label in every repeat.</p>{_hardest(comparison, found)}"


def _strips(comparison: Comparison, found: Contender) -> Iterator[Picture]:
    """Every case once, and subgroups by the AUROC of the questions."""
    yield score_plot(comparison.answers(found.name, 0), f"{found.name} in the first repeat")
    for name in found.headline[:2]:
        picture = subgroup_plot(found.subgroups, name)
        if picture:
            yield picture


def _squares(comparison: Comparison, found: Contender) -> Iterator[Picture]:
    """The confusion matrix, and learning curves where there are epochs."""
    confusion = plot_confusion(np.array(found.confusion), comparison.labels, found.name)
    yield confusion, "Given labels against the most probable ones, the mean over the repeats"
    losses = _losses(found)
    if losses:
        yield plot_learning(losses), "Loss by epoch, a thin line for each fold; epoch 0 is a frozen backbone"


def _losses(found: Contender) -> dict[str, list[tuple[float, ...]]]:
    names = dict.fromkeys(name for run in found.answers.runs for name in run.losses)
    runs = {name: [run.losses[name] for run in found.answers.runs if run.losses.get(name)] for name in names}
    return {name: curves for name, curves in runs.items() if curves}


def _hardest(comparison: Comparison, found: Contender) -> str:
    """Films whose own label got the least probability, the mean over the repeats."""
    given = found.answers.probabilities[:, np.arange(comparison.truth.size), comparison.truth].mean(axis=0)
    return page.films(
        film for number in np.argsort(given, kind="stable")[:HARDEST] for film in _film(comparison, int(number), given)
    )


def _film(comparison: Comparison, number: int, given: np.ndarray) -> Iterator[tuple[Pixels, None, str]]:
    case = comparison.cases[number]
    try:
        pixels = read_radiograph(case.path).pixels
    except RadiographError:  # it could be read when the folds were made, and a report is worth having without it
        return
    yield pixels, None, f"{case.name}, label {case.label}, which was given a probability of {given[number]:.2f}"


def _excluded(comparison: Comparison) -> str:
    if not comparison.excluded:
        return "<p>No image.</p>"
    return page.table(("Image", "Why"), sorted(comparison.excluded.items()))


def _environment(comparison: Comparison) -> str:
    facts = "; ".join(f"{name} {value}" for name, value in comparison.environment.items())
    seconds = ", ".join(f"{stage} {value:.0f} s" for stage, value in comparison.seconds.items())
    return f"{facts}. Time: {seconds}."


def _recipes(comparison: Comparison) -> list[Contender]:
    return [found for found in comparison.contenders if found.kind == "recipe"]


def _all_repeats(comparison: Comparison, name: str) -> Answers:
    """The answers of all repeats, one after the other; a case's group holds it in all of them."""
    parts = [comparison.answers(name, repeat) for repeat in range(comparison.folds.repeats)]
    first = parts[0]
    return Answers(
        truth=np.concatenate([part.truth for part in parts]),
        probabilities=np.concatenate([part.probabilities for part in parts]),
        labels=first.labels,
        positive_labels=first.positive_labels,
        threshold=np.concatenate([part.threshold for part in parts]),
        groups=np.concatenate([part.groups for part in parts]),
    )
