"""The files of a benchmark report: a page to read, tables to quote and to compute with, and JSON that holds it all."""

from collections.abc import Callable
from pathlib import Path

from osteo_edge.benchmarks.measuring.results import Report
from osteo_edge.benchmarks.report.csv_tables import run_table, variant_table
from osteo_edge.benchmarks.report.html_page import render_page
from osteo_edge.benchmarks.report.json_file import write_report_file
from osteo_edge.benchmarks.report.markdown import render_markdown
from osteo_edge.benchmarks.report.regressions import Regressions
from osteo_edge.writing import write_whole

JSON_NAME = "report.json"


def write_report(report: Report, folder: Path, regressions: Regressions | None = None) -> list[Path]:
    """Write report.json, report.html, report.md, report.csv and runs.csv into `folder`, which need not be there.

    The JSON comes first: whatever fails later, the measurement is kept. `OsteoEdgeError` if a file cannot be written.
    """
    texts: dict[str, Callable[[], str]] = {
        "report.html": lambda: render_page(report, regressions),
        "report.md": lambda: render_markdown(report, regressions),
        "report.csv": lambda: variant_table(report),
        "runs.csv": lambda: run_table(report),
    }
    written = [write_report_file(report, folder / JSON_NAME)]
    for name, render in texts.items():
        written.append(write_whole(folder / name, render().encode("utf-8", "replace"), "the report"))
    return written
