import json
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from osteo_edge.edge_app.history.entry import Patient
from osteo_edge.edge_app.left_off import (
    MAX_FILE_BYTES,
    Left,
    LeftEntry,
    LeftFilm,
    LeftForm,
    LeftPage,
    LeftPair,
    LeftPhoto,
    forget_left_off,
    take_left_off,
    write_left_off,
)
from osteo_edge.edge_app.screening_form import FormFields

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=timezone.utc)
SCREENS: list[tuple[str, Left]] = [
    ("history", LeftPage()),
    ("new_screening", LeftForm(asdict(FormFields("K-1", "67", "female", "52,5", "elbow")), "a" * 32, ("x.dcm",))),
    ("camera", LeftPhoto("photos/photo.jpg")),
    ("result", LeftFilm("photos/x.dcm", Patient("K-1", 67, "female", 52.5), "b" * 64, "a" * 32, ("glare",))),
    ("result", LeftFilm("photos/y.dcm", Patient())),
    ("result", LeftFilm("photos/z.dcm", Patient(), bone="elbow")),
    ("result", LeftEntry("c" * 32, {"note": {"note": "left knee"}})),
    ("side_by_side", LeftPair("c" * 32, "d" * 32)),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "left-off.json"


def test_all_that_was_open_comes_back_once(path: Path) -> None:
    write_left_off(path, SCREENS, NOW)
    assert take_left_off(path, NOW + timedelta(hours=3)) == tuple(SCREENS)
    assert take_left_off(path, NOW) == ()
    assert not list(path.parent.iterdir())


def test_what_was_left_last_counts(path: Path) -> None:
    write_left_off(path, SCREENS, NOW)
    write_left_off(path, SCREENS[:1], NOW)
    assert take_left_off(path, NOW) == tuple(SCREENS[:1])


@pytest.mark.parametrize("hours", [-1, 25])
def test_another_day_begins_anew(path: Path, hours: int) -> None:
    write_left_off(path, SCREENS, NOW)
    assert take_left_off(path, NOW + timedelta(hours=hours)) == ()
    assert not path.exists()


def test_a_film_that_is_gone_is_known_and_the_form_does_without(tmp_path: Path) -> None:
    film = tmp_path / "film.dcm"
    film.write_bytes(b"x")
    form = LeftForm({}, "a" * 32, (str(film), str(tmp_path / "gone.dcm")))
    assert form.arguments()["films"] == (film,)
    assert form.files() == ()
    assert LeftFilm(str(film), Patient()).files() == (film,)


def test_what_was_left_before_bones_were_named_is_opened_again(path: Path) -> None:
    fields = {"code": "K-1", "age": "67", "sex": "female", "weight": "52,5"}
    write_left_off(path, [("new_screening", LeftForm(fields, "a" * 32, ())), SCREENS[4]], NOW)
    document = json.loads(path.read_text("utf-8"))
    del document["screens"][1]["of"]["bone"]
    path.write_text(json.dumps(document), "utf-8")
    (_, form), (_, film) = take_left_off(path, NOW)
    assert form.arguments()["fields"] == FormFields("K-1", "67", "female", "52,5")
    assert film.arguments()["bone"] is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"schema": 2, "left_at": "2026-11-21T09:30:00+00:00", "screens": []}',
        '{"schema": 1, "left_at": 5, "screens": []}',
        '{"schema": 1, "left_at": "2026-11-21T09:30:00", "screens": []}',
        '{"schema": 1, "left_at": "yesterday", "screens": []}',
        '{"schema": 1, "left_at": "2026-11-21T09:30:00+00:00", "screens": 3}',
        "[" * 100_000,
        " " * (MAX_FILE_BYTES + 1),
    ],
)
def test_a_file_that_is_none_is_passed_over_and_forgotten(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text, "utf-8")
    assert take_left_off(path, NOW) == ()
    assert not path.exists()


@pytest.mark.parametrize(
    "screen",
    [
        {"name": "lock", "kind": "LeftPage", "of": {}},
        {"name": "choose_pin", "kind": "LeftPage", "of": {"removing": True}},
        {"name": "history", "kind": "LeftFilm", "of": {}},
        {"name": "result", "kind": "LeftFilm", "of": {"film": 3, "patient": {}}},
        {"name": "result", "kind": "LeftFilm", "of": {"film": "a", "patient": {"age_years": 400}}},
        {"name": "result", "kind": "LeftEntry", "of": {"entry_id": "a", "typed": {"note": "x"}}},
        {"name": 3, "kind": "LeftPage", "of": {}},
        "history",
    ],
)
def test_a_screen_that_cannot_be_opened_again_is_refused(path: Path, screen: object) -> None:
    path.parent.mkdir()
    path.write_text(json.dumps({"schema": 1, "left_at": NOW.isoformat(), "screens": [screen]}), "utf-8")
    assert take_left_off(path, NOW) == ()


def test_to_forget_what_was_never_left_is_nothing(path: Path) -> None:
    forget_left_off(path)
