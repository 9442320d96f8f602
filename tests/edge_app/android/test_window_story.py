"""A whole screening on a phone, as far as it can be played: the staged app in its window, with Java and LiteRT."""

from __future__ import annotations

import json
import os
import re
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.edge_app.android.expected_answer import read_expected
from osteo_edge.edge_app.virtual_display import virtual_display
from tests.java_doubles import run_in_jvm

STORY = Path(__file__).with_name("window_story.py")
PICTURES = "OSTEO_EDGE_PICTURES"
"""Where pictures of the screen are to be kept, for whoever wants to look at them."""
pytestmark = [
    pytest.mark.kivy,
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("kivy") is None, reason="no Kivy: pip install 'osteo-edge[app]'"),
    pytest.mark.skipif(shutil.which("Xvfb") is None, reason="no Xvfb: make display"),
]

Seen = dict[str, Any]
NOT_SECRET, SECRET = "window flags 0", "window flags 8192"
"""The second is FLAG_SECURE."""


@pytest.fixture(scope="module")
def seen(
    unpacked_app: Path, java_classes: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Seen, Seen, list[Path]]:
    """What was seen until the system ended the app, after it was opened again, and pictures of the screen."""
    folder = tmp_path_factory.mktemp("phone")
    pictures, private = Path(os.environ.get(PICTURES, folder / "pictures")), folder / "files"
    private.mkdir()
    with virtual_display() as display:
        parts = [
            run_in_jvm(STORY, str(unpacked_app), str(private), part, str(pictures), classes=java_classes, **display)
            for part in ("screen", "again")
        ]
    for part in parts:
        assert part.stdout, part.stderr
    first, second = (json.loads(part.stdout) for part in parts)
    return first, second, sorted(pictures.iterdir())


def test_a_picture_from_the_picker_is_screened_by_litert_behind_java(
    seen: tuple[Seen, Seen, list[Path]], unpacked_app: Path
) -> None:
    first, _, _ = seen
    assert first["asked for"] == "android.provider.action.PICK_IMAGES"
    assert first["models"][0][1:] == [1, 0]  # with XNNPACK, and not on the GPU
    assert first["score"] == pytest.approx(read_expected(unpacked_app / "expected.json").score, abs=0.01)
    assert first["has a map"]
    (copy,) = first["own copies"]
    assert re.fullmatch(r"[0-9a-f]{32}\.jpg", copy)  # no name of the film
    assert first["in the cache"] == []
    assert first["asked by workers"] == []
    assert first["foreign"] == []


def test_an_app_that_the_system_ends_goes_on_where_it_was(seen: tuple[Seen, Seen, list[Path]]) -> None:
    first, second, _ = seen
    assert [screen["name"] for screen in first["left off"]] == ["new_screening", "result"]
    assert (second["screen"], second["score"]) == ("result", first["score"])
    assert (second["history"], second["drafts"], second["unsaved"]) == (1, 0, [])
    assert second["sent"][1:] == ["android.intent.action.SEND", "application/pdf"]
    assert second["report"] == ["%PDF-"]
    assert second["back at home"] == ["moved to the back"]


def test_pages_with_patients_are_secret_and_answers_are_said_without_them(
    seen: tuple[Seen, Seen, list[Path]],
) -> None:
    first, second, _ = seen
    assert flags(first["at home"]) == [NOT_SECRET]
    assert flags(first["form"]) == flags(first["answer"]) == [SECRET]
    assert flags(second["answer"])[-1] == SECRET
    said = [line for line in (*first["form"], *first["answer"], *second["answer"]) if line.startswith("said ")]
    assert said[:2] == ["said New screening", "said Result"]
    assert "Possible low bone density: refer for DXA" in said[2]
    assert said[-1] == said[2]
    assert not any("K-1042" in line or "67" in line for line in said)


def flags(notes: list[str]) -> list[str]:
    return [line for line in notes if line.startswith("window flags ")]


def test_the_systems_keyboard_learns_nothing_of_patients_and_can_type_a_decimal_point(
    seen: tuple[Seen, Seen, list[Path]],
) -> None:
    first, _, _ = seen
    no_suggestions, text, number = 0x80000, 1, 2  # of android.text.InputType
    kinds = [int(line.split()[1]) for line in first["form"] if line.startswith("keyboard ")]
    assert kinds == [text | no_suggestions, number, text | no_suggestions]


def test_nothing_lies_under_the_cut_out(seen: tuple[Seen, Seen, list[Path]]) -> None:
    first, _, pictures = seen
    assert first["padding"] == [0, 40, 0, 48]
    assert [path.stem for path in pictures] == ["answer", "dark", "history", "home"]
