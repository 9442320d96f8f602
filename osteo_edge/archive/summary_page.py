"""The summary of an archive's results as one self-contained page."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from osteo_edge import gate, page
from osteo_edge.amounts import counted
from osteo_edge.archive.row import QUALITY
from osteo_edge.archive.summary_counts import SCORE_BINS, SHOWN_FIRST
from osteo_edge.archive.summary_drift import ONE_PATIENT
from osteo_edge.archive.summary_figures import Quantiles, Reason, Run, ScoreShape, StageTime, Summary
from osteo_edge.bundle import Bundle
from osteo_edge.findings import findings_of
from osteo_edge.intervals import Estimate
from osteo_edge.manifest import Manifest
from osteo_edge.page import escape
from osteo_edge.screening import finding_of
from osteo_edge.verdict import warning
from osteo_edge.wording import headline, probability_in_words

CHART_PX: Final = (640, 180)
BELOW_PX: Final = 22
NOT_SCREENED: Final = {
    "not_screened": "Not screened: by its tags this is no film for this model",
    "unreadable": "Unreadable: the file could not be read as a radiograph",
}
FIRST: Final = {
    "refer": ("Referred, the highest scores", "An order to look in. It is no order of how ill anybody is."),
    "uncertain": ("Uncertain, the highest scores", "Films without an answer: decide as if they had not been screened."),
    "furthest": (
        "Answered, but furthest from the training films",
        "If these are not what the model is for, trust fewer of the others.",
    ),
}
STAGES: Final = {
    "read": "read and decode",
    "prepare": "find the joint, filter, resize",
    "infer": "inference",
    "map": "draw the map",
    "total": "all of it, with what the gate measures",
}
FIGURES: Final = {
    "contrast": "contrast",
    "chroma": "colour",
    "aspect": "longer side over shorter",
    "tones": "grey levels used, of 256",
    "smoothness": "likeness of neighbouring pixels",
    "even": "even area",
    "screen": "even light grey area",
    "brightest": "brightest grey",
    "white": "pure white in the middle",
    "side": "grey of the margins",
    "relief": "detail where it is bright",
    "patch": "largest white patch",
    "detail": "fine detail over coarse",
    "blocks": "steps at JPEG blocks",
}


def render_summary(summary: Summary, bundle: Bundle) -> str:
    """The page as text; it loads nothing from anywhere."""
    return page.render_page(f"{summary.bundle}: an archive", _sections(summary, bundle.manifest))


def _sections(summary: Summary, manifest: Manifest) -> Iterator[str]:
    yield f"<h1>{escape(summary.bundle)}: the archive {escape(summary.source)}</h1>"
    yield f'<p class="use">{escape(summary.intended_use)}</p>'
    failed = warning(manifest.parity)
    yield page.alarms([*([] if failed is None else [failed]), *_not_whole(summary), *_believed(summary)])
    yield f"<p>{escape(_facts(summary))}</p>"
    yield f"<h2>Outcomes</h2>{_outcomes(summary, manifest)}"
    yield f"<h2>Films to look at first</h2>{''.join(_first(summary))}"
    yield f"<h2>Reasons</h2>{_reasons(summary.reasons)}{_left_out(summary.left_out)}"
    yield f"<h2>Scores</h2>{''.join(_scores(summary.scores, manifest))}"
    yield f"<h2>Beside the films that the model was chosen on</h2>{''.join(_drift(summary))}"
    yield f"<h2>Picture quality</h2>{_figures(summary.figures, manifest)}"
    yield f"<h2>Time</h2>{_times(summary)}"
    yield (
        f'<p class="faint">This page names films: keep it as safe as them. Model <code>{summary.model_sha256}</code>, '
        f"counted on {escape(summary.created_at)} by {escape(summary.created_by)}.</p>"
    )


def _not_whole(summary: Summary) -> Iterator[str]:
    if not summary.is_whole:
        yield (
            f"Not finished: {summary.films:,} of {summary.films_planned:,} films are done, and the figures are of "
            "those alone. Run the same command again to go on."
        )


def _believed(summary: Summary) -> Iterator[str]:
    """What the options have the answers rest on."""
    if summary.options.any_film:
        yield "By --any-film, films unlike those that the model learned from are answered too: do not act on it."
    if summary.options.bone is not None:
        yield f"By --bone, every film is taken for one of this bone: {summary.options.bone}."


def _facts(summary: Summary) -> str:
    return (
        f"{counted(summary.films, 'film')}, {summary.answered:,} of them answered: referred, without finding, or "
        "uncertain. No answer rules anything out. Shares are of all films, with 95 % intervals (Wilson). " + ONE_PATIENT
    )


def _outcomes(summary: Summary, manifest: Manifest) -> str:
    rows = (
        [escape(_words(name, manifest)), f"{summary.outcome_films[name]:,}", _percent(share), page.interval_bar(share)]
        for name, share in summary.outcomes.items()
    )
    return page.table_of_html(["Outcome", "Films", "Share", "0 to 1"], rows)


def _words(outcome: str, manifest: Manifest) -> str:
    return NOT_SCREENED.get(outcome) or headline(outcome, finding_of(manifest))  # type: ignore[arg-type]


def _first(summary: Summary) -> Iterator[str]:
    for name, (title, meaning) in FIRST.items():
        rows = summary.first.get(name, [])
        yield f"<h3>{title}</h3>"
        if not rows:
            yield f"<p>{_none(name, summary)}</p>"
            continue
        yield f"<p>{meaning} At most {SHOWN_FIRST} are listed; the Parquet files hold all.</p>"
        yield _films(rows)


def _none(name: str, summary: Summary) -> str:
    """Why no film is listed."""
    is_unknown = name == "furthest" and summary.answered and not summary.distance.n
    return "Not known: this bundle carries no statistics of its training films." if is_unknown else "None."


def _films(rows: Sequence[dict[str, Any]]) -> str:
    """The films, with what is known of any of them."""
    words: dict[str, Callable[[Any], str]] = {"bone": str, "score": _score, "distance": "{:.2f}".format}
    known = [name for name in words if any(row[name] is not None for row in rows)]
    told = (
        [_path(row["film"]), *("" if row[name] is None else escape(words[name](row[name])) for name in known)]
        for row in rows
    )
    return page.table_of_html(["Film", *(name.capitalize() for name in known)], told)


def _path(film: str) -> str:
    """A film's name as HTML, which a narrow page may break where a folder or a word of it ends."""
    return "".join(f"{part}<wbr>" if part in ("/", "_") else escape(part) for part in re.split("([/_])", film))


