"""A backup of an encrypted history opens with its PIN or recovery code alone, and comes back as the device keeps it."""

import errno
import json
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

from osteo_edge.edge_app.clinic import Clinic
from osteo_edge.edge_app.exports.backup import write_backup
from osteo_edge.edge_app.exports.backup_contents import (
    CONTENTS,
    LOCKED,
    WRONG_SECRET,
    BackupError,
    BackupLockedError,
)
from osteo_edge.edge_app.exports.restoring import locked_by, restore_backup
from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.history import exchange
from osteo_edge.edge_app.history.drafts import Draft
from osteo_edge.edge_app.history.encrypted import COPY, VAULT, can_encrypt
from osteo_edge.edge_app.history.errors import NotConfirmedError
from osteo_edge.edge_app.history.opening import DATABASE
from osteo_edge.edge_app.history.store import History
from osteo_edge.edge_app.history.vault import Keys, LockedError, VaultError, new_vault, write_vault
from osteo_edge.hashing import sha256_bytes
from tests.edge_app.history.made import make_record

pytestmark = pytest.mark.skipif(not can_encrypt(), reason="cryptography and sqlcipher3 are not installed")

PIN = "271828"
OLD = [make_record(b"film LOPEZ %d" % n, code=f"LOPEZ-{n}", overlay=b"LOPEZ overlay") for n in range(3)]


class Made:
    """An encrypted history, its keys and its recovery code, and a backup of it."""

    def __init__(self, place: Path) -> None:
        self.folder, self.path = place / "history", place / "backup.zip"
        self.folder.mkdir(parents=True)
        vault, self.keys, self.code = new_vault(PIN)
        write_vault(self.folder, vault)
        with History(self.folder, keys=self.keys) as history:
            history.add_all(OLD)
            history.save_draft(Draft("1" * 32, "2026-01-01T00:00:00+00:00", {"code": "LOPEZ"}))
        self.backup = write_backup(self.folder, self.path, keys=self.keys)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("encrypted"))


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    opened = Clinic(Folders(tmp_path / "clinic"))
    yield opened
    opened.close()


def codes(clinic: Clinic) -> set[str | None]:
    return {entry.patient.code for entry in clinic.history().entries()}


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_nothing_of_a_patient_is_in_the_file_in_clear(made: Made) -> None:
    assert made.backup.is_encrypted
    assert (made.backup.images, made.backup.damaged, made.backup.missing) == (4, (), ())
    data = made.path.read_bytes()
    assert b"LOPEZ" not in data
    assert b"SQLite format" not in data
    assert made.keys.data_key not in data
    assert not [record for record in OLD if record.image.sha256.encode() in data]
    assert [name for name in ZipFile(made.path).namelist() if name in (VAULT, COPY)] == [VAULT, COPY]


def test_without_its_keys_an_encrypted_history_is_not_backed_up(made: Made, tmp_path: Path) -> None:
    with pytest.raises(LockedError):
        write_backup(made.folder, tmp_path / "backup.zip")
    assert list(tmp_path.iterdir()) == []


def test_a_plain_backup_says_so(tmp_path: Path) -> None:
    with History(tmp_path / "history") as history:
        history.add_all(OLD)
    backup = write_backup(tmp_path / "history", tmp_path / "backup.zip")
    assert not backup.is_encrypted
    assert locked_by(backup.path) is None


def test_a_damaged_and_a_missing_picture_are_named(made: Made, tmp_path: Path) -> None:
    folder = tmp_path / "history"
    restore_backup(made.path, folder, keys=made.keys)
    damaged, missing, *_ = sorted((folder / "images").glob("*/*"))
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"!")
    missing.unlink()
    backup = write_backup(folder, tmp_path / "backup.zip", keys=made.keys)
    assert backup.damaged == (damaged.relative_to(folder).as_posix(),)
    assert backup.missing == (missing.relative_to(folder).as_posix(),)
    assert backup.images == 3


@pytest.mark.parametrize("how", ["PIN", "recovery code"])
def test_on_a_plain_device_it_stays_encrypted_and_opens_with_its_secrets(made: Made, clinic: Clinic, how: str) -> None:
    secret = PIN if how == "PIN" else made.code.lower()
    assert clinic.put_in_place(clinic.unpack_backup(made.path, secret=secret)) is None
    assert clinic.access.is_encrypted
    assert codes(clinic) == {"LOPEZ-0", "LOPEZ-1", "LOPEZ-2"}
    assert clinic.history().image(OLD[1].image.sha256) == OLD[1].image
    assert [draft.fields for draft in clinic.history().drafts()] == [{"code": "LOPEZ"}]
    clinic.access.shut()
    with pytest.raises(LockedError):
        clinic.history()
    assert b"LOPEZ" not in everything(clinic.folders.root)


