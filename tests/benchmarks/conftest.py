"""Fixtures of the benchmarks: films with a split, and bundles that say to be of some network."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.hashing import sha256_file
from osteo_edge.manifest import Manifest, Parent
from osteo_edge.split import Split, SplitRow, write_split

BRIGHTNESS = {"normal": 0.2, "osteopenia": 0.45, "osteoporosis": 0.7}


@pytest.fixture
def films(draw_film: Callable[..., Path], tmp_path: Path) -> Path:
    """Four films of each label; `split.csv` beside has the last one in validation and the others in test."""
    rows = []
    for label, brightness in BRIGHTNESS.items():
        for number in range(4):
            name = f"{label}/{number}.png"
            draw_film(f"knees/{name}", brightness=brightness + 0.05 * number)
            rows.append(SplitRow(name, label, name, "validation" if number == 3 else "test", "a" * 64))
    write_split(Split(tuple(rows)), tmp_path / "split.csv")
    return tmp_path / "knees"


@pytest.fixture
def network_bundle(golden_bundle: Callable[..., Bundle], films: Path, manifest: Manifest) -> Callable[..., Path]:
    """Write a bundle of the golden model that says to be of some network, trained on the split of `films`."""
    data = replace(manifest.data, split_sha256=sha256_file(films.parent / "split.csv"))

    def write(
        name: str,
        precision: str = "int8",
        *,
        backbone: str = "mobilenet_v2",
        alpha: float = 1.0,
        prune: tuple[str, float] | None = None,
        qat: bool = False,
        sha256: str = "a" * 64,
        **changes: Any,
    ) -> Path:
        recipe: dict[str, Any] = {"train": {"backbone": backbone, "alpha": alpha}}
        if prune is not None:
            recipe = {"prune": dict(zip(("method", "amount"), prune, strict=True)), "parent": recipe}
        if qat:
            recipe = {"qat": {"epochs": 5}, "parent": recipe}
        parent = Parent(sha256, {"convert": {"precision": precision}, "parent": recipe})
        return golden_bundle(name, precision=precision, **{"parent": parent, "data": data, **changes}).path

    return write


@pytest.fixture
def pair(network_bundle: Callable[..., Path]) -> tuple[Path, Path]:
    """MobileNetV2 1.0 in float32 and in int8, as it says."""
    return network_bundle("float", "float32"), network_bundle("int8")
