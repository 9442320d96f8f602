"""`osteo-edge signing-key`, `sign` and `verify`: whose model this is, and that nobody has changed it since."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import click

from osteo_edge.bundle import SIGNATURE_NAME, Bundle, read_bundle
from osteo_edge.console import show_json
from osteo_edge.durable import write_durably
from osteo_edge.errors import BundleError, MissingExtraError, OsteoEdgeError
from osteo_edge.signature import PublicKey, read_public_key
from osteo_edge.signature import verify as verify_signature
from osteo_edge.trust import trusted_folder, trusted_keys

PASSPHRASE: Final = "OSTEO_EDGE_PASSPHRASE"
MIN_PASSPHRASE: Final = 12
MAX_PASSPHRASE_BYTES: Final = 1023
"""More, OpenSSL does not take."""
PUBLIC: Final = ".pub"


@click.command("signing-key", short_help="Make a key to sign models with.")
@click.argument("key", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--no-passphrase", is_flag=True, help="Keep the key in clear: whoever copies the file can sign.")
def signing_key(key: Path, no_passphrase: bool) -> None:
    """Make a new P-256 key in the file KEY, and its public half beside it, with the ending .pub.

    KEY stays where models are made, and is kept in clear by nobody: a passphrase is asked for, or taken from the
    environment, OSTEO_EDGE_PASSPHRASE. The public half goes to the devices, into /etc/osteo-edge/trusted-keys: from
    then on they use models alone that are signed with a key whose public half lies there.

    \b
    Example:
      osteo-edge signing-key clinic.key
      osteo-edge sign knee-int8 --key clinic.key
      osteo-edge verify knee-int8 --key clinic.pub
    """
    if not key.name:
        raise click.BadParameter("name the file of the new key, such as clinic.key")
    if key.suffix == PUBLIC:
        raise click.BadParameter(f"{key}: ends like the public half; call it {key.with_suffix('.key').name}")
    public = key.with_suffix(PUBLIC)
    for path in (key, public):
        if path.exists() or path.is_symlink():
            raise OsteoEdgeError(f"{path}: exists already; choose another name, a lost key cannot be made again")
    passphrase = None if no_passphrase else _new_passphrase()
    private_pem, public_pem = _key_pair(passphrase)
    with _written_secret(key, private_pem):
        write_durably(public, public_pem, "the public key")
    made = read_public_key(public)
    click.echo(f"written: {key} (keep it secret), {public} (for the devices)")
    click.echo(f"fingerprint: {made.hint}")


@click.command(short_help="Sign a bundle, so that devices can tell whose it is.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--key", required=True, type=click.Path(path_type=Path), help="The key of `osteo-edge signing-key`.")
def sign(bundle: Path, key: Path) -> None:
    """Sign every file of a bundle; the signature is written into it as model.sig, in place of an older one.

    The format is that of OpenSSF's model signing: its own tool verifies it too, and what it signs is accepted here.

    \b
    Example:
      osteo-edge sign knee-int8 --key clinic.key
    """
    loaded = read_bundle(bundle)
    data = _signed(loaded, key)
    write_durably(loaded.path / SIGNATURE_NAME, data, "the signature")
    click.echo(f"{loaded.path}: signed with {key}, every file in it")


@click.command(short_help="Tell whether a bundle is signed with a key that you trust.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--key", "keys", multiple=True, type=click.Path(path_type=Path), help="A trusted .pub file; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="The answer as JSON.")
def verify(bundle: Path, keys: tuple[Path, ...], as_json: bool) -> None:
    """Verify every file of a bundle, and that one of the keys has signed them all; exits with 1 if not.

    Without --key the keys that this device trusts are taken, in /etc/osteo-edge/trusted-keys.

    \b
    Example:
      osteo-edge verify knee-int8 --key clinic.pub
    """
    trusted = _keys(keys)
    loaded = read_bundle(bundle)
    signer = verify_signature(loaded, trusted)
    if as_json:
        manifest = loaded.manifest
        found = {"signed_by": signer.name, "fingerprint": signer.hint, "model_sha256": manifest.model.sha256}
        show_json({"bundle": str(loaded.path), "name": manifest.name, "version": manifest.version, **found})
        return
    click.echo(f"{loaded.path}: signed by {signer.name} ({signer.hint[:16]}), every file as it was signed")


def _keys(paths: tuple[Path, ...]) -> tuple[PublicKey, ...]:
    if paths:
        return tuple(read_public_key(path) for path in paths)
    folder = trusted_folder()
    if folder is None:
        raise click.UsageError("this device trusts no keys; name one with --key FILE.pub")
    return trusted_keys(folder)


def _new_passphrase() -> bytes:
    given = os.environ.get(PASSPHRASE)
    if given is None:
        given = click.prompt("Passphrase for the new key", hide_input=True, confirmation_prompt=True, err=True)
    if len(given) < MIN_PASSPHRASE:
        raise OsteoEdgeError(f"the passphrase has fewer than {MIN_PASSPHRASE} letters; take a longer one")
    try:
        encoded = str(given).encode()
    except UnicodeEncodeError as error:
        raise OsteoEdgeError("the passphrase is no text in UTF-8; take another one") from error
    if len(encoded) > MAX_PASSPHRASE_BYTES:
        raise OsteoEdgeError(f"the passphrase is longer than {MAX_PASSPHRASE_BYTES} bytes; take a shorter one")
    return encoded


def _key_pair(passphrase: bytes | None) -> tuple[bytes, bytes]:
    """A new key: its private half, encrypted if there is a passphrase, and its public half, both in PEM."""
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    except ImportError as error:
        raise MissingExtraError("making a key", "cryptography", "signing") from error
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase is not None:
        encryption = serialization.BestAvailableEncryption(passphrase)
    key = generate_private_key(SECP256R1())
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, encryption)
    return private, key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)


@contextmanager
def _written_secret(path: Path, data: bytes) -> Iterator[None]:
    """Write a file that is its owner's alone from the first moment; it is removed again where the block fails."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise _unwritten(path, error) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield
    except BaseException as error:
        with suppress(OSError):
            path.unlink()
        if isinstance(error, OSError):
            raise _unwritten(path, error) from error
        raise


