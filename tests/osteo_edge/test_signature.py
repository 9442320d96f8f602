import base64
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from osteo_edge.bundle import SIGNATURE_NAME, Bundle, read_bundle
from osteo_edge.errors import BundleError, OsteoEdgeError
from osteo_edge.hashing import sha256_file
from osteo_edge.manifest import CARD_NAME, FILE_NAME
from osteo_edge.signature import MAX_BYTES, PAYLOAD_TYPE, PublicKey, read_public_key, verify
from tests.java_doubles import run_in_jvm
from tests.signing import Signer

PEM, SPKI = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo


@pytest.fixture
def signed(bundle: Bundle, signer: Signer) -> Bundle:
    signer.sign(bundle)
    return bundle


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def is_refused(path: Path, key: PublicKey) -> bool:
    try:
        verify(read_bundle(path), (key,))
    except BundleError:
        return True
    return False


def test_a_signed_bundle_is_that_of_its_signer(signed: Bundle, signer: Signer, other_signer: Signer) -> None:
    loaded = read_bundle(signed.path)
    assert verify(loaded, (other_signer.public_key, signer.public_key)) == signer.public_key


def test_openssf_s_own_tool_takes_our_signature_and_we_take_its(signed: Bundle, signer: Signer, tmp_path: Path) -> None:
    tool = [sys.executable, "-m", "model_signing"]
    words = [*tool, "verify", "key", str(signed.path), "--signature", str(signed.path / SIGNATURE_NAME)]
    subprocess.run([*words, "--public_key", str(signer.public)], check=True, capture_output=True)
    (signed.path / SIGNATURE_NAME).unlink()
    words = [*tool, "sign", "key", str(signed.path), "--signature", str(tmp_path / "made.sig")]
    subprocess.run([*words, "--private_key", str(signer.private)], check=True, capture_output=True)
    shutil.move(tmp_path / "made.sig", signed.path / SIGNATURE_NAME)
    assert verify(read_bundle(signed.path), (signer.public_key,)) == signer.public_key


def test_a_manifest_that_is_exchanged_for_the_signed_one_after_it_was_read_is_found(
    signed: Bundle, signer: Signer
) -> None:
    path = signed.path / FILE_NAME
    genuine = path.read_bytes()
    threshold = signed.manifest.decision.abstain_high
    altered = json.loads(genuine)
    altered["decision"]["threshold"] = altered["decision"]["abstain_high"] = (1.0 + threshold) / 2
    path.write_text(json.dumps(altered))
    loaded = read_bundle(signed.path)
    path.write_bytes(genuine)
    with pytest.raises(BundleError, match="altered since the bundle was written"):
        verify(loaded, (signer.public_key,))


def test_a_bundle_without_a_signature_is_refused(bundle: Bundle, signer: Signer) -> None:
    with pytest.raises(BundleError, match="is not signed"):
        verify(bundle, (signer.public_key,))


def test_a_stranger_s_signature_is_refused_and_says_who_is_trusted(signed: Bundle, other_signer: Signer) -> None:
    with pytest.raises(BundleError, match=r"not trusted here \(trusted: other\)"):
        verify(signed, (other_signer.public_key,))
    with pytest.raises(BundleError, match=r"not trusted here \(trusted: none\)"):
        verify(signed, ())


def test_a_stranger_who_names_a_trusted_key_is_found_out(signed: Bundle, signer: Signer, other_signer: Signer) -> None:
    other_signer.sign(signed)
    path = signed.path / SIGNATURE_NAME
    data = json.loads(path.read_bytes())
    data["verificationMaterial"]["publicKey"]["hint"] = signer.public_key.hint
    path.write_text(json.dumps(data))
    with pytest.raises(BundleError, match="the signature is not that of signer's key"):
        verify(signed, (signer.public_key,))


def test_a_flipped_bit_in_any_byte_of_the_manifest_is_detected_and_in_the_other_files(
    signed: Bundle, signer: Signer
) -> None:
    chosen = random.Random(0)
    places = [(FILE_NAME, byte * 8 + chosen.randrange(8)) for byte in range((signed.path / FILE_NAME).stat().st_size)]
    assert undetected(signed, [*places, *sampled(signed, 500)], signer.public_key) == []


