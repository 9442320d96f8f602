import re
from pathlib import Path

import click.testing
import pytest

from osteo_edge.benchmarks.emulation.expected import RECORDED, expected, expected_tables, with_tables
from osteo_edge.benchmarks.emulation.gate import Bound, read_gate
from osteo_edge.benchmarks.emulation.published import PUBLISHED

PAGE = Path(__file__).resolve().parents[3] / "docs" / "pi-figures.md"


def cells(tables: str, row: str) -> list[str]:
    """The cells of the first row with that head."""
    return next(line for line in tables.splitlines() if line.startswith(f"| {row} |")).strip("| ").split(" | ")[1:]


def test_the_page_has_the_tables_that_the_recorded_counts_give() -> None:
    assert with_tables(PAGE.read_text("utf-8"), expected_tables(read_gate(RECORDED).bounds)) == PAGE.read_text("utf-8")


def test_the_tables_are_printed_or_put_into_their_place_on_a_page(tmp_path: Path) -> None:
    page, runner = tmp_path / "page.md", click.testing.CliRunner()
    printed = runner.invoke(expected).output
    assert printed in PAGE.read_text("utf-8")
    page.write_text("Before\n<!-- expected figures: old -->\nold\n<!-- end of expected figures -->\nAfter\n", "utf-8")
    assert runner.invoke(expected, ["--page", str(page)]).exit_code == 0
    text = page.read_text("utf-8")
    assert text.startswith(f"Before\n<!-- expected figures: old -->\n{printed}<!-- end")
    assert text.endswith("-->\nAfter\n")
    page.write_text("no place", "utf-8")
    refused = runner.invoke(expected, ["--page", str(page)])
    assert (refused.exit_code, refused.output.count("\n")) == (1, 1)
    assert "has no place for the tables" in refused.output


def test_the_network_whose_time_was_published_has_that_time_and_others_are_scaled() -> None:
    tables = expected_tables(read_gate(RECORDED).bounds)
    assert cells(tables, "MobileNetV2 1.0 int8") == ["42, estimated", "30, published", "17, published", "–"]
    assert cells(tables, "EfficientNet-B0 float32")[2] == "84, estimated"


def test_twice_the_instructions_are_twice_the_time() -> None:
    bounds = read_gate(RECORDED).bounds
    doubled = [
        Bound(each.model, each.cpu, each.runtime, 2 * each.total) if each.model.startswith("EfficientNet") else each
        for each in bounds
    ]
    once, twice = (
        [int(cell.split(",")[0]) for cell in cells(expected_tables(found), "EfficientNet-B0 int8")[:3]]
        for found in (bounds, doubled)
    )
    assert twice == pytest.approx([2 * time for time in once], abs=1)


def test_no_time_is_given_for_the_board_that_nothing_was_published_for() -> None:
    tables = expected_tables(read_gate(RECORDED).bounds).split("Millions", 1)[0]
    assert all(line.endswith(" – |") for line in tables.splitlines() if re.match(r"\| (Mobile|Efficient)", line))


def test_every_published_time_stands_in_the_tables_with_its_source() -> None:
    tables = expected_tables(read_gate(RECORDED).bounds)
    for one in PUBLISHED:
        assert f" {one.milliseconds:g} |" in tables
        assert f"<{one.source.url}>" in tables


def test_estimates_are_as_far_off_as_the_page_says() -> None:
    """Where others measured both networks on one board, beside what the counts would have said of the second."""
    found = {
        (one.board.name, one.network): one.milliseconds
        for one in PUBLISHED
        if one.source.title == "ncnn" and one.threads == 4
    }
    totals = {
        (bound.model.split(",")[0], bound.cpu): bound.total
        for bound in read_gate(RECORDED).bounds
        if ", float32" in bound.model
    }
    ratios = {}
    for board, cpu in (("3B+", "cortex-a53"), ("4", "cortex-a72"), ("5", "cortex-a76")):
        measured = found[board, "EfficientNet-B0"] / found[board, "MobileNetV2 1.0"]
        ratios[board] = (totals["EfficientNet-B0", cpu] / totals["MobileNetV2 1.0", cpu]) / measured
    text = PAGE.read_text("utf-8")
    for ratio in ratios.values():
        assert f"{ratio:.2f}" in text
