"""A certificate for this machine, by an authority of its own: for phones that have no other way to https."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from osteo_edge.durable import make_folder
from osteo_edge.errors import MissingExtraError, OsteoEdgeError
from osteo_edge.locking import in_turn

FOLDER: Final = "web-certificate"
LOCK: Final = ".lock"


@dataclass(frozen=True)
class Certificate:
    """Files in PEM: the machine's certificate and its key. `authority` is what phones are to trust, in DER.

    `fingerprint` is the SHA-256 of the authority as phones show it.
    """

    certificate: Path
    key: Path
    authority: bytes
    fingerprint: str


def own_certificate(data: Path, names: Sequence[str], addresses: Sequence[str]) -> Certificate:
    """The certificate of this machine for these names and addresses, from below the data folder; made where need be.

    It is made anew when it ends soon or is for others. The authority stays, so that phones trust the new one too, until
    it ends itself or may not vouch for a name. `OsteoEdgeError` if they cannot be written, or a name is not in ASCII.
    """
    for name in names:
        if not name.isascii():
            raise OsteoEdgeError(f"{name}: no certificate can name it so; give its address, or its name in ASCII")
    try:
        from osteo_edge.edge_app.web import issuing
    except ImportError as error:
        raise MissingExtraError("serving with --tls", "cryptography", "web") from error
    folder = data / FOLDER
    try:
        make_folder(folder, 0o700)
        folder.chmod(0o700)
    except OSError as error:
        raise OsteoEdgeError(f"{folder}: cannot be written ({error.strerror}); choose another --data") from error
    with in_turn(folder, LOCK):
        authority = issuing.authority_in(folder, names, addresses)
        certificate, key = issuing.server_in(folder, authority, names, addresses)
    return Certificate(certificate, key, authority.der, authority.fingerprint)


def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """How a server with this certificate speaks: TLS 1.2 and newer.

    `OsteoEdgeError` if the files cannot be read, or do not go together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key, password=lambda: b"")
    except ssl.SSLError as error:
        raise OsteoEdgeError(
            f"{certificate}: no certificate in PEM, or {key} is not its key, or is encrypted; give both as they were "
            "issued, the key without a password"
        ) from error
    except OSError as error:
        raise OsteoEdgeError(f"{certificate}, {key}: cannot be read ({error.strerror or error})") from error
    return context
