"""One self-contained HTML page about a stress test: curves over the strengths, and one film under everything."""

import base64
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from osteo_edge import page
from osteo_edge.amounts import counted
from osteo_edge.bundle import Bundle
from osteo_edge.extras import load_extra
from osteo_edge.filters import Pixels
from osteo_edge.overlay import blend
from osteo_edge.page import escape
from osteo_edge.radiograph import read_radiograph
from osteo_edge.raster import codec
from osteo_edge.svg_figure import COLOURS, INK, svg_axes
from osteo_edge.targets import require_target
from osteo_edge.train.disturbances import Disturbance
from osteo_edge.train.stress import Level, Reply, StressTest
from osteo_edge.train.stress_measures import LevelMeasures, StressFigures, turns_of
from osteo_edge.verdict import warning
from osteo_edge.writable import require_writable
from osteo_edge.writing import write_whole

PICTURE_SIDE_PX = 260
PICTURE_QUALITY = 85
EXAMPLE = 0
"""The film that is shown: the first, so that nobody has picked it."""
FIGURES = {"auroc": "AUROC, all films", "refused": "refused", "reversed": "reversed", "unnoticed": "unnoticed"}
FIGURE_SIZE = (5.4, 3.4)
Found = tuple[Level, LevelMeasures]
NO_STATISTICS = "This bundle knows no statistics of its training films, so the gate's other checks stand alone."
EXPLANATION = """<p>Every film goes through the whole screening as a PNG file of its grey pixels, undisturbed and
disturbed, and each answer is compared with that to the undisturbed film, not with the label. AUROC is over all films,
as if there were no gate (dotted: chance). <em>Reversed</em> are decisions that turned from no finding to refer or back,
<em>wavered</em> those that turned to or from uncertain, <em>refused</em> the films that the gate refuses,
<em>caught</em> those of the changed ones that it refuses. <em>Unnoticed</em> is what is reversed, or re-routed, and not
refused: an opposite turn, or another bone's answer, that somebody would act on. Intervals are 95 %, by a bootstrap over
groups; Wilson's for shares of 0 and 1.</p>"""
ROUTED = """<p>The model tells bones apart: AUROC compares films of one bone only, and <em>re-routed</em> are films that
another bone's head answers than undisturbed.</p>"""


def require_report(path: Path) -> None:
    """Raise at once, and not after the work, what a report could not be made for; nothing is written yet.

    `MissingExtraError` where there is nothing to draw curves with, `OsteoEdgeError` for a place that cannot be written.
    """
    load_extra(("matplotlib",), feature="a report with figures", package="matplotlib", extra="report")
    require_writable(path, "the report")
    require_target(path, "the report", page.BEGINS)


def refused_untouched(test: StressTest) -> Iterator[str]:
    """The line about the films that the gate refuses undisturbed; none where there are none."""
    number = int(test.refused.sum())
    if number:
        yield f"Refused undisturbed too: {counted(number, 'film')}, left out of refused and caught."


def write_stress_report(path: Path, bundle: Bundle, part: str, figures: StressFigures) -> Path:
    """Write the page. `OsteoEdgeError` if it cannot be written."""
    return write_whole(path, render_stress_report(bundle, part, figures).encode(), "the report")


def render_stress_report(bundle: Bundle, part: str, figures: StressFigures) -> str:
    """The page as text; it loads nothing from anywhere. The first film is read again, to be shown."""
    return page.render_page(f"{bundle.manifest.name} under disturbances", _sections(bundle, part, figures))


def plot_levels(disturbance: Disturbance, untouched: LevelMeasures, found: Sequence[LevelMeasures]) -> str:
    """AUROC and shares over the strengths of one disturbance, 0 being the untouched films, with 95 % intervals."""
    ticks = ("untouched", *(f"{amount:g}" for amount in disturbance.amounts))
    with svg_axes(disturbance.unit, "AUROC, or share of the films", size=FIGURE_SIZE) as (axes, svg):
        for number, (name, words) in enumerate(FIGURES.items()):
            estimates = [getattr(one, name) for one in (untouched, *found)]
            places = [place + 0.06 * (number - 1.5) for place in range(len(estimates))]
            axes.vlines(places, [one.low for one in estimates], [one.high for one in estimates], color=COLOURS[number])
            values = [one.value for one in estimates]
            axes.plot(places, values, "o-", color=COLOURS[number], linewidth=1.6, markersize=4, label=words)
        axes.axhline(0.5, linestyle=":", color=INK, linewidth=0.8)
        axes.set_ylim(-0.03, 1.03)
        axes.set_xticks(range(len(ticks)), ticks)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.18), ncols=len(FIGURES), fontsize=8)
    return svg()


