"""The keys of an encrypted history, and the file that keeps them locked up: `vault.json`.

One random data key is made when a history is encrypted. From it come, by HKDF (RFC 5869), the key of the database, the
key of the image files, and that of their names. The vault holds the data key twice, each time wrapped by AES-256-GCM
under a key that scrypt (RFC 7914) makes of something that only a person knows: the PIN, or the recovery code. So a PIN
is changed without encrypting anything anew, and whoever has lost both has lost the history.

The vault is written twice, for a history must not be lost with one bad block of a memory card, each time with its hash:
damage must not pass for a wrong PIN.
"""

import hashlib
import hmac
import json
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, Final, Literal

from osteo_edge.durable import write_durably
from osteo_edge.edge_app.history.encrypted import COPY, VAULT, can_encrypt
from osteo_edge.edge_app.history.errors import HistoryError
from osteo_edge.edge_app.history.exchange import exchanging
from osteo_edge.edge_app.history.recovery_code import new_code, plain
from osteo_edge.hashing import sha256_bytes
from osteo_edge.strict import from_dict, to_dict

MAX_FILE_BYTES: Final = 1 << 14
KEY_BYTES: Final = 32
SALT_BYTES: Final = 16
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
PIN_COST: Final = 2**16
"""With blocks of 8, scrypt takes 64 MiB for each PIN that is tried."""
CODE_COST: Final = 2**14
"""Of 130 random bits none can be guessed however quickly it goes."""
LEAST_COST: Final = 2**14
MOST_COST: Final = 2**18
"""256 MiB: what a backup of somebody else may ask of a Pi."""
BLOCKS: Final = 8
MARK: Final = b"OEs1"
"""How each sealed file begins."""
SEALED_EXTRA_BYTES: Final = len(MARK) + NONCE_BYTES + TAG_BYTES
INFO: Final = "osteo-edge history 1 {purpose}"
"""What HKDF is told that a key is for."""
ABOUT: Final = "osteo-edge vault 1 {kind}"
"""What AES-GCM is told of the slot whose data key it wraps."""

NOT_INSTALLED: Final = (
    "Encryption needs the packages cryptography and sqlcipher3, which are not installed: pip install 'osteo-edge[app]'"
)

NO_MEMORY: Final = "Too little memory is free to try the PIN: close other programs and try again"

Kind = Literal["pin", "recovery"]


class VaultError(HistoryError):
    """A vault that cannot be read, or none of whose slots is opened by what was typed."""


class SealError(HistoryError):
    """Sealed bytes that were altered, are of another name, or of another history."""


class LockedError(HistoryError):
    """An encrypted history whose PIN has not been entered."""


