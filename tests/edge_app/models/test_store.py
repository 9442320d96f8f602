import json
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.edge_app.demo_bundle import demo_bundle
from osteo_edge.edge_app.demo_mark import FALLEN_BACK
from osteo_edge.edge_app.models.description import Model
from osteo_edge.edge_app.models.store import DEMO, POINTER, Damaged, ModelStore
from osteo_edge.errors import BundleError, OsteoEdgeError
from osteo_edge.locking import sole_use

MakeBundle = Callable[..., Bundle]

KILLED_WHILE_COPYING = """
import os, signal, sys
from pathlib import Path
from osteo_edge.edge_app.models.store import ModelStore
ModelStore(Path(sys.argv[1])).install(
    Path(sys.argv[2]), on_progress=lambda share: share > 0.1 and os.kill(os.getpid(), signal.SIGKILL)
)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "device" / "models"


@pytest.fixture
def store(folder: Path) -> ModelStore:
    return ModelStore(folder)


def ids(store: ModelStore) -> list[str]:
    return [model.id for model in store.models()]


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*") if path.name != ".lock")


def test_before_anything_is_installed_the_demonstration_is_in_use_and_nothing_is_written(
    store: ModelStore, folder: Path
) -> None:
    (model,) = store.models()
    assert isinstance(model, Model)
    assert (model.id, model.is_demo) == (DEMO, True)
    in_use = store.in_use()
    assert (in_use.id, in_use.problem, in_use.bundle.manifest) == (DEMO, None, demo_bundle().manifest)
    assert not folder.exists()


def test_an_installed_bundle_is_listed_and_in_use_when_it_is_chosen(
    store: ModelStore, folder: Path, bundle: Bundle
) -> None:
    shares: list[float] = []
    installed = store.install(bundle.path, on_progress=shares.append)
    model = installed.model
    assert not installed.was_there
    assert shares[-1] == 1.0
    assert model.path == folder / model.id
    assert store.models()[0] == model
    assert store.in_use().id == DEMO
    assert store.use(model.id).path == model.path
    again = ModelStore(folder).in_use()
    assert (again.id, again.problem, again.bundle.manifest) == (model.id, None, bundle.manifest)
    store.use(DEMO)
    assert store.in_use().id == DEMO


def test_the_same_bundle_twice_is_there_once(store: ModelStore, bundle: Bundle) -> None:
    first, second = store.install(bundle.path), store.install(bundle.path)
    assert second.was_there
    assert second.model == first.model
    assert ids(store) == [first.model.id, DEMO]


def test_two_bundles_of_one_name_are_both_there(store: ModelStore, golden_bundle: MakeBundle) -> None:
    one = store.install(golden_bundle("one").path).model
    two = store.install(golden_bundle("two", intended_use="Something else.").path).model
    assert one.title == two.title
    assert set(ids(store)) == {one.id, two.id, DEMO}


def test_what_is_refused_leaves_nothing_and_is_named_where_it_lies(
    store: ModelStore, folder: Path, failed_bundle: Bundle, golden_bundle: MakeBundle
) -> None:
    odd = golden_bundle("odd", model=b"these bytes are no network")
    for refused in (failed_bundle, odd):
        with pytest.raises(BundleError) as caught:
            store.install(refused.path)
        assert str(refused.path) in str(caught.value)
        assert ".partial" not in str(caught.value)
        assert left_in(folder) == []


def test_a_stick_that_is_pulled_out_in_the_middle_leaves_nothing(
    store: ModelStore, folder: Path, bundle: Bundle
) -> None:
    def pull_out(share: float) -> None:
        if bundle.path.exists():
            bundle.path.rename(bundle.path.with_name("pulled out"))

    with pytest.raises(BundleError, match="leave the stick plugged in"):
        store.install(bundle.path, on_progress=pull_out)
    assert left_in(folder) == []


def test_an_installation_is_cancelled_by_what_its_progress_raises(
    store: ModelStore, folder: Path, bundle: Bundle
) -> None:
    class CancelledError(Exception):
        pass

    def cancel(share: float) -> None:
        raise CancelledError

    with pytest.raises(CancelledError):
        store.install(bundle.path, on_progress=cancel)
    assert left_in(folder) == []


def test_what_a_killed_installation_left_is_no_model_and_is_tidied_away(
    store: ModelStore, folder: Path, bundle: Bundle
) -> None:
    command = [sys.executable, "-c", KILLED_WHILE_COPYING, str(folder), str(bundle.path)]
    assert subprocess.run(command, check=False).returncode == -9
    assert any(name.endswith(".partial") for name in left_in(folder))
    assert ids(store) == [DEMO]
    model = store.install(bundle.path).model
    assert left_in(folder) == [model.id]


def test_one_in_use_the_demonstration_and_one_that_is_not_there_cannot_be_taken_out(
    store: ModelStore, bundle: Bundle, tmp_path: Path
) -> None:
    model = store.install(bundle.path).model
    store.use(model.id)
    with pytest.raises(BundleError, match="in use; choose another model first"):
        store.uninstall(model.id)
    with pytest.raises(BundleError, match="part of the program"):
        store.uninstall(DEMO)
    for other in ("nothing", "../" + tmp_path.name, "", ".", "..", "/"):
        with pytest.raises(BundleError, match="no such model is installed"):
            store.uninstall(other)
    store.use(DEMO)
    store.uninstall(model.id)
    assert ids(store) == [DEMO]
    assert bundle.path.is_dir()


@pytest.mark.parametrize(
    ("file", "since"), [("manifest.json", "it was installed"), ("model.tflite", "the bundle was written")]
)
def test_a_model_that_was_altered_on_the_disk_is_never_used(
    file: str, since: str, store: ModelStore, bundle: Bundle
) -> None:
    model = store.install(bundle.path).model
    store.use(model.id)
    alter(model.path / file)
    in_use = store.in_use()
    assert in_use.id == DEMO
    assert in_use.problem is not None
    assert f"{file}: altered since {since}" in in_use.problem
    with pytest.raises(BundleError, match=f"{file}: altered since {since}"):
        store.use(model.id)
    assert not store.install(bundle.path).was_there, "installed again, it is whole again"
    assert store.in_use().id == model.id


@contextmanager
def full_disk() -> Iterator[None]:
    """The system refuses to write a single byte."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def alter(path: Path) -> None:
    """Change one letter: of the manifest, the temperature's first decimal, of which any will do."""
    data = path.read_bytes()
    number = b'"temperature": 1.'
    place = data.index(number) + len(number) if path.suffix == ".json" else len(data) - 1
    path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])


