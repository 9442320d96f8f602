import json
import math
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("pyarrow")
if sys.platform != "linux":
    pytest.skip("memory is asked of /proc", allow_module_level=True)

from osteo_edge.benchmarks.archive.loop import archive_loop
from osteo_edge.benchmarks.archive.runs import ArchiveRun, Memory, run_archive, steady_rate
from osteo_edge.benchmarks.archive.scale import Scale, archive_scale, fill
from osteo_edge.benchmarks.measuring.environment import read_environment
from osteo_edge.bundle import Bundle
from osteo_edge.errors import OsteoEdgeError


def test_a_rate_counts_from_when_every_worker_has_begun() -> None:
    assert steady_rate([5.0, 9.0, 10.0, 11.0, 12.0], 500, 2, 100) == 100.0


def test_growth_is_that_of_the_last_third_over_the_middle_one() -> None:
    rising = tuple(float(number) for number in range(9))
    assert Memory((100.0,) * 9, rising).grown == (0.0, 3.0)
    assert Memory((100.0,) * 9, rising).growth == (1.0, 1.75)
    assert all(math.isnan(grown) for grown in Memory((1.0, 2.0), ()).grown)
    assert all(math.isnan(grown) for grown in Memory((1.0, 2.0), ()).growth)


def test_an_archive_is_filled_with_links_to_films(tmp_path: Path, draw_film: Callable[..., Path]) -> None:
    drawn = [draw_film("drawn/a.png"), draw_film("drawn/b.png")]
    fill(tmp_path / "archive", drawn, 1003)
    found = sorted(path for path in (tmp_path / "archive").rglob("*") if path.is_file())
    assert len(found) == 1003
    assert found[-1].relative_to(tmp_path / "archive") == Path("0001/00001002.png")
    assert drawn[0].stat().st_nlink == 503


def test_nothing_to_fill_an_archive_with_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(OsteoEdgeError, match="osteo-edge data phantom"):
        fill(tmp_path / "archive", [], 10)


def test_a_run_is_timed_by_its_parts_and_measured_in_memory(
    tmp_path: Path, bundle: Bundle, draw_film: Callable[..., Path]
) -> None:
    fill(tmp_path / "archive", [draw_film("drawn/a.png")], 64)
    run = run_archive(
        tmp_path / "archive",
        bundle.path,
        tmp_path / "out",
        engine="local",
        workers=1,
        shard_size=4,
        options=["--one-process"],
    )
    assert (run.engine, run.workers, run.films) == ("local", 1, 64)
    assert 0 < run.films_per_second < 10_000
    assert run.start_s > 0
    assert {"read", "prepare", "infer", "total"} <= run.stage_ms.keys()


def test_what_the_command_says_is_passed_on(tmp_path: Path, bundle: Bundle) -> None:
    with pytest.raises(OsteoEdgeError, match="nowhere"):
        run_archive(tmp_path / "nowhere", bundle.path, tmp_path / "out", engine="local", workers=1, shard_size=4)


def test_a_loop_tells_its_stages_with_and_without_the_gate(bundle: Bundle, film: Path) -> None:
    done = CliRunner().invoke(archive_loop, [str(bundle.path), str(film.parent), "--films", "4", "--one-process"])
    assert done.exit_code == 1  # the bundle lies beside the film, and is none
    alone = film.parent / "films"
    alone.mkdir()
    film.rename(alone / film.name)
    done = CliRunner().invoke(archive_loop, [str(bundle.path), str(alone), "--one-process"])
    told = json.loads(done.stdout)
    assert told["films"] == 1
    assert told["bare_films_per_second"] > 0
    assert set(told["stage_ms"]) == {"read", "prepare", "infer", "gate"}


def test_workers_are_held_to_one_and_one_to_the_loop() -> None:
    from osteo_edge.benchmarks.archive.loop import LoopTimes

    def runs(workers: int, rate: float) -> tuple[ArchiveRun, ...]:
        return (ArchiveRun("local", workers, 100, 1.0, rate, {}, Memory((), ())),) * 3

    loops = (LoopTimes(100, 60.0, 50.0, {}),) * 3
    scale = Scale(read_environment(), 100, {"local, 1": runs(1, 46.0), "local, 2": runs(2, 70.0)}, loops)
    assert [(check.estimate.value, check.passed) for check in scale.checks] == [(0.92, True), (70 / 46, False)]


def test_memory_that_grows_misses_its_bound() -> None:
    from osteo_edge.benchmarks.archive.loop import LoopTimes

    memory = Memory((100.0,) * 9, tuple(100.0 + 10 * number for number in range(9)))
    runs = (ArchiveRun("local", 2, 100, 1.0, 50.0, {}, memory),) * 3
    scale = Scale(read_environment(), 100, {"local, 2": runs}, (LoopTimes(100, 60.0, 50.0, {}),) * 3)
    assert [(check.name, check.passed) for check in scale.checks] == [
        ("local, 2: memory of the command, last third", True),
        ("local, 2: memory of the others, last third", False),
    ]


def test_too_few_films_for_the_workers_are_told_before_anything_is_drawn(bundle: Bundle, tmp_path: Path) -> None:
    done = CliRunner().invoke(archive_scale, [str(bundle.path), str(tmp_path), "--films", "64", "--workers", "2"])
    assert done.exit_code == 2
    assert "each worker must have done at least two shards" in done.output
