"""The app as it is on a phone: all of it is there without OpenCV, and what it saves and exports is the same.

The bounds have some room above what was measured; the network of whole numbers makes more of the crops' differences.
"""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from compileall import compile_dir
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from osteo_edge.edge_app.android.contents import app_files
from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.edge_app.light_box.drawn import Scene, draw_photo
from osteo_edge.radiograph import read_radiograph
from tests.edge_app import one_screening

FORMS = ("opencv", "plain", "packed")
MEASURED = {"id", "taken_at", "milliseconds"}
"""Of an entry: never twice the same."""


class Run:
    """What a process has told, and the folder in which it has left its files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: dict[str, Any] = json.loads((folder / "told.json").read_text("utf-8"))

    def picture(self, screening: str, name: str) -> npt.NDArray[Any]:
        with np.load(self.folder / screening / "pictures.npz") as pictures:
            return np.asarray(pictures[name], np.float64)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """The same photo and the same film by both forms, and by what is packed into an app."""
    pytest.importorskip("fpdf")
    folder = tmp_path_factory.mktemp("forms")
    film = np.asarray(cv2.resize(read_radiograph(DRAWN_FILM).pixels, None, fx=0.6, fy=0.6), np.float32)
    drawn = draw_photo(film, Scene(pitch=6, yaw=-5, roll=3, height=1536, width=2048))
    cv2.imwrite(str(folder / "photo.jpg"), drawn.photo, [cv2.IMWRITE_JPEG_QUALITY, 95])
    packed = {"PYTHONPATH": str(pack(folder / "app"))}
    return {form: run(folder, form, packed if form == "packed" else {}) for form in FORMS}


def pack(folder: Path) -> Path:
    """The program as it lies in an app: compiled, and without its sources."""
    for name, path in app_files().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / name)
    compile_dir(folder, quiet=1, legacy=True, optimize=2)
    for source in folder.rglob("*.py"):
        source.unlink()
    return folder


def run(folder: Path, form: str, environment: dict[str, str]) -> Run:
    command = [sys.executable, "-OO", one_screening.__file__, str(folder / "photo.jpg"), str(folder / form), form]
    kivy = {"KIVY_NO_ARGS": "1", "KIVY_NO_CONSOLELOG": "1", "KIVY_HOME": str(folder / "kivy")}
    environment = {**os.environ, **kivy, "OSTEO_EDGE_PREFLIGHT": "0", **environment}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return Run(folder / form)


def pairs(runs: dict[str, Run]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    yield from zip(runs["opencv"].told["screenings"], runs["plain"].told["screenings"], strict=True)


def test_every_module_that_the_app_needs_is_there_without_opencv_click_and_rich(runs: dict[str, Run]) -> None:
    told = runs["plain"].told
    assert (runs["opencv"].told["form"], told["form"]) == ("opencv", "plain")
    assert {name: why for name, why in told["missing"].items() if "kivy" not in why and "jnius" not in why} == {}
    assert [name for name in told["loaded"] if name.startswith("osteo_edge.raster.opencv")] == []


def test_what_is_packed_into_an_app_does_all_of_it_alone(runs: dict[str, Run]) -> None:
    plain, packed = runs["plain"].told, runs["packed"].told
    assert (packed["form"], packed["missing"]) == ("plain", {})
    for one, two in zip(plain["screenings"], packed["screenings"], strict=True):
        assert {**one["entry"], **dict.fromkeys(MEASURED)} == {**two["entry"], **dict.fromkeys(MEASURED)}


def test_what_is_left_out_is_still_there() -> None:
    app = Path(one_screening.__file__).parents[2] / "edge_app"
    for name in one_screening.LEFT_OUT:
        path = app / name.replace(".", "/")
        assert path.is_dir() or path.with_suffix(".py").is_file(), name


def test_the_entries_are_the_same(runs: dict[str, Run]) -> None:
    for opencv, plain in pairs(runs):
        mine, other = opencv["entry"], plain["entry"]
        assert mine["score"] == pytest.approx(other["score"], abs=0.01)
        for name in ("probabilities", "image_stats"):
            assert mine[name] == pytest.approx(other[name], abs=0.01)
        numbers = {"score", "probabilities", "image_stats", "overlay_sha256", "image_sha256", "reasons"}
        same = mine.keys() - MEASURED - numbers
        assert {name: mine[name] for name in same} == {name: other[name] for name in same}
        assert [_wordy(reason) for reason in mine["reasons"]] == [_wordy(reason) for reason in other["reasons"]]


def test_the_corners_and_hints_of_the_photo_are_the_same(runs: dict[str, Run]) -> None:
    opencv, plain = next(pairs(runs))
    assert np.abs(np.subtract(opencv["corners"], plain["corners"])).max() < 0.1
    assert opencv["raised"] == plain["raised"]
    assert opencv["turned"] == plain["turned"]


@pytest.mark.parametrize(
    ("screening", "name", "mean", "largest"),
    [
        ("drawn", "film", 0, 0),
        ("drawn", "thumbnail", 0, 0),
        ("drawn", "evidence", 1e-4, 0.01),
        ("photo", "film", 0.02, 6),
        ("photo", "thumbnail", 0.02, 1),
        ("photo", "evidence", 0.03, 0.15),
    ],
)
def test_the_saved_pictures_are_nearly_the_same(
    runs: dict[str, Run], screening: str, name: str, mean: float, largest: float
) -> None:
    difference = np.abs(runs["opencv"].picture(screening, name) - runs["plain"].picture(screening, name))
    assert difference.mean() <= mean
    assert difference.max() <= largest


@pytest.mark.parametrize("screening", ["drawn", "photo"])
def test_the_table_is_the_same(runs: dict[str, Run], screening: str) -> None:
    tables = [_table(runs[form].folder / screening / "table.csv") for form in ("opencv", "plain")]
    assert tables[0].keys() == tables[1].keys()
    for name in tables[0].keys() - MEASURED:
        if not name.startswith("ms_") and not name.endswith("_sha256"):
            assert _wordy(tables[0][name]) == _wordy(tables[1][name]), name


@pytest.mark.parametrize(("screening", "mean"), [("drawn", 0.3), ("photo", 3.0)])
def test_the_report_has_the_same_pictures(runs: dict[str, Run], screening: str, mean: float) -> None:
    mine, other = (_pictures_of(runs[form].folder / screening / "report.pdf") for form in ("opencv", "plain"))
    assert len(mine) == len(other) == 3
    for one, two in zip(mine, other, strict=True):
        assert one.shape == two.shape
        assert np.abs(one.astype(float) - two).mean() < mean


def test_a_backup_is_made_and_restored_without_hard_links(runs: dict[str, Run]) -> None:
    for run in runs.values():
        assert all(told["restored"] == [told["entry"]["id"]] for told in run.told["screenings"])


def _wordy(text: str) -> str:
    """A text without what comes after its numbers' second digit."""
    return re.sub(r"(\d+\.\d\d)\d*", r"\1", text)


def _table(path: Path) -> dict[str, str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return next(csv.DictReader(file))


def _pictures_of(path: Path) -> list[npt.NDArray[np.uint8]]:
    """The JPEG files in a PDF."""
    found = re.findall(rb"stream\r?\n(\xff\xd8\xff.*?\xff\xd9)\s*endstream", path.read_bytes(), re.DOTALL)
    return [np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8) for data in found]