def test_a_model_that_is_gone_is_told_and_its_folder_without_a_manifest_is_listed_as_damaged(
    store: ModelStore, bundle: Bundle
) -> None:
    model = store.install(bundle.path).model
    store.use(model.id)
    (model.path / "manifest.json").unlink()
    assert store.in_use().problem is not None
    (damaged,) = [one for one in store.models() if isinstance(one, Damaged)]
    assert damaged.id == model.id
    assert "manifest.json" in damaged.problem
    for file in model.path.iterdir():
        file.unlink()
    model.path.rmdir()
    in_use = store.in_use()
    assert in_use.id == DEMO
    assert in_use.problem is not None
    assert "no such model" in in_use.problem


@pytest.mark.parametrize(
    "written",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"schema": 2, "id": "demo"}',
        b'{"id": "demo"}',
        b'{"schema": 1, "id": "../x"}',
        b'{"schema": 1, "id": "%s"}' % (b"a" * 5000),
    ],
    ids=range(8),
)
def test_a_pointer_that_cannot_be_read_falls_back_to_the_demonstration_and_says_so(
    written: bytes, store: ModelStore, folder: Path, bundle: Bundle
) -> None:
    model = store.install(bundle.path).model
    (folder / POINTER).write_bytes(written)
    in_use = store.in_use()
    assert in_use.id == DEMO
    assert in_use.problem is not None
    assert "\n" not in in_use.problem
    store.use(model.id)
    assert store.in_use().problem is None


def test_a_choice_that_could_not_be_written_leaves_the_one_before(
    store: ModelStore, folder: Path, golden_bundle: MakeBundle
) -> None:
    one = store.install(golden_bundle("one").path).model
    two = store.install(golden_bundle("two", intended_use="Something else.").path).model
    store.use(one.id)
    with pytest.raises(OsteoEdgeError, match="the choice of the model cannot be written"), full_disk():
        store.use(two.id)
    assert json.loads((folder / POINTER).read_text())["id"] == one.id


def test_two_windows_do_not_change_the_models_at_once(store: ModelStore, folder: Path, bundle: Bundle) -> None:
    with sole_use(folder, "busy"):
        for change in (lambda: store.install(bundle.path), lambda: store.use(DEMO), lambda: store.uninstall("x")):
            with pytest.raises(OsteoEdgeError, match="another window is changing the models"):
                change()
        assert ids(store) == [DEMO], "looking is free"


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path, bundle: Bundle) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OsteoEdgeError, match="choose another folder"):
        ModelStore(tmp_path / "file" / "models").install(bundle.path)


def test_the_words_for_a_fallen_back_store_say_that_it_is_the_demonstration() -> None:
    assert "demonstration" in FALLEN_BACK


def test_what_a_killed_program_left_is_tidied_away_unless_another_one_is_at_work(
    store: ModelStore, folder: Path, bundle: Bundle
) -> None:
    store.tidy()
    assert not folder.exists()
    store.install(bundle.path)
    (folder / ".0a1b2c3d.partial").mkdir()
    (folder / ".in_use.json.0a1b.partial").write_bytes(b"half")
    before = ids(store)
    with sole_use(folder, "busy"):
        store.tidy()
        assert len(list(folder.glob(".*.partial"))) == 2
    store.tidy()
    assert (list(folder.glob(".*.partial")), ids(store)) == ([], before)
