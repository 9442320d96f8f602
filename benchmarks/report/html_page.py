"""A benchmark report as one self-contained HTML page, which loads nothing and runs no script."""

from collections.abc import Iterator

from osteo_edge import page
from osteo_edge.benchmarks.measuring.results import Report
from osteo_edge.benchmarks.report import context_tables as context
from osteo_edge.benchmarks.report import tables
from osteo_edge.benchmarks.report.pictures import Pictures, draw_pictures
from osteo_edge.benchmarks.report.regressions import Regressions
from osteo_edge.benchmarks.report.standings import bundle_names
from osteo_edge.benchmarks.report.tables import Table
from osteo_edge.benchmarks.report.words import PEERS_RULE, PURPOSE, sentences, title_of, warnings
from osteo_edge.errors import MissingExtraError
from osteo_edge.page import escape

TIMES_NOTE = (
    "Times are of inference alone, from the input in place to the output in place. Of every variant the median has a "
    "95 % interval, of a bootstrap over its processes."
)
STAGES_NOTE = (
    "Medians, and the least and the most. Bundles were measured one after the other here, not in turns as for latency: "
    "a small difference between two of them may be the machine's."
)
MEMORY_NOTE = "Peaks are the kernel's high-water marks of a process that loads the model and runs it."
BASELINE_NOTE = (
    "Beside recorded measurements of the same network on other hardware: above 1 this machine needs more. Latency is "
    "that of one image at a time, for both."
)
INSTRUCTIONS_NOTE = (
    "Counted under emulation on one thread, not timed: a proxy for cost that is the same on every machine. A time "
    "stands here only as an estimate, for as many threads as the published time that it was scaled by."
)
TUNING_NOTE = "1 to 4 threads, then doubling up to all cores, to see whether the usual setting is the fastest."
SCREENINGS_NOTE = (
    "Cold: a process of `osteo-edge screen` with one film, from the start of Python to its end, modules compiled. "
    "Warm: what one more film adds to it. One thread; a film is read, prepared, inferred from and mapped."
)
MISSING_NOTE = "Asked for, and not measured:"


def render_page(report: Report, regressions: Regressions | None = None) -> str:
    """The whole page as text; without figures, and saying so, where matplotlib is missing."""
    return page.render_page(title_of(report), _sections(report, regressions))


def _sections(report: Report, regressions: Regressions | None) -> Iterator[str]:
    pictures, why_none = _pictures(report)
    yield f"<h1>{escape(title_of(report))}</h1>"
    yield f'<p class="use">{escape(PURPOSE)}</p>'
    yield page.alarms(warnings(report, regressions))
    yield f"<h2>In short</h2><ul>{''.join(f'<li>{escape(each)}</li>' for each in sentences(report))}</ul>"
    if why_none:
        yield f'<p class="faint">This page has no figures: {escape(why_none)}.</p>'
    yield _section("Bundle by bundle", tables.overview(report))
    yield _section("Latency", tables.latencies(report), pictures.get("latency"), TIMES_NOTE)
    yield _section("Unstable times", tables.doubts(report))
    yield _section("From a file to an answer", tables.stages(report), pictures.get("stages"), STAGES_NOTE)
    yield _section("Quality", tables.fidelity(report), pictures.get("fidelity"))
    yield _section("Memory", tables.memory(report), pictures.get("memory"), MEMORY_NOTE)
    yield _section("Size", tables.sizes(report))
    yield _section("Who computes what", tables.placement(report), pictures.get("placement"))
    yield from _operators(report)
    yield _section("Energy", tables.energy(report))
    yield _section("Instructions", tables.instructions(report), pictures.get("instructions"), INSTRUCTIONS_NOTE)
    yield _section("Instructions of whole screenings", tables.screenings(report), note=SCREENINGS_NOTE)
    yield _section("Beside recorded baselines", context.baselines(report), pictures.get("baselines"), BASELINE_NOTE)
    yield _section("Beside other runtimes", context.peers(report), note=PEERS_RULE)
    yield _section("Threads and delegate", context.tunings(report), note=TUNING_NOTE)
    yield _regressions(regressions)
    yield _section("Machine", context.machine(report))
    yield _section("Before and after", context.machine_states(report))
    yield _section("Missing", context.missing(report), note=MISSING_NOTE)
    yield f'<p class="faint">{escape(_origin(report))}</p>'


def _pictures(report: Report) -> tuple[Pictures, str | None]:
    try:
        return draw_pictures(report), None
    except MissingExtraError as error:
        return {}, str(error)


def _section(title: str, shown: Table, pictures: list[tuple[str, str]] | None = None, note: str = "") -> str:
    """Nothing where there is no row."""
    if not shown.rows:
        return ""
    words = f"<p>{escape(note)}</p>" if note else ""
    figures = page.plots(pictures, brighten=False) if pictures else ""
    return f"<h2>{escape(title)}</h2>{words}{figures}{page.table(shown.head, shown.rows)}"


def _operators(report: Report) -> Iterator[str]:
    """The slowest operators of each bundle that was profiled, folded away on a screen."""
    names = bundle_names(report.measurements)
    for found in report.measurements:
        shown = tables.slowest_operators(found)
        if shown.rows:
            title = f"Slowest operators of {names[found.variant.bundle]}"
            yield f"<details><summary>{escape(title)}</summary>{page.table(shown.head, shown.rows)}</details>"
        elif found.placement is not None and found.placement.slowest_missing:
            words = f"No times of single operators of {names[found.variant.bundle]}: {found.placement.slowest_missing}"
            yield f'<p class="faint">{escape(words)}</p>'


def _regressions(found: Regressions | None) -> str:
    if found is None:
        return ""
    another, versions = "; ".join(found.machine_differences), "; ".join(found.version_differences)
    elsewhere = f" Times and memory are not judged, the machine is another: {another}." if another else ""
    since = f" Other versions since then: {versions}." if versions else ""
    words = (
        f"Of {found.old_created_at}. {len(found.of('regression'))} quantities got worse, "
        f"{len(found.of('improvement'))} better, and {len(found.of('no difference'))} have no difference."
    )
    shown = context.changes(found)
    table = page.table(shown.head, shown.rows) if shown.rows else ""
    return f"<h2>Beside an earlier report</h2><p>{escape(words + elsewhere + since)}</p>{table}"


def _origin(report: Report) -> str:
    asked, budget = report.settings, report.settings.budget_s
    within = "" if budget is None else f", or what {budget:g} s allowed"
    return (
        f"Measured for each variant: at least {asked.runs:,} runs and {asked.seconds:g} s{within}, in fresh processes, "
        f"in random order (seed {asked.seed}). Made by {report.created_by} at {report.created_at}."
    )
