"""What LiteRT.js says of a model with an operator that it has, and of one that it has not."""

import json
import threading

import pytest
from playwright.sync_api import Browser

from osteo_edge.edge_app.web.serving import open_server
from osteo_edge.edge_app.web.suitable import OPERATORS
from tests.edge_app.web.operators import MISSING, complaint, known_operators, model_with, opened, package_version, site


def test_the_list_is_of_the_version_in_use(built: object) -> None:
    recorded = json.loads(OPERATORS.read_text("utf-8"))
    assert recorded["litert"] == package_version(), "make it anew: python -m tests.edge_app.web.operators"
    assert set(recorded["operators"]) < set(known_operators())


@pytest.mark.slow
def test_the_browser_agrees_with_the_list(built: object, browser: Browser) -> None:
    there = json.loads(OPERATORS.read_text("utf-8"))["operators"]
    with open_server("127.0.0.1", 0, site()) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        page, said = opened(browser, f"http://127.0.0.1:{server.server_port}/")
        for name in ("MEAN", "CONV_2D", "DEPTHWISE_CONV_2D", "ADD", "CALL", "STABLEHLO_CONVOLUTION"):
            told = complaint(page, said, model_with(known_operators()[name]))
            assert (MISSING in told) == (name not in there), told
        page.close()
        server.shutdown()