def _unwritten(path: Path, error: OSError) -> OsteoEdgeError:
    return OsteoEdgeError(f"{path}: the key cannot be written ({error.strerror or error})")


def _signed(bundle: Bundle, key: Path) -> bytes:
    """The signature over the bundle's files, by OpenSSF's library."""
    try:
        from model_signing.hashing import Config as Hashing
        from model_signing.signing import Config as Signing
    except ImportError as error:
        raise MissingExtraError("signing", "model-signing", "signing") from error
    hashing = Hashing().set_ignored_paths(paths=[SIGNATURE_NAME], ignore_git_paths=False)
    with _key_errors(key):
        passphrase = _passphrase(key)
        _require_p256(key, passphrase)
        config = Signing().use_elliptic_key_signer(private_key=key, password=passphrase).set_hashing_config(hashing)
    try:
        with tempfile.TemporaryDirectory() as folder:
            signature = Path(folder) / SIGNATURE_NAME
            config.sign(bundle.path, signature)
            return signature.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a link among the files, or a name that is no text
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise BundleError(f"{bundle.path}: cannot be signed ({reason})") from error


def _passphrase(key: Path) -> bytes | None:
    """The passphrase of an encrypted key, as bytes: the library hands it on to `cryptography`, which wants them."""
    if b"ENCRYPTED" not in key.read_bytes():
        return None
    given = os.environ.get(PASSPHRASE)
    if given is None:
        given = click.prompt(f"Passphrase of {key}", hide_input=True, err=True)
    return str(given).encode()


def _require_p256(key: Path, passphrase: bytes | None) -> None:
    """Raise `ValueError` for a key of another kind: the library signs with larger curves too, which no device knows."""
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    loaded = load_pem_private_key(key.read_bytes(), passphrase)
    if not isinstance(loaded, EllipticCurvePrivateKey) or not isinstance(loaded.curve, SECP256R1):
        raise ValueError("another kind of key")


@contextmanager
def _key_errors(key: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OsteoEdgeError(f"{key}: cannot be read ({error.strerror or error}); name a key file") from error
    except (ValueError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise OsteoEdgeError(f"{key}: no private P-256 key, or another passphrase ({reason})") from error