@pytest.mark.release
def test_every_flipped_bit_of_the_manifest_is_detected_and_10000_of_each_other_file(
    signed: Bundle, signer: Signer
) -> None:
    places = [(FILE_NAME, bit) for bit in range((signed.path / FILE_NAME).stat().st_size * 8)]
    assert undetected(signed, [*places, *sampled(signed, 10_000)], signer.public_key) == []


def sampled(bundle: Bundle, count: int) -> list[tuple[str, int]]:
    """Bits of the files beside the manifest: `count` of each, or all of a smaller one."""
    chosen, found = random.Random(0), []
    for name in (bundle.manifest.model.file, CARD_NAME):
        bits = range((bundle.path / name).stat().st_size * 8)
        found += [(name, bit) for bit in chosen.sample(bits, min(count, len(bits)))]
    return found


def undetected(bundle: Bundle, places: list[tuple[str, int]], key: PublicKey) -> list[tuple[str, int]]:
    """The bits that can be flipped, one by one, without the bundle being refused."""
    missed = []
    for name, bit in places:
        path = bundle.path / name
        data = path.read_bytes()
        path.write_bytes(flipped(data, bit))
        if not is_refused(bundle.path, key):
            missed.append((name, bit))
        path.write_bytes(data)
    assert not is_refused(bundle.path, key)
    return missed


def test_a_rewritten_manifest_with_all_its_hashes_right_is_detected(signed: Bundle, signer: Signer) -> None:
    path = signed.path / FILE_NAME
    manifest = json.loads(path.read_bytes())
    manifest["decision"]["threshold"] = manifest["decision"]["abstain_high"]
    path.write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match=r"manifest\.json: not as it was signed"):
        verify(read_bundle(signed.path), (signer.public_key,))


def test_no_flipped_bit_of_the_signature_lets_another_model_through(
    signed: Bundle, signer: Signer, golden_bundle: Callable[..., Bundle]
) -> None:
    """A bit may be flipped where it means nothing; what is signed by it must still be this bundle."""
    other = golden_bundle("other", precision="float32")
    data = (signed.path / SIGNATURE_NAME).read_bytes()
    for bit in random.Random(0).sample(range(len(data) * 8), 1000):
        (other.path / SIGNATURE_NAME).write_bytes(flipped(data, bit))
        assert is_refused(other.path, signer.public_key)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"verificationMaterial": {"publicKey": {"hint": 3}}, "dsseEnvelope": 1}',
        b"\xff\xfe",
        b"x" * (2 << 20),
    ],
    ids=["empty", "no fields", "list", "null", "deep", "types", "no text", "huge"],
)
def test_what_is_no_signature_is_refused_in_one_line(content: bytes, signed: Bundle, signer: Signer) -> None:
    (signed.path / SIGNATURE_NAME).write_bytes(content)
    with pytest.raises(BundleError) as caught:
        verify(signed, (signer.public_key,))
    assert "\n" not in str(caught.value)
    assert str(signed.path / SIGNATURE_NAME) in str(caught.value)


def test_a_genuine_signature_that_was_made_huge_is_not_read(signed: Bundle, signer: Signer) -> None:
    path = signed.path / SIGNATURE_NAME
    path.write_bytes(path.read_bytes().ljust(MAX_BYTES + 1))
    with pytest.raises(BundleError, match="larger than 1,048,576 bytes"):
        verify(signed, (signer.public_key,))
    path.write_bytes(path.read_bytes()[:MAX_BYTES])
    assert verify(signed, (signer.public_key,)) == signer.public_key


@pytest.fixture
def own_key() -> EllipticCurvePrivateKey:
    return generate_private_key(SECP256R1())


@pytest.fixture
def statement(signed: Bundle) -> dict[str, Any]:
    envelope = json.loads((signed.path / SIGNATURE_NAME).read_bytes())["dsseEnvelope"]
    found: dict[str, Any] = json.loads(base64.b64decode(envelope["payload"]))
    return found


def change_file(statement: dict[str, Any]) -> None:
    statement["predicate"]["resources"][0]["digest"] = "0" * 64


def leave_file_out(statement: dict[str, Any]) -> None:
    statement["predicate"]["resources"].pop()


def add_file(statement: dict[str, Any]) -> None:
    entry = {"name": "further.bin", "algorithm": "sha256", "digest": "0" * 64}
    statement["predicate"]["resources"].append(entry)


