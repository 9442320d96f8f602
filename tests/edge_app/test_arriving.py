import json
import os
import time
from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from osteo_edge.edge_app import arriving
from osteo_edge.edge_app.arrivals import LOOKS_STILL
from osteo_edge.edge_app.arriving import Inbox, Queue
from osteo_edge.edge_app.history.errors import HistoryError
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.hashing import sha256_file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    watched = tmp_path / "watched"
    watched.mkdir()
    return watched


def inbox_of(folder: Path, known: Collection[str] = ()) -> Inbox:
    return Inbox(folder, folder.parent / "clinic" / "dismissed.json", lambda films: {*films} & {*known})


def settled(inbox: Inbox, most: int = 12) -> Queue:
    for _ in range(LOOKS_STILL):
        inbox.look(most)
    return inbox.look(most)


def names(queue: Queue) -> list[str]:
    return [film.name for film in queue.films]


def draw_at(draw_film: Callable[..., Path], name: str, seconds: int, **kwargs: int) -> Path:
    path = draw_film(f"watched/{name}", **kwargs)
    os.utime(path, (1_700_000_000 + seconds,) * 2)
    return path


def test_films_that_stand_still_wait_with_the_newest_first(folder: Path, draw_film: Callable[..., Path]) -> None:
    draw_at(draw_film, "a.png", 0)
    draw_at(draw_film, "b.png", 10)
    (folder / "read me.txt").write_text("no film")
    (folder / "c.png.part").write_bytes(b"half")
    inbox = inbox_of(folder)
    assert inbox.look().films == ()
    assert names(settled(inbox)) == ["b.png", "a.png"]
    assert inbox.look().films[1].written_at == 1_700_000_000


def test_a_film_that_has_been_screened_is_known_by_its_content(folder: Path, draw_film: Callable[..., Path]) -> None:
    known = draw_at(draw_film, "old name.png", 0, width=301)
    draw_at(draw_film, "new.png", 10, width=302)
    queue = settled(inbox_of(folder, [sha256_file(known)]))
    assert [(film.name, film.is_known) for film in queue.films] == [("new.png", False), ("old name.png", True)]


def test_a_history_that_cannot_be_read_holds_no_film_back(folder: Path, draw_film: Callable[..., Path]) -> None:
    draw_at(draw_film, "a.png", 0)

    def refuse(_: object) -> Collection[str]:
        raise HistoryError("damaged")

    queue = settled(Inbox(folder, folder / ".dismissed", refuse))
    assert [film.is_known for film in queue.films] == [False]


def test_names_of_films_that_are_gone_are_not_kept(folder: Path, draw_film: Callable[..., Path]) -> None:
    film = draw_at(draw_film, "Jane Roe.png", 0)
    inbox = inbox_of(folder)
    assert names(settled(inbox)) == ["Jane Roe.png"]
    film.unlink()
    inbox.look()
    assert "Jane Roe.png" not in repr(vars(inbox) | vars(inbox._arrivals))


def test_what_is_dismissed_stays_so_over_a_restart_until_it_changes(
    folder: Path, draw_film: Callable[..., Path]
) -> None:
    draw_at(draw_film, "a.png", 0)
    draw_at(draw_film, "b.png", 10)
    inbox = inbox_of(folder)
    inbox.dismiss(settled(inbox).films[:1])
    assert names(inbox.look()) == ["a.png"]
    assert b"b.png" not in (folder.parent / "clinic" / "dismissed.json").read_bytes()
    assert names(settled(inbox_of(folder))) == ["a.png"]
    draw_at(draw_film, "b.png", 20, width=333)
    assert names(settled(inbox_of(folder))) == ["b.png", "a.png"]


def test_dismissing_can_be_undone(folder: Path, draw_film: Callable[..., Path]) -> None:
    draw_at(draw_film, "a.png", 0)
    inbox = inbox_of(folder)
    films = settled(inbox).films
    inbox.dismiss(films)
    assert inbox.look().films == ()
    inbox.undo_dismiss(films)
    assert inbox.look().films == films
    assert names(settled(inbox_of(folder))) == ["a.png"]


def test_what_was_dismissed_of_another_folder_or_cannot_be_read_is_forgotten(
    folder: Path, draw_film: Callable[..., Path]
) -> None:
    draw_at(draw_film, "a.png", 0)
    inbox = inbox_of(folder)
    inbox.dismiss(settled(inbox).films)
    file = folder.parent / "clinic" / "dismissed.json"
    other = folder.rename(folder.with_name("other"))
    assert names(settled(inbox_of(other))) == ["a.png"]
    no_films, no_stamp = {"folder": str(other)}, {"folder": str(other), "films": {"a.png": [1]}, "schema": 1}
    for text in ("[]", "{", json.dumps(no_films), json.dumps(no_stamp)):
        file.write_text(text)
        assert names(settled(inbox_of(other))) == ["a.png"], text


def test_a_disk_that_does_not_take_it_is_told(folder: Path, draw_film: Callable[..., Path]) -> None:
    draw_at(draw_film, "a.png", 0)
    (folder.parent / "clinic").write_text("a file where a folder should be")
    inbox = inbox_of(folder)
    with pytest.raises(OsteoEdgeError, match="dismissed"):
        inbox.dismiss(settled(inbox).films)


def test_only_the_newest_are_looked_into(
    folder: Path, draw_film: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(5):
        draw_at(draw_film, f"{n}.png", n, width=301 + n)
    hashed = list[str]()

    def note(path: Path) -> str:
        hashed.append(path.name)
        return path.name

    monkeypatch.setattr(arriving, "sha256_file", note)
    inbox = inbox_of(folder)
    queue = settled(inbox, 2)
    assert (names(queue), queue.has_more) == (["4.png", "3.png"], True)
    assert hashed == ["4.png", "3.png"]  # and once, however often it is looked
    queue = inbox.look(5)
    assert (len(queue.films), queue.has_more) == (5, False)


def test_a_folder_that_is_not_there_is_told_and_waited_for(folder: Path, draw_film: Callable[..., Path]) -> None:
    draw_at(draw_film, "a.png", 0)
    inbox = inbox_of(folder)
    settled(inbox)
    away = folder.rename(folder.with_name("away"))
    gone = inbox.look()
    assert (gone.films, gone.problem) == ((), "No such file or directory")
    away.rename(folder)
    assert names(settled(inbox)) == ["a.png"]


def test_looking_takes_no_more_than_its_share_of_the_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox = inbox_of(folder)
    rests = [inbox.look().rest_s for _ in range(LOOKS_STILL + 1)]
    assert rests == [arriving.FIRST_LOOKS_EVERY_S] * LOOKS_STILL + [arriving.LOOK_EVERY_S]
    ticks = iter([10.0, 10.5])
    monkeypatch.setattr(time, "monotonic", lambda: next(ticks))
    assert inbox.look().rest_s == pytest.approx(0.5 / arriving.SHARE_OF_TIME)


def test_looking_can_be_left_off_between_two_files(folder: Path, draw_film: Callable[..., Path]) -> None:
    draw_at(draw_film, "a.png", 0)
    inbox = inbox_of(folder)
    settled(inbox)

    def enough() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        inbox.look(keep_on=enough)
    assert names(inbox.look()) == ["a.png"]
