import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import pytest

from osteo_edge.archive import worker
from osteo_edge.archive.film import Film, Options
from osteo_edge.archive.row import Row
from osteo_edge.archive.worker import FilmScreener
from osteo_edge.bundle import Bundle
from osteo_edge.errors import BundleError, MissingExtraError, OsteoEdgeError
from osteo_edge.hashing import sha256_file
from osteo_edge.isolated_reading import IsolatedReader
from osteo_edge.radiograph import read_radiograph
from osteo_edge.runtime import open_interpreter
from osteo_edge.screening import screen
from tests.osteo_edge import hostile_decoder
from tests.osteo_edge.archive.dicom_files import KNEE_FILM, write_dicom

TIMES: dict[str, Any] = dict.fromkeys(("ms_read", "ms_prepare", "ms_infer", "ms_map", "ms_total"))


@pytest.fixture
def screener(bundle: Bundle) -> Iterator[FilmScreener]:
    """Screens with the golden model and decodes here."""
    with FilmScreener(bundle.path, isolated=False) as opened:
        yield opened


def film_at(path: Path) -> Film:
    return Film(path.name, path)


def timeless(row: Row) -> Row:
    return replace(row, **TIMES)


def test_a_row_says_what_screen_says(screener: FilmScreener, film: Path, bundle: Bundle) -> None:
    _, expected = screen(film, bundle, open_interpreter(bundle, threads=1))
    row = screener.row(film_at(film))
    assert (row.outcome, row.score, row.probabilities) == (expected.outcome, expected.score, expected.probabilities)
    assert (row.image_sha256, row.model_sha256) == (expected.image_sha256, expected.model_sha256)
    assert row.reasons == (*expected.warnings, *expected.reasons)
    assert (row.outcome, row.reason) == ("refer", "threshold_reached")
    assert (row.width, row.height) == (300, 400)
    assert row.quality is not None
    assert row.quality.aspect == pytest.approx(4 / 3)
    assert row.contrast == pytest.approx(float(read_radiograph(film).pixels.std()), abs=1e-6)
    times = [getattr(row, name) for name in TIMES if name != "ms_map"]
    assert all(ms > 0 for ms in times)
    assert times[-1] >= sum(times[:-1]) * 0.99


def test_the_row_is_the_same_whenever_a_film_is_screened(screener: FilmScreener, film: Path) -> None:
    first, second = screener.rows([film_at(film)] * 2)
    assert timeless(first) == timeless(second)


def test_a_film_that_was_rejected_has_its_reason_and_what_was_measured(
    screener: FilmScreener, draw_film: Callable[..., Path]
) -> None:
    row = screener.row(film_at(draw_film("blank.png", brightness=0.01)))
    assert (row.outcome, row.reason, row.score, row.probabilities) == ("rejected", "blank", None, {})
    assert row.contrast is not None
    assert row.contrast < 0.04
    assert row.quality is not None


def test_a_film_that_cannot_be_read_has_its_hash_and_no_path_in_its_reason(
    screener: FilmScreener, film: Path, tmp_path: Path
) -> None:
    cut = tmp_path / "cut.png"
    cut.write_bytes(film.read_bytes()[:200])
    rows = screener.rows([film_at(cut), film_at(tmp_path / "missing.png"), film_at(film)])
    found = [(row.outcome, row.reason) for row in rows]
    assert found == [("unreadable", "damaged"), ("unreadable", "cannot_be_read"), ("refer", "threshold_reached")]
    assert rows[0].image_sha256 == sha256_file(cut)
    assert rows[1].image_sha256 is None
    assert rows[0].reasons == ("the PNG data are damaged or incomplete; copy or export the file again",)


@pytest.mark.parametrize("name", ["pipe", "pipe.dcm"])
def test_a_pipe_that_a_list_names_is_not_waited_for(name: str, screener: FilmScreener, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / name)
    row = screener.row(film_at(tmp_path / name))
    assert (row.outcome, row.reason, row.image_sha256) == ("unreadable", "file_too_large", None)


def test_a_dicom_film_is_screened_by_its_tags(screener: FilmScreener, film: Path, tmp_path: Path) -> None:
    knee = write_dicom(tmp_path / "knee", picture=film, SOPInstanceUID="1.2.3", **KNEE_FILM)
    chest = write_dicom(tmp_path / "chest", SOPInstanceUID="1.2.4", **{**KNEE_FILM, "BodyPartExamined": "CHEST"})
    screened, left_out = screener.rows([film_at(knee), film_at(chest)])
    assert (screened.outcome, screened.sop_instance_uid) == ("refer", "1.2.3")
    assert (left_out.outcome, left_out.reason, left_out.sop_instance_uid) == ("not_screened", "body_part", "1.2.4")
    assert left_out.image_sha256 is None


