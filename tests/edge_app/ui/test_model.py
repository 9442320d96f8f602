from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from osteo_edge.edge_app import self_test
from osteo_edge.edge_app.clinic import Clinic
from osteo_edge.edge_app.demo_mark import MARK
from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.models.store import DEMO, ModelStore
from osteo_edge.wording import PHANTOM_USE

if TYPE_CHECKING:
    from osteo_edge.bundle import Bundle
    from osteo_edge.manifest import Manifest
    from tests.edge_app.ui.robot import Robot

pytestmark = pytest.mark.kivy

ESCAPE = 27


@pytest.fixture
def of_patients(golden_bundle: Callable[..., Bundle], manifest: Manifest) -> Bundle:
    """A bundle that is no demonstration."""
    data = replace(manifest.data, label_source="DXA")
    return golden_bundle("hip", version="2", data=data, intended_use="For hips.")


@pytest.fixture
def robot(start: Callable[..., Robot]) -> Robot:
    """Before the model screen of a first start."""
    robot = start()
    return opened(robot)


def opened(robot: Robot) -> Robot:
    robot.shell.go("model")
    robot.until(lambda: robot.screen.overview)
    robot.frames(3)
    return robot


def installed(robot: Robot) -> list[str]:
    return [model.title for model in reversed(robot.screen.ids.installed.children)]


def test_the_demonstration_is_described(robot: Robot) -> None:
    for text in ("knee 1", PHANTOM_USE, MARK, "Drawn films, no patients", "8-bit integers (int8)", "0.65 MB"):
        robot.see(text)
    robot.see("Sensitivity: 0.84 (95 % interval 0.75 to 0.92), n = 64")
    robot.see("these figures say nothing about patients")
    assert installed(robot) == ["knee 1"]
    for words in ("Use", "Remove"):
        assert words not in robot.texts()


def test_the_hash_is_shown_in_full_at_a_tap(robot: Robot) -> None:
    robot.tap("SHA-256: 28e1b70796b0…")
    robot.see("SHA-256: 28e1b707 96b08742 0f8dc399 3c4c45d3 72300b59 929e3653 6a51a3b4 88ab9df1")
    robot.tap("SHA-256: 28e1b707 96b08742")
    robot.see("SHA-256: 28e1b70796b0…")


def test_the_model_card_opens_and_back_comes_back(robot: Robot) -> None:
    robot.tap("Model card")
    robot.see("Limitations")
    robot.see("\u2022 Labels come from: phantom")
    robot.key(ESCAPE)
    robot.see("Measure for ten seconds")


def test_the_speed_is_measured(robot: Robot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_test, "run_self_test", partial(self_test.run_self_test, seconds=0.2))
    robot.tap("Measure for ten seconds")
    robot.see("One film takes ")
    robot.see("The model: ")
    robot.see("LiteRT")
    assert not robot.sees("Cancel")


def test_measuring_shows_how_far_it_is_and_can_be_cancelled(robot: Robot) -> None:
    robot.tap("Measure for ten seconds")
    robot.see("A drawn film is being screened for ten seconds")
    busy = robot.screen.ids.measuring.children[0]
    robot.until(lambda: busy.share > 0)
    robot.tap("Cancel")
    assert not robot.sees("One film takes")
    assert not robot.screen.working
    robot.see("Measure for ten seconds")


def test_leaving_ends_the_measuring(robot: Robot) -> None:
    robot.tap("Measure for ten seconds")
    robot.see("A drawn film is being screened")
    robot.key(ESCAPE)
    robot.see("New screening")
    assert not robot.app.jobs.cancel("model test")


def test_a_model_is_installed_from_a_stick_and_used(robot: Robot, of_patients: Bundle, tmp_path: Path) -> None:
    shutil.copytree(of_patients.path, tmp_path / "stick" / "hip")
    asked: dict[str, Any] = {}
    go = robot.shell.go
    robot.shell.go = lambda name, **arguments: asked.update(arguments, name=name)
    robot.tap("Choose a stick or a folder")
    robot.shell.go = go
    assert (asked["name"], asked["kind"]) == ("files", "bundle")
    asked["on_chosen"](tmp_path / "stick")
    robot.see("Use golden 2 from now on?")
    robot.see("For hips.")
    robot.tap("Use it")
    robot.see("golden 2 is installed.")
    robot.see("golden 2 is in use now.")
    robot.until(lambda: robot.screen.overview.used.title == "golden 2")
    robot.see("What it learned from")
    robot.see("DXA")
    assert robot.shell.model.manifest.name == "golden"
    assert not robot.app.shell.ids.mark.text
    assert installed(robot) == ["golden 2", "knee 1"]


def test_a_model_may_be_installed_and_not_used(robot: Robot, of_patients: Bundle) -> None:
    robot.screen.install(of_patients.path)
    robot.see("Use golden 2 from now on?")
    robot.tap("Not now")
    robot.until(lambda: installed(robot) == ["golden 2", "knee 1"])
    assert robot.screen.overview.used.id == DEMO
    robot.screen.install(of_patients.path)
    robot.see("Use golden 2 from now on?")
    robot.tap("Not now")
    robot.see("golden 2 was installed already.")


