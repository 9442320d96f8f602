"""`osteo-edge serve`: the files of the app with the right headers, and nothing else, however it is asked."""

import gzip
import http.client
import shutil
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from osteo_edge.edge_app.web import serving
from osteo_edge.edge_app.web.certificate import Certificate, own_certificate, tls_context
from osteo_edge.edge_app.web.headers import security_headers
from osteo_edge.edge_app.web.packed import PACKED_NAME, read_files
from osteo_edge.edge_app.web.serving import open_server, read_site
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


def test_a_connection_that_gets_no_thread_is_not_counted_for_ever(
    packaged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(serving, "MAX_OF_ONE_ADDRESS", 2)
    with served_at(packaged) as address:
        with monkeypatch.context() as exhausted:
            exhausted.setattr(threading.Thread, "start", refuse)
            assert not any(is_served(address) for _ in range(3))
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
