import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from osteo_edge import bundle as bundle_module
from osteo_edge.bundle import MAX_MANIFEST_BYTES, Bundle, read_bundle, require_free, write_bundle
from osteo_edge.durable import sync_folder
from osteo_edge.errors import BundleError
from osteo_edge.manifest import Manifest

NAMES = ["MODEL_CARD.md", "manifest.json", "model.tflite"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a small disk can be mounted by root only")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def problem_of(path: Path) -> str:
    with pytest.raises(BundleError) as caught:
        read_bundle(path)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_what_was_written_reads_back_equal(bundle: Bundle) -> None:
    read = read_bundle(bundle.path)
    assert read == bundle
    assert sorted(entry.name for entry in bundle.path.iterdir()) == NAMES
    assert sorted(read.manifest.files) == ["MODEL_CARD.md"]
    assert read.model_path == bundle.path / "model.tflite"


def test_the_card_holds_the_intended_use_and_the_numbers(bundle: Bundle) -> None:
    card = (bundle.path / "MODEL_CARD.md").read_text("utf-8")
    assert bundle.manifest.intended_use in card
    assert "| AUROC osteopenia or osteoporosis | 0.840 | 0.750 to 0.910 | 120 |" in card
    assert "| sensitivity | not defined |" in card
    assert "decisions agree on 97.5%" in card


def test_a_bundle_can_be_read_by_others_as_the_umask_says(golden_bundle: Callable[..., Bundle]) -> None:
    before = os.umask(0o027)
    try:
        written = golden_bundle()
    finally:
        os.umask(before)
    assert written.path.stat().st_mode & 0o777 == 0o750
    assert written.model_path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("name", NAMES)
def test_one_flipped_bit_in_any_file_is_noticed(name: str, bundle: Bundle) -> None:
    file = bundle.path / name
    data = bytearray(file.read_bytes())
    place = data.index(b'"sha256": "') + 20 if name == "manifest.json" else len(data) // 2
    data[place] ^= 1
    file.write_bytes(data)
    blamed = bundle.path / ("model.tflite" if name == "manifest.json" else name)
    assert problem_of(bundle.path).startswith(f"{blamed}: altered since the bundle was written")


@pytest.mark.parametrize("name", ["MODEL_CARD.md", "model.tflite"])
def test_a_missing_file_is_named(name: str, bundle: Bundle) -> None:
    (bundle.path / name).unlink()
    assert problem_of(bundle.path) == f"{bundle.path / name}: missing from the bundle; copy the bundle again"


def test_a_file_that_the_manifest_does_not_list_is_refused(bundle: Bundle) -> None:
    (bundle.path / "extra.txt").write_text("hello")
    assert problem_of(bundle.path).startswith(f"{bundle.path / 'extra.txt'}: not listed in the bundle's manifest")


def test_a_folder_in_a_bundle_is_refused(bundle: Bundle) -> None:
    (bundle.path / "more").mkdir()
    assert "not listed" in problem_of(bundle.path)


def test_a_link_counts_as_what_it_leads_to(bundle: Bundle, tmp_path: Path) -> None:
    elsewhere = bundle.model_path.rename(tmp_path / "elsewhere")
    bundle.model_path.symlink_to(elsewhere)
    assert read_bundle(bundle.path) == bundle
    elsewhere.write_bytes(b"another model")
    assert "altered" in problem_of(bundle.path)
    elsewhere.unlink()
    assert "missing" in problem_of(bundle.path)
    bundle.model_path.unlink()
    bundle.model_path.symlink_to("/dev/zero")
    assert "missing" in problem_of(bundle.path)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "not readable as JSON"),
        (b"hello", "not readable as JSON"),
        (b"\xff\xfe{}", "not readable as JSON"),
        (b'{"schema": 1, "schema": 1}', "a field stands there twice"),
        (b"[" * 100_000, "not readable as JSON"),
        (b'{"a":' * 100_000, "not readable as JSON"),
        (b"9" * 5000, "not readable as JSON"),
        (b"[]", "the document must be an object, not a list"),
        (b"{}", "missing field 'schema'"),
        (b" " * (MAX_MANIFEST_BYTES + 1), "larger than 1,048,576 bytes"),
    ],
    ids=["empty", "text", "bytes", "twice", "deep list", "deep object", "digits", "list", "nothing", "huge"],
)
def test_a_manifest_that_is_none_is_one_line(content: bytes, problem: str, bundle: Bundle) -> None:
    (bundle.path / "manifest.json").write_bytes(content)
    message = problem_of(bundle.path)
    assert message.startswith(f"{bundle.path / 'manifest.json'}: ")
    assert problem in message


def test_what_is_no_bundle_is_told_apart(tmp_path: Path, film: Path) -> None:
    assert problem_of(tmp_path / "nothing").startswith(f"{tmp_path / 'nothing'}: no such bundle; name the folder")
    assert problem_of(film).startswith(f"{film}: a file, not a bundle folder")
    assert problem_of(tmp_path) == f"{tmp_path}: not a bundle: it holds no manifest.json"


