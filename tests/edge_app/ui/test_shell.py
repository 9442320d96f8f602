from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.edge_app.clinic import Clinic, LoadedModel
from osteo_edge.edge_app.demo_mark import FALLEN_BACK, MARK
from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.help_text import AFTER_THE_ANSWERS
from osteo_edge.edge_app.history.store import UNDO_WINDOW
from osteo_edge.edge_app.jobs import UNEXPECTED
from osteo_edge.edge_app.models.store import ModelStore
from osteo_edge.edge_app.pin import hash_pin
from osteo_edge.manifest import Manifest
from osteo_edge.wording import intended_use

if TYPE_CHECKING:
    from tests.edge_app.ui.robot import Robot

pytestmark = pytest.mark.kivy


def lines(robot: Robot) -> list[str]:
    """Those at the foot."""
    return [text for text in robot.texts() if text.startswith("line")]


def wait(robot: Robot, seconds: float) -> None:
    end = time.monotonic() + seconds
    robot.until(lambda: time.monotonic() > end)


def test_a_line_at_the_foot_goes_by_a_tap_and_comes_once(start: Callable[..., Robot]) -> None:
    robot = start()
    robot.shell.tell("Saved", lasts=True)
    robot.shell.tell("Saved", lasts=True)
    robot.frames(3)
    assert robot.texts().count("Saved") == 1
    robot.tap("OK")
    assert not robot.sees("Saved")


def test_no_more_than_two_lines_stand_at_the_foot(start: Callable[..., Robot]) -> None:
    robot = start()
    for number in range(5):
        robot.shell.tell(f"line {number}", lasts=True)
    robot.frames(3)
    assert lines(robot) == ["line 3", "line 4"]


def test_a_line_that_lasts_waits_until_there_is_room(start: Callable[..., Robot]) -> None:
    robot = start()
    for number in range(3):
        robot.shell.tell(f"line {number}", lasts=True)
    for left in (["line 0", "line 1"], ["line 0"], []):
        robot.frames(3)
        robot.tap([widget for widget in robot.widgets() if getattr(widget, "text", "") == "OK"][-1])
        assert lines(robot) == left


def test_lines_that_pass_push_out_each_other_only(start: Callable[..., Robot]) -> None:
    robot = start()
    robot.shell.tell("line 0", lasts=True)
    for number in range(1, 4):
        robot.shell.tell(f"line {number}")
    assert lines(robot) == ["line 0", "line 3"]
    robot.shell.tell("line 4", lasts=True)
    robot.shell.tell("line 0")
    assert lines(robot) == ["line 3", "line 4", "line 0"]
    robot.until(lambda: lines(robot) == ["line 4", "line 0"])


def test_a_line_that_passes_goes_by_itself(start: Callable[..., Robot], monkeypatch: pytest.MonkeyPatch) -> None:
    robot = start()
    monkeypatch.setattr("osteo_edge.edge_app.ui.notices.NOTICE_S", 0.1)
    robot.shell.tell("line 0")
    assert lines(robot) == ["line 0"]
    robot.until(lambda: not lines(robot))


def test_each_undo_stays_and_undoes_its_own(start: Callable[..., Robot]) -> None:
    robot = start((800, 480))
    undone = list[int]()
    for number in range(6):
        robot.shell.offer_undo("line: deleted", lambda number=number: undone.append(number))
    for number in range(2):
        robot.shell.tell(f"line {number}", lasts=True)
    robot.frames(3)
    assert robot.shell.notices.height <= 0.4 * 480
    for _ in range(6):
        robot.tap("Undo")
    assert undone == [0, 1, 2, 3, 4, 5]
    assert lines(robot) == ["line 0", "line 1"]


