import hashlib
import json
import threading
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from osteo_edge.edge_app.history import encrypted, vault
from osteo_edge.edge_app.history.encrypted import COPY, VAULT, can_encrypt, is_encrypted
from osteo_edge.edge_app.history.exchange import exchanging
from osteo_edge.edge_app.history.vault import (
    MARK,
    SEALED_EXTRA_BYTES,
    Keys,
    SealError,
    Vault,
    VaultError,
    mend_copy,
    new_vault,
    read_vault,
    require_library,
    vault_from,
    write_vault,
)
from osteo_edge.strict import to_dict

PIN = "719305"


@pytest.fixture(scope="module")
def made() -> tuple[Vault, Keys, str]:
    return new_vault(PIN)


@pytest.fixture
def folder(tmp_path: Path, made: tuple[Vault, Keys, str]) -> Path:
    """A folder with a vault in it."""
    write_vault(tmp_path, made[0])
    return tmp_path


def test_the_pin_and_the_code_open_it_and_nothing_else_does(made: tuple[Vault, Keys, str]) -> None:
    locked, keys, code = made
    assert locked.open_with_pin(PIN) == keys
    assert locked.open_with_code(code) == keys
    assert locked.open_with_code(code.lower().replace("-", " ")) == keys
    assert locked.open_with_pin("719306") is None
    assert locked.open_with_pin("") is None
    assert locked.open_with_pin(code) is None
    assert locked.open_with_code(PIN) is None


def test_a_pin_costs_64_mib_of_memory(made: tuple[Vault, Keys, str]) -> None:
    slot = next(slot for slot in made[0].slots if slot.kind == "pin")
    assert 128 * slot.n * slot.r == 64 * 2**20


def test_another_pin_opens_the_same_keys_and_the_code_stays(made: tuple[Vault, Keys, str]) -> None:
    locked, keys, code = made
    changed = locked.with_pin(keys, "80246135")
    assert changed.open_with_pin("80246135") == keys
    assert changed.open_with_pin(PIN) is None
    assert changed.open_with_code(code) == keys


def test_another_code_takes_the_place_of_the_one_before(made: tuple[Vault, Keys, str]) -> None:
    locked, keys, code = made
    changed, new = locked.with_new_code(keys)
    assert changed.open_with_code(new) == keys
    assert changed.open_with_code(code) is None
    assert changed.open_with_pin(PIN) == keys


def test_the_file_tells_neither_keys_nor_secrets(folder: Path, made: tuple[Vault, Keys, str]) -> None:
    _, keys, code = made
    text = (folder / VAULT).read_text("ascii")
    for secret in (PIN, code, code.replace("-", ""), keys.data_key.hex(), keys.database.hex()):
        assert secret not in text
    assert keys.data_key.hex() not in repr(keys)


def test_two_vaults_have_nothing_in_common() -> None:
    (first, one, _), (second, other, _) = new_vault(PIN), new_vault(PIN)
    assert one.data_key != other.data_key
    assert one.key_id != other.key_id
    assert {slot.salt for slot in first.slots}.isdisjoint(slot.salt for slot in second.slots)


def test_the_keys_of_one_history_are_all_different() -> None:
    keys = Keys(bytes(32))
    assert len({keys.database, keys._images, keys._names, bytes.fromhex(keys.key_id), keys.data_key}) == 5


def seal(keys: Keys, name: str, data: bytes) -> bytes:
    file = BytesIO()
    keys.write_sealed(file, name, data)
    return file.getvalue()


def test_what_is_sealed_opens_under_its_name_only() -> None:
    keys, film = Keys(bytes(32)), b"a film" * 100
    sealed = seal(keys, "ab01", film)
    assert sealed.startswith(MARK)
    assert len(sealed) == len(film) + SEALED_EXTRA_BYTES
    assert film[:12] not in sealed
    assert seal(keys, "ab01", film) != sealed
    assert keys.open_sealed("ab01", sealed) == film
    with pytest.raises(SealError, match="was altered since it was saved"):
        keys.open_sealed("ab02", sealed)
    with pytest.raises(SealError, match="was altered since it was saved"):
        Keys(bytes(31) + b"1").open_sealed("ab01", sealed)


