import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.edge_app.models.bringing import CHECKING, COPYING, bring
from osteo_edge.edge_app.models.store import Installed, ModelStore
from osteo_edge.errors import BundleError
from osteo_edge.manifest import FILE_NAME


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """A folder with films, and no model yet."""
    folder = tmp_path / "stick"
    folder.mkdir()
    (folder / "film.png").write_bytes(b"a film")
    return folder


def test_a_bundle_its_manifest_or_the_stick_it_lies_on_may_be_pointed_at(
    bundle: Bundle, store: ModelStore, stick: Path
) -> None:
    shutil.copytree(bundle.path, stick / "knee")
    for place in (stick, stick / "knee", stick / "knee" / FILE_NAME):
        found = bring(store, place)
        assert isinstance(found, Installed)
        assert found.was_there == (place != stick)


def test_of_several_on_a_stick_one_has_to_be_chosen(
    golden_bundle: Callable[..., Bundle], store: ModelStore, stick: Path
) -> None:
    for name, version in (("a", "1"), ("b", "2")):
        shutil.copytree(golden_bundle(name, version=version).path, stick / name)
    (stick / "c").mkdir()
    (stick / "c" / FILE_NAME).write_text("{")
    found = bring(store, stick)
    assert isinstance(found, tuple)
    assert [(model.path.name, model.version) for model in found] == [("a", "1"), ("b", "2")]
    assert len(store.models()) == 1
    assert isinstance(bring(store, found[1].path), Installed)


def test_a_stick_without_one_says_so(store: ModelStore, stick: Path) -> None:
    with pytest.raises(BundleError, match="no model in this folder"):
        bring(store, stick)


def test_what_is_wrong_with_the_only_one_is_said(store: ModelStore, stick: Path) -> None:
    (stick / "knee").mkdir()
    (stick / "knee" / FILE_NAME).write_text("{")
    with pytest.raises(BundleError, match="not readable as JSON"):
        bring(store, stick)


def test_the_copying_then_the_checking_are_told(bundle: Bundle, store: ModelStore) -> None:
    told = list[tuple[float | None, str]]()
    bring(store, bundle.path, lambda share, message: told.append((share, message)))
    assert told[0] == (None, CHECKING)
    assert told[1] == (0.0, COPYING)
    assert told[-1] == (None, CHECKING)