def _score(score: float) -> str:
    return probability_in_words(score, digits=3)


def _reasons(reasons: Iterable[Reason]) -> str:
    rows = (
        [each.outcome, each.reason, f"{each.films:,}", _percent(each.share), _path(each.example)] for each in reasons
    )
    return page.table_of_html(["Outcome", "Reason", "Films", "Share", "First film"], rows)


def _left_out(left_out: dict[str, int]) -> str:
    if not left_out:
        return ""
    counts = ", ".join(f"{reason} {number:,}" for reason, number in left_out.items())
    return f"<p>Left out when the source was listed, and in no share: {escape(counts)}.</p>"


def _scores(shapes: Sequence[ScoreShape], manifest: Manifest) -> Iterator[str]:
    if not shapes:
        yield "<p>No film was answered.</p>"
    yield page.plots(
        ((_chart(shape, manifest), _caption(shape, manifest)) for shape in shapes), wide=True, brighten=False
    )


def _caption(shape: ScoreShape, manifest: Manifest) -> str:
    named = f"{shape.bone}: " if shape.bone else ""
    width = 1 / SCORE_BINS
    line = "" if shape.bone else f" The line is the threshold, {manifest.decision.threshold:.2f}."
    return (
        f"{named}{shape.quantiles.n:,} scores, calibrated probabilities, in steps of {width:g}; half of them lie below "
        f"{shape.quantiles.median:.2f}.{line}"
    )


def _chart(shape: ScoreShape, manifest: Manifest) -> str:
    """The scores as bars, with the threshold of a model of one bone."""
    width, height = CHART_PX
    step, most = width / len(shape.bins), max(shape.bins)
    bars = "".join(
        f'<rect class="mark" x="{number * step + 1:.1f}" width="{step - 2:.1f}" y="{height - tall:.1f}" '
        f'height="{tall:.1f}"/>'
        for number, tall in enumerate(films / most * (height - 16) for films in shape.bins)
    )
    at = manifest.decision.threshold * width
    line = f'<line x1="{at:.1f}" x2="{at:.1f}" y1="0" y2="{height}" stroke="currentColor" stroke-dasharray="4 3"/>'
    words = "".join(
        f'<text x="{place * width:.0f}" y="{height + 16}" text-anchor="{anchor}" fill="currentColor" font-size="13">'
        f"{place:g}</text>"
        for place, anchor in ((0, "start"), (0.5, "middle"), (1, "end"))
    )
    return (
        f'<svg viewBox="0 0 {width} {height + BELOW_PX}">{bars}{"" if shape.bone else line}'
        f'<line class="axis" x1="0" x2="{width}" y1="{height}" y2="{height}"/>{words}'
        f'<text x="0" y="11" fill="currentColor" font-size="13">{most:,}</text></svg>'
    )