def test_the_time_to_undo_stands_still_beneath_the_lock(
    start: Callable[..., Robot], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("osteo_edge.edge_app.ui.notices.UNDO_S", 0.4)
    robot = start(pin=hash_pin("7193"))
    robot.shell.unlock()
    robot.shell.offer_undo("line: deleted", lambda: None)
    robot.shell.lock()
    wait(robot, 0.6)
    assert not robot.sees("Undo")
    robot.shell.unlock()
    robot.see("Undo")
    robot.until(lambda: not robot.sees("Undo"))


def test_the_help_and_the_history_agree_with_the_button_on_the_time_to_undo(display: str) -> None:
    from osteo_edge.edge_app.ui.notices import UNDO_S

    assert UNDO_WINDOW.total_seconds() == UNDO_S == 60
    assert any("for a minute" in text for section in AFTER_THE_ANSWERS for text in section.paragraphs)


def test_a_name_that_is_no_text_is_shown_with_a_sign(start: Callable[..., Robot]) -> None:
    robot = start()
    robot.shell.complain("d\udce9t.jpg: damaged")
    robot.shell.ask("d\udce9t.jpg?", "", "d\udce9t", lambda: None)
    robot.frames(3)
    assert "d\ufffdt.jpg?" in robot.texts()
    robot.tap("d\ufffdt")
    robot.see("d\ufffdt.jpg: damaged")


def test_undo_undoes_once(start: Callable[..., Robot]) -> None:
    robot = start()
    undone = list[str]()
    robot.shell.offer_undo("Deleted", lambda: undone.append("undone"))
    robot.frames(3)
    robot.tap("Undo")
    assert undone == ["undone"]
    assert not robot.sees("Deleted")


def test_a_fault_in_the_window_is_logged_and_told_and_the_window_stays(
    start: Callable[..., Robot], caplog: pytest.LogCaptureFixture
) -> None:
    from kivy.base import ExceptionManager

    from osteo_edge.edge_app.ui.window import keep_open

    robot = start()
    robot.see("New screening")
    keep_open(robot.app)
    (handler,) = ExceptionManager.handlers
    try:
        with caplog.at_level(logging.ERROR):
            fault = ZeroDivisionError("in a callback")
            assert ExceptionManager.handle_exception(fault) == ExceptionManager.PASS
        assert "in a callback" in caplog.text
        robot.see(UNEXPECTED)
        assert ExceptionManager.handle_exception(KeyboardInterrupt()) == ExceptionManager.RAISE
    finally:
        ExceptionManager.remove_handler(handler)


def test_a_chosen_model_that_is_gone_is_told_and_the_demonstration_is_marked(
    start: Callable[..., Robot], folders: Folders
) -> None:
    folders.models.mkdir(parents=True)
    (folders.models / "in_use.json").write_text('{"schema": 1, "id": "knee-000000000000"}')
    robot = start()
    robot.see(FALLEN_BACK)
    robot.see(MARK)
    robot.tap("Help")
    robot.see(MARK)


def test_the_mark_is_there_until_the_model_is_known_to_be_no_demonstration(
    start: Callable[..., Robot],
    folders: Folders,
    golden_bundle: Callable[..., Bundle],
    manifest: Manifest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    of_patients = replace(manifest.data, label_source="DXA")
    bundle = golden_bundle(data=of_patients, intended_use=intended_use("DXA"))
    store = ModelStore(folders.models)
    store.use(store.install(bundle.path).model.id)
    load, go_on = Clinic.model, threading.Event()

    def load_slowly(clinic: Clinic) -> LoadedModel:
        go_on.wait(20)
        return load(clinic)

    monkeypatch.setattr(Clinic, "model", load_slowly)
    robot = start()
    assert robot.sees(MARK)
    go_on.set()
    robot.see("Model: ")
    assert not robot.sees(MARK)
    go_on.clear()
    robot.clinic.forget_model()
    robot.shell.load_model()
    assert robot.sees(MARK)
    go_on.set()
    robot.until(lambda: not robot.sees(MARK))


def test_the_first_picture_has_the_mark(start: Callable[..., Robot], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osteo_edge.edge_app.ui.shell.Shell.load_model", lambda _: None)
    assert start().sees(MARK)


def test_broken_settings_are_told_at_the_start(start: Callable[..., Robot], folders: Folders) -> None:
    folders.root.mkdir(parents=True)
    folders.settings.write_text("{")
    robot = start()
    robot.see("The settings could not be read and are the original ones again, without a PIN.")
    assert [path.name.partition("-")[0] for path in folders.root.glob("settings.damaged*")] == ["settings.damaged"]
