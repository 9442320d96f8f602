"""An answer on the screen: made, saved, left, and opened again."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from osteo_edge.edge_app.clinic import Clinic
from osteo_edge.edge_app.demo_mark import MARK
from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.edge_app.history.drafts import Draft
from osteo_edge.edge_app.history.entry import Entry, new_id, utc
from osteo_edge.edge_app.history.errors import HistoryError
from osteo_edge.edge_app.history.store import Record
from osteo_edge.edge_app.light_box.photo import PHOTO_OF_FILM
from osteo_edge.edge_app.ost import ABOUT_OST
from osteo_edge.wording import ADVICE, HEADLINES, PHANTOM_USE
from tests.edge_app.ui.answers import PATIENT, answered, held, saved

if TYPE_CHECKING:
    from tests.edge_app.ui.robot import Robot

pytestmark = pytest.mark.kivy

TAB, ENTER = 9, 13


@pytest.fixture
def robot(start: Callable[..., Robot]) -> Robot:
    return start((800, 480))


@pytest.fixture
def cat(tmp_path: Path) -> Path:
    """A picture in colour, which no X-ray machine made."""
    path = tmp_path / "cat.jpg"
    colours = np.random.default_rng(7).integers(0, 255, (12, 9, 3), np.uint8)
    cv2.imwrite(str(path), cv2.resize(colours, (600, 800), interpolation=cv2.INTER_CUBIC))
    return path


def test_an_answer_says_all_that_is_known_and_no_more(robot: Robot) -> None:
    answered(robot)
    for text in (HEADLINES["refer"], ADVICE["refer"], MARK, PHANTOM_USE, ABOUT_OST, "OST index -2"):
        robot.see(text)
    for part in ("Calibrated probability", "operating point", "uncertain from", "K-17", "Model knee, SHA-256 "):
        robot.see(part)
    assert not robot.sees("Note")
    assert not robot.sees("Delete")


def test_the_widgets_are_made_while_the_film_is_screened_and_the_words_come_a_frame_after_it(
    robot: Robot, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = held(monkeypatch, "screen")
    screen = robot.shell.go("result", film=DRAWN_FILM)
    prepared = robot.until(lambda: screen._prepared)
    assert screen.panel is None
    go_on.set()
    robot.until(lambda: screen.panel)
    assert screen.panel is prepared
    assert screen.panel.view.ids.film.film_texture is not None
    assert not screen.is_drawn
    robot.frames()
    assert screen.is_drawn
    robot.see(HEADLINES["refer"])


def test_a_saved_answer_is_in_the_history_and_its_draft_has_ended(robot: Robot) -> None:
    draft = Draft(new_id(), "2026-01-01T00:00:00+00:00", {"code": "K-17"})
    robot.clinic.history().save_draft(draft)
    screen = saved(robot, draft_id=draft.id)
    (entry,) = robot.clinic.history().search().entries
    assert (entry, entry.patient) == (screen.answer.entry, PATIENT)
    assert robot.clinic.history().drafts() == ()
    assert "Save" not in robot.texts()


def test_it_is_not_called_saved_before_it_is_on_the_disk(robot: Robot, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = answered(robot)
    go_on = held(monkeypatch, "save")
    robot.tap("Save")
    robot.see("Saving…")
    robot.frames(10)
    assert not robot.sees("Saved on this device.")
    assert robot.shell.back()
    assert robot.screen is screen
    go_on.set()
    robot.see("Saved on this device.")
    assert robot.clinic.history().count() == 1


def test_impatient_fingers_save_once(robot: Robot, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = answered(robot)
    go_on = held(monkeypatch, "save")
    robot.tap("Save")
    robot.tap("Saving…")
    screen.save()
    go_on.set()
    robot.see("Saved on this device.")
    screen.save()
    robot.until(lambda: not robot.app.jobs.saving)
    assert robot.clinic.history().count() == 1


def test_what_could_not_be_saved_is_told_and_can_be_saved_again(robot: Robot, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> Entry:
        raise HistoryError("/data: the screening was not saved (disk full); free some space on the disk and try again")

    answered(robot)
    with monkeypatch.context() as disk:
        disk.setattr(Clinic, "save", fail)
        robot.tap("Save")
        robot.see("free some space")
    assert not robot.sees("Saved on this device.")
    robot.tap("Save")
    robot.see("Saved on this device.")


def test_leaving_an_unsaved_answer_asks(robot: Robot) -> None:
    screen = answered(robot)
    robot.tap("Back")
    robot.tap("Stay")
    assert robot.screen is screen
    robot.tap("Back")
    robot.tap("Leave")
    assert robot.shell.name == "home"
    assert robot.clinic.history().count() == 0


def test_leaving_a_saved_answer_does_not_ask(robot: Robot) -> None:
    saved(robot)
    robot.tap("Back")
    assert robot.shell.name == "home"


def test_the_film_of_a_photo_is_removed_when_it_is_saved_or_dropped(robot: Robot) -> None:
    photos = robot.clinic.folders.photos
    photos.mkdir(parents=True)

    def film(name: str) -> Path:
        path = photos / name
        path.write_bytes(DRAWN_FILM.read_bytes())
        return path

    dropped, kept = film("dropped.jpg"), film("kept.jpg")
    answered(robot, film=dropped, photo_hints=())
    robot.see(PHOTO_OF_FILM)
    robot.tap("Back")
    robot.tap("Leave")
    robot.until(lambda: not dropped.exists())
    saved(robot, film=kept, photo_hints=("glare",))
    robot.until(lambda: not kept.exists())
    robot.see("Glare or too bright")
    assert DRAWN_FILM.exists()


def test_a_picture_of_a_cat_is_rejected_with_the_reason(robot: Robot, cat: Path) -> None:
    answered(robot, film=cat)
    robot.see(HEADLINES["rejected"])
    robot.see("a colour picture, not a radiograph")
    robot.see("No probability")
    robot.tap("Choose another film")
    assert robot.shell.name == "home"


def test_a_rejected_picture_can_be_saved(robot: Robot, cat: Path) -> None:
    saved(robot, film=cat)
    assert robot.clinic.history().search().entries[0].outcome == "rejected"
    assert not robot.sees("DXA result")


def test_what_is_no_film_gives_its_line_and_a_way_on(robot: Robot, tmp_path: Path) -> None:
    path = tmp_path / "letter.jpg"
    path.write_text("Dear colleague")
    robot.shell.go("result", film=path)
    robot.see("letter.jpg: not a PNG")
    robot.tap("Choose another film")
    assert robot.shell.name == "home"


@pytest.mark.parametrize("way", ["Cancel", "Back"])
def test_a_screening_that_is_left_is_dropped(robot: Robot, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    go_on, photo = held(monkeypatch, "screen"), robot.clinic.folders.photos / "film.jpg"
    photo.parent.mkdir(parents=True)
    photo.write_bytes(DRAWN_FILM.read_bytes())
    robot.shell.go("result", film=photo, photo_hints=())
    robot.see("The film is being screened…")
    robot.tap(way)
    assert robot.shell.name == "home"
    robot.until(lambda: not photo.exists())
    go_on.set()
    robot.frames(20)
    assert robot.shell.name == "home"
    assert not robot.sees(HEADLINES["refer"])


def test_a_change_of_language_or_size_keeps_an_unsaved_answer(robot: Robot, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = answered(robot).answer.entry
    monkeypatch.setattr(Clinic, "screen", lambda *args, **kwargs: pytest.fail("screened again"))
    robot.shell.rebuild()
    robot.tap("Save")
    robot.see("Saved on this device.")
    robot.shell.rebuild()
    robot.see("Saved on this device.")
    assert [entry.id] == [one.id for one in robot.clinic.history().search().entries]


def test_a_saved_screening_is_opened_with_its_film_and_its_evidence(robot: Robot) -> None:
    entry = saved(robot).answer.entry
    robot.tap("Back")
    screen = robot.shell.go("result", entry_id=entry.id)
    robot.until(lambda: screen.is_drawn)
    robot.see(HEADLINES["refer"])
    assert screen.answer.entry == entry
    assert screen.panel.view.ids.film.overlay_texture is not None
    assert "Save" not in robot.texts()


def test_a_screening_whose_film_is_gone_still_says_what_it_said(robot: Robot) -> None:
    entry = saved(robot).answer.entry
    robot.clinic.history().image_file(entry.image_sha256).unlink()
    robot.tap("Back")
    robot.shell.go("result", entry_id=entry.id)
    robot.see("no image")
    robot.see(HEADLINES["refer"])
    assert not robot.sees("Report (PDF)")


def test_a_screening_that_is_gone_gives_one_line(robot: Robot) -> None:
    robot.shell.go("result", entry_id=new_id())
    robot.see("search again")
    assert not robot.sees("Choose another film")


def test_no_text_is_higher_than_a_picture_can_be(start: Callable[..., Robot]) -> None:
    from osteo_edge.edge_app.ui.kit import Words

    robot = start((360, 740), text_percent=150)
    record = robot.clinic.record(robot.clinic.screen(DRAWN_FILM), patient=PATIENT, note="W" * 200_000)
    long = replace(record.entry, intended_use="Wide Words " * 8000, reasons=("W" * 9000,), warnings=("W" * 9000,))
    robot.clinic.save(Record(long, record.image, record.overlay))
    screen = robot.shell.go("result", entry_id=long.id)
    robot.until(lambda: screen.is_drawn)
    robot.frames(3)
    heights = [widget.height for widget in screen.panel.walk() if isinstance(widget, Words)]
    assert max(heights) < 2048
    assert sum(heights) < 60_000


def test_a_clock_that_cannot_be_right_is_told_until_the_answer_is_saved(robot: Robot) -> None:
    record = robot.clinic.record(robot.clinic.screen(DRAWN_FILM), patient=PATIENT)
    later = utc(datetime.now(timezone.utc) + timedelta(days=30))
    robot.clinic.save(Record(replace(record.entry, taken_at=later), record.image, record.overlay))
    answered(robot)
    line = f"This device's clock says {datetime.now().astimezone().date()}."
    robot.see(line)
    robot.tap("Save")
    robot.see("Saved on this device.")
    assert not robot.sees(line)


def test_a_deleted_screening_can_be_brought_back(robot: Robot) -> None:
    saved(robot)
    robot.tap("Delete")
    robot.see("The screening was deleted.")
    assert robot.shell.name == "home"
    assert robot.clinic.history().count() == 0
    robot.tap("Undo")
    robot.see("The screening is back.")
    assert robot.clinic.history().count() == 1


def test_the_film_is_let_go_when_the_screen_is_left(robot: Robot) -> None:
    screen = saved(robot)
    picture = weakref.ref(screen.answer.picture)
    robot.tap("Back")
    gc.collect()
    assert picture() is None
    assert screen.answer is None


def test_the_answer_is_saved_by_keys(robot: Robot) -> None:
    answered(robot)
    for _ in range(30):
        robot.key(TAB)
        if getattr(robot.app.ring.marked, "text", "") == "Save":
            break
    robot.key(ENTER)
    robot.see("Saved on this device.")


def test_the_words_are_below_the_film_on_an_upright_window(start: Callable[..., Robot]) -> None:
    robot = start((360, 740))
    panel = answered(robot).panel
    robot.frames(3)
    assert panel.ids.reading.to_window(0, panel.ids.reading.top)[1] <= panel.view.to_window(0, panel.view.y)[1] + 1
