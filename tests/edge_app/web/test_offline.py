"""The app without a network: the first visit stores it, the second needs nothing; what changed is fetched, and offered.

    python -m pytest -s tests/edge_app/web/test_offline.py

prints how long the second visit takes, and how much the first one loads.
"""

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from osteo_edge.edge_app.web import serving
from osteo_edge.edge_app.web.packed import read_files
from osteo_edge.edge_app.web.packing import first_load, later_load
from osteo_edge.edge_app.web.serving import Content, read_site
from tests.edge_app.web.conftest import hosted, watched
from tests.edge_app.web.reader import PATIENCE_MS, open_app, save, screen

HEADERS_OF = """async () => {
    const store = await caches.open((await caches.keys())[0]);
    const answers = await Promise.all((await store.keys()).map((request) => store.match(request)));
    return [...new Set(answers.map((answer) => answer.headers.get("X-Newer")))];
}"""
STORED = "It works without a network."
STORES = "async () => (await caches.keys()).length"
KEPT = """async () => {
    const [name] = await caches.keys();
    const requests = await (await caches.open(name)).keys();
    return requests.map((request) => new URL(request.url).pathname.slice(1));
}"""
KEPT_OF = f"async (names) => (await ({KEPT})()).filter((name) => names.includes(name))"
READY = "async () => { await navigator.serviceWorker.ready }"
NAME = "async () => (await (await fetch('shared.json')).json()).app.name"
GIVEN_UP = """async () => {
    const { installing } = await navigator.serviceWorker.register("./sw.js");
    const isGivenUp = () => installing === null || installing.state === "redundant";
    await new Promise((resolve) => {
        if (isGivenUp()) resolve();
        else installing.addEventListener("statechange", () => isGivenUp() && resolve());
    });
    return (await navigator.serviceWorker.getRegistration())?.active ?? null;
}"""
ASK = "(address) => fetch(address, {mode: 'no-cors'}).then((answer) => answer.type, () => 'refused')"
Site = dict[str, Content]
OFFLINE_S = 1.0
FEWEST_TRIES, MOST_TRIES = 5, 30
WASM = re.compile(r"litert_wasm_\w*\.wasm$")


def visit(page: Page, address: str) -> None:
    """Open the app and wait until all of it works without a network."""
    open_app(page, address)
    expect(page.get_by_text(STORED)).to_be_visible(timeout=PATIENCE_MS)


