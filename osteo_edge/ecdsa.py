"""Verify ECDSA signatures over P-256 with SHA-256 (FIPS 186-5): by `cryptography`, or on Android by Java's provider."""

import importlib
import threading
from collections.abc import Callable
from typing import Any

from osteo_edge.errors import MissingExtraError

Check = Callable[[bytes, bytes, bytes], bool]

_java_turn = threading.Lock()


def is_signed(key_der: bytes, signature_der: bytes, message: bytes) -> bool:
    """Whether the message was signed with the private half of a P-256 key, both key and signature in DER.

    `MissingExtraError` where nothing is installed that can tell.
    """
    return _check()(key_der, signature_der, message)


def by_cryptography(key_der: bytes, signature_der: bytes, message: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        key = load_der_public_key(key_der)
        if not isinstance(key, EllipticCurvePublicKey):
            return False
        key.verify(signature_der, message, ECDSA(SHA256()))
    except (InvalidSignature, ValueError):  # ValueError: a point that lies not on the curve
        return False
    return True


def by_java(key_der: bytes, signature_der: bytes, message: bytes) -> bool:
    jnius: Any = importlib.import_module("jnius")
    with _java_turn:  # two threads must not call one method at a time: pyjnius keeps what it is called on in one place
        encoded = jnius.autoclass("java.security.spec.X509EncodedKeySpec")(key_der)
        verifier = jnius.autoclass("java.security.Signature").getInstance("SHA256withECDSA")
        try:
            verifier.initVerify(jnius.autoclass("java.security.KeyFactory").getInstance("EC").generatePublic(encoded))
            verifier.update(message)
            return bool(verifier.verify(signature_der))
        except jnius.JavaException:  # what is no signature, or no key, is an exception there
            return False


def _check() -> Check:
    for module, check in (("cryptography", by_cryptography), ("jnius", by_java)):
        try:
            importlib.import_module(module)
        except ImportError:
            continue
        return check
    raise MissingExtraError("verifying signatures", "cryptography", "signed")
