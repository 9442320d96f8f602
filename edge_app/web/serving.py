"""Serve a packed web app on the clinic's network: the files of a list made at the start, to be read and nothing else.

The standard library's threading server, and not one of the larger ones: no request reaches the disk or runs anything,
it only picks from a table that is in memory. What such a server lacks is here: a deadline for each request, also for
one that comes byte by byte, and a limit on connections, in all and for each address.
"""

import errno
import io
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from osteo_edge.edge_app.web.headers import caching, compressed, type_of
from osteo_edge.edge_app.web.packed import INDEX, Packed, read_files
from osteo_edge.errors import OsteoEdgeError

REQUEST_S: Final = 15.0
"""From the connection, or from the end of the last answer, to the end of a request's head."""
ANSWER_S: Final = 600.0
"""For the whole of an answer: the largest file over 20 KB a second."""
MAX_CONNECTIONS: Final = 128
MAX_OF_ONE_ADDRESS: Final = 32
"""A browser opens six at a time; behind one address there may be several phones."""
MAX_HEAD_BYTES: Final = 1 << 18
"""Of a request: the parser alone would keep a hundred lines of 64 KiB for each connection."""
CHUNK_BYTES: Final = 1 << 16
AUTHORITY: Final = "ca.crt"
"""Where phones get the certificate to trust, where there is one."""
AUTHORITY_TYPE: Final = "application/x-x509-ca-cert"


@dataclass
class Content:
    """A file as it is sent; it is compressed when that is first asked for."""

    name: str
    plain: bytes
    headers: Mapping[str, str]
    digest: str
    _compressed: bytes | None = None
    _is_tried: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def compressed(self) -> bytes | None:
        with self._lock:
            if not self._is_tried:
                self._compressed, self._is_tried = compressed(self.name, self.plain), True
            return self._compressed


def read_site(folder: Path, authority: bytes | None = None) -> dict[str, Content]:
    """What there is to be served, by its path: the packed app in a folder, each file verified, and nothing else.

    `authority` is the certificate that phones are to trust. `OsteoEdgeError` for a folder that holds no web app, or one
    that is not as it was packed.
    """
    packed, files = read_files(folder)
    site = {f"/{name}": _content(packed, name, content) for name, content in files.items()}
    site["/"] = site[f"/{INDEX}"]
    if authority is not None:
        headers = {**packed.headers, "Cache-Control": "no-store", "Content-Type": AUTHORITY_TYPE}
        site[f"/{AUTHORITY}"] = Content(AUTHORITY, authority, headers, AUTHORITY)
    return site


def _content(packed: Packed, name: str, content: bytes) -> Content:
    headers = {**packed.headers, "Cache-Control": caching(name), "Content-Type": type_of(name)}
    return Content(name, content, headers, packed.files[name])


class WebServer(ThreadingHTTPServer):
    """Serves a site. Its threads end with the program, whatever they are at."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(
        self, address: tuple[str, int], site: Mapping[str, Content], tls: ssl.SSLContext | None = None
    ) -> None:
        self.site = site
        self._tls = tls
        self._of_address: Counter[str] = Counter()
        self._lock = threading.Lock()
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind as any server does, but look up no name: that takes long where there is no network."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "osteo-edge", int(self.server_address[1])

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whether there is room for another connection of this address; one for which there is none is closed."""
        with self._lock:
            is_room = self._of_address.total() < MAX_CONNECTIONS
            if is_room and self._of_address[client_address[0]] < MAX_OF_ONE_ADDRESS:
                self._of_address[client_address[0]] += 1
                return True
        return False

    def process_request(self, request: Any, client_address: Any) -> None:
        """Hand a connection to a thread; one for which the system has none is closed, and counts no more."""
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._leave(client_address)
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Handle a connection in its own thread, the beginning of TLS too: a client that is slow there stops nobody."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._leave(client_address)

    def _leave(self, client_address: Any) -> None:
        with self._lock:
            self._of_address[client_address[0]] -= 1
            if not self._of_address[client_address[0]]:
                del self._of_address[client_address[0]]

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self._tls is None:
            super().finish_request(request, client_address)
            return
        request.settimeout(REQUEST_S)
        with self._tls.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke off, was too slow, or spoke no TLS has ended, and nobody is told."""


class _Deadline(io.RawIOBase):
    """What a socket receives, until a moment and up to a size that are set anew for each request."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.until = 0.0
        self.left = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(_left(self.until))
        received = self._connection.recv_into(buffer)
        self.left -= received
        if self.left < 0:
            raise ConnectionError
        return received


