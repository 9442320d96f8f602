import json
import math
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.benchmarks.measuring.results import SCHEMA, Report
from osteo_edge.benchmarks.report import json_file
from osteo_edge.benchmarks.report.json_file import read_report_file, to_document, write_report_file
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.intervals import Estimate

GOLDEN = Path(__file__).resolve().parents[2] / "data" / "report-1.json"


@pytest.fixture
def broken(tmp_path: Path) -> Callable[..., Path]:
    """Write the golden document with changes at its top."""

    def write(**changes: Any) -> Path:
        document = json.loads(GOLDEN.read_text("utf-8"))
        path = tmp_path / "report.json"
        path.write_text(json.dumps({**document, **changes}), "utf-8")
        return path

    return write


def test_a_report_of_schema_1_loads_for_ever(golden_report: Report) -> None:
    assert golden_report.schema == SCHEMA
    first = golden_report.measurements[0]
    assert first.latency is not None
    assert len(first.latency.turns) == 4
    younger = ("screenings",)
    facets = [field.name for field in fields(first) if field.name not in ("variant", "unstable", *younger)]
    assert [name for name in facets if getattr(first, name) is None] == []


def test_a_report_comes_back_as_it_was_written(golden_report: Report, tmp_path: Path) -> None:
    path = write_report_file(golden_report, tmp_path / "new" / "report.json")
    assert read_report_file(path) == golden_report
    assert [entry.name for entry in path.parent.iterdir()] == ["report.json"]


def test_raw_times_are_kept_to_a_ten_thousandth_of_a_millisecond(golden_report: Report) -> None:
    first = golden_report.measurements[0]
    assert first.latency is not None
    turn = replace(first.latency.turns[0], runs_ms=(1.23456789, 2.0), at_s=0.123456789)
    latency = replace(first.latency, turns=(turn,))
    document = to_document(replace(golden_report, measurements=(replace(first, latency=latency),)))
    (written,) = document["measurements"][0]["latency"]["turns"]
    assert (written["runs_ms"], written["at_s"]) == ([1.2346, 2.0], 0.123456789)


def test_what_is_not_defined_is_null_in_the_file_and_nan_again(golden_report: Report, tmp_path: Path) -> None:
    first = golden_report.measurements[0]
    assert first.fidelity is not None
    undefined = Estimate(math.nan, math.nan, math.nan, 12)
    fidelity = replace(first.fidelity, aurocs={"osteoporosis": undefined})
    path = write_report_file(
        replace(golden_report, measurements=(replace(first, fidelity=fidelity),)), tmp_path / "report.json"
    )
    assert '"osteoporosis":{"value":null,"low":null,"high":null,"n":12}' in path.read_text("utf-8")
    read = read_report_file(path).measurements[0].fidelity
    assert read is not None
    assert math.isnan(read.aurocs["osteoporosis"].value)


def test_a_name_that_is_no_text_is_kept(golden_report: Report, tmp_path: Path) -> None:
    first = golden_report.measurements[0]
    odd = replace(first, variant=replace(first.variant, bundle="knee-\udcff\u2028"))
    path = write_report_file(replace(golden_report, measurements=(odd,)), tmp_path / "report.json")
    assert read_report_file(path).measurements == (odd,)


def test_a_newer_schema_is_refused(broken: Callable[..., Path]) -> None:
    with pytest.raises(OsteoEdgeError, match="schema 99, newer than 1, the newest known here; update"):
        read_report_file(broken(schema=99))


@pytest.mark.parametrize("schema", [0, -3])
def test_a_schema_that_never_was_is_refused(schema: int, broken: Callable[..., Path]) -> None:
    with pytest.raises(OsteoEdgeError, match="which never was"):
        read_report_file(broken(schema=schema))


def test_older_schemas_are_upgraded_step_by_step(broken: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """As it will be: of two versions that are not yet, each renames what the one before had."""

    def rename(old: str, new: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
        return lambda document: {new if key == old else key: value for key, value in document.items()}

    monkeypatch.setattr(json_file, "SCHEMA", 3)
    monkeypatch.setattr(json_file, "UPGRADES", {1: rename("made", "created"), 2: rename("created", "created_at")})
    document = json.loads(broken().read_text("utf-8"))
    old = {("made" if key == "created_at" else key): value for key, value in document.items()}
    path = broken()
    path.write_text(json.dumps(old), "utf-8")
    read = read_report_file(path)
    assert (read.schema, read.created_at) == (3, document["created_at"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no JSON"),
        ('{"schema": 1, "measurements": [', "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[1, 2]", "is no benchmark report"),
        ('{"schema": true, "measurements": []}', "is no benchmark report"),
        ('{"schema": 1, "model": {}}', "is no benchmark report"),
        ('{"schema": 1, "measurements": []}', "is damaged .missing field 'created_by'"),
    ],
)
def test_what_is_no_report_is_refused_in_one_line(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    path.write_text(text, "utf-8")
    with pytest.raises(OsteoEdgeError, match=message) as caught:
        read_report_file(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_damaged_field_is_named(broken: Callable[..., Path]) -> None:
    with pytest.raises(OsteoEdgeError, match=r"is damaged \(machine must be an object, not null\)"):
        read_report_file(broken(machine=None))


def test_a_number_that_is_none_is_refused(broken: Callable[..., Path]) -> None:
    path = broken()
    path.write_text(path.read_text("utf-8").replace('"load_average": 0.25', '"load_average": NaN'), "utf-8")
    with pytest.raises(OsteoEdgeError, match=r"machine\.before\.load_average must be a finite number"):
        read_report_file(path)


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_a_file_that_cannot_be_read_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(OsteoEdgeError, match="cannot be read"):
        read_report_file(tmp_path / name)
