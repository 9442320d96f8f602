"""One self-contained HTML page about one evaluation: measures with intervals, curves, rivals, films with their maps."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from osteo_edge import page
from osteo_edge.amounts import counted
from osteo_edge.bone_table import BoneTable
from osteo_edge.bundle import Bundle
from osteo_edge.evaluation import Evaluation, Predictions, answers_of
from osteo_edge.filters import Pixels
from osteo_edge.findings import findings_of
from osteo_edge.page import escape
from osteo_edge.radiograph import Radiograph
from osteo_edge.runtime import Interpreter
from osteo_edge.screening import Screening, score_of, screen
from osteo_edge.study_measures import COLUMNS
from osteo_edge.train.answer_plots import confusion_plot, probability_plots, question_plots, score_plot, subgroup_plot
from osteo_edge.train.plots import plot_learning
from osteo_edge.train.uncertainty import Uncertainty
from osteo_edge.train.uncertainty_report import uncertainty_sections
from osteo_edge.verdict import warning
from osteo_edge.wording import Finding
from osteo_edge.writing import write_whole

EXAMPLES_PER_LABEL = 3
SOUGHT: dict[Finding, str] = {"density": "low bone density", "abnormality": "an abnormality"}
Film = tuple[str, Radiograph, Screening]
"""The true label, the film, and what the model answered."""


def write_report(
    path: Path,
    bundle: Bundle,
    predictions: Predictions,
    evaluation: Evaluation,
    films: Iterable[Film],
    by_bone: BoneTable | None = None,
    uncertainty: Uncertainty | None = None,
) -> Path:
    """Write the page. `OsteoEdgeError` if it cannot be written."""
    text = render_report(bundle, predictions, evaluation, films, by_bone, uncertainty)
    return write_whole(path, text.encode(), "the report")


def example_films(predictions: Predictions, bundle: Bundle, interpreter: Interpreter) -> list[Film]:
    """For each label the case with the most typical score and the hardest ones, screened anew with their maps."""
    scores = score_of(predictions.probabilities, bundle.manifest)
    labels = [case.label for case in predictions.cases]
    films = []
    for label in bundle.manifest.labels:
        numbers = [number for number, found in enumerate(labels) if found == label]
        for number in _typical_and_hardest(numbers, scores, label in bundle.manifest.decision.positive_labels):
            films.append((label, *screen(predictions.cases[number].path, bundle, interpreter, force=True)))
    return films


def render_report(
    bundle: Bundle,
    predictions: Predictions,
    evaluation: Evaluation,
    films: Iterable[Film],
    by_bone: BoneTable | None = None,
    uncertainty: Uncertainty | None = None,
) -> str:
    """The page as text; it loads nothing from anywhere."""
    sections = _sections(bundle, predictions, evaluation, films, by_bone, uncertainty)
    return page.render_page(bundle.manifest.name, sections)


def _sections(
    bundle: Bundle,
    predictions: Predictions,
    evaluation: Evaluation,
    films: Iterable[Film],
    by_bone: BoneTable | None,
    uncertainty: Uncertainty | None,
) -> Iterator[str]:
    manifest = bundle.manifest
    yield f"<h1>{escape(manifest.name)}: {escape(evaluation.part)} part of {escape(manifest.data.name)}</h1>"
    yield f'<p class="use">{escape(manifest.intended_use)}</p>'
    failed = warning(manifest.parity)
    yield page.alarms(evaluation.alarms if failed is None else (failed, *evaluation.alarms))
    yield f"<p>{escape(_facts(bundle, evaluation))}</p>"
    if by_bone is not None:
        yield from _bones(by_bone)
    yield "<h2>Measured, with 95 % intervals</h2>"
    headline = [(name, found) for name, found in evaluation.estimates.items() if name in evaluation.headline]
    yield page.estimate_table(headline)
    yield from _curves(bundle, predictions)
    if uncertainty is not None:
        yield from uncertainty_sections(uncertainty, predictions, manifest)
    yield f"<h2>Does the image tell more than age and weight?</h2>{_rivals(evaluation)}"
    yield f"<h2>Subgroups</h2>{_subgroups(evaluation)}"
    yield (
        "<h2>Films</h2><p>For each label a typical case and the hardest ones. The colours show where the model saw "
        f"evidence for {_sought(bundle)}, relative to the strongest region of the film.</p>"
    )
    yield page.films(_captioned(film) for film in films)
    yield f"<h2>Everything measured</h2>{page.estimate_table(evaluation.estimates.items())}"
    yield (
        f'<p class="faint">Model <code>{manifest.model.sha256}</code>, split '
        f"<code>{manifest.data.split_sha256}</code>, made by {escape(manifest.created_by)}.</p>"
    )


def _bones(by_bone: BoneTable) -> Iterator[str]:
    yield "<h2>By bone, study by study, with 95 % intervals</h2>"
    yield f"<p>A study is scored by the mean of its films ({by_bone.films} in all). {_left_out(by_bone)}</p>"
    yield page.table(COLUMNS, by_bone.table.rows())
    if by_bone.routing is not None:
        yield f"<p>{by_bone.routing}</p>"
        yield page.table(by_bone.routing.columns, by_bone.routing.rows())


def _left_out(by_bone: BoneTable) -> str:
    if not by_bone.without_bone:
        return ""
    return f"Left out: {counted(by_bone.without_bone, 'film')} of which the data set names no bone."


def _sought(bundle: Bundle) -> str:
    return " or ".join(SOUGHT[finding] for finding in findings_of(bundle.manifest))


def _captioned(film: Film) -> tuple[Pixels, Pixels | None, str]:
    label, radiograph, screening = film
    caption = f"{screening.image.name}, label {label}. {screening.headline}. {'; '.join(screening.reasons)}"
    return radiograph.pixels, screening.evidence, caption


def _facts(bundle: Bundle, evaluation: Evaluation) -> str:
    manifest = bundle.manifest
    counts = ", ".join(f"{number} {label}" for label, number in evaluation.counts.items())
    return (
        f"{manifest.model.precision} {manifest.model.format}, {bundle.model_path.stat().st_size:,} bytes, "
        f"{manifest.model.parameters:,} parameters. Cases: {counts}. Labels come from: {manifest.data.label_source}."
    )


def _curves(bundle: Bundle, predictions: Predictions) -> Iterator[str]:
    manifest = bundle.manifest
    answers = answers_of(predictions, manifest)
    yield f"<h2>Curves</h2>{page.plots(question_plots({manifest.name: answers}))}"
    yield page.plots(probability_plots({manifest.name: answers}))
    yield f"<h2>Predicted against actual</h2>{page.plots([score_plot(answers, manifest.name)], wide=True)}"
    yield page.plots([confusion_plot(answers, manifest.name)])
    losses = manifest.parent.recipe.get("validation_losses")
    if losses:
        picture = plot_learning({"validation": [losses]}), "Validation loss by epoch; epoch 0 is the frozen backbone"
        yield f"<h2>Learning curve</h2>{page.plots([picture])}"


def _rivals(evaluation: Evaluation) -> str:
    if not evaluation.rivals:
        return "<p>Neither age nor weight is known for these cases.</p>"
    head = ("Question", "Rival", "Its AUROC", "The model's", "Difference, paired", "")
    rows = (
        (rival.question, rival.name, rival.auroc, rival.model_auroc, rival.difference, rival.verdict)
        for rival in evaluation.rivals
    )
    return page.table(head, rows)


def _subgroups(evaluation: Evaluation) -> str:
    if not evaluation.subgroups:
        return "<p>Nothing is known of these cases that they could be divided by.</p>"
    names = list(dict.fromkeys(name for group in evaluation.subgroups for name in group.estimates))
    rows = (
        (f"{group.factor} {group.value}", group.n, group.positives, *_measured(group.estimates, names))
        for group in evaluation.subgroups
    )
    pictures = [picture for name in names if (picture := subgroup_plot(evaluation.subgroups, name))]
    return page.table(("Subgroup", "Cases", "Positive", *names), rows) + page.plots(pictures, wide=True)


def _measured(estimates: Mapping[str, object], names: list[str]) -> list[object]:
    return [estimates[name] for name in names] if estimates else ["too few", *[""] * (len(names) - 1)]


def _typical_and_hardest(numbers: list[int], scores: np.ndarray, positive: bool) -> list[int]:
    """The middle one, then the most wrongly scored ones, the hardest last."""
    ordered = sorted(numbers, key=lambda number: float(scores[number]), reverse=positive)
    picks = [ordered[len(ordered) // 2], *ordered[-(EXAMPLES_PER_LABEL - 1) :]] if ordered else []
    return list(dict.fromkeys(picks))