@dataclass(frozen=True, repr=False)
class Keys:
    """The keys of one history, all from its data key; they show themselves to nobody."""

    data_key: bytes

    @cached_property
    def database(self) -> bytes:
        """The raw key of the database, 32 bytes."""
        return self._derived("database")

    def write_sealed(self, file: BinaryIO, name: str, data: bytes) -> None:
        """Write `data` encrypted by AES-256-GCM, so that it opens under this name only: files cannot be swapped.

        In two parts: to join them copies a film once more, which takes longer than its encryption. Raises `OSError`.
        """
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(NONCE_BYTES)
        file.write(MARK + nonce)
        file.write(AESGCM(self._images).encrypt(nonce, data, name.encode()))

    def open_sealed(self, name: str, sealed: bytes) -> bytes:
        """What was sealed under this name; `SealError` for anything else."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        start = len(MARK) + NONCE_BYTES
        if not sealed.startswith(MARK) or len(sealed) < SEALED_EXTRA_BYTES:
            raise SealError(f"{name}: was not encrypted by this history; restore it from a backup")
        try:
            return AESGCM(self._images).decrypt(sealed[len(MARK) : start], memoryview(sealed)[start:], name.encode())
        except InvalidTag as error:
            raise SealError(f"{name}: was altered since it was saved; restore it from a backup") from error

    @cached_property
    def key_id(self) -> str:
        """What tells these keys from those of another history, and nothing else, in hex."""
        return self._derived("id").hex()

    def hidden_name(self, sha256: str) -> str:
        """64 hex digits that stand for a film in the image store; who has the film cannot tell that it is there."""
        return hmac.digest(self._names, sha256.encode(), "sha256").hex()

    @cached_property
    def _images(self) -> bytes:
        return self._derived("images")

    @cached_property
    def _names(self) -> bytes:
        return self._derived("names")

    def _derived(self, purpose: str) -> bytes:
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        info = INFO.format(purpose=purpose).encode()
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=info).derive(self.data_key)


@dataclass(frozen=True)
class Slot:
    """The data key as one secret opens it: scrypt's salt and its cost `n`, AES-GCM's nonce, and what it wrapped."""

    kind: Kind
    salt: str
    n: int
    r: Literal[8]
    p: Literal[1]
    nonce: str
    wrapped: str

    def __post_init__(self) -> None:
        lengths = {"salt": SALT_BYTES, "nonce": NONCE_BYTES, "wrapped": KEY_BYTES + TAG_BYTES}
        for name, length in lengths.items():
            value = getattr(self, name)
            if len(value) != 2 * length or not set(value) <= set("0123456789abcdef"):
                raise ValueError(f"{name} must be {2 * length} hex digits")
        if not LEAST_COST <= self.n <= MOST_COST or self.n & (self.n - 1):
            raise ValueError(f"n must be a power of two from {LEAST_COST} to {MOST_COST}")


@dataclass(frozen=True)
class Vault:
    """The locked-up data key of one history, `key_id`: a slot for the PIN and one for the recovery code."""

    key_id: str
    slots: tuple[Slot, ...]
    schema: Literal[1] = 1

    def __post_init__(self) -> None:
        if sorted(slot.kind for slot in self.slots) != ["pin", "recovery"]:
            raise ValueError("slots must be one for the PIN and one for the recovery code")

    def open_with_pin(self, pin: str) -> Keys | None:
        """The keys, if it is the PIN; `VaultError` where memory is short.

        Takes 64 MiB and some 200 ms, on a Pi a multiple of that.
        """
        return _unwrapped(self._slot("pin"), pin)

    def open_with_code(self, code: str) -> Keys | None:
        """The keys, if it is the recovery code, with or without its dashes."""
        return _unwrapped(self._slot("recovery"), plain(code))

    def with_pin(self, keys: Keys, pin: str) -> "Vault":
        """The same with another PIN; the recovery code stays."""
        return replace(self, slots=(_wrapped("pin", keys, pin), self._slot("recovery")))

    def with_new_code(self, keys: Keys) -> "tuple[Vault, str]":
        """The same with another recovery code, which is told here and nowhere else; the one before opens nothing."""
        code = new_code()
        return replace(self, slots=(self._slot("pin"), _wrapped("recovery", keys, plain(code)))), code

    def _slot(self, kind: Kind) -> Slot:
        return next(slot for slot in self.slots if slot.kind == kind)


def new_vault(pin: str) -> tuple[Vault, Keys, str]:
    """A vault with new keys for a history to be encrypted, these keys, and the recovery code."""
    keys, code = Keys(os.urandom(KEY_BYTES)), new_code()
    slots = (_wrapped("pin", keys, pin), _wrapped("recovery", keys, plain(code)))
    return Vault(keys.key_id, slots), keys, code


def require_library() -> None:
    """Raise `VaultError` where what encryption needs is not installed."""
    if not can_encrypt():
        raise VaultError(NOT_INSTALLED)


def read_vault(folder: Path) -> Vault:
    """The vault of the history in `folder`, or its copy if only that can be read; `VaultError` if neither can."""
    try:
        return _read(folder / VAULT)
    except (OSError, ValueError, RecursionError) as error:
        with suppress(OSError, ValueError, RecursionError):
            return _read(folder / COPY)
        raise VaultError(
            f"{folder / VAULT}: the keys of the encrypted history cannot be read ({error}); "
            f"put {VAULT} of a backup in its place, nothing else opens this history"
        ) from error


def write_vault(folder: Path, vault: Vault) -> None:
    """Write the vault, then its copy; both are on the disk when this returns. `OsteoEdgeError` if that cannot be."""
    for name in (VAULT, COPY):
        write_durably(folder / name, _as_file(vault), "the keys of the history")


def mend_copy(folder: Path) -> None:
    """Make both the same again, where a power cut came between or one was damaged; `OSError` where that cannot be."""
    with exchanging(folder):
        vault = read_vault(folder)
        for name in (VAULT, COPY):
            try:
                is_same = (folder / name).read_bytes() == _as_file(vault)
            except OSError:
                is_same = False
            if not is_same:
                write_vault(folder, vault)
                return


def vault_from(data: bytes) -> Vault:
    """The vault that a file holds; a `ValueError` says why there is none, or that the file is damaged."""
    document = json.loads(data)
    written = document.pop("sha256", None) if isinstance(document, dict) else None
    vault = from_dict(Vault, document)
    if written != _hash(vault):
        raise ValueError("sha256 is not that of the rest: the file is damaged")
    return vault


def _read(path: Path) -> Vault:
    with path.open("rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise ValueError("too large")
    return vault_from(data)


def _as_file(vault: Vault) -> bytes:
    return f"{json.dumps(to_dict(vault) | {'sha256': _hash(vault)}, indent=1)}\n".encode()


def _hash(vault: Vault) -> str:
    return sha256_bytes(json.dumps(to_dict(vault)).encode())


def _wrapped(kind: Kind, keys: Keys, secret: str) -> Slot:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    salt, nonce = os.urandom(SALT_BYTES), os.urandom(NONCE_BYTES)
    n = PIN_COST if kind == "pin" else CODE_COST
    wrapped = AESGCM(_stretched(secret, salt, n)).encrypt(nonce, keys.data_key, _about(kind))
    return Slot(kind, salt.hex(), n, BLOCKS, 1, nonce.hex(), wrapped.hex())


def _unwrapped(slot: Slot, secret: str) -> Keys | None:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    key = _stretched(secret, bytes.fromhex(slot.salt), slot.n)
    nonce, wrapped = bytes.fromhex(slot.nonce), bytes.fromhex(slot.wrapped)
    try:
        return Keys(AESGCM(key).decrypt(nonce, wrapped, _about(slot.kind)))
    except InvalidTag:
        return None


def _about(kind: Kind) -> bytes:
    return ABOUT.format(kind=kind).encode()


def _stretched(secret: str, salt: bytes, n: int) -> bytes:
    memory = 2 * 128 * n * BLOCKS
    data = secret.encode("utf-8", "surrogatepass")
    try:
        return hashlib.scrypt(data, salt=salt, n=n, r=BLOCKS, p=1, maxmem=memory, dklen=KEY_BYTES)
    except (MemoryError, ValueError) as error:  # OpenSSL tells want of memory as a ValueError
        raise VaultError(NO_MEMORY) from error
