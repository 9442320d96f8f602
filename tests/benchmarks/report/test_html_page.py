import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from osteo_edge.benchmarks.measuring.results import Report
from osteo_edge.benchmarks.report import html_page, tables
from osteo_edge.benchmarks.report.html_page import SCREENINGS_NOTE, STAGES_NOTE, render_page
from osteo_edge.benchmarks.report.regressions import find_regressions
from osteo_edge.benchmarks.report.words import PEERS_RULE, PURPOSE
from osteo_edge.errors import MissingExtraError

VOID = {"meta", "br", "hr", "img", "link", "input"}
SECTIONS = (
    "In short",
    "Bundle by bundle",
    "Latency",
    "Unstable times",
    "From a file to an answer",
    "Quality",
    "Memory",
    "Size",
    "Who computes what",
    "Energy",
    "Instructions",
    "Beside recorded baselines",
    "Beside other runtimes",
    "Threads and delegate",
    "Machine",
    "Before and after",
    "Missing",
)
FIGURES = (
    "How long single inferences took",
    "from a file (knee.png) to an answer",
    "against size of the model file, MB",
    "against milliseconds for one image, median",
    "The most memory that a process held",
    "What the accelerated kernels (the delegate) took over",
    "Instructions of one inference on an emulated CPU",
    "The time for one image as a multiple",
)


class Page(HTMLParser):
    """Checks that tags are closed in order, and keeps the titles, the figures' names and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.titles: list[str] = []
        self.figures: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        if tag not in VOID:
            self.open.append(tag)
        if tag == "svg" and self.open[-2:-1] == ["figure"]:
            self.figures.append(dict(attrs)["aria-label"] or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self.open and self.open[-1] == "h2":
            self.titles.append(data)

    @property
    def words(self) -> str:
        return " ".join("".join(self.text).split())


@pytest.fixture(scope="module")
def text(golden_report: Report) -> str:
    return render_page(golden_report)


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_the_page_has_every_section_and_every_figure(page: Page) -> None:
    assert page.open == []
    assert tuple(page.titles) == SECTIONS
    for words in FIGURES:
        assert any(words in name for name in page.figures), words
    assert page.tags["details"] == 2
    assert "No times of single operators of knee-float32: tflite-runtime gives no profile" in page.words


def test_the_page_loads_nothing_and_runs_nothing(text: str) -> None:
    assert not re.search(r"https?:|//\w|<script|<link|<iframe|<img|@import|url\((?!#)|\bon\w+=", text)


def test_what_was_not_measured_has_no_section(bare_report: Report) -> None:
    page = Page(render_page(bare_report))
    assert page.open == []
    assert page.titles == ["In short", "Bundle by bundle", "Latency", "Machine", "Before and after"]
    assert len(page.figures) == 1
    assert "How well the bundles answer was not measured" in page.words


def test_a_report_of_nothing_is_a_page_too(bare_report: Report) -> None:
    page = Page(render_page(replace(bare_report, measurements=())))
    assert page.titles == ["In short", "Machine", "Before and after"]


def test_no_name_becomes_markup(hostile_report: Report) -> None:
    text = render_page(hostile_report, find_regressions(hostile_report, hostile_report))
    page = Page(text)
    assert page.open == []
    assert page.tags["script"] == 0
    assert "<script" not in text
    assert '<script>alert("1")</script>|$x^{$' in page.words


def test_the_page_says_what_it_is_not_and_what_not_to_trust(page: Page) -> None:
    words = page.words
    assert PURPOSE in words
    assert "the times of 1 of 4 variants are not to be trusted" in words
    assert "it drifted: the last third took 12 % longer than the first" in words
    assert "openvino is not installed: pip install 'osteo-edge[peers]'" in words


def test_a_time_from_instructions_stands_only_as_an_estimate(page: Page) -> None:
    words = page.words
    assert "estimated 46.0 ms" in words
    assert "scaled by 46 ms published for MobileNetV2 float on a Pi 4" in words


def test_an_estimate_says_of_how_many_threads_it_is(golden_report: Report) -> None:
    first = golden_report.measurements[0]
    assert first.instructions is not None
    counted = tuple(replace(each, estimated_threads=4) for each in first.instructions)
    words = Page(render_page(replace(golden_report, measurements=(replace(first, instructions=counted),)))).words
    assert "estimated 46.0 ms on 4 threads, scaled by" in words
    assert "for as many threads as the published time" in words


def test_the_page_says_what_a_cold_and_a_warm_screening_are(screened_report: Report, page: Page) -> None:
    assert SCREENINGS_NOTE in Page(render_page(screened_report)).words
    assert SCREENINGS_NOTE not in page.words


def test_remarks_stand_where_a_narrow_screen_still_shows_them(golden_report: Report) -> None:
    shown = tables.latencies(golden_report)
    assert shown.head[:4] == ("Variant", "Delegate", "Median [95 %]", "Remarks")
    assert [row[3] for row in shown.rows] == ["", "", "peer", "unstable; peer"]
    assert {len(row) for row in shown.rows} == {len(shown.head)}


def test_the_page_says_how_peers_and_steps_are_to_be_read(page: Page) -> None:
    assert PEERS_RULE in page.words
    assert STAGES_NOTE in page.words


def test_regressions_are_told_at_the_top(golden_report: Report) -> None:
    first = golden_report.measurements[0]
    assert first.size is not None
    smaller = replace(first, size=replace(first.size, model_bytes=1_000_000))
    old = replace(golden_report, measurements=(smaller, *golden_report.measurements[1:]))
    page = Page(render_page(golden_report, find_regressions(old, golden_report)))
    assert "Beside an earlier report" in page.titles
    assert (
        "Worse than in the report of 2026-11-21T10:10:00+00:00: knee-int8, LiteRT, 2 threads, model file." in page.words
    )


def test_without_matplotlib_the_page_comes_without_figures_and_says_so(
    golden_report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(report: Report) -> None:
        raise MissingExtraError("a report with figures", "matplotlib", "report")

    monkeypatch.setattr(html_page, "draw_pictures", refuse)
    page = Page(render_page(golden_report))
    assert tuple(page.titles) == SECTIONS
    assert page.figures == []
    assert "no figures: a report with figures needs matplotlib: pip install 'osteo-edge[report]'" in page.words


def test_the_same_report_gives_the_same_page(golden_report: Report, text: str) -> None:
    assert render_page(golden_report) == text
