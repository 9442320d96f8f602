"""A model that tells bones apart, in the page: it answers as Python does, and its bones can be read, named and kept."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from osteo_edge.bundle import Bundle
from osteo_edge.edge_app.exports.restoring import restore_backup
from osteo_edge.edge_app.help_text import WHICH_BONE
from osteo_edge.edge_app.history.store import History
from osteo_edge.edge_app.languages.catalogue import open_catalogue
from osteo_edge.manifest import Manifest
from osteo_edge.runtime import open_interpreter
from osteo_edge.wording import headline, intended_use
from tests.cascade import MODEL, UNCLEAR, cascade_manifest, draw_limb, write_cascade
from tests.edge_app.web.conftest import watched
from tests.edge_app.web.parity import WebScreener, compare
from tests.edge_app.web.reader import PATIENCE_MS, button, choose, open_app, said, save, wait_for_kept

LOOKS = ((0.7, 0.3), (0.5, 0.3), (0.3, 0.3), (0.5, UNCLEAR))
"""Brightness and contrast of films of which the model says all that it may say."""


@pytest.fixture(scope="module")
def limbs(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle with a head for abnormal elbows and one for the bone density of wrists."""
    manifest = Manifest.from_dict(json.loads(MODEL.with_name("manifest.json").read_text("utf-8")))
    router = cascade_manifest(manifest).router
    assert router is not None
    elbow, wrist = router.heads
    low = replace(wrist, finding="density", decision=replace(wrist.decision, threshold=0.45))
    both = replace(router, heads=(elbow, low))
    use, data = intended_use("DXA", "density", "abnormality"), replace(manifest.data, label_source="DXA")
    folder = tmp_path_factory.mktemp("limbs") / "limbs"
    return write_cascade(folder, manifest, router=both, finding=None, intended_use=use, data=data)


@pytest.fixture(scope="module")
def app(limbs: Bundle, package_web: Callable[..., Path]) -> Path:
    """The app with this model."""
    return package_web(limbs.path)


@pytest.fixture(scope="module")
def address(app: Path, serve_folder: Callable[[Path], str]) -> str:
    """Where it is served."""
    return serve_folder(app)


def test_every_film_is_read_as_python_reads_it_whether_or_not_its_bone_is_named(
    browser: Browser, app: Path, address: str, limbs: Bundle, tmp_path: Path
) -> None:
    interpreter = open_interpreter(limbs, threads=1)
    films = [
        draw_limb(tmp_path / f"{bone}-{brightness}-{contrast}.png", bone, brightness, contrast=contrast)
        for bone in ("elbow", "wrist")
        for brightness, contrast in LOOKS
    ]
    with watched(browser) as context:
        web = WebScreener(context.new_page(), address, app)
        found = {
            (film.name, bone): compare(film, web, limbs, interpreter, bone)
            for film in films
            for bone in (None, "elbow", "wrist")
        }
    assert {case: one.differences for case, one in found.items() if one.differences} == {}
    assert {one.outcome for one in found.values()} == {"refer", "no_finding", "uncertain"}


def answer_of(page: Page) -> str:
    """The words of the answer, once it is there."""
    expect(page.locator(".headline")).to_be_visible(timeout=PATIENCE_MS)
    return page.locator("article").inner_text()


def test_the_bone_is_read_another_one_is_named_and_the_history_tells_it(
    page: Page, address: str, tmp_path: Path
) -> None:
    film = draw_limb(tmp_path / "film.png", "elbow", 0.7)
    open_app(page, address)
    expect(said(page, WHICH_BONE)).to_be_visible()
    button(page, "New screening")
    assert page.get_by_label("Not given").last.is_checked()
    choose(page, film)
    read = answer_of(page)
    assert "Bone: elbow" in read
    assert "taken for: elbow (probability above 0.99)" in read
    assert headline("refer", "abnormality") in read
    said(page, "The probability that the model gives").click()
    expect(said(page, "(elbow: abnormal 0.92)")).to_be_visible()

    button(page, "‹ Back")
    page.get_by_role("dialog").get_by_role("button", name="Leave").click()
    page.get_by_label("wrist").check()
    choose(page, film)
    named = answer_of(page)
    assert "Bone: wrist" in named
    assert "read as wrist, as you said; the model takes it for elbow (above 0.99)" in named
    assert headline("refer") in named
    save(page)
    open_app(page, address, "history")
    expect(page.locator(".entry")).to_contain_text("Bone: wrist")
    open_app(page, address, "new")
    assert page.get_by_label("Not given").last.is_checked(), "the next film may show another bone"

    open_app(page, address, "backup")
    with page.expect_download() as download:
        button(page, "Back up")
    download.value.save_as(tmp_path / "web.zip")
    restore_backup(tmp_path / "web.zip", tmp_path / "restored")
    with History(tmp_path / "restored") as history:
        (entry,) = history.entries()
    assert (entry.bone, entry.finding, entry.threshold) == ("wrist", "density", 0.45)
    assert list(entry.probabilities) == ["wrist abnormal"]


def test_where_the_bone_is_not_clear_there_is_no_number_until_it_is_named(
    page: Page, address: str, tmp_path: Path
) -> None:
    film = draw_limb(tmp_path / "film.png", "elbow", 0.7, contrast=UNCLEAR)
    open_app(page, address, "new")
    choose(page, film)
    unclear = answer_of(page)
    assert "it is not clear which bone this shows: elbow (0.7" in unclear
    assert "No probability: the model gave no answer from this image." in unclear
    assert "Bone:" not in unclear
    assert page.locator("details.probability").count() == 0
    button(page, "‹ Back")
    page.get_by_role("dialog").get_by_role("button", name="Leave").click()
    page.get_by_label("elbow").check()
    choose(page, film)
    assert "Bone: elbow" in answer_of(page)


def test_an_unfinished_form_keeps_the_bone_and_the_language_is_that_of_the_kivy_app(
    page: Page, address: str, tmp_path: Path
) -> None:
    french = open_catalogue("fr")
    open_app(page, address, "settings")
    page.get_by_label("Français").check()
    page.goto(f"{address}#new")
    page.get_by_label(french("wrist")).check()
    wait_for_kept(page, screenings=0, images=0, forms=1)
    page.reload()
    button(page, french("Continue it"))
    expect(page.get_by_label(french("wrist"))).to_be_checked()
    choose(page, draw_limb(tmp_path / "film.png", "wrist", 0.7), french("Choose a film"))
    told = answer_of(page)
    assert french("read as wrist, as you said; the model takes it for wrist (above 0.99)") in told
    assert french("Bone: {bone}").format(bone=french("wrist")) in told
