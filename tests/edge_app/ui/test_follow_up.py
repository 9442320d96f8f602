"""How the model does on this site's patients, on the screen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.follow_up_words import NO_DECISION, NO_RESULTS, NOTHING_YET
from osteo_edge.edge_app.history.entry import Dxa
from osteo_edge.edge_app.history.followup import CAUTION
from osteo_edge.edge_app.history.store import History, Record
from osteo_edge.wording import HEADLINES, Outcome
from tests.edge_app.history.made import make_record

if TYPE_CHECKING:
    from tests.edge_app.ui.robot import Robot

pytestmark = pytest.mark.kivy

Start = Callable[..., "Robot"]


def site() -> Iterator[Record]:
    """Seven months of 30 films; every second one has a DXA result; the films of the last month are brighter."""
    rng = np.random.default_rng(0)
    for number in range(210):
        month, score = number // 30, float(rng.uniform(0.05, 0.95))
        outcome: Outcome = "refer" if score >= 0.5 else "no_finding"
        dxa: Dxa | None = "normal" if rng.uniform() > score else "osteoporosis"
        yield make_record(
            b"film %d" % number,
            code=f"K-{number}",
            taken_at=f"2026-{month + 1:02d}-15T10:00:00+00:00",
            outcome=outcome,
            score=score,
            dxa=dxa if number % 2 else None,
            image_stats={"mean": float(rng.normal(0.6 if month == 6 else 0.4, 0.05))},
        )


def open_follow_up(robot: Robot) -> Any:
    robot.tap("Follow-up")
    return robot.screen


def test_numbers_come_with_their_caution_table_intervals_and_plots(start: Start, folders: Folders) -> None:
    with History(folders.history) as history:
        history.add_all(site())
    robot = start()
    screen = open_follow_up(robot)
    robot.see("105 patients with a DXA result")
    for text in (
        CAUTION,
        "T-score -1 or above",
        *HEADLINES.values(),
        "Osteoporosis in DXA",
        "How right the scores are",
    ):
        robot.see(text)
    assert any(" % (" in text and text.endswith("of 105") for text in robot.texts())
    robot.see("The films of 2026-07 are brighter than the first ones.")
    drawn = [type(widget).__name__ for widget in robot.widgets() if hasattr(widget, "draw")]
    assert drawn == ["CalibrationPlane", "DriftPlane"]
    assert not any("normal" in text.lower() for text in robot.texts())
    robot.key(27)
    robot.see("New screening")
    assert screen.parent is None


def test_few_results_are_too_few(start: Start, folders: Folders) -> None:
    with History(folders.history) as history:
        history.add_all(make_record(b"%d" % n, code=f"K-{n}", dxa="osteopenia") for n in range(5))
    robot = start()
    open_follow_up(robot)
    robot.see("5 patients with a DXA result: too few to say anything")
    assert not any(" % (" in text for text in robot.texts())
    robot.see("5 of 5: too few for a percentage")


def test_without_results_or_films_it_says_what_to_do(start: Start, folders: Folders) -> None:
    robot = start()
    open_follow_up(robot)
    robot.see(NOTHING_YET)
    robot.key(27)
    robot.clinic.history().add(make_record())
    open_follow_up(robot)
    robot.see(NO_RESULTS)
    robot.see(NO_DECISION)


def test_overrides_are_counted_with_what_they_do_not_tell(start: Start, folders: Folders) -> None:
    with History(folders.history) as history:
        history.add_all(
            make_record(b"%d" % n, code=f"K-{n}", decided="otherwise", override_reason="metal") for n in range(12)
        )
    robot = start()
    open_follow_up(robot)
    robot.see("Decisions on the answers")
    robot.see("Whether a decision was right is not known here.")
    robot.see("100 % (76 to 100 %), 12 of 12")
    robot.see("no case yet")


def test_another_model_can_be_chosen_and_a_demonstration_is_marked(start: Start, folders: Folders) -> None:
    with History(folders.history) as history:
        history.add_all(make_record(b"%d" % n, code=f"K-{n}", dxa="osteopenia") for n in range(3))
        history.add(make_record(b"drawn", dxa="normal", model_sha256="d" * 64, model_name="phantom", is_demo=True))
    robot = start()
    open_follow_up(robot)
    robot.see("3 patients with a DXA result")
    robot.tap("phantom (demonstration)")
    robot.see("1 patient with a DXA result")
    robot.see("A demonstration: its numbers say nothing about any patient.")
    robot.tap("knee")
    robot.see("3 patients with a DXA result")


def test_what_takes_long_can_be_left(start: Start, folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    with History(folders.history) as history:
        history.add(make_record())
    robot = start()
    robot.until(lambda: robot.shell.model is not None)
    monkeypatch.setattr(History, "models", lambda self: wait_until_left(robot))
    open_follow_up(robot)
    robot.see("Working it out…")
    robot.tap("Cancel")
    robot.see("New screening")


def wait_until_left(robot: Robot) -> Any:
    end = time.monotonic() + 10
    while robot.shell.name == "follow_up" and time.monotonic() < end:
        time.sleep(0.01)
    return ()