def test_of_several_models_on_a_stick_one_is_chosen(
    robot: Robot, golden_bundle: Callable[..., Bundle], tmp_path: Path
) -> None:
    for version in ("1", "2"):
        shutil.copytree(golden_bundle(f"hip-{version}", version=version).path, tmp_path / "stick" / version)
    robot.screen.install(tmp_path / "stick")
    robot.see("There are several models in this folder:")
    robot.tap("Install golden 2 (2)")
    robot.see("Use golden 2 from now on?")
    robot.tap("Not now")
    robot.see("golden 2 is installed.")
    assert not robot.screen.ids.found.children


def test_what_is_no_model_is_told(robot: Robot, tmp_path: Path) -> None:
    (tmp_path / "stick").mkdir()
    robot.screen.install(tmp_path / "stick")
    robot.see("no model in this folder")
    assert not robot.screen.working
    robot.screen.install(tmp_path / "gone" / "stick")
    robot.see("is the stick plugged in?")


def test_a_damaged_model_is_not_installed(robot: Robot, of_patients: Bundle, folders: Folders) -> None:
    (of_patients.path / "model.tflite").write_bytes(b"altered")
    robot.screen.install(of_patients.path)
    robot.see("altered since the bundle was written")
    assert len(ModelStore(folders.models).models()) == 1


def test_installing_can_be_cancelled_and_leaves_nothing(
    robot: Robot, of_patients: Bundle, folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    from osteo_edge.edge_app.models import bringing

    began, told = list[bool](), list[float | None]()
    bring = bringing.bring

    def slowly(store: ModelStore, place: Path, report: Callable[[float | None, str], None]) -> Any:
        def wait(share: float | None, message: str) -> None:
            told.append(share)
            if share is not None and share > 0:
                began.append(True)
                while True:
                    report(share, message)

        return bring(store, place, wait)

    monkeypatch.setattr(bringing, "bring", slowly)
    robot.screen.install(of_patients.path)
    robot.see("The model is being copied…")
    robot.until(lambda: began)
    robot.tap("Cancel")
    assert not robot.screen.working
    robot.until(lambda: not list(folders.models.glob(".*.partial")))
    assert len(ModelStore(folders.models).models()) == 1
    robot.see("Choose a stick or a folder")


def test_a_model_is_taken_into_use_and_removed(
    start: Callable[..., Robot], folders: Folders, of_patients: Bundle
) -> None:
    store = ModelStore(folders.models)
    store.install(of_patients.path)
    robot = opened(start())
    robot.tap("Remove")
    robot.tap("Cancel")
    assert installed(robot) == ["golden 2", "knee 1"]
    robot.tap("Use")
    robot.tap("Use it")
    robot.until(lambda: robot.screen.overview.used.title == "golden 2")
    robot.frames(3)
    robot.tap("Use")
    robot.see("Use knee 1 from now on?")
    robot.tap("Use it")
    robot.until(lambda: robot.screen.overview.used.id == DEMO)
    robot.frames(3)
    robot.tap("Remove")
    robot.see("Remove golden 2 from this device?")
    robot.tap(next(one for one in robot.widgets() if getattr(one, "text", "") == "Remove"))
    robot.see("golden 2 is removed.")
    robot.until(lambda: installed(robot) == ["knee 1"])
    assert len(store.models()) == 1


def test_a_model_that_was_damaged_on_the_disk_is_not_taken_into_use(
    start: Callable[..., Robot], folders: Folders, of_patients: Bundle
) -> None:
    model = ModelStore(folders.models).install(of_patients.path).model
    robot = opened(start())
    (model.path / "model.tflite").write_bytes(b"altered")
    robot.tap("Use")
    robot.tap("Use it")
    robot.see("model.tflite")
    assert robot.shell.model.id == DEMO
    assert not robot.screen.working
    (model.path / "manifest.json").write_text("{")
    robot.screen.shown()
    robot.see("Damaged")
    robot.see("not readable as JSON")
    robot.tap("Remove")
    robot.tap(next(one for one in robot.widgets() if getattr(one, "text", "") == "Remove"))
    robot.until(lambda: installed(robot) == ["knee 1"])


def test_a_model_named_at_the_start_is_not_switched(
    start: Callable[..., Robot], folders: Folders, of_patients: Bundle, bundle: Bundle
) -> None:
    ModelStore(folders.models).install(bundle.path)
    robot = start()
    robot.clinic.bundle = of_patients.path
    robot.clinic.forget_model()
    robot.shell.load_model()
    opened(robot)
    robot.see("It was named when the app was started, for this run.")
    robot.see("golden 2")
    assert "Use" not in robot.texts()
    assert "In use" not in robot.texts()
    assert isinstance(robot.clinic, Clinic)


def test_a_model_named_at_the_start_that_cannot_be_used_says_so(start: Callable[..., Robot], tmp_path: Path) -> None:
    robot = start()
    robot.clinic.bundle = tmp_path / "none"
    robot.clinic.forget_model()
    robot.shell.load_model()
    robot.shell.go("model")
    robot.see("No model can be used")
    assert robot.screen.ids.notes.children
