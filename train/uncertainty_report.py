"""How sure a bundle's answers are, as sections of an HTML page."""

from collections.abc import Iterator

import numpy as np

from osteo_edge import page
from osteo_edge.curves import at_coverage, bootstrap_band, risk_coverage
from osteo_edge.evaluation import Predictions, answers_of
from osteo_edge.intervals import Floats, Indices
from osteo_edge.manifest import Manifest
from osteo_edge.page import escape
from osteo_edge.selective import Selective, decided
from osteo_edge.svg_figure import COLOURS, INK, svg_axes
from osteo_edge.train.answer_plots import BAND_REPLICATES
from osteo_edge.train.uncertainty import (
    LOOK_COLUMNS,
    RISK_COLUMNS,
    Uncertainty,
    look_rows,
    look_sentence,
    risk_rows,
    risk_sentences,
    set_columns,
    set_rows,
    set_sentence,
)

GRID = np.linspace(0.02, 1.0, 50)


def uncertainty_sections(found: Uncertainty, predictions: Predictions, manifest: Manifest) -> Iterator[str]:
    """The risk-coverage curve with its table, the prediction sets, and the second look where one was taken."""
    yield "<h2>How sure it is</h2>"
    caption = "Risk over coverage, with pointwise 95 % band; the dot is this bundle's abstain band, dotted is guessing"
    yield page.plots([(plot_risk(found.selective, predictions, manifest), caption)])
    yield page.table(RISK_COLUMNS, risk_rows(found.selective))
    yield from (f"<p>{escape(sentence)}</p>" for sentence in risk_sentences(found.selective))
    if found.sets is None:
        yield f"<p>{escape(found.no_sets)}</p>"
    else:
        yield page.table(set_columns(found.sets), set_rows(found.sets))
        yield f"<p>{escape(set_sentence(found.sets))}</p>"
    if found.consistency is not None:
        yield page.table(LOOK_COLUMNS, look_rows(found.consistency))
        yield f"<p>{escape(look_sentence(found.consistency))}</p>"


def plot_risk(selective: Selective, predictions: Predictions, manifest: Manifest) -> str:
    """The risk-coverage curve with its band; dotted, what a sureness that tells nothing reaches."""
    wrong, confidence = decided(answers_of(predictions, manifest))

    def drawn(cases: Indices) -> Floats:
        return at_coverage(risk_coverage(wrong[cases], confidence[cases])[1], GRID)

    band = selective.band
    low, high = bootstrap_band(drawn, wrong.size, groups=predictions.groups, replicates=BAND_REPLICATES)
    with svg_axes("coverage: the share of the films that is answered", "risk: wrong among these") as (axes, svg):
        axes.axhline(selective.at[1.0].value, linestyle=":", color=INK, linewidth=0.8)
        axes.fill_between(GRID, low, high, color=COLOURS[0], alpha=0.12, linewidth=0)
        axes.plot(selective.coverage, selective.risk, color=COLOURS[0], linewidth=1.6)
        axes.plot(band.coverage.value, band.risk.value, "o", color=COLOURS[1], markersize=7)
        axes.set_xlim(0, 1.02)
        axes.set_ylim(bottom=0)
    return svg()
