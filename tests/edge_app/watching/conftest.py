from collections.abc import Callable
from pathlib import Path

import pytest

from osteo_edge.bundle import Bundle
from tests.edge_app.watching.place import Place


@pytest.fixture
def place(tmp_path: Path, bundle: Bundle) -> Place:
    (tmp_path / "films").mkdir()
    return Place(tmp_path / "films", tmp_path / "results", bundle)


@pytest.fixture
def films(place: Place, draw_film: Callable[..., Path]) -> list[Path]:
    """A film for each outcome that needs a model."""
    return [draw_film(f"films/{name}.png", brightness=b) for name, b in (("a", 0.85), ("b", 0.5), ("c", 0.2))]
