"""The app's models on a device that holds trusted keys."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from osteo_edge.bundle import SIGNATURE_NAME, Bundle
from osteo_edge.edge_app.models.newest import FILE
from osteo_edge.edge_app.models.store import DEMO, POINTER, ModelStore
from osteo_edge.errors import BundleError, OsteoEdgeError
from osteo_edge.trust import VARIABLE
from tests.signing import Signer

MakeBundle = Callable[..., Bundle]


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signer: Signer) -> Path:
    """The folder of trusted keys, with one in it."""
    folder = tmp_path / "trusted-keys"
    folder.mkdir()
    shutil.copy(signer.public, folder)
    monkeypatch.setenv(VARIABLE, str(folder))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "device" / "models"


@pytest.fixture
def store(folder: Path) -> ModelStore:
    return ModelStore(folder)


def test_an_unsigned_model_is_not_installed(store: ModelStore, folder: Path, bundle: Bundle, keys: Path) -> None:
    with pytest.raises(BundleError, match="is not signed"):
        store.install(bundle.path)
    assert [path for path in folder.iterdir() if path.is_dir()] == []


def test_a_signed_one_is_installed_with_its_signature_and_used(
    store: ModelStore, bundle: Bundle, keys: Path, signer: Signer
) -> None:
    signer.sign(bundle)
    model = store.install(bundle.path).model
    store.use(model.id)
    assert (model.path / SIGNATURE_NAME).is_file()
    assert (store.in_use().id, store.in_use().problem) == (model.id, None)


def test_a_model_whose_key_is_trusted_no_longer_is_not_used(
    store: ModelStore, bundle: Bundle, keys: Path, signer: Signer
) -> None:
    signer.sign(bundle)
    store.use(store.install(bundle.path).model.id)
    (keys / "signer.pub").unlink()
    in_use = store.in_use()
    assert (in_use.id, "not trusted here" in str(in_use.problem)) == (DEMO, True)


def test_a_device_that_is_locked_later_does_not_use_what_was_not_signed(
    store: ModelStore, bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.use(store.install(bundle.path).model.id)
    (tmp_path / "none").mkdir()
    monkeypatch.setenv(VARIABLE, str(tmp_path / "none"))
    assert store.in_use().id == DEMO


def test_a_signed_copy_takes_the_place_of_an_unsigned_one_before_the_device_is_locked(
    store: ModelStore, bundle: Bundle, keys: Path, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.delenv(VARIABLE)
        store.use(store.install(bundle.path).model.id)
        signer.sign(bundle)
        assert not store.install(bundle.path).was_there
        assert store.install(bundle.path).was_there
        (bundle.path / SIGNATURE_NAME).unlink()
        assert store.install(bundle.path).was_there, "one without a signature takes none away"
    assert store.in_use().problem is None


@pytest.fixture
def installed(store: ModelStore, golden_bundle: MakeBundle, signer: Signer) -> Callable[[str], str]:
    """Install a signed model that was made at a moment; its id."""

    def make(created_at: str) -> str:
        bundle = golden_bundle(f"made-{created_at[:10]}", created_at=created_at)
        signer.sign(bundle)
        return store.install(bundle.path).model.id

    return make


def test_a_locked_device_does_not_go_back_to_an_older_model(
    store: ModelStore, folder: Path, installed: Callable[[str], str], keys: Path
) -> None:
    older, newer = installed("2026-01-01T10:00:00+00:00"), installed("2026-03-01T10:00:00+00:00")
    store.use(older)
    store.use(newer)
    with pytest.raises(BundleError, match="made on 2026-01-01, older than that of 2026-03-01 which was in use"):
        store.use(older)
    assert store.in_use().id == newer
    store.use(DEMO)
    store.use(newer)
    for record in (FILE, POINTER):
        (folder / record).unlink()
    store.use(older)
    assert store.in_use().id == older


@pytest.mark.parametrize("between", [(), (DEMO,)])
def test_a_model_that_was_in_use_before_the_device_was_locked_counts(
    between: tuple[str, ...],
    store: ModelStore,
    installed: Callable[[str], str],
    keys: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    older, newer = installed("2026-01-01T10:00:00+00:00"), installed("2026-03-01T10:00:00+00:00")
    with monkeypatch.context() as before:
        before.delenv(VARIABLE)
        store.use(newer)
    for model in between:
        store.use(model)
    with pytest.raises(BundleError, match=r"older than that of 2026-03-01.*newest\.json, in_use\.json"):
        store.use(older)


def test_moments_are_compared_and_not_their_letters(
    store: ModelStore, installed: Callable[[str], str], keys: Path
) -> None:
    evening_in_the_west, night_in_greenwich = "2026-01-01T20:00:00-08:00", "2026-01-02T03:00:00+00:00"
    store.use(installed(evening_in_the_west))
    with pytest.raises(BundleError, match="older"):
        store.use(installed(night_in_greenwich))


def test_an_open_device_goes_back_as_it_likes(store: ModelStore, installed: Callable[[str], str]) -> None:
    older, newer = installed("2026-01-01T10:00:00+00:00"), installed("2026-03-01T10:00:00+00:00")
    store.use(newer)
    store.use(older)
    assert store.in_use().id == older


@pytest.mark.parametrize("content", ["", "[]", '{"schema": 2, "newest": {}}', '{"schema": 1, "newest": {"knee": "x"}}'])
def test_a_record_that_cannot_be_read_is_not_taken_for_none(
    content: str, store: ModelStore, folder: Path, installed: Callable[[str], str], keys: Path
) -> None:
    model = installed("2026-01-01T10:00:00+00:00")
    (folder / FILE).write_text(content)
    with pytest.raises(OsteoEdgeError, match="cannot be read"):
        store.use(model)
    assert store.in_use().id == DEMO


def test_a_model_without_a_moment_is_refused_in_one_line(
    store: ModelStore, installed: Callable[[str], str], keys: Path
) -> None:
    model = installed("some day in spring")
    with pytest.raises(OsteoEdgeError, match="some day in spring"):
        store.use(model)


def test_the_record_names_the_newest_of_each(
    store: ModelStore, folder: Path, installed: Callable[[str], str], keys: Path
) -> None:
    store.use(installed("2026-01-01T10:00:00+00:00"))
    written = json.loads((folder / FILE).read_text("utf-8"))
    assert list(written["newest"].values()) == ["2026-01-01T10:00:00+00:00"]
