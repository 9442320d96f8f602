import re

from osteo_edge.benchmarks.measuring.results import Report
from osteo_edge.benchmarks.report.markdown import escape, render_markdown
from osteo_edge.benchmarks.report.words import PEERS_RULE


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


def test_whole_screenings_stand_in_a_table_of_their_own(screened_report: Report) -> None:
    text = render_markdown(screened_report)
    table = text.partition("## Instructions of whole screenings\n\n")[2].partition("\n\n")[0].splitlines()
    assert [row.split(" | ")[1:4:2] for row in table[2:]] == [
        ["cold", "700 M (spread under 0.1 %)"],
        ["warm", "100 M (spread under 0.1 %)"],
    ] * 2
    assert all(row.endswith("| knee.png |") for row in table[2:])


def test_when_a_difference_is_called_one_stands_with_the_peers(golden_report: Report) -> None:
    assert f"## Beside other runtimes\n\n{PEERS_RULE}\n\n| Peer |" in render_markdown(golden_report)


def test_no_name_becomes_markup(hostile_report: Report) -> None:
    text = render_markdown(hostile_report)
    assert not re.search(r"(?<!\\)[`<]", text)


def test_underscores_and_ampersands_are_shown_as_they_are() -> None:
    assert escape("_knee_ v2 &amp; R&D") == r"\_knee\_ v2 &amp;amp; R&amp;D"
