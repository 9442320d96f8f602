import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest

from osteo_edge.benchmarks.measuring.results import Report
from osteo_edge.benchmarks.report.csv_tables import run_table, variant_table
from osteo_edge.benchmarks.report.files import write_report
from osteo_edge.benchmarks.report.json_file import read_report_file
from osteo_edge.errors import OsteoEdgeError


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_all_files_are_written_the_one_that_holds_it_all_first(golden_report: Report, tmp_path: Path) -> None:
    paths = write_report(golden_report, tmp_path / "out")
    assert [path.name for path in paths] == ["report.json", "report.html", "report.md", "report.csv", "runs.csv"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(path.name for path in paths)
    assert read_report_file(paths[0]) == golden_report
    assert paths[1].read_text("utf-8").startswith("<!doctype html>")


def test_a_place_that_cannot_be_written_is_one_line(golden_report: Report, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OsteoEdgeError, match="cannot be written"):
        write_report(golden_report, tmp_path / "file" / "out")


def test_every_run_reads_back_from_the_csv(golden_report: Report) -> None:
    found = rows(run_table(golden_report))
    for measurement in golden_report.measurements:
        assert measurement.latency is not None
        own = [row for row in found if row["variant"] == measurement.variant.name]
        for number, turn in enumerate(measurement.latency.turns):
            of_turn = [row for row in own if int(row["turn"]) == number]
            assert tuple(float(row["ms"]) for row in of_turn) == turn.runs_ms
            assert {int(row["process"]) for row in of_turn} == {turn.process}
            assert [int(row["run"]) for row in of_turn] == list(range(len(turn.runs_ms)))


def test_every_variant_reads_back_from_the_csv(golden_report: Report) -> None:
    found = rows(variant_table(golden_report))
    assert [row["name"] for row in found] == [each.variant.name for each in golden_report.measurements]
    first, row = golden_report.measurements[0], found[0]
    assert first.latency is not None
    assert first.size is not None
    assert first.memory is not None
    assert first.fidelity is not None
    summary = first.latency.summary
    assert float(row["median_ms"]) == summary.median.value
    assert float(row["median_ms low"]) == summary.median.low
    assert float(row["p99_ms"]) == summary.p99
    assert int(row["runs"]) == sum(len(turn.runs_ms) for turn in first.latency.turns)
    assert int(row["macs"]) == first.size.macs
    assert int(row["peak_bytes"]) == first.memory.peak_bytes
    ((question, auroc),) = first.fidelity.aurocs.items()
    assert float(row[f"auroc {question}"]) == auroc.value
    assert row["decode_median_ms"] == "21.75"
    assert row["instructions cortex-a72 LiteRT 2.1"] == "60000000"
    assert found[2]["macs"] == ""  # a peer, of which only the latency is known
    assert found[3]["unstable"].startswith("it drifted")


def test_whole_screenings_are_columns_of_the_csv(screened_report: Report) -> None:
    row = rows(variant_table(screened_report))[0]
    assert row["instructions of a cold screening cortex-a72 LiteRT 2.1"] == "700000000"
    assert row["instructions of a warm screening cortex-a76 LiteRT 2.1"] == "100000000"


def test_a_table_of_nothing_has_only_its_head(bare_report: Report) -> None:
    nothing = replace(bare_report, measurements=())
    assert run_table(nothing) == "variant,process,turn,run,ms\n"
    assert rows(variant_table(nothing)) == []


def test_no_cell_is_a_formula(hostile_report: Report) -> None:
    cells = [cell for row in rows(variant_table(hostile_report)) for cell in row.values()]
    assert any(cell.startswith("'=<script>") for cell in cells)
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]
