import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest

from osteo_edge.benchmarks.measuring.results import Latency, Report, Turn
from osteo_edge.benchmarks.measuring.summaries import summarize
from osteo_edge.benchmarks.report.pictures import Pictures, draw_pictures


@pytest.fixture(scope="module")
def pictures(golden_report: Report) -> Pictures:
    return draw_pictures(golden_report)


def test_every_figure_is_one_svg_whose_words_can_be_searched(pictures: Pictures) -> None:
    assert {name: len(drawn) for name, drawn in pictures.items()} == {
        "latency": 1,
        "stages": 2,
        "fidelity": 2,
        "memory": 1,
        "placement": 1,
        "instructions": 1,
        "baselines": 1,
    }
    for drawn in pictures.values():
        for svg, caption in drawn:
            assert ElementTree.fromstring(svg).tag == "svg"
            assert caption.endswith(".")
    assert "knee-int8, LiteRT, 2 threads: 4.10\N{NO-BREAK SPACE}ms" in pictures["latency"][0][0]
    assert "knee-float32, cortex-a76: 49.5\N{NO-BREAK SPACE}M" in pictures["instructions"][0][0]


def test_figures_take_their_ink_from_the_page(pictures: Pictures) -> None:
    for drawn in pictures.values():
        assert all("currentColor" in svg and "http" not in svg for svg, _ in drawn)


def test_what_was_not_measured_is_not_drawn(bare_report: Report) -> None:
    assert list(draw_pictures(bare_report)) == ["latency"]
    assert draw_pictures(replace(bare_report, measurements=())) == {}


def test_runs_that_are_all_alike_can_be_drawn(bare_report: Report) -> None:
    turns = tuple(Turn(process, 0.0, (2.0, 2.0, 2.0)) for process in range(3))
    same = replace(bare_report.measurements[0], latency=Latency(summarize(turns), turns, ()))
    assert "2.00" in draw_pictures(replace(bare_report, measurements=(same,)))["latency"][0][0]


def test_one_run_can_be_drawn(bare_report: Report) -> None:
    turns = (Turn(0, 0.0, (2.0,)),)
    same = replace(bare_report.measurements[0], latency=Latency(summarize(turns), turns, ()))
    assert list(draw_pictures(replace(bare_report, measurements=(same,)))) == ["latency"]


def test_one_bundle_alone_is_no_choice(golden_report: Report) -> None:
    alone = replace(golden_report, measurements=golden_report.measurements[:1])
    assert "fidelity" not in draw_pictures(alone)