def _drift(summary: Summary) -> Iterator[str]:
    for found in summary.drift:
        points = [100 * number for number in (found.difference.value, found.difference.low, found.difference.high)]
        verdict = "They differ." if found.differs else "With this many films no difference shows."
        yield f"<h3>{escape(found.name.capitalize())}</h3>"
        yield page.table(
            ["Share here", "Share there", "Difference, points"],
            [[_percent(found.here), _percent(found.there), "{:+.1f} [{:+.1f}, {:+.1f}]".format(*points)]],
        )
        yield f"<p>{verdict} {escape(found.meaning)}</p>"
    missing = "".join(f"<li>{escape(sentence)}</li>" for sentence in summary.not_compared)
    yield f"<h3>Not compared</h3><ul>{missing}</ul>"


def _figures(figures: dict[str, Quantiles], manifest: Manifest) -> str:
    refused = _refused(manifest)
    rows = []
    for name, found in figures.items():
        plain = name.removeprefix(QUALITY)
        numbers = [_number(value) for value in (found.low_5_percent, found.median, found.high_95_percent)]
        rows.append([FIGURES[plain], *numbers, refused.get(plain, "")])
    return (
        "<p>What the input gate measures of the films that could be read, and where it refuses them. The limits were "
        "set for all models, not by this one's training films.</p>"
        + page.table(["Figure", "5 % lie below", "Half lie below", "95 % lie below", "Refused"], rows)
    )


def _refused(manifest: Manifest) -> dict[str, str]:
    """Where `osteo_edge.gate` refuses a film for one figure alone."""
    limits = {
        "contrast": f"below {manifest.gate.min_contrast:g}",
        "chroma": f"above {manifest.gate.max_chroma:g}",
        "aspect": f"above {gate.MAX_ASPECT:g}",
        "smoothness": f"below {gate.MIN_SMOOTHNESS:g}",
        "brightest": f"below {gate.MIN_BRIGHTEST:g}",
        "white": f"above {gate.MAX_WHITE:g}",
        "blocks": f"above {gate.MAX_BLOCKS:g}",
        "detail": f"below {gate.MIN_DETAIL:g}",
        "screen": f"above {gate.MAX_SCREEN:g}",
        "patch": f"above {gate.MAX_PATCH:g}",
    }
    if "abnormality" not in findings_of(manifest):
        return limits
    no_fault = {name: limits[name] for name in limits if name not in ("white", "patch")}
    return {**no_fault, "aspect": f"above {gate.MAX_LONG_ASPECT:g}"}


def _times(summary: Summary) -> str:
    stages = page.table(
        ["Stage", "Films", "Half take at most, ms", "95 % take at most, ms", "Share of all time"],
        ([STAGES[s.stage], f"{s.ms.n:,}", _number(s.ms.median), _number(s.ms.high_95_percent), f"{s.share:.1%}"]
         for s in summary.stages),
    )  # fmt: skip
    runs = page.table(
        ["Begun", "Engine", "Workers", "Films", "Seconds", "Films a second", "Ended"],
        (_run_row(run) for run in summary.runs),
    )
    return f"<p>{escape(_bottleneck(summary))}</p>{stages}{'<h3>Runs</h3>' + runs if summary.runs else ''}"


def _bottleneck(summary: Summary) -> str:
    parts: list[StageTime] = [stage for stage in summary.stages if stage.stage != "total"]
    if not parts:
        return "No film was timed."
    slowest = max(parts, key=lambda stage: stage.share)
    return (
        f"A worker does {summary.worker_films_per_second:.1f} films a second; most of its time goes to one stage: "
        f"{STAGES[slowest.stage]}, {slowest.share:.0%}."
    )


def _run_row(run: Run) -> list[str]:
    speed = _number(run.films_per_second)
    return [run.started_at, run.engine, str(run.workers), f"{run.films:,}", f"{run.seconds:,.0f}", speed, run.ended]


def _percent(share: Estimate) -> str:
    if share.value != share.value:
        return "not defined"
    value, low, high = (100 * number for number in (share.value, share.low, share.high))
    return f"{value:.1f} % [{low:.1f}, {high:.1f}]"


def _number(value: float | None) -> str:
    return "" if value is None or value != value else f"{value:.3g}"
