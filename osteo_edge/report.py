"""One self-contained HTML page about one evaluation: measures with intervals, rivals, films with their maps."""

import base64
import html
from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np

from osteo_edge.bundle import Bundle
from osteo_edge.evaluation import Evaluation, Predictions
from osteo_edge.metrics import Estimate
from osteo_edge.overlay import blend
from osteo_edge.radiograph import Radiograph
from osteo_edge.runtime import Interpreter
from osteo_edge.screening import Screening, score_of, screen
from osteo_edge.writing import write_whole

EXAMPLES_PER_LABEL = 2
FILM_SIDE_PX = 420
STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --paper: #fff; --faint: #667085; --line: #d5dae3; --mark: #0b6e99; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7eaf0; --paper: #14181f; --faint: #98a2b3; --line: #344054; --mark: #5cc0e8; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto;
  max-width: 62rem; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
.use { border-left: 4px solid #c4420d; padding: .5rem 1rem; font-weight: 600; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .3rem .6rem .3rem 0;
  border-bottom: 1px solid var(--line); vertical-align: middle; } td.n { font-variant-numeric: tabular-nums; }
.films { display: grid; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); gap: 1rem; }
figure { margin: 0; } figure img { width: 100%; height: 18rem; object-fit: contain; background: #000; }
figcaption, .faint { color: var(--faint); font-size: .9rem; }
svg .axis { stroke: var(--line); } svg .mark { stroke: var(--mark); fill: var(--mark); }
code { font-size: .9em; overflow-wrap: anywhere; }
"""


def write_report(
    path: Path, bundle: Bundle, evaluation: Evaluation, films: Iterable[tuple[str, Radiograph, Screening]]
) -> Path:
    """Write the page; `films` are (true label, radiograph, screening). `OsteoEdgeError` if it cannot be written."""
    return write_whole(path, render_report(bundle, evaluation, films).encode(), "the report")


def example_films(
    predictions: Predictions, bundle: Bundle, interpreter: Interpreter
) -> list[tuple[str, Radiograph, Screening]]:
    """For each label the case with the most typical score and the hardest one, screened anew with their maps."""
    scores = score_of(predictions.probabilities, bundle.manifest)
    labels = [case.label for case in predictions.cases]
    films = []
    for label in bundle.manifest.labels:
        numbers = [number for number, found in enumerate(labels) if found == label]
        for number in _typical_and_hardest(numbers, scores, label in bundle.manifest.decision.positive_labels):
            films.append((label, *screen(predictions.cases[number].path, bundle, interpreter)))
    return films


def render_report(bundle: Bundle, evaluation: Evaluation, films: Iterable[tuple[str, Radiograph, Screening]]) -> str:
    """The page as text; it loads nothing from anywhere."""
    manifest = bundle.manifest
    counts = ", ".join(f"{number} {label}" for label, number in evaluation.counts.items())
    sections = [
        f"<h1>{_escape(manifest.name)}: {_escape(evaluation.part)} part of {_escape(manifest.data.name)}</h1>",
        f'<p class="use">{_escape(manifest.intended_use)}</p>',
        f"<p>{_escape(manifest.model.precision)} {_escape(manifest.model.format)}, {_bytes(bundle)} bytes, "
        f"{manifest.model.parameters:,} parameters. Cases: {_escape(counts)}. Labels come from: "
        f"{_escape(manifest.data.label_source)}.</p>",
        "<h2>Measured, with 95 % intervals</h2>",
        _estimates(evaluation),
        "<h2>Answers by label</h2>",
        _confusion(manifest.labels, evaluation),
        "<h2>Does the image tell more than age and weight?</h2>",
        _rivals(evaluation),
        "<h2>Films</h2><p>For each label a typical case and the hardest one. The colours show where the model saw "
        "evidence for low bone density, relative to the strongest region of the film.</p>",
        f'<div class="films">{"".join(_film(*film) for film in films)}</div>',
        f'<p class="faint">Model <code>{manifest.model.sha256}</code>, split '
        f"<code>{manifest.data.split_sha256}</code>, made by {_escape(manifest.created_by)}.</p>",
    ]
    body = "\n".join(sections)
    title = _escape(manifest.name)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width"><title>{title}</title><style>{STYLE}</style></head>\n<body>{body}</body></html>\n'
    )


def _typical_and_hardest(numbers: list[int], scores: np.ndarray, positive: bool) -> list[int]:
    ordered = sorted(numbers, key=lambda number: float(scores[number]), reverse=positive)
    picks = [ordered[len(ordered) // 2], ordered[-1]] if ordered else []
    return list(dict.fromkeys(picks))[:EXAMPLES_PER_LABEL]


def _estimates(evaluation: Evaluation) -> str:
    rows = "".join(
        f'<tr><td>{_escape(name)}</td><td class="n">{_escape(str(found))}</td><td>{_interval(found)}</td></tr>'
        for name, found in evaluation.estimates.items()
    )
    return f"<table><tr><th>Metric</th><th>Value</th><th>0 to 1</th></tr>{rows}</table>"


def _interval(found: Estimate) -> str:
    if not all(map(np.isfinite, (found.value, found.low, found.high))):
        return ""
    width, middle = 240, 10
    low, high, value = (round(number * width, 1) for number in (found.low, found.high, found.value))
    return (
        f'<svg width="{width + 8}" height="20" viewBox="-4 0 {width + 8} 20" role="img" '
        f'aria-label="{_escape(str(found))}">'
        f'<line class="axis" x1="0" x2="{width}" y1="{middle}" y2="{middle}"/>'
        f'<line class="axis" x1="{width / 2}" x2="{width / 2}" y1="4" y2="16"/>'
        f'<line class="mark" x1="{low}" x2="{high}" y1="{middle}" y2="{middle}" stroke-width="3"/>'
        f'<circle class="mark" cx="{value}" cy="{middle}" r="4"/></svg>'
    )


def _confusion(labels: Sequence[str], evaluation: Evaluation) -> str:
    head = "".join(f"<th>answered {_escape(label)}</th>" for label in labels)
    rows = "".join(
        f"<tr><th>{_escape(label)}</th>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>"
        for label, row in zip(labels, evaluation.confusion, strict=True)
    )
    return f"<table><tr><th>Given</th>{head}</tr>{rows}</table>"


def _rivals(evaluation: Evaluation) -> str:
    if not evaluation.rivals:
        return "<p>Neither age nor weight is known for these cases.</p>"
    rows = "".join(
        "<tr>" + "".join(f"<td>{_escape(str(cell))}</td>" for cell in cells) + "</tr>"
        for cells in (
            (rival.question, rival.name, rival.auroc, rival.model_auroc, rival.difference, rival.verdict)
            for rival in evaluation.rivals
        )
    )
    head = "".join(f"<th>{title}</th>" for title in ("Question", "Rival", "Its AUROC", "The model's", "Difference", ""))
    return f"<table><tr>{head}</tr>{rows}</table>"


def _film(label: str, radiograph: Radiograph, screening: Screening) -> str:
    picture = blend(radiograph.pixels, screening.evidence, max_side_px=FILM_SIDE_PX)
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 88])
    source = base64.b64encode(data.tobytes()).decode()
    caption = f"{screening.image.name}, label {label}. {screening.headline}. {'; '.join(screening.reasons)}"
    return (
        f'<figure><img src="data:image/jpeg;base64,{source}" alt="{_escape(caption)}">'
        f"<figcaption>{_escape(caption)}</figcaption></figure>"
    )


def _bytes(bundle: Bundle) -> str:
    return f"{bundle.model_path.stat().st_size:,}"


def _escape(text: str) -> str:
    return html.escape(text, quote=True)