class _Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD for what is in the site, and nothing else."""

    server: WebServer
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self._received = _Deadline(self.connection)
        self.rfile = io.BufferedReader(self._received)

    def handle_one_request(self) -> None:
        self._received.until, self._received.left = time.monotonic() + REQUEST_S, MAX_HEAD_BYTES
        super().handle_one_request()

    def do_GET(self) -> None:
        self._answer(with_content=True)

    def do_HEAD(self) -> None:
        self._answer(with_content=False)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the parser of requests refuses: in our own few words, which repeat nothing that was sent."""
        self._refuse(HTTPStatus.METHOD_NOT_ALLOWED if code == HTTPStatus.NOT_IMPLEMENTED else HTTPStatus(code))

    def version_string(self) -> str:
        return "osteo-edge"

    def log_message(self, format: str, *args: Any) -> None:
        """No line for a request: who screens when is nobody's business."""

    def _answer(self, *, with_content: bool) -> None:
        if self.headers.get("Content-Length", "0") != "0" or self.headers.get("Transfer-Encoding") is not None:
            self._refuse(HTTPStatus.BAD_REQUEST)
            return
        content = self.server.site.get(self.path.partition("?")[0])
        if content is None:
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        packed = content.compressed if _takes_gzip(self.headers.get("Accept-Encoding", "")) else None
        tag = f'"{content.digest[:32]}{"" if packed is None else "-gzip"}"'
        is_known = tag in (self.headers.get("If-None-Match") or "")
        body = content.plain if packed is None else packed
        self.send_response(HTTPStatus.NOT_MODIFIED if is_known else HTTPStatus.OK)
        for name, value in content.headers.items():
            self.send_header(name, value)
        self.send_header("ETag", tag)
        self.send_header("Vary", "Accept-Encoding")
        if packed is not None:
            self.send_header("Content-Encoding", "gzip")
        if not is_known:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_content and not is_known:
            self._send(body)

    def _refuse(self, status: HTTPStatus) -> None:
        body = f"{status.value} {status.phrase}\n".encode()
        self.send_response(status)
        for name, value in self.server.site["/"].headers.items():
            if name not in ("Cache-Control", "Content-Type"):
                self.send_header(name, value)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Type", type_of(".txt"))
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self._send(body)

    def _send(self, body: bytes) -> None:
        until = time.monotonic() + ANSWER_S
        view = memoryview(body)
        for start in range(0, len(body), CHUNK_BYTES):
            self.connection.settimeout(_left(until))
            self.connection.sendall(view[start : start + CHUNK_BYTES])


def open_server(host: str, port: int, site: Mapping[str, Content], tls: ssl.SSLContext | None = None) -> WebServer:
    """A server that listens already; `port` 0 is any that is free. `OsteoEdgeError` where it cannot listen there."""
    try:
        return WebServer((host, port), site, tls)
    except OverflowError as error:
        raise OsteoEdgeError(f"port {port}: there is none of this number; choose one from 1 to 65535") from error
    except PermissionError as error:
        raise OsteoEdgeError(f"port {port}: only the administrator may use it; choose --port 8080 or above") from error
    except OSError as error:
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            raise OsteoEdgeError(
                f"{host}: no address of this machine; leave --host out, or give one that it has"
            ) from error
        reason = error.strerror or error
        raise OsteoEdgeError(f"{host}, port {port}: cannot be used ({reason}); choose another --port") from error


def _left(until: float) -> float:
    """The seconds until a moment; TimeoutError once it has passed."""
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _takes_gzip(stated: str) -> bool:
    """Whether an Accept-Encoding names gzip, and does not refuse it."""
    for part in stated.lower().split(","):
        coding, _, quality = part.partition(";")
        if coding.strip() in ("gzip", "*"):
            return quality.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
