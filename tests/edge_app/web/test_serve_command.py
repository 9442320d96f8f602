"""`osteo-edge serve` as a command: what it refuses, what it says, and what it tells the app of this machine."""

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner, Result

from osteo_edge.cli import cli
from osteo_edge.edge_app.served_address import FOLDER as FOLDER_OF_NOTES
from osteo_edge.edge_app.served_address import ServedAddress, served_address
from osteo_edge.edge_app.web import addresses, serve_command
from osteo_edge.edge_app.web.certificate import FOLDER, Certificate, own_certificate, tls_context
from osteo_edge.edge_app.web.packed import PACKED_NAME
from osteo_edge.errors import OsteoEdgeError


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for the loopback."""
    return own_certificate(tmp_path_factory.mktemp("data"), (), ("127.0.0.1",))


def refusal(*words: str) -> str:
    """What is said by a serving that does not begin, in one line."""
    result = CliRunner().invoke(cli, ["serve", *words])
    assert result.exit_code != 0
    text = f"{result.exception}" if result.exit_code == 1 else result.output.strip().splitlines()[-1]
    assert "\n" not in text
    return text


def test_a_link_in_the_folder_is_not_followed(packaged: Path, tmp_path: Path) -> None:
    folder = tmp_path / "app"
    shutil.copytree(packaged, folder)
    outside = tmp_path / "outside.md"
    (folder / "bundle" / "MODEL_CARD.md").rename(outside)
    (folder / "bundle" / "MODEL_CARD.md").symlink_to(outside)
    assert "MODEL_CARD.md: is a link" in refusal(str(folder), "--host", "127.0.0.1")


def test_a_certificate_with_another_key_is_refused(packaged: Path, own: Certificate, tmp_path: Path) -> None:
    other = own_certificate(tmp_path, (), ("10.0.0.9",))
    words = ("--host", "127.0.0.1", "--certificate", str(own.certificate), "--key", str(other.key))
    assert "is not its key" in refusal(str(packaged), *words)
    with pytest.raises(OsteoEdgeError, match="cannot be read"):
        tls_context(tmp_path / "gone.crt", other.key)


def test_a_folder_that_is_no_web_app_is_refused(tmp_path: Path, packaged: Path) -> None:
    assert "no web app; name a folder that `osteo-edge package web` wrote" in refusal(str(tmp_path))
    assert "no web app" in refusal(str(tmp_path / "gone"))
    folder = tmp_path / "app"
    shutil.copytree(packaged, folder)
    (folder / "sw.js").unlink()
    assert "sw.js: missing" in refusal(str(folder), "--host", "127.0.0.1")
    (folder / "sw.js").write_text("altered")
    assert "sw.js: altered since it was packed" in refusal(str(folder), "--host", "127.0.0.1")
    (folder / PACKED_NAME).write_text("{")
    assert f"{PACKED_NAME}: " in refusal(str(folder), "--host", "127.0.0.1")


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/../../b", "a//b", "a\\b", "./a", "", "a\0b"])
def test_a_record_that_leads_out_of_the_folder_is_refused(packaged: Path, tmp_path: Path, name: str) -> None:
    record = json.loads((packaged / PACKED_NAME).read_bytes())
    record["files"][name] = "0" * 64
    (tmp_path / PACKED_NAME).write_text(json.dumps(record))
    assert "leads out of the folder" in refusal(str(tmp_path), "--host", "127.0.0.1")


def test_a_port_in_use_an_address_of_others_and_no_network_are_one_line_each(
    packaged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert "cannot be used (Address already in use); choose another --port" in refusal(
            str(packaged), "--host", "127.0.0.1", "--port", port
        )
    for elsewhere in ("203.0.113.9", "nowhere.invalid"):
        assert f"{elsewhere}: no address of this machine; leave --host out" in refusal(
            str(packaged), "--host", elsewhere, "--port", "0"
        )
    assert "--host is empty: leave it out" in refusal(str(packaged), "--host", "")
    monkeypatch.setattr(serve_command, "network_addresses", lambda: ())
    assert "this machine is in no network; connect it, or" in refusal(str(packaged))


def test_options_that_contradict_each_other_are_refused(packaged: Path, own: Certificate) -> None:
    assert "--certificate and --key go together" in refusal(str(packaged), "--certificate", str(own.certificate))
    both = ("--tls", "--certificate", str(own.certificate), "--key", str(own.key))
    assert "choose one of the two" in refusal(str(packaged), *both)


def test_the_addresses_are_those_that_others_can_reach() -> None:
    assert not any(address.startswith("127.") for address in addresses.network_addresses())
    assert all(name == name.lower() and name for name in addresses.host_names())


@pytest.mark.parametrize(
    ("host", "reachable"),
    [
        ("0.0.0.0", (("pi.local",), ("192.168.7.5",))),
        ("::", (("pi.local",), ("192.168.7.5",))),
        ("10.0.0.9", ((), ("10.0.0.9",))),
        ("fd00::5", ((), ("fd00::5",))),
        ("clinic.local", (("clinic.local",), ())),
    ],
)
def test_phones_are_given_what_they_can_reach(
    monkeypatch: pytest.MonkeyPatch, host: str, reachable: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    monkeypatch.setattr(serve_command, "network_addresses", lambda: ("192.168.7.5",))
    monkeypatch.setattr(serve_command, "host_names", lambda: ("pi.local",))
    assert serve_command._reachable_by(host) == reachable


def test_ctrl_c_ends_it_at_once_while_a_client_is_there(packaged: Path, tmp_path: Path) -> None:
    words = ["serve", str(packaged), "--host", "127.0.0.1", "--port", "0", "--tls", "--data", str(tmp_path), "--json"]
    command = [sys.executable, "-m", "osteo_edge", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert told["tls"] is True
        assert (tmp_path / FOLDER / "authority.key").is_file()
        port = urlsplit(told["addresses"][0]).port
        with socket.create_connection(("127.0.0.1", port)) as waiting, suppress(ConnectionResetError):
            began = time.monotonic()
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0
            assert time.monotonic() - began < 2
            assert waiting.recv(1) == b""
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_without_https_it_is_said_that_nothing_is_kept(
    packaged: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(serve_command, "_serve_until", lambda *_: None)
    monkeypatch.setattr(serve_command, "network_addresses", lambda: ("127.0.0.1",))
    monkeypatch.setattr(serve_command, "ANYWHERE", "127.0.0.1")
    words = ["serve", str(packaged), "--host", "localhost", "--port", "0", "--data", str(tmp_path)]
    told = CliRunner().invoke(cli, words).output
    assert "knee 1, at http://localhost:" in told
    assert "add --tls" not in told, "of this machine itself it is kept"
    assert "█" in told
    monkeypatch.setattr(serve_command, "_is_own", lambda address: False)
    told = CliRunner().invoke(cli, words).output
    assert "Without https no browser keeps the app for use without a network: add --tls." in told


def test_how_to_trust_the_certificate_is_said(packaged: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(serve_command, "_serve_until", lambda *_: None)
    words = ["serve", str(packaged), "--host", "127.0.0.1", "--port", "0", "--tls", "--data", str(tmp_path)]
    told = CliRunner().invoke(cli, words).output
    assert "/ca.crt and install it as a CA certificate" in told
    assert own_certificate(tmp_path, (), ("127.0.0.1",)).fingerprint in told


def seen_by_the_app(
    packaged: Path, data: Path, monkeypatch: pytest.MonkeyPatch, *options: str
) -> tuple[ServedAddress | None, Result]:
    """What the app's window is told while the app is served on the loopback; and the command's result."""
    seen = list[ServedAddress | None]()
    monkeypatch.setattr(serve_command, "_serve_until", lambda *_: seen.append(served_address(data)))
    words = ["serve", str(packaged), "--host", "127.0.0.1", "--port", "0", "--data", str(data), "--json", *options]
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 0
    (told,) = seen
    return told, result


def test_the_app_on_this_machine_is_told_as_long_as_it_is_served(
    packaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve_command, "_is_own", lambda address: False)
    told, result = seen_by_the_app(packaged, tmp_path, monkeypatch, "--tls")
    served = json.loads(result.stdout)
    assert told == ServedAddress(served["addresses"][0], served["authority"], served["authority_sha256"])
    assert served["addresses"][0].startswith("https://127.0.0.1:")
    assert served_address(tmp_path) is None
    told, result = seen_by_the_app(packaged, tmp_path, monkeypatch)
    assert told == ServedAddress(json.loads(result.stdout)["addresses"][0]), "there is nothing to trust"


def test_the_app_shows_no_address_that_is_for_this_machine_alone(
    packaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, _ = seen_by_the_app(packaged, tmp_path, monkeypatch)
    assert told is None


def test_where_the_app_cannot_be_told_it_is_served_all_the_same(
    packaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve_command, "_is_own", lambda address: False)
    in_the_way = tmp_path / "data"
    in_the_way.mkdir()
    (in_the_way / FOLDER_OF_NOTES).touch()
    told, result = seen_by_the_app(packaged, in_the_way, monkeypatch)
    assert told is None
    assert result.stderr == f"{in_the_way}: the app will not show this address (File exists)\n"


@pytest.mark.parametrize(
    ("address", "is_own"),
    [
        ("http://127.0.0.1:8443/", True),
        ("https://localhost/", True),
        ("https://[::1]:8443/", True),
        ("http://192.168.7.5/", False),
        ("https://localhost.clinic.local/", False),
        ("https://[fd00::5]:8443/", False),
    ],
)
def test_which_addresses_are_for_this_machine_alone(address: str, is_own: bool) -> None:
    assert serve_command._is_own(address) is is_own
