"""The app's tests decode films in their own process, which is quicker, but for those that ask for `decoded_apart`."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from osteo_edge.edge_app import film_reader

HOSTILE = Path(__file__).resolve().parents[1] / "osteo_edge" / "hostile_decoder.py"


@pytest.fixture(autouse=True)
def decoded_here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Films are decoded in this process."""
    if "decoded_apart" not in request.fixturenames:
        monkeypatch.setattr(film_reader, "is_apart", lambda: False)


@pytest.fixture
def decoded_apart() -> None:
    """Films are decoded in a process apart, as on a device."""
    if not film_reader.is_apart():
        pytest.skip("processes are confined on Linux alone")


@pytest.fixture
def hostile_reader(decoded_apart: None, tmp_path: Path) -> Callable[..., film_reader.FilmReader]:
    """Make a reader whose decoder does what a film says after its last `#` (see `hostile_decoder`)."""

    def make(idle_s: float = film_reader.IDLE_S) -> film_reader.FilmReader:
        (tmp_path / "mark").touch()
        return film_reader.FilmReader([sys.executable, str(HOSTILE), str(tmp_path / "mark")], idle_s=idle_s)

    return make