def _sections(bundle: Bundle, part: str, figures: StressFigures) -> Iterator[str]:
    manifest, test = bundle.manifest, figures.test
    yield f"<h1>{escape(manifest.name)} under disturbances</h1>"
    yield f'<p class="use">{escape(manifest.intended_use)}</p>'
    failed = warning(manifest.parity)
    yield page.alarms(() if failed is None else (failed,))
    yield f"<p>{escape(_facts(bundle, part, test))}</p>"
    yield f"<p><strong>{escape(figures.verdict)}</strong></p>"
    yield EXPLANATION + (ROUTED if any(test.bones) else "")
    yield f"<h2>Untouched</h2>{_table(test, [('untouched', figures.untouched)])}"
    yield from (f"<p>{escape(line)}</p>" for line in refused_untouched(test))
    film = read_radiograph(test.cases[EXAMPLE].path).pixels
    for disturbance, found in groupby(figures.levels, key=lambda pair: pair[0].disturbance):
        yield _section(disturbance, film, test, figures.untouched, list(found))
    yield (
        f'<p class="faint">The film that is shown is {escape(test.cases[EXAMPLE].name)}, label '
        f"{escape(test.cases[EXAMPLE].label)}, the first of those that were screened. Model "
        f"<code>{manifest.model.sha256}</code>, made by {escape(manifest.created_by)}; seed {test.seed}.</p>"
    )


def _section(
    disturbance: Disturbance, film: Pixels, test: StressTest, untouched: LevelMeasures, found: list[Found]
) -> str:
    """One disturbance: its curves, the film at every strength, and the figures."""
    curves = plot_levels(disturbance, untouched, [measured for _, measured in found])
    caption = f"{disturbance.name}: {disturbance.unit}"
    return (
        f"<h2>{escape(disturbance.name[0].upper() + disturbance.name[1:])}</h2>"
        + page.plots([(curves, caption)], wide=True)
        + _pictures(film, disturbance, test, [level for level, _ in found])
        + _table(test, [(f"{level.amount:g}", measured) for level, measured in found])
        + _turns(test, [level for level, _ in found])
    )


def _facts(bundle: Bundle, part: str, test: StressTest) -> str:
    manifest = bundle.manifest
    labels = [case.label for case in test.cases]
    counts = ", ".join(f"{labels.count(label)} {label}" for label in dict.fromkeys(labels))
    knows = "The gate knows the model's training films." if manifest.familiarity is not None else NO_STATISTICS
    return (
        f"{manifest.model.precision} {manifest.model.format}. {len(labels)} films of the part {part}: {counts}. Scores "
        f"are of {test.question}. Labels come from: {manifest.data.label_source}. {knows}"
    )


def _table(test: StressTest, rows: Sequence[tuple[str, LevelMeasures]]) -> str:
    columns = {
        "auroc": "AUROC, all",
        "auroc_shown": "AUROC, let through",
        "reversed": "reversed",
        "wavered": "wavered",
        **({"rerouted": "re-routed"} if any(test.bones) else {}),
        "refused": "refused",
        "caught": "caught",
        "unnoticed": "unnoticed",
    }
    return page.table(
        ("", *columns.values()), ((row, *(getattr(found, name) for name in columns)) for row, found in rows)
    )


def _pictures(film: Pixels, disturbance: Disturbance, test: StressTest, levels: Sequence[Level]) -> str:
    """The example, untouched and at every strength, each with what the screening makes of it."""
    shown = [("untouched", film, test.untouched[EXAMPLE])]
    for level in levels:
        disturbed = disturbance.apply(film, level.strength, test.seed_of(EXAMPLE))
        shown.append((f"{level.amount:g}", disturbed, level.replies[EXAMPLE]))
    head = [escape(title) for title, _, _ in shown]
    pictures = [_picture(pixels, f"{disturbance.name} {title}") for title, pixels, _ in shown]
    table = page.table_of_html(head, [pictures, [escape(_answer(reply)) for _, _, reply in shown]])
    return f'<div class="even">{table}</div>'


def _turns(test: StressTest, levels: Sequence[Level]) -> str:
    """Which way the decisions turned, at each strength at which any did."""
    by_amount = {level.amount: turns_of(test, level.replies) for level in levels}
    lines = [
        f"at {amount:g} {', '.join(f'{turn} {number}' for turn, number in turns.items())}"
        for amount, turns in by_amount.items()
        if turns
    ]
    return f"<p>Turned, of {len(test.cases)} decisions: {escape('; '.join(lines) or 'none')}.</p>"


def _answer(reply: Reply) -> str:
    if reply.refusal:
        return f"refused: {reply.refusal}"
    return f"{'' if reply.bone is None else f'{reply.bone}: '}{reply.outcome.replace('_', ' ')}, {reply.score:.2f}"


def _picture(pixels: Pixels, words: str) -> str:
    data = codec.encode_jpeg(blend(pixels, None, max_side_px=PICTURE_SIDE_PX), PICTURE_QUALITY)
    source = f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"
    return f'<img src="{source}" alt="{escape(words)}" style="width:100%">'
