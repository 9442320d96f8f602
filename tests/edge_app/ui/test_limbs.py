"""A model that tells bones apart and looks for abnormalities: its words in every place that shows an answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.follow_up_words import OTHER_LABELS
from osteo_edge.edge_app.help_text import DXA_RESULTS, WHICH_BONE
from osteo_edge.edge_app.models.store import ModelStore
from osteo_edge.edge_app.screening_form import FormFields
from osteo_edge.manifest import Manifest
from osteo_edge.wording import ABNORMALITY_ADVICE, ABNORMALITY_HEADLINES, intended_use
from tests.cascade import UNCLEAR, draw_limb, write_cascade
from tests.edge_app.ui.device import RecordedDevice
from tests.edge_app.ui.new_screening import choose, drafts, fill, leave_unsaved
from tests.edge_app.ui.phone import ended_and_started

if TYPE_CHECKING:
    from tests.edge_app.ui.robot import Robot

pytestmark = pytest.mark.kivy


@pytest.fixture
def model(folders: Folders, tmp_path: Path, manifest: Manifest) -> None:
    """A model of elbow and wrist in use."""
    use, data = intended_use("MURA", "abnormality"), replace(manifest.data, label_source="MURA")
    bundle = write_cascade(tmp_path / "limbs", manifest, intended_use=use, data=data)
    store = ModelStore(folders.models)
    store.use(store.install(bundle.path).model.id)


@pytest.fixture
def robot(start: Callable[..., Robot], model: None) -> Robot:
    """The app with that model."""
    robot = start()
    robot.see("Model: limbs")
    return robot


def answered(robot: Robot, film: Path) -> None:
    screen = robot.shell.go("result", film=film)
    robot.until(lambda: screen.is_drawn)


def says_of_density(robot: Robot) -> list[str]:
    return [text for text in robot.texts() if re.search("density|DXA|OST|knee", text)]


def test_an_answer_names_the_bone_and_is_kept_with_it(robot: Robot, tmp_path: Path) -> None:
    answered(robot, draw_limb(tmp_path / "film.png", "wrist", 0.7))
    for text in (ABNORMALITY_HEADLINES["refer"], ABNORMALITY_ADVICE["refer"], "taken for: wrist", "Bone: wrist"):
        robot.see(text)
    robot.see("wrist: abnormal")
    robot.tap("Save")
    robot.see("Saved on this device.")
    (entry,) = robot.clinic.history().search().entries
    assert (entry.finding, entry.bone, entry.outcome) == ("abnormality", "wrist", "refer")
    robot.see("Note")
    assert says_of_density(robot) == []


def test_a_form_with_age_and_weight_says_nothing_of_density(robot: Robot) -> None:
    robot.tap("New screening")
    fill(robot, age="71", weight="52,5")
    robot.until(lambda: drafts(robot))
    assert says_of_density(robot) == []


def test_where_the_bone_is_not_clear_there_is_no_answer(robot: Robot, tmp_path: Path) -> None:
    answered(robot, draw_limb(tmp_path / "film.png", "elbow", 0.7, contrast=UNCLEAR))
    robot.see(ABNORMALITY_HEADLINES["uncertain"])
    robot.see("it is not clear which bone this shows")
    assert not robot.sees("Bone: ")
    assert says_of_density(robot) == []


def test_a_bone_that_was_named_reaches_the_answer_and_the_history(robot: Robot, home: Path) -> None:
    draw_limb(home / "film.png", "elbow", 0.7)
    robot.tap("New screening")
    form = robot.screen
    robot.see("If you name it, the film is read as that bone, whatever the model takes it for.")
    robot.tap("wrist")
    (draft,) = robot.until(lambda: drafts(robot))
    assert draft.fields["bone"] == "wrist"
    choose(robot, "film.png")
    for text in ("Bone: wrist", "read as wrist, as you said; the model takes it for elbow (above 0.99)"):
        robot.see(text)
    robot.tap("Save")
    robot.see("Saved on this device.")
    (entry,) = robot.clinic.history().search().entries
    assert (entry.bone, list(entry.probabilities)) == ("wrist", ["wrist abnormal"])
    robot.tap("‹ Back")
    assert robot.screen is form
    assert (form.ids.bone.bone, form.has_text) == ("", False), "the next film may show another bone"
    robot.tap("‹ Back")
    robot.tap("History")
    robot.see("Bone: wrist")


def test_the_bone_can_be_named_where_it_was_not_clear(robot: Robot, home: Path) -> None:
    draw_limb(home / "film.png", "elbow", 0.7, contrast=UNCLEAR)
    robot.tap("New screening")
    choose(robot, "film.png")
    robot.see("it is not clear which bone this shows")
    leave_unsaved(robot)
    robot.tap("elbow")
    robot.tap("Choose a film")
    robot.tap("film.png")
    robot.see("Bone: elbow")


def test_a_bone_that_was_named_comes_back_with_its_form_and_can_be_taken_back(
    start: Callable[..., Robot], robot: Robot
) -> None:
    robot.tap("New screening")
    robot.tap("elbow")
    robot.shell.rebuild()
    robot.frames(3)
    assert robot.screen.ids.bone.bone == "elbow"
    robot.close()
    robot = start()
    robot.tap("New screening")
    robot.tap("Continue it")
    form = robot.screen
    robot.until(lambda: form.ids.bone.bone == "elbow")
    robot.tap("Clear")
    assert form.ids.bone.bone == ""
    robot.until(lambda: not drafts(robot))
    robot.tap("Undo")
    assert form.ids.bone.bone == "elbow"


def test_a_bone_that_the_model_does_not_know_is_left_out_of_the_form(robot: Robot) -> None:
    robot.clinic.forms.keep("a" * 32, FormFields("K-1", bone="hip"))
    robot.tap("New screening")
    robot.tap("Continue it")
    form = robot.screen
    robot.until(lambda: form.has_text)
    assert (form.ids.code.text, form.ids.bone.bone) == ("K-1", "")
    robot.until(lambda: drafts(robot)[0].fields["bone"] == "")


def test_a_bone_that_was_named_is_there_again_when_the_system_has_ended_the_app(
    phone: Callable[..., Robot], device: RecordedDevice, model: None, tmp_path: Path
) -> None:
    device.chosen = draw_limb(tmp_path / "film.png", "elbow", 0.7)
    robot = phone()
    robot.tap("New screening")
    robot.tap("wrist")
    robot = ended_and_started(robot, phone)
    robot.see("Bone on the film (optional)")
    assert robot.screen.ids.bone.bone == "wrist"
    robot.tap("Choose a picture")
    robot.see("Bone: wrist")
    robot = ended_and_started(robot, phone)
    assert robot.shell.name == "result"
    robot.see("Bone: wrist")


def test_help_explains_the_answers_that_this_model_gives(robot: Robot) -> None:
    robot.tap("Help")
    shown = robot.texts()
    assert {*ABNORMALITY_HEADLINES.values(), *ABNORMALITY_ADVICE.values(), WHICH_BONE} <= set(shown)
    assert DXA_RESULTS.title not in shown
    assert says_of_density(robot) == []


def test_the_first_screen_says_what_no_answer_is(robot: Robot) -> None:
    robot.see(ABNORMALITY_ADVICE["refer"])
    assert says_of_density(robot) == []


def test_follow_up_lays_nothing_beside_dxa(robot: Robot, tmp_path: Path) -> None:
    answered(robot, draw_limb(tmp_path / "film.png", "elbow", 0.7))
    robot.tap("Save")
    robot.see("Saved on this device.")
    robot.shell.go("follow_up")
    robot.see(OTHER_LABELS)
    assert not robot.sees("patients with a DXA result")
