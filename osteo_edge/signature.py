"""A bundle's signature, in the format of OpenSSF's model signing, so that its own tool can make and check it too.

`model.sig` lies in the bundle: a sigstore bundle whose DSSE envelope holds an in-toto statement with the SHA-256 of
every other file, signed by ECDSA over P-256 with SHA-256, which Android's own provider verifies as well. Only
signatures by a key of one's own are known here, none by a certificate or a transparency log: a device has no network.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from osteo_edge.bundle import SIGNATURE_NAME, Bundle, parse_manifest
from osteo_edge.ecdsa import is_signed
from osteo_edge.errors import BundleError, OsteoEdgeError
from osteo_edge.hashing import sha256_bytes
from osteo_edge.manifest import FILE_NAME

MAX_BYTES: Final = 1 << 20
MAX_KEY_BYTES: Final = 1 << 12
STATEMENT: Final = "https://in-toto.io/Statement/v1"
PREDICATE: Final = "https://model_signing/signature/v1.0"
PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
P256_PREFIX: Final = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
"""How the SubjectPublicKeyInfo of every uncompressed P-256 key begins in DER (RFC 5480)."""
P256_BYTES: Final = len(P256_PREFIX) + 64
PEM_BEGIN, PEM_END = "-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"


@dataclass(frozen=True)
class PublicKey:
    """A key to verify with: its SubjectPublicKeyInfo in DER, and what its holder is called."""

    name: str
    der: bytes

    @property
    def hint(self) -> str:
        """How a signature names its key: the SHA-256 of the key's PEM file as it is usually written."""
        text = base64.b64encode(self.der).decode()
        lines = [text[start : start + 64] for start in range(0, len(text), 64)]
        return sha256_bytes("\n".join((PEM_BEGIN, *lines, PEM_END, "")).encode())


def read_public_key(path: Path) -> PublicKey:
    """Read a PEM file with a public P-256 key, called by the file's name; `OsteoEdgeError` for anything else."""
    try:
        if path.exists() and not path.is_file():
            raise _no_key(path)  # a pipe would be waited for
        with path.open(encoding="ascii") as file:
            text = file.read(MAX_KEY_BYTES)
    except OSError as error:
        raise OsteoEdgeError(f"{path}: cannot be read ({error.strerror or error}); name a public key file") from error
    except UnicodeDecodeError as error:
        raise _no_key(path) from error
    inside = text.strip().removeprefix(PEM_BEGIN).removesuffix(PEM_END)
    try:
        der = base64.b64decode("".join(inside.split()), validate=True)
    except binascii.Error as error:
        raise _no_key(path) from error
    if not der.startswith(P256_PREFIX) or len(der) != P256_BYTES:
        raise _no_key(path)
    return PublicKey(path.stem, der)


def verify(bundle: Bundle, keys: tuple[PublicKey, ...]) -> PublicKey:
    """Which of the keys has signed the bundle, as it was read; `BundleError` if none has."""
    path = bundle.path / SIGNATURE_NAME
    if not path.is_file():
        raise BundleError(f"{bundle.path}: is not signed; take one that is, or sign it with `osteo-edge sign`")
    hint, payload, signature = _envelope(path)
    key = next((key for key in keys if key.hint == hint), None)
    if key is None:
        names = ", ".join(key.name for key in keys) or "none"
        raise BundleError(f"{path}: signed with a key that is not trusted here (trusted: {names}); take another bundle")
    if not is_signed(key.der, signature, _pre_authentication(payload)):
        raise BundleError(f"{path}: the signature is not that of {key.name}'s key; copy the bundle again")
    _check_statement(bundle, path, payload)
    return key


def _no_key(path: Path) -> OsteoEdgeError:
    return OsteoEdgeError(f"{path}: no public P-256 key in PEM; name the .pub file that `osteo-edge signing-key` wrote")


def _envelope(path: Path) -> tuple[str, bytes, bytes]:
    """The key's hint, what was signed, and the signature."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BundleError(f"{path}: larger than {MAX_BYTES:,} bytes; copy the bundle again")
        data = json.loads(path.read_bytes())
        hint = data["verificationMaterial"]["publicKey"]["hint"]
        envelope = data["dsseEnvelope"]
        (signed,) = envelope["signatures"]
        texts = (hint, envelope["payloadType"], envelope["payload"], signed["sig"])
        if not all(isinstance(text, str) for text in texts) or envelope["payloadType"] != PAYLOAD_TYPE:
            raise ValueError("not an in-toto statement")
        payload, signature = (base64.b64decode(text, validate=True) for text in texts[2:])
    except OSError as error:
        raise BundleError(f"{path}: cannot be read ({error.strerror or error}); copy the bundle again") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _unreadable(path) from error
    return hint, payload, signature


def _pre_authentication(payload: bytes) -> bytes:
    """What DSSE signs: the type and the payload, each with its length (secure-systems-lab/dsse, protocol.md)."""
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)


def _check_statement(bundle: Bundle, path: Path, payload: bytes) -> None:
    """Raise `BundleError` unless the signed statement lists exactly the bundle's files, with their hashes."""
    try:
        statement = json.loads(payload)
        if (statement["_type"], statement["predicateType"]) != (STATEMENT, PREDICATE):
            raise ValueError("another kind of statement")
        listed = statement["predicate"]["resources"]
        signed = dict(map(_name_and_digest, listed))
        if len(signed) != len(listed):
            raise ValueError("a file stands there twice")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _unreadable(path) from error
    manifest = bundle.manifest
    there = {manifest.model.file: manifest.model.sha256, **manifest.files, FILE_NAME: _manifest_digest(bundle)}
    for name in sorted({*signed, *there}):
        if signed.get(name) != there.get(name):
            raise BundleError(f"{bundle.path / name}: not as it was signed; copy the bundle again")


def _name_and_digest(entry: Any) -> tuple[str, str]:
    if entry["algorithm"] != "sha256":
        raise ValueError("another hash")
    return str(entry["name"]), str(entry["digest"])


def _manifest_digest(bundle: Bundle) -> str:
    """The SHA-256 of the manifest's file, which must still be the one that was read: a signature is of bytes."""
    path = bundle.path / FILE_NAME
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path}: cannot be read ({error.strerror or error}); copy the bundle again") from error
    if parse_manifest(path, content) != bundle.manifest:
        raise BundleError(f"{path}: altered since the bundle was written (its SHA-256 differs); copy the bundle again")
    return sha256_bytes(content)


def _unreadable(path: Path) -> BundleError:
    return BundleError(f"{path}: no signature that can be read; sign the bundle again, or copy it again")