def test_only_positives_get_an_annotated_film(bundle: Bundle, draw_film: Callable[..., Path], tmp_path: Path) -> None:
    bright, dark = draw_film("bright.png", brightness=0.8), draw_film("dark.png", brightness=0.2)
    with FilmScreener(bundle.path, Options(maps=True), out=tmp_path / "out", isolated=False) as screener:
        positive, negative = screener.rows([film_at(bright), film_at(dark)])
    digest = sha256_file(bright)
    assert positive.map == f"maps/{digest[:2]}/{digest}.png"
    picture = cv2.imread(str(tmp_path / "out" / positive.map))
    assert picture is not None
    assert picture.shape[1] >= 480
    assert (negative.map, negative.ms_map) == (None, None)
    assert [path.name for path in (tmp_path / "out").rglob("*.png")] == [f"{digest}.png"]


@pytest.mark.skipif(sys.platform != "linux", reason="processes are confined on Linux alone")
def test_a_film_that_breaks_or_holds_up_its_decoder_is_one_unreadable_film_and_no_other_is_changed(
    bundle: Bundle, screener: FilmScreener, film: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = (sys.executable, hostile_decoder.__file__, str(archive.parent / "mark"))
    monkeypatch.setattr(worker, "IsolatedReader", partial(IsolatedReader, command, wall_s=2.0))
    films = [film_at(path) for path in sorted(archive.rglob("*.png")) if path.name != ".hidden.png"]
    expected = screener.rows(films)
    hostile = []
    for deed in ("crash", "sleep"):
        path = archive.parent / f"{deed}.png"
        path.write_bytes(film.read_bytes() + f"#{deed}".encode())
        hostile.append(film_at(path))
    with FilmScreener(bundle.path) as apart:
        crashed, hanging, *others = apart.rows([*hostile, *films])
    assert (crashed.outcome, crashed.reason) == ("unreadable", "breaks_decoder")
    assert (hanging.outcome, hanging.reason) == ("unreadable", "too_slow")
    assert list(map(timeless, others)) == list(map(timeless, expected))


def test_a_fault_of_the_program_costs_one_film(
    screener: FilmScreener, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(worker, "read_film", fail)
    row = screener.row(film_at(film))
    assert (row.outcome, row.reason) == ("unreadable", "fault")
    assert "ZeroDivisionError" in row.reasons[0]


def test_what_is_wrong_with_the_machine_is_raised(
    bundle: Bundle, film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_pydicom(path: Path) -> None:
        raise MissingExtraError("reading DICOM", "pydicom", "dicom")

    (tmp_path / "file").write_bytes(b"")
    with FilmScreener(bundle.path, Options(maps=True), out=tmp_path / "file", isolated=False) as screener:
        with pytest.raises(OsteoEdgeError, match="the annotated film cannot be written"):
            screener.row(film_at(film))
        screener._read = without_pydicom  # type: ignore[assignment]
        with pytest.raises(MissingExtraError, match=r"osteo-edge\[dicom\]"):
            screener.row(film_at(film))


def test_a_compression_that_nothing_here_decodes_costs_one_film(screener: FilmScreener, film: Path) -> None:
    def without_gdcm(path: Path) -> None:
        raise MissingExtraError(f"{path}: reading DICOM compressed as JPEG-LS", "python-gdcm", "dicom")

    screener._read = without_gdcm  # type: ignore[assignment]
    row = screener.row(film_at(film))
    assert (row.outcome, row.reason) == ("unreadable", "compression")
    assert str(film) not in row.reasons[0]


def test_a_model_that_screen_refuses_is_refused(failed_bundle: Bundle, film: Path) -> None:
    with pytest.raises(BundleError, match="failed its check"):
        FilmScreener(failed_bundle.path, isolated=False)
    with FilmScreener(failed_bundle.path, Options(force=True), isolated=False) as screener:
        assert "failed its check" in screener.row(film_at(film)).reasons[0]


def test_the_model_can_be_tried_without_a_film(screener: FilmScreener) -> None:
    screener.warm_up()