@contextmanager
def without_network(page: Page) -> Iterator[None]:
    page.context.set_offline(True)
    yield
    page.context.set_offline(False)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many bytes of content were sent, by path."""
    counted: Counter[str] = Counter()
    send = serving._Handler._send

    def counting(handler: Any, body: bytes) -> None:
        counted[handler.path] += len(body)
        send(handler, body)

    monkeypatch.setattr(serving._Handler, "_send", counting)
    return counted


def tell(capsys: pytest.CaptureFixture[str], figure: str) -> None:
    with capsys.disabled():
        print(f"\n{figure}")  # noqa: T201


def test_a_film_is_screened_and_kept_without_a_network(page: Page, served: str) -> None:
    visit(page, served)
    with without_network(page):
        page.reload()
        screen(page, served, code="K-1")
        save(page)
        page.reload()
        open_app(page, served, "history")
        expect(page.locator(".entry .strong")).to_have_text("K-1")


@pytest.mark.timed
def test_the_second_visit_is_usable_within_a_second_without_a_network(
    page: Page, served: str, capsys: pytest.CaptureFixture[str]
) -> None:
    visit(page, served)
    taken: list[float] = []
    with without_network(page):
        while len(taken) < FEWEST_TRIES or (min(taken) >= OFFLINE_S and len(taken) < MOST_TRIES):
            page.goto("about:blank")
            began = time.perf_counter()
            page.goto(f"{served}#new", wait_until="commit")
            expect(page.get_by_role("button", name="Choose a film", exact=True)).to_be_enabled()
            taken.append(time.perf_counter() - began)
    tell(capsys, f"second visit, offline: median {median(taken):.2f} s of {len(taken)} until a film can be chosen")
    assert min(taken) < OFFLINE_S, "the others may have waited for whatever else this machine does"


def test_the_first_visit_loads_each_file_once_one_variant_of_the_runtime_and_last_what_can_wait(
    browser: Browser, packaged: Path, site: Site, sent: Counter[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with hosted(site) as (address, _), watched(browser) as context:
        visit(context.new_page(), address)
    files = read_files(packaged)[1]
    names = {path.removeprefix("/").partition("?")[0] or "index.html" for path in sent}
    assert names == {*first_load(files), *later_load(files)}
    last = list(sent)[-len(later_load(files)) :]
    assert {path.removeprefix("/") for path in last} == set(later_load(files))
    tell(capsys, f"first visit: {sent.total() / 1e6:.2f} MB sent, compressed")
    assert sent.total() < 14_000_000
    assert max(sent.values()) == max(size for path, size in sent.items() if WASM.search(path)) < 3_000_000


def test_all_that_was_packed_is_stored_but_the_variant_that_does_not_run_here(
    page: Page, served: str, packaged: Path
) -> None:
    visit(page, served)
    files = read_files(packaged)[1]
    assert set(page.evaluate(KEPT)) == {*first_load(files), *later_load(files)} - {"sw.js"}


def test_a_film_is_screened_without_what_can_wait_and_that_is_stored_at_the_next_start(
    page: Page, site: Site, packaged: Path
) -> None:
    later = set(later_load(read_files(packaged)[1]))
    with hosted({path: one for path, one in site.items() if path.removeprefix("/") not in later}) as (address, server):
        open_app(page, address)
        page.evaluate(READY)
        with without_network(page):
            screen(page, address)
        assert page.evaluate(KEPT_OF, sorted(later)) == []
        server.site = site
        page.goto("about:blank")
        visit(page, address)
        assert sorted(page.evaluate(KEPT_OF, sorted(later))) == sorted(later)


def test_what_the_browser_lost_is_stored_again(page: Page, served: str) -> None:
    visit(page, served)
    page.evaluate("async () => { for (const name of await caches.keys()) await caches.delete(name) }")
    page.goto("about:blank")
    visit(page, served)
    with without_network(page):
        page.reload()
        screen(page, served)


@pytest.mark.slow
def test_a_newer_version_is_offered_and_taken_when_the_user_says_so(
    page: Page, site: Site, package_web: Callable[..., Path], sent: Counter[str]
) -> None:
    with hosted(site) as (address, server):
        visit(page, address)
        newer = read_site(package_web(name="Newer"))
        worker = newer["/sw.js"]
        plain = worker.plain.replace(b'"headers": {', b'"headers": {"X-Newer": "yes", ')
        server.site = {**newer, "/sw.js": replace(worker, plain=plain, _is_tried=False)}
        sent.clear()
        page.reload()
        expect(page.get_by_text("A newer version of this page is here.")).to_be_visible(timeout=PATIENCE_MS)
        assert page.evaluate(NAME) is None, "what is open stays one version, however long"
        assert {path.removeprefix("/") for path in sent} >= {"sw.js", "shared.json", "manifest.webmanifest"}
        assert [path for path in sent if "/litert-" in path or path.endswith(".tflite")] == [], "these are the same"
        with page.expect_navigation():
            page.get_by_role("button", name="Use it", exact=True).click()
        open_app(page, address)
        assert page.evaluate(NAME) == "Newer"
        assert page.evaluate(HEADERS_OF) == ["yes"], "of what was stored before, too"
        assert page.evaluate(STORES) == 1


def test_a_host_that_sets_no_headers_has_them_from_the_second_visit_on(page: Page, packaged: Path, site: Site) -> None:
    kinds = {path: {"Content-Type": one.headers["Content-Type"]} for path, one in site.items()}
    expected = json.loads((packaged / "packed.json").read_bytes())["headers"]
    with hosted({path: replace(one, headers=kinds[path]) for path, one in site.items()}) as (address, _):
        visit(page, address)
        response = page.reload()
        assert response is not None
        assert response.from_service_worker
        assert expected.items() <= {name: response.headers[name.lower()] for name in expected}.items()


def test_an_app_with_an_altered_file_is_not_stored(page: Page, site: Site) -> None:
    altered = next(path for path in site if path.endswith("MODEL_CARD.md"))
    content = replace(site[altered], plain=b"altered", _is_tried=False)
    with hosted({**site, altered: content}) as (address, _):
        open_app(page, address)
        assert page.evaluate(GIVEN_UP) is None


def test_what_leads_elsewhere_is_refused_by_the_worker_too(browser: Browser, site: Site, served: str) -> None:
    with hosted(site) as (elsewhere, _), browser.new_context(bypass_csp=True) as context:
        page = context.new_page()
        visit(page, served)
        page.reload()
        assert page.evaluate(ASK, elsewhere) == "refused"
        assert page.evaluate(ASK, f"{served}shared.json") == "basic"


def test_a_phone_can_install_it(page: Page, served: str) -> None:
    visit(page, served)
    session = page.context.new_cdp_session(page)
    problems = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert [one["errorId"] for one in problems if one["errorId"] != "in-incognito"] == []
    assert session.send("Page.getAppManifest")["errors"] == []
