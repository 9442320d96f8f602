"""Who knows the PIN, or the recovery code, has the history; who does not has nothing."""

import errno
import fcntl
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from osteo_edge.edge_app.clinic import Clinic
from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.history import exchange, vault
from osteo_edge.edge_app.history.encrypted import COPY, VAULT
from osteo_edge.edge_app.history.errors import HistoryError
from osteo_edge.edge_app.history.exchange import NOT_CONFIRMED, REPLACED, new_place
from osteo_edge.edge_app.history.opening import LOCK
from osteo_edge.edge_app.history.store import History
from osteo_edge.edge_app.history.vault import LockedError, Vault, VaultError, new_vault, read_vault
from osteo_edge.edge_app.kept_settings import PIN_CHANGED
from osteo_edge.edge_app.pin import FREE_ATTEMPTS, hash_pin
from osteo_edge.errors import OsteoEdgeError
from tests.edge_app.history.made import make_record

PIN, OTHER = "719305", "80246135"
OPEN: list[Clinic] = []


def window(folders: Folders) -> Clinic:
    """A clinic that is closed at the end of the test."""
    OPEN.append(Clinic(folders))
    return OPEN[-1]


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a PIN costs is tested elsewhere."""
    monkeypatch.setattr(vault, "PIN_COST", vault.CODE_COST)


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """A clinic with one screening and a PIN that encrypts nothing yet."""
    folders = Folders(tmp_path / "clinic")
    clinic = window(folders)
    clinic.save(make_record())
    clinic.set_pin(hash_pin("7193"), in_place_of=None)
    clinic.close()
    return folders


@pytest.fixture
def code(folders: Folders) -> str:
    """The recovery code of it, encrypted."""
    clinic = window(folders)
    code = clinic.access.encrypt(PIN)
    clinic.close()
    return code


@pytest.fixture
def clinic(folders: Folders, code: str) -> Clinic:
    """The encrypted clinic as a new window has it."""
    return window(folders)


def enter(clinic: Clinic, pin: str) -> str:
    known = clinic.access.known_pin()
    assert isinstance(known, Vault)
    return clinic.check_pin(pin, known)[0]


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a history by their names, without its lock."""
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != LOCK}


