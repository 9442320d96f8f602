import json
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from click.testing import CliRunner

from osteo_edge.lock_audit import main, rounds
from osteo_edge.lock_file import Pin, read_lock

HASH = f" \\\n    --hash=sha256:{'a' * 64}\n"
PINS = ("numpy==2.2.6 ; python_version < '3.11'", "numpy==2.4.6 ; python_version >= '3.11'", "rich==15.0.0")
LOCK = "".join(f"{pin}{HASH}" for pin in PINS)


class Service(BaseHTTPRequestHandler):
    """Answers as OSV does (https://google.github.io/osv.dev/post-v1-query/): numpy 2.2.6 has a vulnerability."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        amiss = (asked["package"]["name"], asked["version"]) == ("numpy", "2.2.6")
        events = [{"introduced": "0"}, {"fixed": "2.3.0"}]
        about = {"package": {"name": "numpy", "ecosystem": "PyPI"}, "ranges": [{"type": "ECOSYSTEM", "events": events}]}
        found = {"id": "TEST-2026-1", "summary": "for this test", "affected": [about]}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"vulns": [found]} if amiss else {}).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "lock.txt"
    path.write_text(LOCK, "utf-8")
    return path


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a service that knows of one vulnerability."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1/query"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def closed_port(monkeypatch: pytest.MonkeyPatch) -> int:
    """A port that nobody listens on."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_every_version_is_asked_about_once_and_no_package_twice_in_a_round(lock: Path) -> None:
    found = rounds([*read_lock(lock), *read_lock(lock), Pin("click", "8.5.1", "", ("a" * 64,), ())])
    assert [[(pin.name, pin.version) for pin in pins] for pins in found] == [
        [("click", "8.5.1"), ("numpy", "2.2.6"), ("rich", "15.0.0")],
        [("numpy", "2.4.6")],
    ]


def test_a_vulnerability_is_named_with_what_mends_it_and_ends_with_1(lock: Path, service: str) -> None:
    pytest.importorskip("pip_audit", reason="needs pip-audit: pip install 'osteo-edge[dev]'")
    done = CliRunner().invoke(main, [str(lock), "--osv", service])
    assert done.exit_code == 1
    assert "numpy 2.2.6: TEST-2026-1, mended in 2.3.0" in done.output
    assert "numpy 2.4.6" not in done.output


def test_a_lock_without_any_says_so(lock: Path, service: str) -> None:
    pytest.importorskip("pip_audit", reason="needs pip-audit: pip install 'osteo-edge[dev]'")
    lock.write_text(LOCK.replace("2.2.6", "2.2.7"), "utf-8")
    done = CliRunner().invoke(main, [str(lock), "--osv", service])
    assert (done.exit_code, done.output) == (0, "no known vulnerability in 3 versions\n")


@pytest.mark.parametrize("way", ["osv", "pypi"])
def test_without_the_service_it_says_not_audited_and_ends_with_0(
    way: str, lock: Path, closed_port: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("pip_audit", reason="needs pip-audit: pip install 'osteo-edge[dev]'")
    options = ["--osv", f"http://127.0.0.1:{closed_port}/v1/query"] if way == "osv" else []
    if way == "pypi":
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{closed_port}")
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{closed_port}")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))  # an answer that was kept is one, too
        monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path / "cache"))
    done = CliRunner().invoke(main, [str(lock), *options])
    assert done.exit_code == 0, done.output
    assert done.output.startswith("NOT AUDITED: the service that knows of vulnerabilities cannot be reached (")
    assert "no known vulnerability" not in done.output
    assert len(done.output.splitlines()) == 1


def test_a_service_that_knows_no_package_is_not_taken_for_a_clean_bill(
    lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What pip-audit itself ends on with "No known vulnerabilities found", where a mirror has files alone."""
    told = [{"name": "numpy", "skip_reason": "Dependency not found on PyPI"}]
    monkeypatch.setattr("osteo_edge.lock_audit.load_extra", lambda *_, **__: [])
    monkeypatch.setattr("osteo_edge.lock_audit._ask", lambda pins, osv: told)
    done = CliRunner().invoke(main, [str(lock)])
    assert (done.exit_code, done.output) == (
        0,
        "NOT AUDITED: the service knows nothing of 2 of 2 versions (numpy, numpy)\n",
    )
