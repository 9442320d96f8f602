"""A page with trusted keys screens with a bundle that one of them has signed, and with no other."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.edge_app.demo_bundle import FOLDER
from osteo_edge.edge_app.web.serving import Content, read_site
from tests.edge_app.web.conftest import hosted
from tests.edge_app.web.reader import PATIENCE_MS, choose, open_app, said, screen
from tests.signing import Signer

REFUSED = "No key that this page trusts has signed the model: it is not used. Ask who set this page up."


def signed_by(signer: Signer, folder: Path) -> Bundle:
    shutil.copytree(FOLDER, folder)
    bundle = read_bundle(folder)
    signer.sign(bundle)
    return bundle


def exchanged(one: Content, content: bytes) -> Content:
    return replace(one, plain=content, _is_tried=False)


@pytest.mark.slow
def test_only_what_a_trusted_key_has_signed_is_used(
    page: Page, package_web: Callable[..., Path], signer: Signer, other_signer: Signer, tmp_path: Path
) -> None:
    bundle = signed_by(signer, tmp_path / "signed")
    foreign = signed_by(other_signer, tmp_path / "foreign").path / "model.sig"
    site = read_site(package_web(bundle.path, trusted=(signer.public,)))
    with hosted(site) as (address, _):
        screen(page, address)
    described = site["/bundle/manifest.json"]
    renamed = described.plain.replace(b'"version": "1"', b'"version": "2"')
    for path, content in (("/bundle/model.sig", foreign.read_bytes()), ("/bundle/manifest.json", renamed)):
        assert content != site[path].plain
        with hosted({**site, path: exchanged(site[path], content)}) as (address, _):
            open_app(page, address, "new")
            choose(page)
            expect(said(page, REFUSED)).to_be_visible(timeout=PATIENCE_MS)
