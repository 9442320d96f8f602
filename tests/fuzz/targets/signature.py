"""A bundle's signature, as if a key that is trusted had made it: what lies behind that check is reached, too."""

import base64
import json
from collections.abc import Iterator
from unittest.mock import patch

from osteo_edge import signature
from osteo_edge.bundle import SIGNATURE_NAME
from osteo_edge.hashing import sha256_file
from osteo_edge.manifest import FILE_NAME
from osteo_edge.signature import P256_BYTES, P256_PREFIX, PAYLOAD_TYPE, PREDICATE, STATEMENT, PublicKey
from tests.fuzz.golden import golden_bundle

KEY = PublicKey("fuzzed", P256_PREFIX.ljust(P256_BYTES, b"\1"))


def read(data: bytes) -> PublicKey:
    bundle = golden_bundle()
    (bundle.path / SIGNATURE_NAME).write_bytes(data)
    with patch.object(signature, "is_signed", lambda *_: True):
        return signature.verify(bundle, (KEY,))


def seeds() -> Iterator[bytes]:
    bundle = golden_bundle()
    manifest = bundle.manifest
    digests = {manifest.model.file: manifest.model.sha256, **manifest.files}
    digests[FILE_NAME] = sha256_file(bundle.path / FILE_NAME)
    resources = [{"name": name, "digest": digest, "algorithm": "sha256"} for name, digest in digests.items()]
    statement = {"_type": STATEMENT, "predicateType": PREDICATE, "predicate": {"resources": resources}}
    payload = base64.b64encode(json.dumps(statement).encode()).decode()
    envelope = {"payloadType": PAYLOAD_TYPE, "payload": payload, "signatures": [{"sig": "AAAA"}]}
    yield json.dumps({"verificationMaterial": {"publicKey": {"hint": KEY.hint}}, "dsseEnvelope": envelope}).encode()
