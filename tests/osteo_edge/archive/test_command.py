import io
import itertools
import json
import os
import shutil
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.archive import local_engine, planning
from osteo_edge.archive.plan import RUNS, Plan
from osteo_edge.archive.shards import ShardSummary, run_shard, screener_for
from osteo_edge.bundle import Bundle
from osteo_edge.cli import run
from osteo_edge.locking import sole_use
from tests.osteo_edge.archive.dicom_files import KNEE_FILM, write_dicom
from tests.osteo_edge.archive.results import outcomes_of, rows_of

Call = Callable[..., int]


class EngineHere:
    """An engine without processes, which ends after so many shards as Ctrl-C would end it."""

    name = "here"
    ends_after: int | None = None

    def __init__(self, *, isolated: bool = True) -> None:
        pass

    def require_ready(self) -> None:
        pass

    def run(self, plan: Plan, shards: Sequence[int], *, workers: int, on_done: Callable[[ShardSummary], None]) -> None:
        with screener_for(plan, isolated=False) as screener:
            for number, shard in enumerate(shards):
                if number == self.ends_after:
                    raise KeyboardInterrupt
                on_done(run_shard(plan, shard, screener))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "answers"


@pytest.fixture
def call(archive: Path, bundle: Bundle, out: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Call]:
    """Call the command on the archive, or another source; its exit code."""
    monkeypatch.setattr(local_engine, "LocalEngine", EngineHere)

    def screen(*options: Any, source: Path = archive, into: Path | None = out) -> int:
        words = ["screen-archive", source, "--bundle", bundle.path, "--shard-size", 3, *options]
        return run([str(word) for word in (*words, *(() if into is None else ("--out", into)))])

    yield screen
    EngineHere.ends_after = None


def told(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on standard error."""
    line = capsys.readouterr().err
    assert line.startswith("osteo-edge: ")
    assert line.count("\n") == 1
    return line


def plan_alone(call: Call) -> None:
    """Have the command end when it has its plan."""
    EngineHere.ends_after = 0
    assert call() == 130
    EngineHere.ends_after = None


def test_an_archive_is_screened_and_summarized(call: Call, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call() == 1  # one film cannot be read
    printed = capsys.readouterr().out
    assert "refer" in printed
    assert "no finding, which rules nothing out" in printed
    assert "normal" not in printed
    assert "Left out when the source was listed, and in no share: hidden 1, not_an_image 1\n" in printed
    assert len(rows_of(out)) == 7
    assert json.loads((out / "summary.json").read_text())["outcome_films"]["refer"] == 3
    assert (out / "summary.html").is_file()
    (noted,) = [json.loads(line) for line in (out / RUNS).read_text().splitlines()]
    assert (noted["engine"], noted["films"], noted["shards"], noted["ended"]) == ("here", 7, 3, "done")


def test_the_exit_code_is_0_where_every_film_could_be_read(call: Call, archive: Path) -> None:
    (archive / "b" / "cut.png").unlink()
    assert call() == 0


def test_the_summary_is_there_for_machines(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--json") == 1
    summary = json.loads(capsys.readouterr().out)
    assert summary["films"] == 7
    assert summary["outcome_films"]["unreadable"] == 1


def test_a_second_call_does_nothing_more(call: Call, out: Path) -> None:
    call()
    before = {path: path.stat().st_mtime_ns for path in out.glob("films/*/*")}
    call()
    assert {path: path.stat().st_mtime_ns for path in out.glob("films/*/*")} == before
    assert len((out / RUNS).read_text().splitlines()) == 1


def test_an_interrupted_run_is_gone_on_with(call: Call, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    EngineHere.ends_after = 1
    assert call() == 130
    assert "3 of 7 films are kept in" in told(capsys)
    EngineHere.ends_after = None
    assert call() == 1
    assert len(rows_of(out)) == 7
    runs = [json.loads(line) for line in (out / RUNS).read_text().splitlines()]
    assert [(noted["films"], noted["ended"]) for noted in runs] == [(3, "interrupted"), (4, "done")]


def test_films_that_came_since_are_added_when_asked_for(call: Call, out: Path, archive: Path, film: Path) -> None:
    call()
    (archive / "a" / "new.png").write_bytes(film.read_bytes())
    call()
    assert "a/new.png" not in outcomes_of(out)
    call("--add-new")
    assert outcomes_of(out)["a/new.png"] == ("refer", "threshold_reached")
    assert len(rows_of(out)) == 8


def test_films_that_could_not_be_opened_are_tried_again_when_asked_for(call: Call, out: Path, archive: Path) -> None:
    moved = archive.parent / "bright.png"
    plan_alone(call)
    (archive / "bright.png").rename(moved)
    call()
    assert outcomes_of(out)["bright.png"] == ("unreadable", "cannot_be_read")
    moved.rename(archive / "bright.png")
    call()
    assert outcomes_of(out)["bright.png"] == ("unreadable", "cannot_be_read")
    call("--retry")
    assert outcomes_of(out)["bright.png"] == ("refer", "threshold_reached")
    assert outcomes_of(out)["b/cut.png"] == ("unreadable", "damaged")
    assert len(rows_of(out)) == 7


def is_killed_at(step: int, folder: Path, deed: Callable[[], object]) -> bool:
    """Do something in a process that is killed as it is about to open, rename or remove what is in a folder, when it
    does so for the time `step`; whether it came to that."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads
        pid = os.fork()
    if pid == 0:
        steps = itertools.count(1)

        def watch(event: str, about: tuple[Any, ...]) -> None:
            is_there = event in ("open", "os.rename", "os.remove") and Path(str(about[0])).is_relative_to(folder)
            if is_there and next(steps) == step:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            sys.addaudithook(watch)
            deed()
        finally:
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status) == -signal.SIGKILL


