"""`osteo-edge serve`: the files of the app with the right headers, and nothing else, however it is asked."""

import gzip
import http.client
import json
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner, Result

from osteo_edge.cli import cli
from osteo_edge.edge_app.served_address import FOLDER as FOLDER_OF_NOTES
from osteo_edge.edge_app.served_address import ServedAddress, served_address
from osteo_edge.edge_app.web import addresses, serve_command, serving
from osteo_edge.edge_app.web.certificate import FOLDER, Certificate, own_certificate, tls_context
from osteo_edge.edge_app.web.headers import security_headers
from osteo_edge.edge_app.web.packed import PACKED_NAME, read_files
from osteo_edge.edge_app.web.serving import open_server, read_site
from osteo_edge.errors import OsteoEdgeError
from tests.edge_app.web.conftest import serving as served_at

WASM = "litert_wasm_internal.wasm"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Message
    content: bytes


def asked(address: str, path: str = "/", *, method: str = "GET", **headers: str) -> Answer:
    """The answer to one request."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    return answered(connection, method, path, {name.replace("_", "-"): value for name, value in headers.items()})


def secured(port: int, context: ssl.SSLContext, path: str = "/") -> Answer:
    """The answer to one request by https."""
    return answered(http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context), "GET", path, {})


def answered(connection: http.client.HTTPConnection, method: str, path: str, headers: dict[str, str]) -> Answer:
    with closing(connection):
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())


def said(address: str, data: bytes) -> bytes:
    """All that the server says to what is sent to it, until it closes the connection."""
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        connection.sendall(data)
        return b"".join(iter(lambda: connection.recv(1 << 16), b""))


def refusal(*words: str) -> str:
    """What is said by a serving that does not begin, in one line."""
    result = CliRunner().invoke(cli, ["serve", *words])
    assert result.exit_code != 0
    text = f"{result.exception}" if result.exit_code == 1 else result.output.strip().splitlines()[-1]
    assert "\n" not in text
    return text


def test_each_file_comes_as_it_was_packed_with_its_type(packaged: Path, served: str) -> None:
    types = {}
    for name, content in read_files(packaged)[1].items():
        answer = asked(served, f"/{name}")
        assert (answer.status, answer.content) == (200, content), name
        types[name.rpartition(".")[2]] = answer.headers["Content-Type"]
    assert types["wasm"] == "application/wasm", "or no browser compiles it while it comes"
    assert types["js"] == "text/javascript; charset=utf-8"
    assert types["webmanifest"] == "application/manifest+json"
    assert types["tflite"] == "application/octet-stream"


def test_the_start_is_the_page(packaged: Path, served: str) -> None:
    page = (packaged / "index.html").read_bytes()
    assert asked(served, "/").content == page
    assert asked(served, "/?installed=1").content == page


def test_every_answer_carries_the_headers_that_keep_the_page_to_itself(packaged: Path, served: str) -> None:
    expected = security_headers((packaged / "index.html").read_bytes())
    assert expected["Cross-Origin-Opener-Policy"] == "same-origin"
    assert expected["Cross-Origin-Embedder-Policy"] == "require-corp"
    for answer in (asked(served), asked(served, "/nothing"), asked(served, method="POST")):
        assert {name: answer.headers[name] for name in expected} == expected


def test_hashed_files_are_kept_and_the_others_asked_for_again(packaged: Path, served: str) -> None:
    hashed = next(path for path in (packaged / "assets").glob("index-*.js"))
    assert asked(served, f"/assets/{hashed.name}").headers["Cache-Control"] == "public, max-age=31536000, immutable"
    for name in ("/", "/sw.js", "/shared.json", "/bundle/model.tflite"):
        answer = asked(served, name)
        assert answer.headers["Cache-Control"] == "no-cache"
        again = asked(served, name, If_None_Match=answer.headers["ETag"])
        assert (again.status, again.content) == (304, b"")
    assert asked(served, "/", If_None_Match='"another"').status == 200


def test_what_is_large_is_sent_compressed_to_whoever_takes_it(packaged: Path, served: str) -> None:
    wasm = next((packaged / "assets").rglob(WASM))
    path = f"/{wasm.relative_to(packaged).as_posix()}"
    compressed = asked(served, path, Accept_Encoding="gzip, br")
    content = compressed.content
    assert (compressed.headers["Content-Encoding"], compressed.headers["Vary"]) == ("gzip", "Accept-Encoding")
    assert gzip.decompress(content) == wasm.read_bytes()
    assert len(content) < len(wasm.read_bytes()) / 3
    plain = asked(served, path, Accept_Encoding="gzip;q=0, identity", method="HEAD")
    assert plain.headers["Content-Encoding"] is None
    assert plain.headers["Content-Length"] == str(wasm.stat().st_size)
    assert plain.headers["ETag"] != compressed.headers["ETag"]


@pytest.mark.parametrize(
    "path",
    [
        "/../packed.json",
        "/assets/../../../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2fetc/passwd",
        "/assets/",
        "/assets",
        "//etc/passwd",
        "/index.html/",
        "/.lock",
        f"/{PACKED_NAME}",
        "/index.html%00.png",
        "http://elsewhere.invalid/",
        "*",
    ],
)
def test_nothing_but_the_list_is_found(served: str, path: str) -> None:
    answer = said(served, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 404 Not Found\r\n")
    assert answer.endswith(b"\r\n\r\n404 Not Found\n")


def test_a_link_in_the_folder_is_not_followed(packaged: Path, tmp_path: Path) -> None:
    folder = tmp_path / "app"
    shutil.copytree(packaged, folder)
    outside = tmp_path / "outside.md"
    (folder / "bundle" / "MODEL_CARD.md").rename(outside)
    (folder / "bundle" / "MODEL_CARD.md").symlink_to(outside)
    assert "MODEL_CARD.md: is a link" in refusal(str(folder), "--host", "127.0.0.1")


def test_what_is_put_into_the_folder_later_is_not_served(packaged: Path, tmp_path: Path) -> None:
    folder = tmp_path / "app"
    shutil.copytree(packaged, folder)
    with served_at(folder) as address:
        (folder / "late.html").write_text("late")
        (folder / "index.html").write_text("changed")
        assert asked(address, "/late.html").status == 404
        assert asked(address, "/").content == (packaged / "index.html").read_bytes()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE", "NONSENSE"])
def test_nothing_can_be_sent_here(served: str, method: str) -> None:
    answer = said(served, f"{method} / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello".encode())
    assert answer.startswith(b"HTTP/1.1 405 Method Not Allowed\r\n")
    assert b"Allow: GET, HEAD\r\n" in answer
    assert method.encode() not in answer.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", b"400"),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
        (b"GET / HTTP/9.9\r\n\r\n", b"505"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"400"),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nA: " + b"b" * 70_000 + b"\r\n\r\n", b"431"),
    ],
)
def test_what_is_no_request_is_refused_and_the_next_one_answered(served: str, sent: bytes, status: bytes) -> None:
    assert status in said(served, sent).partition(b"\r\n")[0]
    assert asked(served).status == 200


def test_a_head_without_end_is_cut_off(served: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "MAX_HEAD_BYTES", 4096)
    with suppress(ConnectionError):
        assert said(served, b"GET / HTTP/1.1\r\n" + b"A: %b\r\n" % (b"b" * 1000) * 50) == b""
    assert asked(served).status == 200


def test_a_client_that_sends_byte_by_byte_is_cut_off(packaged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "REQUEST_S", 0.4)
    with served_at(packaged) as address:
        parts = urlsplit(address)
        with socket.create_connection((parts.hostname, parts.port), timeout=0.05) as slow:
            sent = next(count for count in range(200) if is_cut_off(slow))
        assert 2 < sent < 100, "each byte came in time, all of them together did not"
        assert asked(address).status == 200


def is_cut_off(slow: socket.socket) -> bool:
    """Send another byte, and wait as long as the socket does for an end."""
    try:
        slow.sendall(b"G")
        return slow.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def test_a_client_that_does_not_read_is_cut_off(packaged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "ANSWER_S", 0.4)
    wasm = next((packaged / "assets").rglob(WASM)).relative_to(packaged).as_posix()
    before = threading.active_count()
    with served_at(packaged) as address, socket.socket() as idle:
        parts = urlsplit(address)
        idle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        idle.connect((parts.hostname, parts.port))
        idle.sendall(f"GET /{wasm} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert idle.recv(64).startswith(b"HTTP/1.1 200")
        wait_for(lambda: threading.active_count() <= before + 1)  # only the server's own thread is left


@contextmanager
def held(address: str, count: int) -> Iterator[list[socket.socket]]:
    """So many connections that ask for nothing."""
    parts = urlsplit(address)
    with ExitStack() as stack:
        yield [
            stack.enter_context(socket.create_connection((parts.hostname, parts.port), timeout=10))
            for _ in range(count)
        ]


def test_one_address_cannot_take_every_connection(packaged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "MAX_OF_ONE_ADDRESS", 4)
    with served_at(packaged) as address, held(address, 4) as connections:
        assert not is_served(address)
        connections.pop().close()
        wait_for(lambda: is_served(address))
        connections.pop().close()
        wait_for(lambda: is_served(address))


def is_served(address: str) -> bool:
    try:
        return asked(address).status == 200
    except (http.client.HTTPException, OSError):
        return False


def wait_for(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < until, "not within ten seconds"
        threading.Event().wait(0.02)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for the loopback."""
    return own_certificate(tmp_path_factory.mktemp("data"), ("clinic.local",), ("127.0.0.1", "192.168.7.5"))


