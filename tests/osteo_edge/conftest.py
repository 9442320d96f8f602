"""A small data set with a split, and a bundle that was trained with it, as far as the core can tell."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from osteo_edge.bundle import Bundle, write_bundle
from osteo_edge.hashing import sha256_bytes, sha256_file
from osteo_edge.manifest import Manifest
from osteo_edge.split import Split, SplitRow, write_split

LABELS = ("normal", "osteopenia", "osteoporosis")


@pytest.fixture
def films(draw_film: Callable[..., Path], tmp_path: Path) -> tuple[Path, Path]:
    """A data set of six validation films and six for test, which must not be read, and its split."""
    rows = []
    for part in ("validation", "test"):
        for number in range(6):
            name = f"{LABELS[number // 2]}/{part}-{number}.png"
            film = draw_film(f"knees/{name}", brightness=0.15 + 0.12 * number)
            rows.append(SplitRow(name, LABELS[number // 2], name, part, sha256_file(film)))
            if part == "test":
                film.write_bytes(b"not to be read")
    write_split(Split(tuple(rows)), tmp_path / "split.csv")
    return tmp_path / "knees", tmp_path / "split.csv"


@pytest.fixture
def source(films: tuple[Path, Path], manifest: Manifest, tmp_path: Path) -> Bundle:
    """A Keras bundle by its manifest, which only a command that loads the model would find to be none."""
    model = replace(manifest.model, file="model.keras", format="keras", sha256=sha256_bytes(b"keras"))
    data = replace(manifest.data, split_sha256=sha256_file(films[1]))
    return write_bundle(tmp_path / "source", replace(manifest, model=model, data=data), {"model.keras": b"keras"})
