import json
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner

from osteo_edge.benchmarks.measuring.cold_process import ColdRun, run_cold
from osteo_edge.benchmarks.measuring.environment import read_environment
from osteo_edge.benchmarks.training import scaling as module
from osteo_edge.benchmarks.training.scaling import (
    RECORD_BYTES,
    Scaling,
    draw_files,
    measure_scaling,
    read_sizes,
    scaling,
)
from osteo_edge.cli import cli
from osteo_edge.dataset import Case, read_dataset

FEW, MIDDLE, MANY = 200, 2000, 20_000


def runs(seconds: float, peak_mib: float) -> tuple[ColdRun, ...]:
    return tuple(ColdRun(wall_ms=0, cpu_ms=1000 * seconds + jitter, peak_mib=peak_mib) for jitter in (-1, 0, 1))


def result(middle_s: float, many_s: float, many_mib: float) -> Scaling:
    measured = {MANY: runs(many_s, many_mib), FEW: runs(2, 100), MIDDLE: runs(middle_s, 100)}
    return Scaling(read_environment(), measured)


def test_starting_the_program_is_no_part_of_the_time_for_a_file() -> None:
    found = result(middle_s=3.8, many_s=21.8, many_mib=100)
    assert found.ms_per_file == pytest.approx({MIDDLE: 1.0, MANY: 1.0}, rel=0.01)
    assert found.checks[1].passed


def test_time_that_grows_faster_than_the_files_misses_the_bound() -> None:
    assert not result(middle_s=3.8, many_s=31, many_mib=100).checks[1].passed


def test_memory_may_grow_by_the_records_and_a_little() -> None:
    records_mib = (MANY - FEW) * RECORD_BYTES / 2**20
    assert result(3.8, 21.8, many_mib=records_mib + 114).checks[0].passed
    assert not result(3.8, 21.8, many_mib=records_mib + 116).checks[0].passed


def test_json_keeps_every_run_beside_what_is_derived() -> None:
    plain = json.loads(json.dumps(result(3.8, 21.8, 100).to_dict()))
    assert [run["cpu_ms"] for run in plain["runs"][str(FEW)]] == [1999, 2000, 2001]
    assert plain["record_bytes"] == RECORD_BYTES
    assert [check["passed"] for check in plain["checks"]] == [True, True]


@pytest.mark.parametrize(
    ("text", "sizes"),
    [("200,20000", (200, 2000, 20000)), ("1000,100", (100, 316, 1000)), ("200,500,5000", (200, 500, 5000))],
)
def test_sizes_are_in_order_and_two_get_a_third_between(text: str, sizes: tuple[int, ...]) -> None:
    assert read_sizes(click.Context(scaling), scaling.params[0], text) == sizes


@pytest.mark.parametrize("text", ["200", "200,200", "200,many", "20,2000", "200,1999", "", "200,-4000"])
def test_sizes_that_show_nothing_are_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="at least two numbers"):
        read_sizes(click.Context(scaling), scaling.params[0], text)


def test_the_drawn_files_are_radiographs_of_which_none_is_a_copy(tmp_path: Path) -> None:
    drawn: list[tuple[int, int]] = []
    tables = draw_files(tmp_path, (40, 150), on_progress=lambda done, total: drawn.append((done, total)))
    assert drawn[-1] == (150, 150)
    assert [len(read_dataset(table).cases) for table in tables.values()] == [40, 150]
    assert read_dataset(tables[40]).cases == read_dataset(tables[150]).cases[:40]
    assert len(read_dataset(tables[150]).counts) == 3
    output = CliRunner().invoke(cli, ["data", "audit", str(tables[150]), "--json"]).stdout
    found = json.loads(output)
    assert len(found["images"]) == 150
    assert (found["unreadable"], found["exact"], found["near"]) == ([], [], [])
    assert all(confounder["auroc"] for confounder in found["confounders"])


def test_each_size_is_audited_in_every_round_after_one_that_does_not_count(tmp_path: Path) -> None:
    audited: list[str] = []

    def measure(command: list[str]) -> ColdRun:
        audited.append(Path(command[-2]).name)
        return run_cold(["/bin/true"])

    found = measure_scaling(tmp_path, (5, 20), runs=2, measure=measure, on_progress=lambda *_, **__: None)
    assert audited[0] == "files-5.csv"
    assert sorted(audited[1:]) == ["files-20.csv"] * 2 + ["files-5.csv"] * 2
    assert {size: len(values) for size, values in found.runs.items()} == {5: 2, 20: 2}


def test_what_was_drawn_is_removed_even_if_the_user_interrupts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(folder: Path, *_: object, **__: object) -> None:
        (folder / "film.jpg").write_bytes(b"film")
        raise KeyboardInterrupt

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(module, "draw_files", interrupted)
    assert CliRunner().invoke(scaling, []).exit_code != 0
    assert list(tmp_path.iterdir()) == []


def test_a_folder_to_keep_must_be_new(tmp_path: Path) -> None:
    found = CliRunner().invoke(scaling, ["--keep", str(tmp_path)])
    assert found.exit_code == 1
    assert found.stderr == f"osteo-edge: {tmp_path}: cannot be made (File exists); name a new folder\n"


def test_a_variation_is_the_same_for_the_same_chance() -> None:
    phantoms = [(np.full((64, 60), level, np.float32), Case(Path(), "knee", "x")) for level in (0.2, 0.8)]
    first, again, other = (module.vary(phantoms, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert np.array_equal(first[0], again[0])
    assert first[0].shape[0] == 256
    assert not np.array_equal(first[0][:, :200], other[0][:, :200])
