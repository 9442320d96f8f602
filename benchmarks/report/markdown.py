"""A benchmark report as Markdown, for a README: what it comes to, and the tables that one would quote."""

import re
from collections.abc import Iterator

from osteo_edge.benchmarks.measuring.results import Report
from osteo_edge.benchmarks.report import context_tables, tables
from osteo_edge.benchmarks.report.regressions import Regressions
from osteo_edge.benchmarks.report.tables import Table
from osteo_edge.benchmarks.report.words import PEERS_RULE, PURPOSE, sentences, title_of, warnings

PEERS = "Beside other runtimes"


def render_markdown(report: Report, regressions: Regressions | None = None) -> str:
    """The report as text; names from bundles stand as text, whatever they hold."""
    return "\n".join(_lines(report, regressions))


def _lines(report: Report, regressions: Regressions | None) -> Iterator[str]:
    yield from (f"# {escape(title_of(report))}", "", PURPOSE, "")
    for warning in warnings(report, regressions):
        yield from (f"**{escape(warning)}**", "")
    yield from (f"- {escape(sentence)}" for sentence in sentences(report))
    shown = {
        "Bundle by bundle": tables.overview(report),
        "Latency": tables.latencies(report),
        "Unstable times": tables.doubts(report),
        "Beside recorded baselines": context_tables.baselines(report),
        PEERS: context_tables.peers(report),
        "Instructions": tables.instructions(report),
        "Instructions of whole screenings": tables.screenings(report),
        "Machine": context_tables.machine(report),
        "Missing": context_tables.missing(report),
    }
    for title, table in shown.items():
        if table.rows:
            yield from ("", f"## {title}", "", *((PEERS_RULE, "") if title == PEERS else ()), *render_table(table))
    yield from ("", f"Measured at {report.created_at} by {escape(report.created_by)}.", "")


def render_table(table: Table) -> Iterator[str]:
    """The lines of a Markdown table."""
    yield _row(table.head)
    yield "|" + " --- |" * len(table.head)
    yield from map(_row, table.rows)


def escape(text: str) -> str:
    """Text that Markdown shows as it is: no markup, no HTML, no character reference, no end of a cell or line.

    >>> print(escape("a|b <i> *c* _d_ &lt;"))
    a\\|b &lt;i> \\*c\\* \\_d\\_ &amp;lt;
    """
    harmless = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*_|\[\]#~])", r"\\\1", harmless)


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(map(escape, cells))} |"