def trusting(own: Certificate) -> ssl.SSLContext:
    """A client that trusts the machine's authority, and no other."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=own.authority)
    return context


@contextmanager
def https(packaged: Path, own: Certificate) -> Iterator[int]:
    site = read_site(packaged, own.authority)
    with open_server("127.0.0.1", 0, site, tls_context(own.certificate, own.key)) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_a_client_that_trusts_the_authority_is_served_by_tls(packaged: Path, own: Certificate) -> None:
    with https(packaged, own) as port:
        page = secured(port, trusting(own))
        assert (page.status, page.content) == (200, (packaged / "index.html").read_bytes())
        offered = secured(port, trusting(own), "/ca.crt")
        assert (offered.headers["Content-Type"], offered.content) == ("application/x-x509-ca-cert", own.authority)
        with pytest.raises(ssl.SSLCertVerificationError):
            secured(port, ssl.create_default_context())
        with socket.create_connection(("127.0.0.1", port)) as plain, suppress(ConnectionResetError):
            plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert b"200" not in plain.recv(100)
        assert secured(port, trusting(own)).status == 200


def test_a_client_that_says_nothing_stops_nobody(
    packaged: Path, own: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "REQUEST_S", 0.5)
    with https(packaged, own) as port, socket.create_connection(("127.0.0.1", port), timeout=10) as silent:
        assert secured(port, trusting(own)).status == 200
        assert silent.recv(1) == b"", "cut off, before TLS has begun"


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
    assert "cannot be used" in refusal(str(packaged), "--host", "203.0.113.9", "--port", "0")
    assert "no address of this machine" in refusal(str(packaged), "--host", "nowhere.invalid", "--port", "0")
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
