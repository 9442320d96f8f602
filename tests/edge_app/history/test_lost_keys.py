"""An encrypted history without the file of its keys is told from a damaged plain one, and left as it is."""

from pathlib import Path

import pytest

from osteo_edge.edge_app.exports.backup import write_backup
from osteo_edge.edge_app.history.encrypted import COPY, PAGE_BYTES, VAULT, looks_encrypted
from osteo_edge.edge_app.history.encrypting import encrypt_history
from osteo_edge.edge_app.history.opening import DATABASE, LOCK
from osteo_edge.edge_app.history.store import History
from osteo_edge.edge_app.history.vault import Keys, VaultError
from tests.edge_app.history.made import make_record
from tests.edge_app.history.sealed import ONE, PIN, everything


def without_vault(folder: Path) -> bytes:
    """Take both files with the keys away; all that is left."""
    for name in (VAULT, COPY):
        (folder / name).unlink()
    (folder / LOCK).touch()
    return everything(folder)


@pytest.mark.parametrize("has_keys", [False, True], ids=["anew", "keys in memory"])
def test_without_the_file_of_the_keys_nothing_is_opened_nor_begun_anew(
    folder: Path, keys: Keys, has_keys: bool
) -> None:
    before = without_vault(folder)
    for _ in range(2):
        with pytest.raises(
            VaultError, match=r"^[^\n]+history: the history is encrypted, [^\n]+ keys is missing: [^\n]+$"
        ):
            History(folder, keys=keys if has_keys else None)
    assert everything(folder) == before


def test_the_file_of_the_keys_opens_it_again_when_it_is_brought_back(folder: Path, keys: Keys) -> None:
    vault_file = (folder / VAULT).read_bytes()
    without_vault(folder)
    (folder / VAULT).write_bytes(vault_file)
    with History(folder, keys=keys) as history:
        assert history.image(ONE.image.sha256) == ONE.image


def test_a_damaged_vault_does_not_end_the_history(folder: Path, keys: Keys) -> None:
    (folder / VAULT).write_bytes(b"\0" * 100)
    with History(folder, keys=keys) as history:
        assert history.count() == 1
    assert (folder / VAULT).read_bytes() == (folder / COPY).read_bytes()


@pytest.mark.parametrize("pages", [range(1), range(1, 16)], ids=["the first", "all but the first"])
def test_a_damaged_one_without_its_keys_is_not_taken_for_a_plain_one(folder: Path, keys: Keys, pages: range) -> None:
    data = bytearray((folder / DATABASE).read_bytes())
    for page in pages:
        data[page * PAGE_BYTES : (page + 1) * PAGE_BYTES] = bytes(PAGE_BYTES)
    (folder / DATABASE).write_bytes(data)
    before = without_vault(folder)
    with pytest.raises(VaultError, match="keys is missing"):
        History(folder)
    assert everything(folder) == before


def test_neither_backup_nor_encryption_takes_it_for_a_plain_one(folder: Path, keys: Keys) -> None:
    before = without_vault(folder)
    with pytest.raises(VaultError, match="keys is missing"):
        write_backup(folder, folder.parent / "backup.zip")
    with pytest.raises(VaultError, match="keys is missing"):
        encrypt_history(folder, PIN)
    assert everything(folder) == before


@pytest.mark.parametrize(
    "data",
    [b"", b"\0" * 3 * PAGE_BYTES, b"\xff" * PAGE_BYTES, b"no database " * 4000, bytes(range(100))],
    ids=["empty", "zeros", "erased", "text", "less than a page"],
)
def test_a_damaged_plain_one_is_not_taken_for_encrypted(folder: Path, data: bytes) -> None:
    (folder / DATABASE).write_bytes(data)
    assert not looks_encrypted(folder / DATABASE)


@pytest.mark.parametrize("screenings", [0, 40])
def test_a_plain_one_of_which_the_first_page_is_lost_is_not_taken_for_encrypted(
    tmp_path: Path, screenings: int
) -> None:
    with History(tmp_path / "history") as history:
        history.add_all(make_record(b"film %d" % number) for number in range(screenings))
    path = tmp_path / "history" / DATABASE
    path.write_bytes(bytes(4096) + path.read_bytes()[4096:])
    assert not looks_encrypted(path)