def test_restored_and_not_confirmed_by_the_disk_is_told_as_that(
    made: Made, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(which: Path) -> None:
        if which == clinic.folders.root:
            raise OSError(errno.EIO, "Input/output error")

    unpacked = clinic.unpack_backup(made.path, secret=PIN)
    with monkeypatch.context() as patched:
        patched.setattr(exchange, "sync_folder", failing)
        with pytest.raises(NotConfirmedError, match=r"^It was done, but the disk did not confirm it"):
            clinic.put_in_place(unpacked)
    assert codes(clinic) == {"LOPEZ-0", "LOPEZ-1", "LOPEZ-2"}


@pytest.mark.parametrize(("secret", "words"), [(None, LOCKED), ("271829", WRONG_SECRET), ("", WRONG_SECRET)])
def test_without_the_right_secret_nothing_is_unpacked(
    made: Made, clinic: Clinic, secret: str | None, words: str
) -> None:
    clinic.history()
    before = sorted(clinic.folders.root.rglob("*"))
    with pytest.raises(BackupLockedError) as caught:
        clinic.unpack_backup(made.path, secret=secret)
    assert str(caught.value) == words
    assert sorted(clinic.folders.root.rglob("*")) == before


def test_a_device_that_cannot_decrypt_says_so_in_one_line(
    made: Made, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("osteo_edge.edge_app.history.vault.can_encrypt", lambda: False)
    for secret in (None, PIN):
        with pytest.raises(VaultError, match=r"^Encryption needs the packages [^\n]+$"):
            clinic.unpack_backup(made.path, secret=secret)
    assert [path.name for path in clinic.folders.root.glob("history*")] == ["history"]


def encrypted(clinic: Clinic, pin: str) -> Keys:
    clinic.history()
    clinic.access.encrypt(pin)
    assert clinic.access.keys is not None
    return clinic.access.keys


def opens_with(clinic: Clinic, pin: str) -> bool:
    known = clinic.access.known_pin()
    clinic.access.shut()
    return known is not None and clinic.check_pin(pin, known)[0] == "right"


def test_on_an_encrypted_device_the_devices_own_pin_stays(made: Made, clinic: Clinic) -> None:
    keys = encrypted(clinic, "314159")
    assert clinic.put_in_place(clinic.unpack_backup(made.path, secret=PIN)) is None
    assert clinic.access.keys == keys
    assert codes(clinic) == {"LOPEZ-0", "LOPEZ-1", "LOPEZ-2"}
    assert clinic.history().image(OLD[2].image.sha256) == OLD[2].image
    assert opens_with(clinic, "314159")
    assert codes(clinic) == {"LOPEZ-0", "LOPEZ-1", "LOPEZ-2"}


def test_a_plain_backup_is_encrypted_on_an_encrypted_device(clinic: Clinic, tmp_path: Path) -> None:
    with History(tmp_path / "plain") as history:
        history.add_all(OLD)
    backup = write_backup(tmp_path / "plain", tmp_path / "backup.zip").path
    encrypted(clinic, "314159")
    clinic.put_in_place(clinic.unpack_backup(backup))
    assert codes(clinic) == {"LOPEZ-0", "LOPEZ-1", "LOPEZ-2"}
    assert b"LOPEZ" not in everything(clinic.folders.root)
    assert [path.name for path in clinic.folders.root.iterdir() if path.name.startswith("history")] == ["history"]


def test_a_backup_of_this_history_opens_by_itself_and_the_pin_of_today_stays(clinic: Clinic, tmp_path: Path) -> None:
    encrypted(clinic, "314159")
    clinic.history().add(OLD[0])
    backup = write_backup(clinic.folders.history, tmp_path / "backup.zip", keys=clinic.access.keys).path
    assert locked_by(backup, clinic.access.keys) is None
    clinic.history().delete(OLD[0].entry.id)
    known = clinic.access.known_pin()
    assert known is not None
    clinic.access.change_pin("161803", in_place_of=known)  # type: ignore[arg-type]
    clinic.put_in_place(clinic.unpack_backup(backup))
    assert codes(clinic) == {"LOPEZ-0"}
    assert opens_with(clinic, "161803")


def test_after_damage_what_was_saved_since_is_there_too(clinic: Clinic, tmp_path: Path) -> None:
    keys = encrypted(clinic, "314159")
    clinic.history().add(OLD[0])
    backup = write_backup(clinic.folders.history, tmp_path / "backup.zip", keys=keys).path
    clinic.close()
    (clinic.folders.history / DATABASE).write_bytes(b"damage" * 1000)
    again = Clinic(clinic.folders)
    again.access.adopt(keys)
    again.history().add(OLD[1])
    assert again.put_in_place(again.unpack_backup(backup)) is not None
    assert codes(again) == {"LOPEZ-0", "LOPEZ-1"}
    again.close()


@pytest.mark.parametrize("name", [VAULT, COPY])
def test_keys_without_their_copy_are_refused(made: Made, tmp_path: Path, name: str) -> None:
    with ZipFile(made.path) as archive:
        members = {each: archive.read(each) for each in archive.namelist() if each != name}
    contents = json.loads(members[CONTENTS])
    contents["files"] = [part for part in contents["files"] if part["name"] != name]
    changed = tmp_path / "changed.zip"
    with ZipFile(changed, "w") as archive:
        for each, data in (members | {CONTENTS: json.dumps(contents).encode()}).items():
            archive.writestr(each, data)
    with pytest.raises(BackupError, match="twice"):
        locked_by(changed)


@pytest.mark.parametrize("data", [b"", b"{}", b"[" * 10_000, b" " * (1 << 20)])
def test_keys_that_are_none_are_refused_in_one_line(made: Made, tmp_path: Path, data: bytes) -> None:
    with ZipFile(made.path) as archive:
        members = {each: archive.read(each) for each in archive.namelist()} | {VAULT: data}
    contents = json.loads(members[CONTENTS])
    for part in contents["files"]:
        if part["name"] == VAULT:
            part.update(sha256=sha256_bytes(data), size_bytes=len(data))
    changed = tmp_path / "changed.zip"
    with ZipFile(changed, "w") as archive:
        for each, content in (members | {CONTENTS: json.dumps(contents).encode()}).items():
            archive.writestr(each, content)
    with pytest.raises(BackupError, match=r"^.*changed\.zip: [^\n]+$"):
        locked_by(changed)
