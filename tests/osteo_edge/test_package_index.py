import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from osteo_edge import package_index
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.lock_file import Pin
from osteo_edge.package_index import refused_by_pip

LIMITS = {"1.3.1": ">=3.8.6,<3.11", "1.2.8": ">=3.6, <4", "1.0.0": None}


class Index(BaseHTTPRequestHandler):
    """Lists three versions of one package (PEP 691), and knows no other."""

    def do_GET(self) -> None:
        known = self.path == "/simple/backports-strenum/"
        files = [{"hashes": {"sha256": digest(version)}, "requires-python": limit} for version, limit in LIMITS.items()]
        self.send_response(200 if known else 404)
        self.end_headers()
        self.wfile.write(json.dumps({"files": files}).encode() if known else b"")

    def log_message(self, *_: object) -> None:
        pass


def digest(version: str) -> str:
    return version.encode().hex().ljust(64, "0")


def pin(version: str, marker: str = "", name: str = "backports-strenum") -> Pin:
    return Pin(name, version, marker, (digest(version),), ())


@pytest.fixture(autouse=True)
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Index)
    monkeypatch.setattr(package_index, "INDEX", f"http://127.0.0.1:{server.server_port}/simple")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield
    server.shutdown()
    thread.join()
    server.server_close()
    package_index._files.cache_clear()


def test_a_version_for_older_pythons_alone_is_ruled_out_on_the_newer_ones() -> None:
    assert refused_by_pip([pin("1.3.1"), pin("1.2.8"), pin("1.0.0")], ["3.10", "3.11"]) == [
        "backports-strenum!=1.3.1; python_version == '3.11'"
    ]


def test_it_may_stay_where_its_marker_keeps_it_to_the_older_ones() -> None:
    assert refused_by_pip([pin("1.3.1", "python_full_version < '3.11'")], ["3.10", "3.11"]) == []


def test_files_that_the_index_does_not_have_are_refused() -> None:
    with pytest.raises(OsteoEdgeError, match=r"backports-strenum/: has none of the files of 9\.9"):
        refused_by_pip([pin("9.9")], ["3.11"])


def test_an_index_that_does_not_answer_is_one_line() -> None:
    with pytest.raises(OsteoEdgeError, match=r"unknown/: cannot be asked .*404.*; see to the network"):
        refused_by_pip([pin("1.0.0", name="unknown")], ["3.11"])