def test_a_file_that_the_system_refuses_is_one_line(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> str:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(bundle_module, "sha256_file", refuse)
    assert problem_of(bundle.path) == f"{bundle.model_path}: cannot be read (Permission denied)"


def test_nothing_is_written_over(bundle: Bundle, golden_bundle: Callable[..., Bundle], tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="golden: exists already; choose another --out or remove it first"):
        golden_bundle()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(BundleError, match="exists already"):
        require_free(tmp_path / "dangling")
    with pytest.raises(BundleError, match=r"knee: the bundle cannot be written \(.*manifest\.json is not to be"):
        require_free(bundle.path / "manifest.json" / "knee")
    assert read_bundle(bundle.path) == bundle


def test_missing_folders_above_a_bundle_are_made(golden_bundle: Callable[..., Bundle]) -> None:
    assert read_bundle(golden_bundle("some/where/deep").path).manifest.name == "golden"


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_disk_that_fills_up_leaves_nothing_behind(
    at: int, tmp_path: Path, golden_bundle: Callable[..., Bundle], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0

    def fsync(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls == at:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(BundleError) as caught:
        golden_bundle()
    assert str(caught.value) == (
        f"{tmp_path / 'golden'}: cannot be written (No space left on device); nothing was left behind"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_really_full_disk_leaves_nothing_behind(small_disk: Path, manifest: Manifest) -> None:
    files = {"model.tflite": bytes(200_000)}
    with pytest.raises(BundleError, match="No space left on device"):
        write_bundle(small_disk / "knee", manifest, files)
    assert list(small_disk.iterdir()) == []


def test_an_interrupted_writer_leaves_nothing_behind(
    tmp_path: Path, golden_bundle: Callable[..., Bundle], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        golden_bundle()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("at", [1, 3, 4])
def test_a_killed_writer_leaves_no_bundle_where_it_was_wanted(at: int, tmp_path: Path, bundle: Bundle) -> None:
    code = """
import os, pathlib, sys
from osteo_edge.bundle import read_bundle, write_bundle
loaded, calls = read_bundle(pathlib.Path(sys.argv[1])), []
def fsync(descriptor):
    calls.append(descriptor)
    if len(calls) == int(sys.argv[3]):
        os.kill(os.getpid(), 9)
os.fsync = fsync
write_bundle(pathlib.Path(sys.argv[2]), loaded.manifest, {"model.tflite": loaded.model_path.read_bytes()})
"""
    out = tmp_path / "killed"
    done = subprocess.run([sys.executable, "-c", code, str(bundle.path), str(out), str(at)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not out.exists()
    written = write_bundle(out, bundle.manifest, {"model.tflite": bundle.model_path.read_bytes()})
    assert read_bundle(out) == written


def test_a_place_that_cannot_be_written_is_one_line(film: Path, golden_bundle: Callable[..., Bundle]) -> None:
    for name in (f"{film.name}/knee", "x" * 250):
        with pytest.raises(BundleError) as caught:
            golden_bundle(name)
        assert "cannot be written (" in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_folder_without_permission_is_one_line(
    tmp_path: Path, golden_bundle: Callable[..., Bundle], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, *args: Any, **kwargs: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(BundleError, match=r"golden: cannot be written \(Permission denied\); nothing was left behind$"):
        golden_bundle()


def test_a_manifest_is_written_with_the_hashes_of_what_is_written(tmp_path: Path, manifest: Manifest) -> None:
    model = (Path(__file__).resolve().parent.parent / "data" / "golden-int8.tflite").read_bytes()
    stale = replace(manifest, files={"gone.npz": "d" * 64})
    write_bundle(tmp_path / "knee", stale, {"model.tflite": model, "samples.npz": b"samples"})
    assert sorted(read_bundle(tmp_path / "knee").manifest.files) == ["MODEL_CARD.md", "samples.npz"]


def test_a_bundle_whose_name_cannot_be_brought_to_the_disk_is_not_there(
    tmp_path: Path, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path) -> None:
        if folder == tmp_path:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        sync_folder(folder)

    monkeypatch.setattr("osteo_edge.bundle.sync_folder", refuse)
    with pytest.raises(BundleError, match="nothing was left behind"):
        write_bundle(tmp_path / "knee", manifest, {"model.tflite": b"model"})
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_writer_left_goes_with_the_next_bundle(tmp_path: Path, manifest: Manifest) -> None:
    left = tmp_path / ".knee.0a1b2c3d.partial"
    left.mkdir()
    os.utime(left, (0, 0))
    write_bundle(tmp_path / "knee", manifest, {"model.tflite": b"model"})
    assert [path.name for path in tmp_path.iterdir()] == ["knee"]
