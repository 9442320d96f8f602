import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from unittest.mock import patch

import pandas
import pytest

from osteo_edge.archive import frames
from osteo_edge.archive.frames import empty_frame, screen_frame
from osteo_edge.archive.row import schema_of
from osteo_edge.archive.worker import FilmScreener
from osteo_edge.bundle import Bundle
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.manifest import Manifest


@pytest.fixture(autouse=True)
def decoding_here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Decode in this process, which a test does not have to wait for."""
    monkeypatch.setattr(frames, "FilmScreener", partial(FilmScreener, isolated=False))
    frames._kept.close()
    yield
    frames._kept.close()


def test_a_frame_of_paths_becomes_a_frame_of_answers(bundle: Bundle, archive: Path) -> None:
    paths = [archive / "a" / "dark.png", archive / "bright.png", archive / "b" / "cut.png"]
    found = screen_frame(pandas.DataFrame({"film": [str(path) for path in paths], "id": [1, 2, 3]}), str(bundle.path))
    assert list(found.columns) == schema_of(bundle.manifest).names
    assert list(found.outcome) == ["no_finding", "refer", "unreadable"]
    assert list(found.film) == [str(path) for path in paths]


def test_an_empty_frame_has_the_same_columns_and_types(bundle: Bundle, film: Path) -> None:
    found, empty = (
        screen_frame(pandas.DataFrame({"film": [str(film)]}), str(bundle.path)),
        empty_frame(str(bundle.path)),
    )
    assert len(empty) == 0
    assert list(empty.columns) == list(found.columns)
    assert empty.score.dtype == found.score.dtype


def test_threads_take_turns(bundle: Bundle, archive: Path) -> None:
    paths = [str(archive / "a" / "dark.png"), str(archive / "bright.png")]
    with ThreadPoolExecutor(4) as threads:
        frames_of = [pandas.DataFrame({"film": [paths[number % 2]]}) for number in range(12)]
        found = list(threads.map(partial(screen_frame, bundle=str(bundle.path)), frames_of))
    assert [frame.outcome[0] for frame in found] == ["no_finding", "refer"] * 6


def test_another_bundle_in_its_place_is_not_taken_for_the_one_before(
    bundle: Bundle, archive: Path, manifest: Manifest, golden_bundle: Callable[..., Bundle]
) -> None:
    frame = pandas.DataFrame({"film": [str(archive / "bright.png")]})
    first, closed = frames._kept.screener(bundle.path), list[FilmScreener]()
    assert frames._kept.screener(bundle.path) is first
    assert screen_frame(frame, str(bundle.path)).outcome[0] == "refer"
    strict = golden_bundle("strict", gate=replace(manifest.gate, min_side_px=4000))
    shutil.rmtree(bundle.path)
    strict.path.rename(bundle.path)
    with patch.object(first, "close", lambda: closed.append(first)):
        assert screen_frame(frame, str(bundle.path)).outcome[0] == "rejected"
    assert closed == [first]


def test_a_frame_without_paths_is_refused(bundle: Bundle) -> None:
    with pytest.raises(OsteoEdgeError, match="no column 'film'"):
        screen_frame(pandas.DataFrame({"path": []}), str(bundle.path))
