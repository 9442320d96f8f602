"""A model that looks for low bone density in one bone and for abnormalities in another: what is said of both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.follow_up_words import NO_RESULTS, OTHER_LABELS
from osteo_edge.edge_app.models.store import ModelStore
from osteo_edge.manifest import Manifest, Router
from osteo_edge.wording import intended_use
from tests.cascade import MIN_CONFIDENCE, cascade_manifest, draw_limb, write_cascade
from tests.edge_app.ui.new_screening import fill

if TYPE_CHECKING:
    from tests.edge_app.ui.robot import Robot

pytestmark = pytest.mark.kivy


@pytest.fixture
def robot(start: Callable[..., Robot], folders: Folders, tmp_path: Path, manifest: Manifest) -> Robot:
    """The app with a model in use that looks for abnormalities in elbows and for low bone density in wrists."""
    router = cascade_manifest(manifest).router
    assert router is not None
    elbow, wrist = router.heads
    both = Router((elbow, replace(wrist, finding="density")), MIN_CONFIDENCE, "validation")
    use, data = intended_use("DXA", "density", "abnormality"), replace(manifest.data, label_source="DXA")
    bundle = write_cascade(tmp_path / "limbs", manifest, intended_use=use, data=data, router=both, finding=None)
    store = ModelStore(folders.models)
    store.use(store.install(bundle.path).model.id)
    robot = start()
    robot.see("Model: limbs")
    return robot


def test_the_first_screen_says_who_alone_can_tell_either(robot: Robot) -> None:
    robot.see("A referral aid, not a diagnosis. Only DXA measures bone density. Only a reader of the film and")
    assert sum("not a diagnosis" in text for text in robot.texts() if "A referral aid" in text) == 1


def test_the_form_shows_the_ost_index_since_an_answer_may_be_about_density(robot: Robot) -> None:
    robot.tap("New screening")
    fill(robot, age="71", weight="52,5")
    robot.tap("Female")
    robot.see("OST index -3: moderate-risk group by age and weight.")


def test_before_its_first_answer_about_density_follow_up_has_no_results(robot: Robot, tmp_path: Path) -> None:
    screen = robot.shell.go("result", film=draw_limb(tmp_path / "film.png", "elbow", 0.7))
    robot.until(lambda: screen.is_drawn)
    robot.tap("Save")
    robot.see("Saved on this device.")
    (entry,) = robot.clinic.history().search().entries
    assert entry.finding == "abnormality"
    robot.shell.go("follow_up")
    robot.see(NO_RESULTS)
    assert not robot.sees(OTHER_LABELS)
