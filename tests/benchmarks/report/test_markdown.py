import re

from osteo_edge.benchmarks.report.markdown import render_markdown
from osteo_edge.benchmarks.results import Report


def test_every_row_of_a_table_has_the_cells_of_its_head(golden_report: Report, hostile_report: Report) -> None:
    for report in (golden_report, hostile_report):
        widths: list[int] = []
        for line in render_markdown(report).splitlines():
            if not line.startswith("|"):
                widths = []
                continue
            widths.append(len(re.findall(r"(?<!\\)\|", line)))
            assert widths[-1] == widths[0], line


def test_the_tables_of_a_readme_are_there(golden_report: Report) -> None:
    text = render_markdown(golden_report)
    titles = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert titles == [
        "Bundle by bundle",
        "Latency",
        "Unstable times",
        "Beside recorded baselines",
        "Beside other runtimes",
        "Instructions",
        "Machine",
        "Missing",
    ]
    assert "| knee-int8 | LiteRT, 2 threads |" in text


def test_no_name_becomes_markup(hostile_report: Report) -> None:
    text = render_markdown(hostile_report)
    assert not re.search(r"(?<!\\)[`<]", text)
