"""Make the authority of a machine, and its certificate: X.509 as browsers ask for it (RFC 5280).

The authority's own certificate says for what it may vouch: private addresses, `.local` and the names of this machine.
Whoever steals its key cannot stand in for any other site before a phone that trusts it.
"""

import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from osteo_edge.durable import write_durably

Pair = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]
"""A certificate with its key."""
Subtree = x509.DNSName | x509.IPAddress
AUTHORITY_DAYS: Final = 3650
DAYS: Final = 397
"""Of the machine's own certificate: browsers take none that is valid for longer."""
RENEW_DAYS: Final = 60
SLOW_CLOCK: Final = timedelta(days=1)
"""By how much a phone's clock may be behind."""
MAX_NAME: Final = 64
LOCAL_NAMES: Final = ("local", "localhost")
LOCAL_NETWORKS: Final = (
    "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
    "::1/128", "fc00::/7", "fe80::/10",
)  # fmt: skip


@dataclass(frozen=True)
class Authority:
    """Who vouches for the machine's certificate."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def fingerprint(self) -> str:
        return self.certificate.fingerprint(hashes.SHA256()).hex(":").upper()

    def may_vouch_for(self, name: Subtree) -> bool:
        """Whether its own certificate allows it to."""
        allowed = self.certificate.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees
        return any(_covers(subtree, name) for subtree in allowed or ())


def authority_in(folder: Path, names: Sequence[str], addresses: Sequence[str]) -> Authority:
    """The authority in a folder; another one where it ends soon, or may not vouch for one of these."""
    paths = folder / "authority.crt", folder / "authority.key"
    found = _read_pair(paths)
    if found is not None and _is_current(found[0], _time(found[0])):
        authority = Authority(*found)
        if all(map(authority.may_vouch_for, _general_names(names, addresses))):
            return authority
    made = _make_authority(names, addresses)
    _write_pair(paths, made)
    return Authority(*made)


def server_in(folder: Path, authority: Authority, names: Sequence[str], addresses: Sequence[str]) -> tuple[Path, Path]:
    """The files in a folder with the machine's certificate and its key; made anew where it does not hold any more."""
    paths = folder / "server.crt", folder / "server.key"
    wanted = _general_names(("localhost", *names), ("127.0.0.1", *addresses))
    found = _read_pair(paths)
    now = _time(authority.certificate, *(found or ())[:1])
    if found is None or not (_is_current(found[0], now) and _is_by(found[0], authority, wanted)):
        _write_pair(paths, _make_server(authority, wanted, now))
    return paths


def _make_authority(names: Sequence[str], addresses: Sequence[str]) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _named(f"osteo-edge on {names[0] if names else 'this machine'}")
    networks = (ipaddress.ip_network(network) for network in (*LOCAL_NETWORKS, *addresses))
    allowed: list[x509.GeneralName] = [x509.DNSName(name) for name in dict.fromkeys((*LOCAL_NAMES, *names))]
    allowed += [x509.IPAddress(network) for network in dict.fromkeys(networks)]
    builder = (
        _builder(subject, subject, key, _time(), AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(permitted_subtrees=allowed, excluded_subtrees=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return builder.sign(key, hashes.SHA256()), key


def _make_server(authority: Authority, wanted: Sequence[Subtree], now: datetime) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    builder = (
        _builder(_named(str(wanted[0].value)), authority.certificate.subject, key, now, DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(wanted), critical=False)
        .add_extension(identifier, critical=False)
    )
    return builder.sign(authority.key, hashes.SHA256()), key


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    begins = now - SLOW_CLOCK
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=days))
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:MAX_NAME])])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_names(names: Sequence[str], addresses: Sequence[str]) -> list[Subtree]:
    hosts = [x509.IPAddress(ipaddress.ip_address(address)) for address in dict.fromkeys(addresses)]
    return [*(x509.DNSName(name) for name in dict.fromkeys(names)), *hosts]


def _covers(subtree: x509.GeneralName, name: Subtree) -> bool:
    """Whether what is allowed is the name, or above it."""
    if isinstance(subtree, x509.DNSName) and isinstance(name, x509.DNSName):
        return f".{name.value}".endswith(f".{subtree.value}")
    if isinstance(subtree, x509.IPAddress) and isinstance(name, x509.IPAddress):
        return name.value in subtree.value  # type: ignore[operator]
    return False


def _is_by(certificate: x509.Certificate, authority: Authority, wanted: Sequence[Subtree]) -> bool:
    """Whether a certificate is by this authority, and for all of these names."""
    try:
        certificate.verify_directly_issued_by(authority.certificate)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (InvalidSignature, TypeError, ValueError, x509.ExtensionNotFound):
        return False
    return set(wanted) <= set(names)


def _time(*made: x509.Certificate) -> datetime:
    """What time it is, as far as can be known: later than all that was made.

    A Raspberry Pi's clock stands still without power, and is behind until a network sets it.
    """
    return max((datetime.now(timezone.utc), *(one.not_valid_before_utc + SLOW_CLOCK for one in made)))


def _is_current(certificate: x509.Certificate, now: datetime) -> bool:
    return now + timedelta(days=RENEW_DAYS) <= certificate.not_valid_after_utc


def _read_pair(paths: tuple[Path, Path]) -> Pair | None:
    """A certificate with its key; None where one of them is missing, cannot be read, or is of another."""
    try:
        certificate = x509.load_pem_x509_certificate(paths[0].read_bytes())
        key = load_pem_private_key(paths[1].read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or certificate.public_key() != key.public_key():
        return None
    return certificate, key


def _write_pair(paths: tuple[Path, Path], pair: Pair) -> None:
    certificate, key = pair
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    former = os.umask(0o077)  # the key is nobody else's from its first byte on
    try:
        write_durably(paths[1], secret, "the key")
    finally:
        os.umask(former)
    write_durably(paths[0], certificate.public_bytes(Encoding.PEM), "the certificate")