def test_a_retry_that_is_killed_at_any_step_leaves_each_film_its_row(call: Call, out: Path, archive: Path) -> None:
    again = ("a/dark.png", "b/c/dark.png")
    plan_alone(call)
    for name in again:
        (archive / name).rename(archive.parent / Path(name).parts[0])
    call()
    for name in again:
        (archive.parent / Path(name).parts[0]).rename(archive / name)
    before, kept = outcomes_of(out), out.with_name("kept")
    shutil.copytree(out, kept)
    call("--retry")
    after = outcomes_of(out)
    assert {name for name in after if after[name] != before[name]} == set(again)
    renewed = set()
    for step in itertools.count(1):
        shutil.rmtree(out)
        shutil.copytree(kept, out)
        if not is_killed_at(step, out / "films", lambda: call("--retry")):
            break
        found = outcomes_of(out)
        assert found.keys() == before.keys()
        assert all(found[name] in (before[name], after[name]) for name in found)
        renewed.add(sum(found[name] == after[name] for name in again))
        call("--retry")
        assert outcomes_of(out) == after
        assert not list(out.rglob("*.partial"))
    assert renewed == {0, 1, 2}
    assert outcomes_of(out) == after


def test_an_answer_is_not_given_up_for_a_film_that_is_gone_by_now(call: Call, out: Path, archive: Path) -> None:
    plan_alone(call)
    away = (archive / "a" / "dark.png").rename(archive.parent / "away.png")
    call()
    away.rename(archive / "a" / "dark.png")
    (archive / "a" / "bright.png").unlink()
    call("--retry")
    assert outcomes_of(out)["a/bright.png"] == ("refer", "threshold_reached")
    assert outcomes_of(out)["a/dark.png"] == ("no_finding", "below_threshold")
    noted = json.loads((out / RUNS).read_text().splitlines()[-1])
    assert (noted["films"], noted["shards"]) == (1, 1)


