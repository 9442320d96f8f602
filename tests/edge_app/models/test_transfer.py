import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.edge_app.models import transfer
from osteo_edge.edge_app.models.transfer import copy_bundle, find_bundles
from osteo_edge.errors import BundleError, OsteoEdgeError
from tests.edge_app.full_disk import files_limited_to


def unheeded(share: float) -> None:
    """Progress that nobody looks at."""


def test_what_the_manifest_lists_is_copied_and_nothing_else(bundle: Bundle, tmp_path: Path) -> None:
    (bundle.path / "._model.tflite").write_bytes(b"what another system leaves on a stick")
    shares: list[float] = []
    copy_bundle(bundle.path, tmp_path / "copy", shares.append)
    assert read_bundle(tmp_path / "copy").manifest == bundle.manifest
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_an_altered_file_is_named_where_it_lies(bundle: Bundle, tmp_path: Path) -> None:
    card = bundle.path / "MODEL_CARD.md"
    card.write_text(card.read_text().replace("0.", "1."))
    with pytest.raises(BundleError, match=f"{card}: altered"):
        copy_bundle(bundle.path, tmp_path / "copy", unheeded)


def test_a_missing_file_and_a_link_are_refused_before_anything_is_copied(bundle: Bundle, tmp_path: Path) -> None:
    bundle.model_path.rename(tmp_path / "elsewhere")
    with pytest.raises(BundleError, match="missing from the bundle"):
        copy_bundle(bundle.path, tmp_path / "copy", unheeded)
    bundle.model_path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BundleError, match="no plain file"):
        copy_bundle(bundle.path, tmp_path / "copy", unheeded)
    assert not (tmp_path / "copy").exists()


def test_a_stick_that_is_pulled_out_between_two_files(bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"cannot be read .*leave the stick plugged in") as caught:
        copy_bundle(bundle.path, tmp_path / "copy", lambda share: pull_out(bundle.path))
    assert "\n" not in str(caught.value)


def pull_out(stick: Path) -> None:
    if stick.exists():
        stick.rename(stick.with_name("pulled out"))


def test_a_stick_that_is_pulled_out_in_the_middle_of_a_file(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel answers EIO then, which no folder of this machine can be made to."""
    as_ever = Path.open

    class Gone:
        chunks: ClassVar = [b"the first half"]

        def __enter__(self) -> "Gone":
            return self

        def __exit__(self, *about: object) -> None:
            return None

        def read(self, size: int) -> bytes:
            if self.chunks:
                return self.chunks.pop()
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def opened(path: Path, mode: str = "r", **options: Any) -> object:
        return Gone() if path == bundle.model_path else as_ever(path, mode, **options)

    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(BundleError, match=r"Input/output error.*leave the stick plugged in"):
        copy_bundle(bundle.path, tmp_path / "copy", unheeded)


def test_too_little_space_is_told_before_anything_is_copied(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "SPARE_BYTES", 1 << 60)
    with pytest.raises(OsteoEdgeError, match=r"not enough space \(.* MiB are needed, \d+ MiB are free\)"):
        copy_bundle(bundle.path, tmp_path / "copy", unheeded)
    assert not (tmp_path / "copy").exists()


def test_a_disk_that_fills_up_meanwhile_is_one_line(bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(OsteoEdgeError, match=r"cannot be written .*; free some space"), files_limited_to(1000):
        copy_bundle(bundle.path, tmp_path / "copy", unheeded)


def test_bundles_are_found_on_a_stick_down_to_two_folders(golden_bundle: Callable[..., Bundle], tmp_path: Path) -> None:
    for name in ("stick/models/b", "stick/a", "stick/.hidden", "stick/one/two/three"):
        golden_bundle(name)
    (tmp_path / "stick" / "photos").mkdir()
    found = [path.relative_to(tmp_path).as_posix() for path in find_bundles(tmp_path / "stick")]
    assert found == ["stick/a", "stick/models/b"]
    assert find_bundles(tmp_path / "stick" / "a") == (tmp_path / "stick" / "a",)


def test_a_stick_that_is_gone_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(OsteoEdgeError, match="is the stick plugged in"):
        find_bundles(tmp_path / "stick")
