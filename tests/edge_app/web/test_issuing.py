"""The certificates that a machine makes for itself: for whom they may vouch, and when they are made anew."""

from datetime import datetime, timedelta, timezone, tzinfo
from pathlib import Path

import pytest
from cryptography import x509

from osteo_edge.edge_app.web import issuing
from osteo_edge.edge_app.web.certificate import Certificate, own_certificate, tls_context
from osteo_edge.edge_app.web.issuing import LOCAL_NETWORKS
from osteo_edge.errors import OsteoEdgeError


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for the loopback."""
    return own_certificate(tmp_path_factory.mktemp("data"), ("clinic.local",), ("127.0.0.1", "192.168.7.5"))


def test_the_authority_may_vouch_for_the_clinics_network_alone(own: Certificate) -> None:
    authority = x509.load_der_x509_certificate(own.authority)
    allowed = authority.extensions.get_extension_for_class(x509.NameConstraints)
    names = allowed.value.permitted_subtrees or ()
    assert allowed.critical
    assert {name.value for name in names if isinstance(name, x509.DNSName)} == {"local", "localhost", "clinic.local"}
    networks = [name.value for name in names if isinstance(name, x509.IPAddress)]
    assert len(networks) == len(LOCAL_NETWORKS) + 2
    assert not any(network.is_global for network in networks)
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value == x509.BasicConstraints(True, 0)


def test_the_keys_are_nobody_elses(own: Certificate) -> None:
    folder = own.key.parent
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir() if path.suffix == ".key"}
    assert modes == {"authority.key": 0o600, "server.key": 0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_new_address_needs_a_new_certificate_but_no_new_trust(tmp_path: Path) -> None:
    first = own_certificate(tmp_path, ("pi.local",), ("192.168.1.4",))
    before = first.certificate.read_bytes()
    same = own_certificate(tmp_path, ("pi.local",), ("192.168.1.4",))
    assert (same, same.certificate.read_bytes()) == (first, before)
    moved = own_certificate(tmp_path, ("pi.local",), ("10.0.0.9",))
    assert moved.authority == first.authority
    assert moved.certificate.read_bytes() != before
    renamed = own_certificate(tmp_path, ("clinic.example",), ("10.0.0.9",))
    assert renamed.authority != first.authority, "the old one may not vouch for that name"


def test_a_certificate_that_ends_soon_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issuing, "DAYS", issuing.RENEW_DAYS)
    first = own_certificate(tmp_path, (), ("10.0.0.9",)).certificate.read_bytes()
    monkeypatch.undo()
    renewed = own_certificate(tmp_path, (), ("10.0.0.9",)).certificate.read_bytes()
    assert renewed != first
    assert own_certificate(tmp_path, (), ("10.0.0.9",)).certificate.read_bytes() == renewed


def test_a_clock_that_fell_behind_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Raspberry Pi's stands still without power: its phones need not trust it anew, nor meet what has long ended."""
    first = own_certificate(tmp_path, (), ("10.0.0.9",))
    before = first.certificate.read_bytes()

    class Behind(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Behind":
            return cls(2021, 3, 4, tzinfo=tz)

    monkeypatch.setattr(issuing, "datetime", Behind)
    assert own_certificate(tmp_path, (), ("10.0.0.9",)).authority == first.authority
    assert first.certificate.read_bytes() == before
    moved = own_certificate(tmp_path, (), ("10.0.0.10",))
    assert moved.authority == first.authority
    monkeypatch.undo()
    made = x509.load_pem_x509_certificate(moved.certificate.read_bytes())
    assert made.not_valid_before_utc <= datetime.now(timezone.utc) <= made.not_valid_after_utc - timedelta(days=390)


def test_a_key_that_was_damaged_is_made_anew(tmp_path: Path) -> None:
    first = own_certificate(tmp_path, (), ("10.0.0.9",))
    first.key.write_text("rubbish")
    tls_context(first.certificate, own_certificate(tmp_path, (), ("10.0.0.9",)).key)


def test_a_name_that_no_certificate_can_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OsteoEdgeError, match="klinik-süd: no certificate can name it so; give its address"):
        own_certificate(tmp_path, ["klinik-süd"], [])