def name_file_twice(statement: dict[str, Any]) -> None:
    resources = statement["predicate"]["resources"]
    resources.append(dict(resources[0]))


def take_another_hash(statement: dict[str, Any]) -> None:
    statement["predicate"]["resources"][0]["algorithm"] = "blake2b"


def state_something_else(statement: dict[str, Any]) -> None:
    statement["predicateType"] = "https://slsa.dev/provenance/v1"


@pytest.mark.parametrize(
    "change", [change_file, leave_file_out, add_file, name_file_twice, take_another_hash, state_something_else]
)
def test_a_genuine_signature_under_another_statement_is_refused(
    change: Callable[[dict[str, Any]], None],
    signed: Bundle,
    statement: dict[str, Any],
    own_key: EllipticCurvePrivateKey,
    tmp_path: Path,
) -> None:
    public = tmp_path / "own.pub"
    public.write_bytes(own_key.public_key().public_bytes(PEM, SPKI))
    key = read_public_key(public)
    sign_statement(signed, statement, own_key, key)
    assert not is_refused(signed.path, key)
    change(statement)
    sign_statement(signed, statement, own_key, key)
    assert is_refused(signed.path, key)


def sign_statement(bundle: Bundle, statement: dict[str, Any], private: EllipticCurvePrivateKey, key: PublicKey) -> None:
    payload, kind = json.dumps(statement).encode(), PAYLOAD_TYPE.encode()
    message = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    signature = private.sign(message, ECDSA(SHA256()))
    envelope = {
        "payloadType": PAYLOAD_TYPE,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"sig": base64.b64encode(signature).decode()}],
    }
    data = {"verificationMaterial": {"publicKey": {"hint": key.hint}}, "dsseEnvelope": envelope}
    (bundle.path / SIGNATURE_NAME).write_text(json.dumps(data))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not PEM",
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        b"-----BEGIN PUBLIC KEY-----\n!!!!\n-----END PUBLIC KEY-----\n",
        "schlüssel".encode(),
    ],
)
def test_what_is_no_public_key_is_said_in_one_line(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bad.pub"
    path.write_bytes(content)
    with pytest.raises(OsteoEdgeError, match=r"bad\.pub: no public P-256 key in PEM; name the \.pub file"):
        read_public_key(path)


def test_a_key_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(OsteoEdgeError, match=r"gone\.pub: cannot be read \(No such file or directory\)"):
        read_public_key(tmp_path / "gone.pub")


def test_a_private_key_is_no_public_one(signer: Signer) -> None:
    with pytest.raises(OsteoEdgeError, match="no public P-256 key"):
        read_public_key(signer.private)


VERIFYING_BY_JAVA = """
import sys
from pathlib import Path
from osteo_edge.ecdsa import by_java
folder = Path(sys.argv[1])
key, signature, message = ((folder / name).read_bytes() for name in ("key", "signature", "message"))
print(by_java(key, signature, message), by_java(key, signature, message + b"."), by_java(key, b"no signature", message))
other = bytearray(key); other[-1] ^= 1
print(by_java(bytes(other), signature, message), by_java(b"no key", signature, message))
"""


def test_java_s_provider_verifies_as_android_s_does(java_classes: Path, tmp_path: Path) -> None:
    private = generate_private_key(SECP256R1())
    message = b"DSSEv1 \x00\xff" * 1000
    (tmp_path / "key").write_bytes(private.public_key().public_bytes(serialization.Encoding.DER, SPKI))
    (tmp_path / "signature").write_bytes(private.sign(message, ECDSA(SHA256())))
    (tmp_path / "message").write_bytes(message)
    script = tmp_path / "verify.py"
    script.write_text(VERIFYING_BY_JAVA)
    done = run_in_jvm(script, str(tmp_path), classes=java_classes)
    assert (done.stdout.split(), done.returncode) == (["True", "False", "False", "False", "False"], 0), done.stderr


def test_signing_leaves_the_bundle_as_it_was(signed: Bundle) -> None:
    assert sha256_file(signed.model_path) == signed.manifest.model.sha256
    assert sorted(path.name for path in signed.path.iterdir()) == [CARD_NAME, FILE_NAME, SIGNATURE_NAME, "model.tflite"]
