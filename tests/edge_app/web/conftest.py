"""The web app built, packed, served on the loopback, and a browser that notes every request."""

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

from osteo_edge.bundle import read_bundle
from osteo_edge.edge_app.demo_bundle import FOLDER
from osteo_edge.edge_app.web.building import built_page, find_npm
from osteo_edge.edge_app.web.packing import pack
from osteo_edge.edge_app.web.serving import Content, WebServer, open_server, read_site
from osteo_edge.edge_app.web.shared import shared_json
from osteo_edge.errors import OsteoEdgeError
from tests.edge_app.web.parity_core import Core, opened_core
from tests.edge_app.web.reader import PATIENCE_MS

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NO_OTHER_HOST = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
PHONE = {"width": 360, "height": 740}

expect.set_options(timeout=PATIENCE_MS)  # a busy machine is slow, and not wrong


@pytest.fixture(scope="session")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Core]:
    """The page's screening, in Node, with what the page packed with the demonstration is given."""
    try:
        find_npm()
    except OsteoEdgeError as error:
        pytest.skip(str(error))
    shared = json.loads(shared_json(read_bundle(FOLDER), name=None, language=None))
    with opened_core(shared, tmp_path_factory.mktemp("core")) as opened:
        yield opened


@pytest.fixture(scope="session")
def built() -> Path:
    """The folder of the built page; skipped where it cannot be built."""
    try:
        find_npm()
    except OsteoEdgeError as error:
        pytest.skip(str(error))
    return built_page().folder


@pytest.fixture(scope="session")
def package_web(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Pack a bundle (the demonstration's, if none is given) with the options of `pack`; gives the app's folder."""

    def package(bundle: Path = FOLDER, **options: Any) -> Path:
        return pack(bundle, tmp_path_factory.mktemp("web") / "app", **options).path

    return package


@pytest.fixture(scope="session")
def packaged(package_web: Callable[..., Path]) -> Path:
    """The app with the demonstration bundle."""
    return package_web()


@pytest.fixture(scope="session")
def site(packaged: Path) -> dict[str, Content]:
    """The app with the demonstration bundle as a server has it: read, and compressed, once for all tests."""
    return read_site(packaged)


@contextmanager
def hosted(site: dict[str, Content]) -> Iterator[tuple[str, WebServer]]:
    """A site on the loopback: its address, with a slash at the end, and the server, whose `site` may be exchanged."""
    with open_server("127.0.0.1", 0, site) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", server
        server.shutdown()


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a packed app on the loopback while the block runs; gives its address."""
    with hosted(read_site(folder)) as (address, _):
        yield address


@pytest.fixture(scope="session")
def serve_folder() -> Iterator[Callable[[Path], str]]:
    """Serve a packed app until the tests end; gives its address."""
    with ExitStack() as stack:
        yield lambda folder: stack.enter_context(serving(folder))


@pytest.fixture(scope="session")
def served(site: dict[str, Content]) -> Iterator[str]:
    """The address of the app with the demonstration bundle."""
    with hosted(site) as (address, _):
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium without a window, which can reach this machine alone."""
    if CHROMIUM is None:
        pytest.skip("no Chromium: make browser")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=[NO_OTHER_HOST])
        yield launched
        launched.close()


@contextmanager
def watched(browser: Browser, **options: Any) -> Iterator[BrowserContext]:
    """A visitor's browser, with no past; fails if anything in it asked another host, or broke the page's policy."""
    asked: list[str] = []
    complaints: list[str] = []

    def note_request(request: Request) -> None:
        asked.append(request.url)

    def note_message(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text or "Content-Security-Policy" in message.text:
            complaints.append(message.text)

    with browser.new_context(**{"viewport": PHONE, **options}) as context:
        context.on("request", note_request)
        context.on("console", note_message)
        yield context
    elsewhere = [url for url in asked if _leaves(url)]
    assert elsewhere == [], "a request left this machine"
    assert complaints == [], "the page broke its own policy"


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A visitor's browser on a phone, with no past."""
    with watched(browser) as context:
        yield context


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """An empty page in it; an error that no script caught fails the test."""
    errors: list[str] = []
    opened = context.new_page()
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    assert errors == [], "a script failed"


@pytest.fixture(scope="session")
def frequent_visitor(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that has been here before, so that the app and its WebAssembly are in its cache."""
    with watched(browser) as context:
        yield context


@pytest.fixture
def visitor(frequent_visitor: BrowserContext, served: str) -> Iterator[BrowserContext]:
    """The same, with nothing kept by the app; an error that no script caught fails the test."""
    errors: list[str] = []

    def note_page(page: Page) -> None:
        page.on("pageerror", lambda error: errors.append(str(error)))

    frequent_visitor.on("page", note_page)
    yield frequent_visitor
    frequent_visitor.remove_listener("page", note_page)
    last = frequent_visitor.new_page()
    for page in frequent_visitor.pages:
        if page is not last:
            page.close()
    kept = {"origin": served.rstrip("/"), "storageTypes": "indexeddb,local_storage"}
    frequent_visitor.new_cdp_session(last).send("Storage.clearDataForOrigin", kept)
    last.close()
    assert errors == [], "a script failed"


def _leaves(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme not in ("blob", "data") and parts.hostname not in ("127.0.0.1", "localhost")