def test_a_damaged_part_is_named_before_films_are_tried_again(
    call: Call, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call()
    (out / "films" / "block=00000" / "part-00000001.parquet").write_bytes(b"PAR1")
    capsys.readouterr()
    assert call("--retry") == 1
    assert "part-00000001.parquet: cannot be read; remove this file" in told(capsys)


def test_what_a_killed_run_was_writing_is_removed(call: Call, out: Path) -> None:
    EngineHere.ends_after = 1
    call()
    left = [out / "films/block=00000/.part-00000001.parquet.ab.partial", out / ".summary.json.ab.partial"]
    for path in left:
        path.write_bytes(b"half")
    EngineHere.ends_after = None
    call()
    assert not any(path.exists() for path in left)
    assert len(rows_of(out)) == 7


def test_a_source_whose_path_is_no_text_is_screened_and_summarized(
    call: Call, archive: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as `osteo_edge.cli.main` does
    odd = archive.rename(archive.parent / os.fsdecode(b"arch\xe9"))
    assert call(source=odd) == 1
    assert "refer" in capsys.readouterr().out
    assert json.loads((out / "summary.json").read_bytes())["source"] == str(odd)
    assert call(source=odd) == 1
    assert len(rows_of(out)) == 7


def test_only_the_first_films_are_screened_with_a_limit(call: Call, out: Path) -> None:
    assert call("--limit", "2") == 0
    assert list(outcomes_of(out)) == ["a/bright.png", "a/dark.png"]


def test_positives_are_annotated_when_asked_for(call: Call, out: Path) -> None:
    call("--maps")
    maps = {path.relative_to(out).as_posix() for path in out.glob("maps/*/*.png")}
    assert maps == {row["map"] for row in rows_of(out) if row["outcome"] == "refer"}
    assert len(maps) == 3


def test_a_dry_run_counts_and_writes_nothing(
    call: Call, out: Path, archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_dicom(archive / "chest.dcm", **{**KNEE_FILM, "BodyPartExamined": "CHEST"})
    write_dicom(archive / "knee.dcm", **KNEE_FILM)
    assert call("--dry-run", "--json", into=None) == 0
    counted = json.loads(capsys.readouterr().out)
    assert (counted["films"], counted["to_screen"]) == (9, 8)
    assert counted["not_screened"] == {"body_part": 1}
    assert counted["left_out"] == {"hidden": 1, "not_an_image": 1}
    assert call("--dry-run") == 0
    printed = capsys.readouterr().out
    assert "to screen" in printed
    assert "body_part" in printed
    assert not out.exists()


def test_a_command_without_a_folder_for_the_results_is_refused(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(into=None) == 2
    assert "--out" in capsys.readouterr().err


def test_a_limit_and_all_that_is_new_exclude_each_other(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--add-new", "--limit", "3") == 2
    assert "leave out --limit" in capsys.readouterr().err


def test_an_address_is_of_a_cluster(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--address", "head:6379") == 2
    assert "add --engine ray" in capsys.readouterr().err


def test_a_source_that_is_not_there_is_one_line(call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(source=tmp_path / "gone") == 1
    assert "gone: no such folder or file" in told(capsys)


@pytest.mark.parametrize("name", ["films", "films.csv"])
def test_a_source_that_may_not_be_read_is_one_line(
    name: str, call: Call, tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / name
    source.touch() if source.suffix else source.mkdir()
    source.chmod(0)
    if os.access(source, os.R_OK):
        pytest.skip("this user may read everything")
    assert call(source=source) == 1
    assert f"{name}: cannot be read (Permission denied); check the disk and the permission" in told(capsys)
    assert not out.exists()


def test_a_source_without_films_is_one_line(
    call: Call, tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "none").mkdir()
    assert call(source=tmp_path / "none") == 1
    assert "none: holds no film; name another source" in told(capsys)
    assert not out.exists()
    assert call() == 1
    assert len(rows_of(out)) == 7


def test_ctrl_c_while_films_are_looked_for_leaves_nothing(
    call: Call, out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*about: object, **more: object) -> Iterator[str]:
        yield "a/dark.png"
        raise KeyboardInterrupt

    monkeypatch.setattr(planning, "film_names", interrupted)
    assert call() == 130
    assert capsys.readouterr().err == "\nosteo-edge: interrupted; nothing half-written was left behind\n"
    assert not out.exists()


def test_a_cluster_that_cannot_be_used_is_told_before_films_are_looked_for(
    call: Call, out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("--engine", "ray", "--address", "head") == 1
    assert "--address head: name the head node as HOST:PORT" in told(capsys)
    monkeypatch.setitem(sys.modules, "ray", None)
    assert call("--engine", "ray") == 1
    assert told(capsys) == "osteo-edge: --engine ray needs ray: pip install 'osteo-edge[cluster]'\n"
    assert not out.exists()


def test_results_that_are_whole_are_summarized_without_the_engine(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    call()
    monkeypatch.setitem(sys.modules, "ray", None)
    assert call("--engine", "ray") == 1  # for the damaged film


@pytest.mark.parametrize(
    "stray", ["block=00000/part-00000003.parquet", "block=00009/part-00000000.parquet", "x.parquet"]
)
def test_a_part_of_other_results_is_not_counted_with_these(
    stray: str, call: Call, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call()
    before = (out / "summary.json").read_bytes()
    added = out / "films" / stray
    added.parent.mkdir(exist_ok=True)
    shutil.copy(out / "films" / "block=00000" / "part-00000000.parquet", added)
    capsys.readouterr()
    assert call() == 1
    assert f"{stray}: is none of these results, and would be counted too; move it elsewhere" in told(capsys)
    assert (out / "summary.json").read_bytes() == before
    added.unlink()
    assert call() == 1
    assert json.loads((out / "summary.json").read_text())["films"] == 7


def test_a_folder_of_something_else_is_left_alone(call: Call, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out.mkdir()
    (out / "thesis.txt").touch()
    assert call() == 1
    assert "holds something else than results of screen-archive" in told(capsys)
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]


def test_results_of_other_options_are_not_mixed(call: Call, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call()
    rows = rows_of(out)
    capsys.readouterr()
    assert call("--any-film") == 1
    assert "was begun with another --any-film (False, not True)" in told(capsys)
    assert rows_of(out) == rows


def test_two_commands_do_not_work_on_one_folder(call: Call, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with sole_use(out, "busy"):
        assert call() == 1
    assert "another screen-archive is at work there" in told(capsys)


def test_a_missing_package_is_named_with_its_extra(
    call: Call, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    assert call() == 1
    assert told(capsys) == "osteo-edge: screening an archive needs pyarrow: pip install 'osteo-edge[archive]'\n"


def test_a_model_that_screen_refuses_is_refused(
    failed_bundle: Bundle, archive: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["screen-archive", str(archive), "--bundle", str(failed_bundle.path), "--out", str(out)]) == 1
    assert "failed its check" in told(capsys)
    assert not out.exists()


def test_a_disk_without_room_is_one_line(call: Call, full_disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(into=full_disk) == 1
    assert "No space left on device" in told(capsys)


def test_a_source_that_is_taken_away_is_one_line_and_noted(
    call: Call, archive: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan_alone(call)
    capsys.readouterr()
    for path in sorted(archive.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    assert call() == 1
    assert "archive: is no longer there; connect it and run the same command again" in told(capsys)
    assert json.loads((out / RUNS).read_text().splitlines()[-1])["ended"] == "failed"
