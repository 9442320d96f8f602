import warnings
from collections.abc import Callable
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.edge_app.models import zipped
from osteo_edge.edge_app.models.store import ModelStore
from osteo_edge.edge_app.models.zipped import bring_zipped
from osteo_edge.errors import BundleError, OsteoEdgeError


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Where the system lays down the file that was chosen."""
    (tmp_path / "incoming").mkdir()
    return tmp_path / "incoming" / "knee.zip"


def pack(path: Path, bundle: Bundle, *, folder: str = "knee/", method: int = ZIP_DEFLATED) -> None:
    with ZipFile(path, "w", method) as archive:
        for file in sorted(bundle.path.iterdir()):
            archive.write(file, f"{folder}{file.name}")


@pytest.mark.parametrize("folder", ["", "knee/", "models/knee/"])
def test_the_model_of_a_zip_file_is_installed_and_the_copy_removed(
    bundle: Bundle, store: ModelStore, copy: Path, folder: str
) -> None:
    pack(copy, bundle, folder=folder)
    installed = bring_zipped(store, copy)
    assert not installed.was_there
    assert (installed.model.path / bundle.manifest.model.file).read_bytes() == bundle.model_path.read_bytes()
    assert not list(copy.parent.iterdir())


def test_several_models_in_one_file_are_refused(
    golden_bundle: Callable[..., Bundle], store: ModelStore, copy: Path
) -> None:
    first, second = golden_bundle("a", version="1"), golden_bundle("b", version="2")
    with ZipFile(copy, "w") as archive:
        for bundle in (first, second):
            for file in sorted(bundle.path.iterdir()):
                archive.write(file, f"{bundle.manifest.version}/{file.name}")
    with pytest.raises(BundleError, match=r"^knee\.zip: several models in one ZIP file"):
        bring_zipped(store, copy)
    assert not list(copy.parent.iterdir())


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("../out.txt", "no ZIP file of a model, or damaged"),
        ("/etc/out.txt", "no ZIP file of a model, or damaged"),
        ("knee\\..\\..\\out.txt", "no ZIP file of a model, or damaged"),
        ("film.png", "no model in this ZIP file"),
    ],
)
def test_what_is_no_model_leaves_nothing_anywhere(store: ModelStore, copy: Path, name: str, line: str) -> None:
    with ZipFile(copy, "w") as archive:
        archive.writestr(name, "x")
    with pytest.raises(BundleError, match=r"^knee\.zip: ") as caught:
        bring_zipped(store, copy)
    assert line in str(caught.value)
    assert str(copy.parent) not in str(caught.value)
    assert not list(copy.parent.iterdir())
    assert not list(copy.parent.parent.rglob("out.txt"))


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x03\x04" + bytes(100)])
def test_a_file_that_is_no_zip_is_one_line(store: ModelStore, copy: Path, data: bytes) -> None:
    copy.write_bytes(data)
    with pytest.raises(BundleError, match=r"^knee\.zip: no ZIP file of a model, or damaged; "):
        bring_zipped(store, copy)


def test_a_cut_or_altered_file_is_one_line(bundle: Bundle, store: ModelStore, copy: Path) -> None:
    pack(copy, bundle, method=0)
    data = bytearray(copy.read_bytes())
    data[len(data) // 2] ^= 0xFF
    copy.write_bytes(bytes(data))
    with pytest.raises(BundleError, match=r"^knee\.zip"):
        bring_zipped(store, copy)
    assert store.models() == ModelStore(copy.parent.parent / "other").models()


def test_more_than_a_model_can_be_is_not_unpacked(
    store: ModelStore, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipped, "MAX_BYTES", 1000)
    with ZipFile(copy, "w", ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(1001))
    with pytest.raises(BundleError, match="too large for a model"):
        bring_zipped(store, copy)


@pytest.mark.parametrize(
    "names", [("a/b", "a/b"), ("a", "a/b"), ("a/b", "a"), ("x" * 300,), ("a/" * 3000 + "b",)], ids=range(5)
)
def test_names_that_cannot_be_together_on_a_disk_are_the_files_fault(
    store: ModelStore, copy: Path, names: tuple[str, ...]
) -> None:
    with warnings.catch_warnings(), ZipFile(copy, "w") as archive:
        warnings.simplefilter("ignore")  # of a name that is there twice
        for name in names:
            archive.writestr(name, "x")
    with pytest.raises(BundleError, match=r"^knee\.zip: no ZIP file of a model, or damaged"):
        bring_zipped(store, copy)
    assert not list(copy.parent.iterdir())


def test_a_full_disk_is_not_the_files_fault(
    bundle: Bundle, store: ModelStore, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    pack(copy, bundle)
    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(OsteoEdgeError, match="No space left on device"):
        bring_zipped(store, copy)
