"""The page's own code opens what Python has encrypted, and nothing else: the vault, the database, the pictures."""

import base64
import io
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from osteo_edge.edge_app.history.connecting import connect
from osteo_edge.edge_app.history.encrypted import PAGE_BYTES, can_encrypt
from osteo_edge.edge_app.history.vault import (
    LEAST_COST,
    MAX_FILE_BYTES,
    MOST_COST,
    Keys,
    new_vault,
    vault_from,
    write_vault,
)
from osteo_edge.hashing import sha256_bytes
from tests.edge_app.web.parity_core import Core, CoreError, text_of

pytestmark = pytest.mark.skipif(not can_encrypt(), reason="cryptography and sqlcipher3 are not installed")

PIN: Final = "271828"
KEYS: Final = Keys(bytes(range(32)))
NAME: Final = "ab" * 32
DAMAGED: Final = "its keys are damaged"
Change = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Keys, str]:
    """The file of a vault, its keys and its recovery code."""
    folder = tmp_path_factory.mktemp("vault")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("osteo_edge.edge_app.history.vault.PIN_COST", LEAST_COST)
        made, keys, code = new_vault(PIN)
    write_vault(folder, made)
    return (folder / "vault.json").read_bytes(), keys, code


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An encrypted database of some pages."""
    path = tmp_path_factory.mktemp("database") / "history.sqlite3"
    with closing(connect(path, KEYS)) as connection:
        connection.execute("CREATE TABLE notes (number INTEGER PRIMARY KEY, note TEXT)")
        rows = [(number, f"línea {number} " * 50) for number in range(200)]
        connection.executemany("INSERT INTO notes VALUES (?, ?)", rows)
        connection.commit()
    return path.read_bytes()


def opened(core: Core, question: str, *values: Any) -> bytes | None:
    answer = core.ask(question, *values)
    return None if answer is None else base64.b64decode(answer)


def flipped(data: bytes, place: int) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 1
    return bytes(changed)


def sealed(name: str, data: bytes) -> bytes:
    file = io.BytesIO()
    KEYS.write_sealed(file, name, data)
    return file.getvalue()


def changed(vault: bytes, change: Change) -> bytes:
    """The vault after a change, with the hash that is right for it."""
    document = json.loads(vault)
    del document["sha256"]
    change(document)
    return json.dumps(document | {"sha256": sha256_bytes(json.dumps(document).encode())}).encode()


def test_the_pin_and_the_recovery_code_give_pythons_keys(core: Core, vault: tuple[bytes, Keys, str]) -> None:
    file, keys, code = vault
    for secret in (PIN, code, f" {code.replace('-', '').lower()} "):
        assert opened(core, "unlocked", text_of(file), secret) == keys.database
    for wrong in ("271829", code[:-1] + ("2" if code[-1] != "2" else "3"), ""):
        assert opened(core, "unlocked", text_of(file), wrong) is None


def test_a_vault_is_read_however_its_json_is_laid_out(core: Core, vault: tuple[bytes, Keys, str]) -> None:
    slots = core.ask("vault", [text_of(json.dumps(json.loads(vault[0]), sort_keys=True).encode())])
    assert [slot["kind"] for slot in slots] == ["pin", "recovery"]


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document["slots"][0].update(n=2 * MOST_COST),
        lambda document: document["slots"][0].update(n=2**13),
        lambda document: document["slots"][0].update(n=3 * 2**14),
        lambda document: document["slots"][0].update(n=str(2**16)),
        lambda document: document["slots"][0].update(n=2**16 + 0.5),
        lambda document: document["slots"][0].update(r=16),
        lambda document: document["slots"][0].update(p=2),
        lambda document: document["slots"][0].update(kind="recovery"),
        lambda document: document["slots"][0].update(kind="other"),
        lambda document: document["slots"][1].update(salt="ab"),
        lambda document: document["slots"][1].update(nonce="xy" * 12),
        lambda document: document["slots"][1].update(wrapped=["ab"]),
        lambda document: document["slots"].pop(),
        lambda document: document.update(slots={}),
        lambda document: document.update(slots=[None, None]),
        lambda document: document.update(schema=2),
        lambda document: document.update(key_id=None),
    ],
)
def test_what_python_takes_for_no_vault_is_none_here(
    core: Core, vault: tuple[bytes, Keys, str], change: Change
) -> None:
    file = changed(vault[0], change)
    with pytest.raises(ValueError, match=r"slots|key_id|schema"):
        vault_from(file)
    with pytest.raises(CoreError, match=DAMAGED):
        core.ask("vault", [text_of(file)])


def test_a_damaged_vault_has_a_copy(core: Core, vault: tuple[bytes, Keys, str]) -> None:
    sound = vault[0]
    digit = sound.index(b'"salt"') + 10
    altered = flipped(sound, digit)
    for bad in (altered, b"", b"[]", b"null", b'"x"', b"\xff", sound[:-20], sound + b" " * MAX_FILE_BYTES):
        assert core.ask("vault", [text_of(bad), text_of(sound)]) == core.ask("vault", [text_of(sound)])
        with pytest.raises(CoreError, match=DAMAGED):
            core.ask("vault", [text_of(bad), text_of(altered)])
    with pytest.raises(CoreError, match=DAMAGED):
        core.ask("vault", [])


def test_a_database_is_in_clear_what_sqlcipher_reads(core: Core, database: bytes, tmp_path: Path) -> None:
    path, plain = tmp_path / "encrypted.sqlite3", tmp_path / "plain.sqlite3"
    path.write_bytes(database)
    found = opened(core, "database", text_of(database), text_of(KEYS.database))
    assert found is not None
    plain.write_bytes(found)
    query = "SELECT * FROM notes ORDER BY number"
    with closing(connect(path, KEYS)) as encrypted, closing(sqlite3.connect(plain)) as opened_plain:
        expected = encrypted.execute(query).fetchall()
        assert opened_plain.execute(query).fetchall() == [tuple(row) for row in expected]
        assert opened_plain.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert len(database) // PAGE_BYTES > 10


@pytest.mark.parametrize(
    ("place", "page"),
    [
        (0, 1),
        (16, 1),
        (5000, 1),
        (PAGE_BYTES - 48, 1),
        (PAGE_BYTES - 1, 1),
        (3 * PAGE_BYTES, 4),
        (-1, None),
        (-60, None),
    ],
)
def test_one_altered_byte_of_a_database_is_told_with_its_page(
    core: Core, database: bytes, place: int, page: int | None
) -> None:
    told = page or len(database) // PAGE_BYTES
    with pytest.raises(CoreError, match=f"^page {told} of its database was altered$"):
        core.ask("database", text_of(flipped(database, place)), text_of(KEYS.database))


def test_pages_that_are_exchanged_missing_or_of_other_keys_are_told(core: Core, database: bytes) -> None:
    one, two = database[PAGE_BYTES : 2 * PAGE_BYTES], database[2 * PAGE_BYTES : 3 * PAGE_BYTES]
    exchanged = database.replace(one, b"").replace(two, two + one)
    with pytest.raises(CoreError, match="page 2 of its database was altered"):
        core.ask("database", text_of(exchanged), text_of(KEYS.database))
    with pytest.raises(CoreError, match="page 1 of its database was altered"):
        core.ask("database", text_of(database), text_of(bytes(32)))
    for cut in (database[:-1], b""):
        with pytest.raises(CoreError, match="its database is cut off"):
            core.ask("database", text_of(cut), text_of(KEYS.database))


@pytest.mark.parametrize("is_secure", [True, False], ids=["https", "http"])
def test_a_picture_opens_under_its_own_name_alone(core: Core, is_secure: bool) -> None:
    data_key = text_of(KEYS.data_key)
    for data in (b"", b"x", bytes(range(256)) * 400):
        file = sealed(NAME, data)
        assert opened(core, "unsealed", data_key, NAME, text_of(file), is_secure) == data
        wrong = [flipped(file, place) for place in (0, 5, 20, -1)]
        for bad in (*wrong, file[:-1], file[:20], b"", sealed(NAME[::-1], data), b"OEs1" + file):
            assert opened(core, "unsealed", data_key, NAME, text_of(bad), is_secure) is None
        assert opened(core, "unsealed", text_of(bytes(32)), NAME, text_of(file), is_secure) is None


def test_a_film_is_called_as_python_calls_it(core: Core) -> None:
    assert core.ask("hidden", text_of(KEYS.data_key), "0" * 64) == KEYS.hidden_name("0" * 64)
