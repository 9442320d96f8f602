from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from osteo_edge.archive import results_folder as module
from osteo_edge.archive.plan import PLAN
from osteo_edge.archive.results_folder import results_folder
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.locking import LOCK_NAME, sole_use


def refuse(out: Path) -> None:
    """Have a command be refused there before it has a plan."""
    with pytest.raises(OsteoEdgeError, match="no film"), results_folder(out):
        raise OsteoEdgeError("no film")


def test_a_refused_command_leaves_none_of_the_folders_that_it_made(tmp_path: Path) -> None:
    refuse(tmp_path / "a" / "b" / "answers")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_that_was_there_stays_empty(tmp_path: Path) -> None:
    (tmp_path / "answers").mkdir()
    refuse(tmp_path / "answers")
    assert list(tmp_path.rglob("*")) == [tmp_path / "answers"]


def test_what_others_have_put_there_stays(tmp_path: Path) -> None:
    out = tmp_path / "a" / "answers"
    with suppress(KeyboardInterrupt), results_folder(out):
        (out.parent / "thesis.txt").touch()
        raise KeyboardInterrupt
    assert list(tmp_path.rglob("*.*")) == [tmp_path / "a" / "thesis.txt"]


def test_results_stay_however_a_command_ends(tmp_path: Path) -> None:
    with results_folder(tmp_path / "answers"):
        (tmp_path / "answers" / PLAN).mkdir()
    refuse(tmp_path / "answers")
    assert {path.name for path in (tmp_path / "answers").iterdir()} == {LOCK_NAME, PLAN}


def test_a_folder_where_another_is_at_work_is_left_as_it_is(tmp_path: Path) -> None:
    out = tmp_path / "answers"
    with results_folder(out):
        with pytest.raises(OsteoEdgeError, match="another screen-archive is at work there"), results_folder(out):
            pytest.fail("two are at work")
        assert [path.name for path in out.iterdir()] == [LOCK_NAME]


def test_a_lock_that_its_holder_has_just_removed_keeps_nobody_out_and_is_not_relied_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def removed_meanwhile(folder: Path, busy: str) -> Iterator[int]:
        with sole_use(folder, busy) as lock:
            (folder / LOCK_NAME).unlink()
            yield lock

    monkeypatch.setattr(module, "sole_use", removed_meanwhile)
    with pytest.raises(OsteoEdgeError, match="another screen-archive"), results_folder(tmp_path / "answers"):
        pytest.fail("nobody is kept out")


def test_of_many_that_begin_and_are_refused_at_once_never_two_are_at_work(tmp_path: Path) -> None:
    out, at_work, most = tmp_path / "answers", list[int](), list[int]()

    def begin(number: int) -> None:
        try:
            with results_folder(out):
                at_work.append(number)
                most.append(len(at_work))
                at_work.remove(number)
                raise OsteoEdgeError("no film")
        except OsteoEdgeError:
            pass

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(begin, range(400)))
    assert max(most) == 1
    assert not (out / LOCK_NAME).exists()