def test_every_flipped_byte_of_a_sealed_file_is_found() -> None:
    keys = Keys(bytes(32))
    sealed = seal(keys, "ab01", b"a film")
    for place in range(len(sealed)):
        altered = bytearray(sealed)
        altered[place] ^= 1
        with pytest.raises(SealError):
            keys.open_sealed("ab01", bytes(altered))
    for length in range(len(sealed)):
        with pytest.raises(SealError):
            keys.open_sealed("ab01", sealed[:length])


def test_a_hidden_name_is_not_the_films_hash_and_is_the_same_each_time() -> None:
    keys, sha256 = Keys(bytes(32)), "ab" * 32
    assert keys.hidden_name(sha256) == keys.hidden_name(sha256)
    assert keys.hidden_name(sha256) != sha256
    assert keys.hidden_name(sha256) != Keys(bytes(31) + b"1").hidden_name(sha256)


def test_a_slot_with_another_salt_nonce_cost_or_wrapped_key_opens_nothing(made: tuple[Vault, Keys, str]) -> None:
    locked, _, code = made
    slot = next(slot for slot in locked.slots if slot.kind == "recovery")
    for name in ("salt", "nonce", "wrapped"):
        value = getattr(slot, name)
        changed = replace(slot, **{name: ("0" if value[0] != "0" else "1") + value[1:]})
        other = replace(locked, slots=(next(s for s in locked.slots if s.kind == "pin"), changed))
        assert other.open_with_code(code) is None
    dearer = replace(slot, n=2 * slot.n)
    assert replace(locked, slots=(locked.slots[0], dearer)).open_with_code(code) is None


def test_the_slots_cannot_be_exchanged(made: tuple[Vault, Keys, str]) -> None:
    locked, _, code = made
    pin, recovery = locked.slots
    swapped = replace(locked, slots=(replace(recovery, kind="pin"), replace(pin, kind="recovery")))
    assert swapped.open_with_pin(code.replace("-", "")) is None


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"schema": 2}, "schema"),
        ({"key_id": 7}, "key_id"),
        ({"slots": []}, "slots"),
        ({"more": 1}, "more"),
    ],
)
def test_a_vault_is_read_strictly(tmp_path: Path, made: tuple[Vault, Keys, str], change: object, told: str) -> None:
    assert isinstance(change, dict)
    (tmp_path / VAULT).write_text(json.dumps(to_dict(made[0]) | change))
    with pytest.raises(VaultError, match=told) as caught:
        read_vault(tmp_path)
    assert "vault.json" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("field", ["n", "salt"])
def test_a_slot_out_of_range_is_refused(tmp_path: Path, made: tuple[Vault, Keys, str], field: str) -> None:
    document = to_dict(made[0])
    document["slots"][0][field] = {"n": 2**19, "salt": "zz" * 16}[field]
    (tmp_path / VAULT).write_text(json.dumps(document))
    with pytest.raises(VaultError, match=field):
        read_vault(tmp_path)