def recorded(folders: Folders) -> list[str]:
    lines = (folders.audit / "audit.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line)["what"] for line in lines]


def test_encrypting_takes_the_pin_out_of_the_settings_and_opens_the_history(folders: Folders) -> None:
    clinic = window(folders)
    assert (clinic.access.has_pin, clinic.access.is_encrypted, clinic.access.is_shut) == (True, False, False)
    clinic.access.encrypt(PIN)
    assert (clinic.access.has_pin, clinic.access.is_encrypted, clinic.access.is_shut) == (True, True, False)
    assert clinic.settings.pin is None
    assert clinic.history().count() == 1
    assert recorded(folders)[-1] == "history encrypted"
    assert "PIN removed" not in recorded(folders)


def test_it_is_shut_until_the_pin_is_entered(clinic: Clinic) -> None:
    assert clinic.access.is_shut
    for _ in range(2):
        with pytest.raises(LockedError, match="enter the PIN"):
            clinic.history()
    assert enter(clinic, OTHER) == "wrong"
    assert clinic.access.is_shut
    assert enter(clinic, PIN) == "right"
    assert clinic.history().count() == 1


def test_wrong_pins_have_to_wait_and_the_right_one_too_then(clinic: Clinic, folders: Folders) -> None:
    assert [enter(clinic, OTHER) for _ in range(FREE_ATTEMPTS)] == ["wrong"] * FREE_ATTEMPTS
    assert enter(clinic, PIN) == "wait"
    assert enter(window(folders), PIN) == "wait"
    assert clinic.access.is_shut
    assert recorded(folders).count("wrong PIN") == FREE_ATTEMPTS


def test_shut_closes_it_for_who_still_holds_it(clinic: Clinic) -> None:
    enter(clinic, PIN)
    history = clinic.history()
    clinic.access.shut()
    assert clinic.access.is_shut
    assert clinic.access.keys is None
    with pytest.raises(HistoryError, match="was closed"):
        history.count()
    with pytest.raises(LockedError):
        clinic.history()
    enter(clinic, PIN)
    assert clinic.history().count() == 1


def test_a_plain_history_is_not_shut(tmp_path: Path) -> None:
    clinic = window(Folders(tmp_path))
    history = clinic.history()
    clinic.access.shut()
    assert history.count() == 0


def test_the_code_opens_it_and_the_wrong_one_is_recorded(clinic: Clinic, code: str, folders: Folders) -> None:
    assert not clinic.access.open_with_code(new_vault(PIN)[2])
    assert clinic.access.is_shut
    assert clinic.access.open_with_code(code)
    assert clinic.history().count() == 1
    assert [line for line in recorded(folders) if "code" in line] == ["wrong recovery code", "recovery code entered"]


def test_another_pin_takes_its_place_unless_another_window_was_faster(clinic: Clinic, folders: Folders) -> None:
    enter(clinic, PIN)
    known = read_vault(folders.history)
    clinic.access.change_pin(OTHER, in_place_of=known)
    assert enter(window(folders), PIN) == "wrong"
    assert enter(window(folders), OTHER) == "right"
    with pytest.raises(OsteoEdgeError, match=PIN_CHANGED):
        clinic.access.change_pin("33557799", in_place_of=known)
    assert enter(window(folders), OTHER) == "right"


def test_what_needs_the_keys_is_refused_while_it_is_shut(clinic: Clinic, folders: Folders) -> None:
    for change in (
        clinic.access.new_code,
        clinic.access.decrypt,
        lambda: clinic.access.change_pin(OTHER, in_place_of=read_vault(folders.history)),
    ):
        with pytest.raises(LockedError):
            change()


def test_decrypting_leaves_no_pin(clinic: Clinic, folders: Folders) -> None:
    enter(clinic, PIN)
    clinic.access.decrypt()
    assert not clinic.access.has_pin
    assert clinic.history().count() == 1
    assert recorded(folders)[-1] == "history decrypted"


def test_another_window_of_the_plain_history_learns_of_it(folders: Folders) -> None:
    other, clinic = window(folders), window(folders)
    clinic.access.encrypt(PIN)
    assert other.access.is_shut
    with pytest.raises(LockedError):
        other.history()
    clinic.access.close()
    enter(other, PIN)
    other.access.decrypt()
    assert window(folders).history().count() == 1


def test_it_is_not_encrypted_under_another_window(folders: Folders) -> None:
    other, clinic = window(folders), window(folders)
    other.history()
    with pytest.raises(HistoryError, match="another window"):
        clinic.access.encrypt(PIN)
    assert not clinic.access.is_encrypted
    assert clinic.settings.pin is not None
    assert clinic.history().count() == other.history().count() == 1


def test_a_pin_in_the_settings_that_a_power_cut_left_there_goes_when_it_is_opened(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic = window(folders)
    with monkeypatch.context() as patched:
        patched.setattr(clinic._kept, "hand_over_pin", lambda: None)
        clinic.access.encrypt(PIN)
    clinic.close()
    again = window(folders)
    assert again.settings.pin is not None
    assert enter(again, PIN) == "right"
    assert again.settings.pin is None


def test_who_takes_the_settings_away_gets_no_further(clinic: Clinic, folders: Folders) -> None:
    folders.settings.unlink(missing_ok=True)
    folders.pin_attempts.unlink(missing_ok=True)
    clinic = window(folders)
    assert clinic.access.has_pin
    assert clinic.access.is_shut


def test_a_history_that_made_room_when_the_power_went_is_back_before_the_app_asks(
    clinic: Clinic, folders: Folders
) -> None:
    folders.history.rename(new_place(folders.history, REPLACED))
    again = window(folders)
    assert again.access.is_shut
    assert enter(again, PIN) == "right"
    assert again.history().count() == 1


def test_keys_that_cannot_be_read_are_told_and_nothing_is_begun_anew(clinic: Clinic, folders: Folders) -> None:
    shutil.copy(folders.settings, folders.history / VAULT)
    shutil.copy(folders.settings, folders.history / "vault-copy.json")
    with pytest.raises(VaultError, match=r"vault\.json: the keys of the encrypted history cannot be read"):
        clinic.access.known_pin()
    with pytest.raises(LockedError):
        clinic.history()
    assert not list(folders.history.glob("history.damaged-*"))


def test_without_the_file_of_the_keys_nothing_of_it_is_shown_nor_begun_anew(folders: Folders, code: str) -> None:
    for name in (VAULT, COPY):
        (folders.history / name).unlink()
    before = contents(folders.history)
    clinic = window(folders)
    for attempt in (clinic.history, clinic.may_restore, clinic.tidy, lambda: clinic.access.encrypt(OTHER)):
        with pytest.raises(VaultError, match="keys is missing: bring"):
            attempt()
    assert contents(folders.history) == before


def test_all_windows_of_an_encrypted_clinic_count_together(clinic: Clinic, folders: Folders) -> None:
    for one in (clinic, window(folders), window(folders)):
        assert enter(one, OTHER) == "wrong"
    assert enter(window(folders), PIN) == "wait"


def test_what_was_encrypted_and_not_confirmed_opens_with_its_code(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(which: Path) -> None:
        if list(which.glob(f"history.{REPLACED}-*")):
            raise OSError(errno.EIO, "Input/output error")

    clinic, warnings = window(folders), list[str]()
    with monkeypatch.context() as patched:
        patched.setattr(exchange, "sync_folder", failing)
        code = clinic.access.encrypt(PIN, warn=warnings.append)
    assert warnings == [NOT_CONFIRMED]
    assert clinic.history().count() == 1
    again = window(folders)
    assert again.access.open_with_code(code)
    assert again.history().count() == 1


def test_what_was_open_is_not_kept_in_clear(folders: Folders) -> None:
    folders.left_off.write_text("K-1042")
    window(folders).access.encrypt(PIN)
    assert not folders.left_off.exists()


def test_a_clinic_that_has_saved_nothing_yet_can_be_encrypted(tmp_path: Path) -> None:
    clinic = window(Folders(tmp_path))
    clinic.access.encrypt(PIN)
    clinic.save(make_record(code="K-1042"))
    clinic.close()
    assert not any(b"K-1042" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    with pytest.raises(LockedError):
        History(tmp_path / "history")


def test_what_a_killed_exchange_has_left_in_clear_goes_before_anybody_enters_the_pin(
    clinic: Clinic, folders: Folders
) -> None:
    left = new_place(folders.history, REPLACED)
    left.mkdir()
    (left / "history.sqlite3").write_bytes(b"K-1042")
    clinic.tidy_locked()
    assert not left.exists()
    assert clinic.access.is_shut
    assert enter(clinic, PIN) == "right"
    assert clinic.history().count() == 1


def test_while_the_pin_is_changed_no_other_window_exchanges_the_history(
    clinic: Clinic, folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert enter(clinic, PIN) == "right"
    keys, known = clinic.access.keys, clinic.access.known_pin()
    assert keys is not None
    assert isinstance(known, Vault)
    real, tried = vault.write_vault, list[Path]()

    def slow(folder: Path, changed: Vault) -> None:
        with (folder / LOCK).open("ab") as lock, pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        tried.append(folder)
        real(folder, changed)

    monkeypatch.setattr(vault, "write_vault", slow)
    clinic.access.change_pin(OTHER, in_place_of=known)
    assert tried == [folders.history]
    assert read_vault(folders.history).open_with_pin(OTHER) == keys
