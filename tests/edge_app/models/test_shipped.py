"""The bundle that the app itself comes with, at first starts, updates, and after a clinic has chosen another one."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.edge_app.demo_bundle import FOLDER as DEMO_FOLDER
from osteo_edge.edge_app.models import shipped as shipped_module
from osteo_edge.edge_app.models.description import describe
from osteo_edge.edge_app.models.shipped import SHIPPED, bring_shipped
from osteo_edge.edge_app.models.store import DEMO, ModelStore
from osteo_edge.errors import BundleError

MakeBundle = Callable[..., Bundle]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "device" / "models"


@pytest.fixture
def store(folder: Path) -> ModelStore:
    return ModelStore(folder)


@pytest.fixture
def first(golden_bundle: MakeBundle) -> Path:
    return golden_bundle("first", version="1.0").path


@pytest.fixture
def second(golden_bundle: MakeBundle) -> Path:
    return golden_bundle("second", version="2.0").path


@pytest.fixture
def other(golden_bundle: MakeBundle) -> Path:
    return golden_bundle("other", version="9.0").path


def test_it_is_in_use_from_the_first_start_on(store: ModelStore, folder: Path, first: Path) -> None:
    assert bring_shipped(store, first, folder)
    assert (store.in_use().id, store.in_use().problem) == (describe(first).id, None)
    assert not bring_shipped(store, first, folder), "once is enough"


def test_what_the_clinic_has_chosen_since_stays(store: ModelStore, folder: Path, first: Path, second: Path) -> None:
    bring_shipped(store, first, folder)
    store.use(DEMO)
    bring_shipped(store, first, folder)
    assert store.chosen() == DEMO
    assert bring_shipped(store, second, folder), "an update of the app is installed, to be chosen"
    assert store.chosen() == DEMO
    assert describe(second).id in [model.id for model in store.models()]


def test_what_was_chosen_before_the_first_start_stays(
    store: ModelStore, folder: Path, first: Path, other: Path
) -> None:
    store.use(store.install(other).model.id)
    bring_shipped(store, first, folder)
    assert store.chosen() == describe(other).id


def test_an_update_takes_the_place_of_the_one_before(
    store: ModelStore, folder: Path, first: Path, second: Path
) -> None:
    bring_shipped(store, first, folder)
    assert bring_shipped(store, second, folder)
    assert store.chosen() == describe(second).id
    assert describe(first).id in [model.id for model in store.models()], "to go back to"


def test_one_that_was_taken_out_does_not_come_back(store: ModelStore, folder: Path, first: Path, other: Path) -> None:
    bring_shipped(store, first, folder)
    store.use(store.install(other).model.id)
    store.uninstall(describe(first).id)
    assert not bring_shipped(store, first, folder)
    assert describe(first).id not in [model.id for model in store.models()]


def test_the_demonstration_as_the_apps_own_is_not_installed_twice(store: ModelStore, folder: Path) -> None:
    assert bring_shipped(store, DEMO_FOLDER, folder)
    assert [model.id for model in store.models()] == [DEMO]
    assert not bring_shipped(store, DEMO_FOLDER, folder)


def test_a_damaged_one_is_told_and_tried_again(store: ModelStore, folder: Path, first: Path) -> None:
    whole = (first / "model.tflite").read_bytes()
    (first / "model.tflite").write_bytes(whole[:-1])
    with pytest.raises(BundleError):
        bring_shipped(store, first, folder)
    assert (store.in_use().id, store.in_use().problem) == (DEMO, None)
    (first / "model.tflite").write_bytes(whole)
    assert bring_shipped(store, first, folder)


@pytest.mark.parametrize("killed_at", ["use", "write_durably"])
def test_the_next_start_does_what_a_kill_has_left(
    store: ModelStore, folder: Path, first: Path, monkeypatch: pytest.MonkeyPatch, killed_at: str
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ModelStore if killed_at == "use" else shipped_module, killed_at, killed)
        with pytest.raises(KeyboardInterrupt):
            bring_shipped(store, first, folder)
    assert bring_shipped(store, first, folder)
    assert store.chosen() == describe(first).id
    assert not bring_shipped(store, first, folder)


@pytest.mark.parametrize("written", ["", "[]", "{}", '{"schema": 2, "id": "x"}', '{"schema": 1, "id": 5}'])
def test_a_damaged_note_means_that_it_is_done_again(store: ModelStore, folder: Path, first: Path, written: str) -> None:
    bring_shipped(store, first, folder)
    (folder / SHIPPED).write_text(written, "utf-8")
    assert bring_shipped(store, first, folder)
    assert store.chosen() == describe(first).id
    assert json.loads((folder / SHIPPED).read_bytes()) == {"schema": 1, "id": describe(first).id}
