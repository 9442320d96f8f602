import json
import stat
import subprocess
from pathlib import Path

import pytest

from osteo_edge import sign_command
from osteo_edge.bundle import SIGNATURE_NAME, Bundle
from osteo_edge.cli import run
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.sign_command import PASSPHRASE
from tests.signing import Signer

LONG = "four words make one"


def call(*words: object) -> int:
    return run([str(word) for word in words])


def test_a_new_key_is_its_owner_s_alone_and_encrypted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSPHRASE, LONG)
    key = tmp_path / "keys" / "clinic.key"
    assert call("signing-key", key) == 0
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert b"ENCRYPTED" in key.read_bytes()
    assert b"BEGIN PUBLIC KEY" in key.with_suffix(".pub").read_bytes()


def test_a_key_is_never_written_over(signer: Signer, capsys: pytest.CaptureFixture[str]) -> None:
    before = signer.private.read_bytes()
    assert call("signing-key", signer.private, "--no-passphrase") == 1
    assert "exists already; choose another name" in capsys.readouterr().err
    assert signer.private.read_bytes() == before


def test_a_short_passphrase_is_refused_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(PASSPHRASE, "short")
    assert call("signing-key", tmp_path / "a.key") == 1
    assert "fewer than 12 letters" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_is_called_like_its_public_half_is_wrong_usage(tmp_path: Path) -> None:
    assert call("signing-key", tmp_path / "a.pub", "--no-passphrase") == 2
    assert list(tmp_path.iterdir()) == []


def test_an_encrypted_key_signs_with_its_passphrase_alone(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key = tmp_path / "clinic.key"
    monkeypatch.setenv(PASSPHRASE, LONG)
    assert call("signing-key", key) == 0
    monkeypatch.setenv(PASSPHRASE, "another one of that length")
    assert call("sign", bundle.path, "--key", key) == 1
    assert "another passphrase" in capsys.readouterr().err
    assert not (bundle.path / SIGNATURE_NAME).exists()
    monkeypatch.setenv(PASSPHRASE, LONG)
    assert call("sign", bundle.path, "--key", key) == 0
    assert call("verify", bundle.path, "--key", key.with_suffix(".pub")) == 0


def test_a_key_of_another_curve_is_refused(bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = tmp_path / "large.pem"
    subprocess.run(["openssl", "ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out", key], check=True)
    assert call("sign", bundle.path, "--key", key) == 1
    assert "no private P-256 key" in capsys.readouterr().err
    assert not (bundle.path / SIGNATURE_NAME).exists()


@pytest.mark.parametrize(("content", "words"), [(None, "cannot be read"), (b"not a key", "no private P-256 key")])
def test_what_is_no_key_is_said_in_one_line(
    content: bytes | None, words: str, bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = tmp_path / "bad.key"
    if content is not None:
        key.write_bytes(content)
    assert call("sign", bundle.path, "--key", key) == 1
    err = capsys.readouterr().err
    assert words in err
    assert err.count("\n") == 1


def test_a_bundle_with_a_link_in_it_is_not_signed_and_the_key_is_not_blamed(
    bundle: Bundle, signer: Signer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle.model_path.rename(tmp_path / "elsewhere")
    bundle.model_path.symlink_to(tmp_path / "elsewhere")
    assert call("sign", bundle.path, "--key", signer.private) == 1
    assert capsys.readouterr().err.startswith(f"osteo-edge: {bundle.path}: cannot be signed (")


@pytest.mark.parametrize(
    ("given", "words"),
    [("x" * 1024, "longer than 1023 bytes"), ("\udcff" * 12, "no text in UTF-8")],
    ids=["long", "no text"],
)
def test_a_passphrase_that_cannot_be_used_is_one_line(
    given: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(PASSPHRASE, given)
    assert call("signing-key", tmp_path / "a.key") == 1
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_key_without_a_name_is_wrong_usage() -> None:
    assert call("signing-key", "", "--no-passphrase") == 2


def test_a_key_whose_public_half_cannot_be_written_is_not_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes, what: str) -> Path:
        raise OsteoEdgeError(f"{path}: {what} cannot be written")

    monkeypatch.setattr(sign_command, "write_durably", full)
    assert call("signing-key", tmp_path / "a.key", "--no-passphrase") == 1
    assert list(tmp_path.iterdir()) == []


def test_an_altered_bundle_is_not_signed(bundle: Bundle, signer: Signer, capsys: pytest.CaptureFixture[str]) -> None:
    bundle.model_path.write_bytes(bundle.model_path.read_bytes() + b"\n")
    assert call("sign", bundle.path, "--key", signer.private) == 1
    assert "altered since the bundle was written" in capsys.readouterr().err


def test_verify_tells_machines_who_has_signed(
    bundle: Bundle, signer: Signer, capsys: pytest.CaptureFixture[str]
) -> None:
    signer.sign(bundle)
    capsys.readouterr()
    assert call("verify", bundle.path, "--key", signer.public, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["signed_by"], found["fingerprint"]) == ("signer", signer.public_key.hint)
    assert found["model_sha256"] == bundle.manifest.model.sha256


def test_verify_without_a_key_on_a_device_that_trusts_none_is_wrong_usage(bundle: Bundle) -> None:
    assert call("verify", bundle.path) == 2


def test_signing_again_takes_the_place_of_the_older_signature(
    bundle: Bundle, signer: Signer, other_signer: Signer
) -> None:
    signer.sign(bundle)
    other_signer.sign(bundle)
    assert call("verify", bundle.path, "--key", other_signer.public) == 0
    assert call("verify", bundle.path, "--key", signer.public) == 1