def test_the_dearest_slot_that_is_read_can_be_tried(
    made: tuple[Vault, Keys, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenSSL takes its bound for the memory as a C int."""
    asked = list[int]()

    def scrypt(secret: bytes, *, maxmem: int, **cost: object) -> bytes:
        asked.append(maxmem)
        return bytes(vault.KEY_BYTES)

    monkeypatch.setattr(hashlib, "scrypt", scrypt)
    dearest = tuple(replace(slot, n=vault.MOST_COST) for slot in made[0].slots)
    assert replace(made[0], slots=dearest).open_with_pin(PIN) is None
    assert 128 * vault.MOST_COST * vault.BLOCKS < asked[0] < 2**31


@pytest.mark.parametrize("raised", [MemoryError(), ValueError("[digital envelope routines] malloc failure")])
def test_too_little_memory_is_no_wrong_pin(
    made: tuple[Vault, Keys, str], monkeypatch: pytest.MonkeyPatch, raised: Exception
) -> None:
    def scrypt(*_: object, **__: object) -> bytes:
        raise raised

    monkeypatch.setattr(hashlib, "scrypt", scrypt)
    with pytest.raises(VaultError, match="memory"):
        made[0].open_with_pin(PIN)


def test_no_altered_character_passes_for_a_wrong_pin(folder: Path, made: tuple[Vault, Keys, str]) -> None:
    """A vault that is altered anywhere that matters is not read: its copy is."""
    whole = (folder / VAULT).read_bytes()
    assert vault_from(whole) == made[0]
    for place in range(len(whole)):
        for bit in (1, 4):  # another digit, or no digit any more
            altered = bytearray(whole)
            altered[place] ^= bit
            try:
                assert vault_from(bytes(altered)) == made[0]  # between the tokens
            except (ValueError, RecursionError):
                continue
    wrapped = made[0].slots[0].wrapped.encode()
    (folder / VAULT).write_bytes(whole.replace(wrapped, (b"0" if wrapped[:1] != b"0" else b"1") + wrapped[1:]))
    assert read_vault(folder).open_with_pin(PIN) == made[1]


def test_mending_does_not_undo_what_another_window_changes_meanwhile(
    folder: Path, made: tuple[Vault, Keys, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = made[0].with_pin(made[1], "80246135")

    def change() -> None:
        with exchanging(folder):
            write_vault(folder, changed)

    other, real = threading.Thread(target=change), vault.read_vault

    def slow(folder: Path) -> Vault:
        found = real(folder)
        other.start()
        other.join(0.3)
        return found

    monkeypatch.setattr(vault, "read_vault", slow)
    mend_copy(folder)
    other.join()
    assert real(folder) == changed


def test_the_copy_stands_in_for_a_vault_that_is_damaged_or_gone(folder: Path, made: tuple[Vault, Keys, str]) -> None:
    for damage in (b"", b"\0" * 600, b"{}", b"[" * 100_000):
        (folder / VAULT).write_bytes(damage)
        assert read_vault(folder) == made[0]
        mend_copy(folder)
        assert (folder / VAULT).read_bytes() == (folder / COPY).read_bytes()
    (folder / VAULT).unlink()
    assert is_encrypted(folder)
    assert read_vault(folder) == made[0]
    (folder / COPY).write_bytes(b"")
    with pytest.raises(VaultError, match="cannot be read"):
        read_vault(folder)


def test_after_a_power_cut_between_the_two_the_copy_follows(folder: Path, made: tuple[Vault, Keys, str]) -> None:
    locked, keys, _ = made
    before = (folder / COPY).read_bytes()
    changed = locked.with_pin(keys, "80246135")
    write_vault(folder, changed)
    (folder / COPY).write_bytes(before)
    assert read_vault(folder) == changed
    mend_copy(folder)
    assert (folder / COPY).read_bytes() == (folder / VAULT).read_bytes()


def test_a_plain_folder_is_not_encrypted(tmp_path: Path) -> None:
    assert not is_encrypted(tmp_path)
    assert not is_encrypted(tmp_path / "not there")


def test_without_the_packages_it_is_one_line_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    require_library()
    monkeypatch.setattr(encrypted, "NEEDED", ("cryptography", "no_such_package"))
    assert not can_encrypt()
    with pytest.raises(VaultError, match=r"pip install 'osteo-edge\[app\]'"):
        require_library()


def test_a_code_is_cheaper_to_try_than_a_pin_but_never_below_the_floor() -> None:
    assert vault.PIN_COST > vault.CODE_COST == 2**14
