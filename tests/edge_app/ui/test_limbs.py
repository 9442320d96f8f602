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
from osteo_edge.manifest import Manifest
from osteo_edge.wording import ABNORMALITY_ADVICE, ABNORMALITY_HEADLINES, intended_use
from tests.cascade import UNCLEAR, draw_limb, write_cascade

if TYPE_CHECKING:
    from tests.edge_app.ui.robot import Robot

pytestmark = pytest.mark.kivy


@pytest.fixture
def robot(start: Callable[..., Robot], folders: Folders, tmp_path: Path, manifest: Manifest) -> Robot:
    """The app with a model of elbow and wrist in use."""
    use, data = intended_use("MURA", "abnormality"), replace(manifest.data, label_source="MURA")
    bundle = write_cascade(tmp_path / "limbs", manifest, intended_use=use, data=data)
    store = ModelStore(folders.models)
    store.use(store.install(bundle.path).model.id)
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


def test_where_the_bone_is_not_clear_there_is_no_answer(robot: Robot, tmp_path: Path) -> None:
    answered(robot, draw_limb(tmp_path / "film.png", "elbow", 0.7, contrast=UNCLEAR))
    robot.see(ABNORMALITY_HEADLINES["uncertain"])
    robot.see("it is not clear which bone this shows")
    assert not robot.sees("Bone: ")
    assert says_of_density(robot) == []


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
