"""How each screen is brought before the eye with something on it: what the tests of all screens go through."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from kivy.uix.widget import Widget

from osteo_edge.edge_app.bone_words import BONES
from osteo_edge.edge_app.clinic import Clinic
from osteo_edge.edge_app.demo_bundle import FOLDER as DEMO_BUNDLE
from osteo_edge.edge_app.history.entry import Patient
from osteo_edge.edge_app.pin import PinHash, hash_pin
from osteo_edge.edge_app.settings import Settings, write_settings
from osteo_edge.edge_app.ui.kit import Busy, Field
from osteo_edge.edge_app.ui.words import say
from osteo_edge.manifest import Head, Router
from tests.cascade import MIN_CONFIDENCE, cascade_manifest, decision_of
from tests.edge_app.ui.robot import Robot
from tests.edge_app.ui.stage import CODE, INSTITUTION, NAME, OTHER_BONE, Stage

Play = Callable[[Robot, Stage], None]

PATIENT: Final = Patient(CODE, 67, "female", 51.5)
PIN: Final[PinHash] = hash_pin("7193")
CODE_ON_PAPER: Final = "WWWW-WMMM-MMMW-WWWM-MMMW-WMMM-WWMM"
TYPED_CODE: Final = "7kqm"
"""The widest letters."""
STILL_FRAMES: Final = 4
SETTLE_S: Final = 5.0


def _nothing(*_: object) -> None:
    pass


def opened(name: str, **arguments: object) -> Play:
    """Just open a screen."""
    return lambda robot, stage: robot.shell.go(name, **arguments)


def _first_start(robot: Robot, stage: Stage) -> None:
    robot.until(lambda: robot.shell.model is not None)


def _typed(*texts: str, has_problem: bool) -> Play:
    def play(robot: Robot, stage: Stage) -> None:
        robot.shell.go("new_screening")
        settle(robot)
        fields = [widget for widget in robot.widgets() if isinstance(widget, Field)]
        for field, text in zip(fields, texts, strict=True):
            field.text = text
        if has_problem:
            robot.until(lambda: all(field.problem or field.advice for field in fields))
        else:
            robot.see("OST")

    return play


def _bones(robot: Robot, stage: Stage) -> None:
    """The form where the model tells many bones apart."""
    labels = {bone: (f"{bone} normal", f"{bone} abnormal") for bone in (*BONES, OTHER_BONE)}
    heads = tuple(Head(bone, "abnormality", of_bone, decision_of(of_bone[1])) for bone, of_bone in labels.items())
    manifest = cascade_manifest(
        robot.shell.model.manifest,
        labels=tuple(label for of_bone in labels.values() for label in of_bone),
        decision=decision_of(*(abnormal for _, abnormal in labels.values())),
        router=Router(heads, MIN_CONFIDENCE, "validation"),
        familiarity=None,
    )
    robot.shell.model = replace(robot.shell.model, manifest=manifest)
    robot.shell.go("new_screening").ids.bone.choose("humerus")


def _watching(robot: Robot, stage: Stage) -> None:
    robot.clinic.change(watched_folder=str(stage.films))
    robot.shell.go("new_screening")


def _choosing(kind: str) -> Play:
    def play(robot: Robot, stage: Stage) -> None:
        robot.clinic.change(watched_folder=str(stage.films if kind != "bundle" else stage.models))
        robot.clinic.last_folders.clear()
        robot.shell.go("files", kind=kind, on_chosen=_nothing)
        settle(robot)
        robot.tap(say("Watched folder"))

    return play


def _camera(robot: Robot, stage: Stage) -> None:
    robot.shell.camera = str(stage.frames)
    robot.shell.go("camera", on_taken=_nothing)


def _photo(robot: Robot, stage: Stage) -> None:
    _camera(robot, stage)
    settle(robot)
    robot.tap(say("Take the photo"))


def _no_camera(robot: Robot, stage: Stage) -> None:
    robot.shell.camera = str(stage.films / "2026-03")
    robot.shell.go("camera", on_taken=_nothing)


def _answer(name: str, *, is_photo: bool = False) -> Play:
    def play(robot: Robot, stage: Stage) -> None:
        hints = ("glare", "tilt") if is_photo else None
        film = getattr(stage, name)
        robot.shell.go("result", film=film, patient=PATIENT, draft_id=None, photo_hints=hints)

    return play


def _saved(name: str) -> Play:
    return lambda robot, stage: robot.shell.go("result", entry_id=getattr(stage, name))


def _pair(robot: Robot, stage: Stage) -> None:
    robot.shell.go("side_by_side", left=stage.earlier, right=stage.answered)


def _tapping(play: Play, message: str) -> Play:
    """Something more is opened on a screen by a tap on what says `message`."""

    def tap(robot: Robot, stage: Stage) -> None:
        play(robot, stage)
        settle(robot)
        robot.tap(say(message))

    return tap


def _filter(robot: Robot, stage: Stage) -> None:
    robot.shell.go("history")
    settle(robot)
    robot.tap(say("Filter"))
    robot.screen.narrowing.ids.period.value = "dates"
    robot.screen.narrowing.ids.first.text = "2026-02-30"


def _copies(robot: Robot, stage: Stage) -> None:
    robot.shell.go("history")
    settle(robot)
    robot.tap(say("Table and backup"))
    robot.screen.copying.save_table(stage.folders.exports)


def _settings(robot: Robot, stage: Stage) -> None:
    robot.clinic.change(pin=PIN, watched_folder=str(stage.films), institution=INSTITUTION, retention_days=365)
    robot.shell.go("settings")


def _lock(robot: Robot, stage: Stage) -> None:
    robot.clinic.change(pin=PIN)
    robot.shell.go("lock")
    settle(robot)
    robot.tap(say("PIN forgotten?"))


def _lock_encrypted(robot: Robot, stage: Stage) -> None:
    robot.clinic.change(pin=PIN)
    robot.shell.go("lock").is_encrypted = True
    settle(robot)
    robot.tap(say("PIN forgotten?"))
    robot.screen.ids.code.text = TYPED_CODE
    robot.screen.open_with_code()


def _locked_backup(robot: Robot, stage: Stage) -> None:
    robot.shell.go("history")
    settle(robot)
    robot.tap(say("Table and backup"))
    robot.screen.copies.ask_secret(True, say("This is neither the PIN nor the recovery code of this backup."))


def _question(robot: Robot, stage: Stage) -> None:
    robot.shell.ask(
        say("Delete old screenings?"),
        say("{count} of {total} screenings are older than {days} days. Delete them for good, with their films?").format(
            count=12, total=340, days=365
        ),
        say("Delete for good"),
        lambda: None,
        no=say("Keep"),
    )


def _notices(robot: Robot, stage: Stage) -> None:
    robot.shell.complain(
        f"{stage.films / 'OP999.jpg'}: the JPEG data are damaged or incomplete; copy or export the file again"
    )
    robot.shell.offer_undo(say("The screening was deleted."), lambda: None)


PLAYS: Final[dict[str, dict[str, Play]]] = {
    "home": {"first": _first_start, "question": _question, "notices": _notices},
    "new_screening": {
        "problems": _typed(NAME, "167", "0", has_problem=True),
        "ost": _typed(CODE, "67", "51.5", has_problem=False),
        "bones": _bones,
        "watching": _watching,
    },
    "files": {kind: _choosing(kind) for kind in ("film", "bundle", "backup", "folder")}
    | {"places": opened("files", kind="film", on_chosen=_nothing)},
    "camera": {"preview": _camera, "photo": _photo, "none": _no_camera},
    "result": {
        "referred": _answer("film"),
        "photo": _answer("film", is_photo=True),
        "rejected": _answer("no_film"),
        "unreadable": _answer("broken"),
        "saved": _saved("answered"),
        "saved_rejected": _saved("rejected"),
        "report": _tapping(_saved("answered"), "Report (PDF)"),
        "decision": _tapping(_saved("answered"), "Decision"),
        "note": _tapping(_saved("answered"), "Note"),
        "dxa": _tapping(_saved("answered"), "DXA result"),
    },
    "side_by_side": {"pair": _pair},
    "history": {"thirty": opened("history"), "filter": _filter, "copies": _copies, "secret": _locked_backup},
    "follow_up": {"results": opened("follow_up")},
    "model": {"demo": opened("model")},
    "model_card": {"demo": lambda robot, stage: robot.shell.go("model_card", folder=DEMO_BUNDLE, title="knee 1")},
    "settings": {"all_set": _settings, "first": opened("settings")},
    "choose_pin": {"new": opened("choose_pin"), "encrypt": opened("choose_pin", purpose="encrypt")},
    "recovery_code": {"shown": opened("recovery_code", code=CODE_ON_PAPER)},
    "help": {"help": opened("help")},
    "lock": {"forgotten": _lock, "code": _lock_encrypted},
}
"""By screen, the states in which it is looked at."""


@contextmanager
def on_stage(stage: Stage, screen: str, state: str, size: tuple[int, int], **settings: Any) -> Iterator[Robot]:
    """Start the app with the first settings but for `settings`, and show a screen until nothing moves any more."""
    write_settings(stage.folders.settings, replace(Settings(), **settings))
    robot = Robot(Clinic(stage.folders), size)
    try:
        robot.until(lambda: robot.shell.model is not None)
        PLAYS[screen][state](robot, stage)
        settle(robot)
        yield robot
    finally:
        robot.close()


def settle(robot: Robot) -> None:
    """Wait until nothing is being worked on and everything has its place."""
    end, still, before = time.monotonic() + SETTLE_S, 0, None
    while still < STILL_FRAMES:
        robot.frames()
        now = [(id(widget), *widget.pos, *widget.size, getattr(widget, "text", "")) for widget in robot.widgets()]
        is_busy = any(_is_at_work(widget) for widget in robot.widgets()) or bool(robot.app.jobs.saving)
        still = 0 if is_busy or now != before else still + 1
        before = now
        assert time.monotonic() < end, f"it never comes to rest: {robot.texts()}"
        time.sleep(0.005)


def _is_at_work(widget: Widget) -> bool:
    return isinstance(widget, Busy) and widget.opacity > 0
