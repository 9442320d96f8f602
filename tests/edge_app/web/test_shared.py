"""What the web app has from Python: nothing is typed twice, and nothing is missing that the page asks for."""

import base64
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osteo_edge import gate, knee_template, overlay, wording
from osteo_edge.bundle import Bundle
from osteo_edge.edge_app.demo_bundle import demo_bundle
from osteo_edge.edge_app.history.store import UNDO_WINDOW
from osteo_edge.edge_app.languages.catalogue import open_catalogue
from osteo_edge.edge_app.light_box import crop
from osteo_edge.edge_app.light_box.photo import JPEG_QUALITY
from osteo_edge.edge_app.models.details import ON_TEST_ALONE, ON_TEST_ALONE_BEFORE
from osteo_edge.edge_app.screening_form import MAX_AGE_YEARS, MAX_WEIGHT_KG
from osteo_edge.edge_app.web.building import PROJECT
from osteo_edge.edge_app.web.shared import constants, shared_json, strings_json, tables
from osteo_edge.manifest import Manifest, Metric
from osteo_edge.raster import colour
from osteo_edge.signature import PREDICATE, STATEMENT

SOURCES = sorted(path for path in (PROJECT / "src").rglob("*.ts") if path.name != "sw.ts")


@pytest.fixture(scope="module")
def shared() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shared_json(demo_bundle(), name="Knee", language="fr"))
    return found


def test_the_texts_are_those_of_python(shared: dict[str, Any]) -> None:
    words = shared["wording"]
    for finding in wording.FINDINGS:
        for outcome in wording.HEADLINES:
            assert words["headlines"][finding][outcome] == wording.headline(outcome, finding)
            assert words["advice"][finding][outcome] == wording.advice(outcome, finding)
    assert shared["app"] | {"version": ""} == {"name": "Knee", "language": "fr", "version": "", "trustedKeys": []}
    assert shared["isDemo"] is True
    assert ["Precision", "8-bit integers (int8)"] in shared["facts"]


def test_figures_promise_no_follow_up_which_the_page_has_not(
    golden_bundle: Callable[..., Bundle], manifest: Manifest
) -> None:
    of_patients = {"data": replace(manifest.data, label_source="DXA"), "intended_use": "Screening."}
    for part, words in (("test, before conversion", ON_TEST_ALONE_BEFORE), ("test", ON_TEST_ALONE)):
        metrics = {"sensitivity, test": Metric(0.9, 0.8, 0.95, 40, part)}
        bundle = golden_bundle(part, metrics=metrics, **of_patients)
        figures = json.loads(shared_json(bundle, name=None, language=None))["figures"]
        assert figures == ["Sensitivity: 0.90 (95 % interval 0.80 to 0.95), n = 40", words]


def test_every_limit_of_the_gate_goes_along(shared: dict[str, Any]) -> None:
    stated = {name for name, value in vars(gate).items() if name.isupper() and isinstance(value, int | float)}
    assert {re.sub("([A-Z])", r"_\1", name).upper() for name in shared["gate"]} == stated
    assert shared["gate"]["maxAspect"] == gate.MAX_ASPECT


def test_the_template_of_the_knee_is_the_same_to_the_bit(shared: dict[str, Any]) -> None:
    template = knee_template.load_template()
    for name, patch in shared["kneeTemplate"].items():
        unpacked = np.frombuffer(base64.b64decode(patch["data"]), "<f4").reshape(patch["shape"])
        assert np.array_equal(unpacked, getattr(template, name))


def test_the_colours_are_those_that_python_paints(shared: dict[str, Any]) -> None:
    levels = np.arange(256, dtype=np.uint8)[np.newaxis]
    for name in overlay.COLOUR_MAPS:
        red_green_blue = np.frombuffer(base64.b64decode(shared["overlay"]["colourMaps"][name]), np.uint8)
        assert np.array_equal(red_green_blue.reshape(256, 3)[:, ::-1], colour.coloured(levels, name)[0])


def test_lists_keep_their_order(shared: dict[str, Any]) -> None:
    assert list(shared["periods"])[:2] == ["all", "today"]
    assert shared["history"]["columns"][0] == "id"


def test_only_numbers_go_along_as_constants() -> None:
    assert "defaultGate" not in constants(gate)
    assert all(json.dumps(value) for value in tables().values())


@pytest.mark.parametrize("language", ["fr", "es", "sw"])
def test_the_strings_are_those_of_the_kivy_app(language: Any) -> None:
    strings = json.loads(strings_json(language))
    translate = open_catalogue(language)
    assert len(strings) > 500
    for text in (*wording.HEADLINES.values(), *wording.ADVICE.values(), "Cancel"):
        assert strings[text] == translate(text) != text


def test_no_source_types_a_text_that_the_tables_hold(shared: dict[str, Any]) -> None:
    held = {*_texts(shared["wording"]), *_texts(shared["ost"]), shared["mark"], shared["photoOfFilm"]}
    long = {text for text in held if " " in text}
    assert len(long) > 10
    twice = [(path.name, text) for path in SOURCES for text in long if f'"{text}"' in path.read_text("utf-8")]
    assert twice == []


@pytest.mark.parametrize(
    ("source", "stated", "number"),
    [
        ("history/store.ts", r"UNDO_MS = ([\d_]+);", UNDO_WINDOW / timedelta(milliseconds=1)),
        ("history/checked.ts", r'"age_years", \(name\) => read.whole\(name, 0, (\d+)\)', MAX_AGE_YEARS),
        ("history/checked.ts", r'"weight_kg", \(name\) => read.number\(name, Number.MIN_VALUE, (\d+)\)', MAX_WEIGHT_KG),
        ("ui/screens/photo.ts", r"LONGEST_PX = (\d+);", crop.MAX_SIDE_PX),
        ("ui/screens/photo.ts", r"JPEG_QUALITY = ([\d.]+);", JPEG_QUALITY / 100),
    ],
)
def test_a_number_that_a_source_states_itself_is_that_of_python(source: str, stated: str, number: float) -> None:
    found = re.findall(stated, (PROJECT / "src" / source).read_text("utf-8"))
    assert [float(one) for one in found] == [number]


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in _texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return [value] if isinstance(value, str) else []


def test_the_page_asks_for_no_table_that_is_not_there(shared: dict[str, Any]) -> None:
    for path in (PROJECT / "src" / "core" / "shared.ts", PROJECT / "src" / "ui" / "shared.ts"):
        declared = interface_fields(path.read_text("utf-8"), "Shared" if path.parent.name == "core" else "ScreenTables")
        assert declared
        assert declared - set(shared) == set(), path


def interface_fields(source: str, name: str) -> set[str]:
    """The names of an interface's own fields, not those of what is within them."""
    body = re.search(rf"export interface {name}\b[^{{]*{{\n(.*?)\n}}", source, re.DOTALL)
    return set(re.findall(r"^  readonly (\w+)\??:", body[1], re.MULTILINE)) if body else set()


def test_no_source_states_an_address_of_the_internet() -> None:
    found = {url for path in SOURCES for url in re.findall(r"[\"'`](https?://[^\"'`]*)", _code(path))}
    assert found == {"http://www.w3.org/2000/svg", STATEMENT, PREDICATE}, "these are names, which nobody fetches"


def _code(path: Path) -> str:
    return re.sub(r"/\*.*?\*/|^\s*//.*$", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
