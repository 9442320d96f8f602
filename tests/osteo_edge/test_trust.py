import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from osteo_edge import trust
from osteo_edge.bundle import Bundle
from osteo_edge.cli import run
from osteo_edge.errors import BundleError
from osteo_edge.trust import VARIABLE, require_trusted, trusted_keys
from tests.signing import Signer


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of trusted keys, which locks this device."""
    folder = tmp_path / "trusted-keys"
    folder.mkdir()
    monkeypatch.setenv(VARIABLE, str(folder))
    return folder


def test_a_device_without_a_folder_of_keys_takes_any_bundle(bundle: Bundle) -> None:
    assert require_trusted(bundle) is None


def test_a_locked_device_takes_what_a_trusted_key_has_signed(bundle: Bundle, keys: Path, signer: Signer) -> None:
    shutil.copy(signer.public, keys)
    with pytest.raises(BundleError, match="is not signed"):
        require_trusted(bundle)
    signer.sign(bundle)
    assert require_trusted(bundle) == signer.public_key


def test_an_empty_folder_trusts_nobody(bundle: Bundle, keys: Path, signer: Signer) -> None:
    signer.sign(bundle)
    with pytest.raises(BundleError, match="trusted: none"):
        require_trusted(bundle)


def test_a_folder_that_is_gone_or_holds_no_key_trusts_nobody(bundle: Bundle, keys: Path, signer: Signer) -> None:
    signer.sign(bundle)
    (keys / "bad.pub").write_text("not a key")
    with pytest.raises(BundleError, match=r"bad\.pub: no public P-256 key"):
        require_trusted(bundle)
    shutil.rmtree(keys)
    with pytest.raises(BundleError, match="no model is trusted until they can"):
        require_trusted(bundle)


def test_what_the_environment_names_cannot_take_the_place_of_the_system_s_folder(
    bundle: Bundle, keys: Path, signer: Signer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = tmp_path / "etc"
    system.mkdir()
    monkeypatch.setattr(trust, "SYSTEM", system)
    shutil.copy(signer.public, keys)
    signer.sign(bundle)
    with pytest.raises(BundleError, match="trusted: none"):
        require_trusted(bundle)


@pytest.mark.parametrize("kind", ["file", "link", "closed"])
def test_what_stands_in_place_of_the_system_s_folder_locks_the_device(
    kind: str, bundle: Bundle, signer: Signer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = tmp_path / "etc" / "trusted-keys"
    system.parent.mkdir()
    monkeypatch.setattr(trust, "SYSTEM", system)
    if kind == "file":
        shutil.copy(signer.public, system)
    elif kind == "link":
        system.symlink_to("nowhere")
    else:
        real = Path.lstat
        denied = PermissionError(errno.EACCES, "Permission denied")
        monkeypatch.setattr(Path, "lstat", lambda path: raising(denied) if path == system else real(path))
    signer.sign(bundle)
    with pytest.raises(BundleError, match="trusted keys cannot be read"):
        require_trusted(bundle)


def test_on_android_the_staged_keys_alone_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(trust, "SYSTEM", tmp_path)
    monkeypatch.setattr("sys.platform", "android")
    assert trust.trusted_folder() is None
    monkeypatch.setenv(VARIABLE, str(tmp_path / "app"))
    assert trust.trusted_folder() == tmp_path / "app"


def raising(error: Exception) -> NoReturn:
    raise error


def test_a_pipe_or_a_huge_file_among_the_keys_trusts_nobody(bundle: Bundle, keys: Path, signer: Signer) -> None:
    signer.sign(bundle)
    with (keys / "large.pub").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(BundleError, match=r"large\.pub: no public P-256 key"):
        require_trusted(bundle)
    os.mkfifo(keys / "a pipe.pub")
    with pytest.raises(BundleError, match=r"a pipe\.pub: no public P-256 key"):
        require_trusted(bundle)


def test_keys_come_in_the_order_of_their_names_and_other_files_are_left_alone(
    keys: Path, signer: Signer, other_signer: Signer
) -> None:
    for one in (signer, other_signer):
        shutil.copy(one.public, keys)
    (keys / "README").write_text("whose keys these are")
    assert [key.name for key in trusted_keys(keys)] == ["other", "signer"]


def test_screen_refuses_an_unsigned_bundle_on_a_locked_device(
    bundle: Bundle, film: Path, keys: Path, signer: Signer, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["screen", str(bundle.path), str(film)]
    assert run(words) == 1
    assert capsys.readouterr().err == (
        f"osteo-edge: {bundle.path}: is not signed; take one that is, or sign it with `osteo-edge sign`\n"
    )
    shutil.copy(signer.public, keys)
    signer.sign(bundle)
    capsys.readouterr()
    assert run(words) == 0


def test_a_converted_or_altered_bundle_needs_a_signature_of_its_own(
    bundle: Bundle, golden_bundle: Callable[..., Bundle], keys: Path, signer: Signer
) -> None:
    shutil.copy(signer.public, keys)
    signer.sign(bundle)
    other = golden_bundle("float", precision="float32")
    shutil.copy(bundle.path / "model.sig", other.path)
    with pytest.raises(BundleError, match="not as it was signed"):
        require_trusted(other)
