"""What the input gate is tried on: knee films in two parts, drawn films, spoilt films, and other pictures."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from osteo_edge.benchmarks.measuring.cold_process import run_cold
from osteo_edge.benchmarks.studies.spoilt_films import KINDS, STRENGTHS, to_file
from osteo_edge.errors import DatasetError
from osteo_edge.hashing import sha256_file
from osteo_edge.radiograph import read_radiograph
from osteo_edge.split import Split, read_split

CHOSEN: Final = "knees, limits chosen on"
REPORTED: Final = "knees, not chosen on"
FULL_SIZE: Final = "knees, full size"
DRAWN: Final = "drawn films"

FILMS: Final = Path("knees") / "images"
ORIGINALS: Final = Path("knees") / "full_size"
OTHERS: Final = ("ood/*", "mura_layout", "dicom")
"""Folders of other pictures, each a kind."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A file to be judged; `strength` is how strongly a film was spoilt, 1 to 5, None for what was not."""

    kind: str
    name: str
    data: bytes
    strength: int | None = None


def knee_films(data: Path, folder: Path, seed: int = 0) -> dict[str, tuple[Path, ...]]:
    """The knee films of DATA by part, each content once: those on which limits are chosen, and those that tell.

    The parts are those of `osteo-edge data split`, which keeps copies together: "train", and all others, with one of
    each that is excluded there because its copies have different labels. In the order of their hashes.
    Raises `DatasetError` where there are none; `folder` is for the split file.
    """
    root = data / FILMS
    if not root.is_dir():
        raise DatasetError(f"{data}: has no {FILMS.as_posix()} with class folders of knee films; name one that has")
    table = folder / "split.csv"
    run_cold(_osteo_edge("data", "split", root, "--out", table, "--seed", seed))
    return {part: tuple(root / name for name in names) for part, names in by_part(read_split(table)).items()}


def by_part(split: Split) -> dict[str, tuple[str, ...]]:
    """The names of the images of each part, each content once, in the order of their hashes."""
    chosen_groups = {row.group for row in split.rows if row.part == "train"}
    found: dict[str, dict[str, str]] = {CHOSEN: {}, REPORTED: {}}
    for row in sorted(split.rows, key=lambda row: row.name):
        if row.sha256:
            found[CHOSEN if row.group in chosen_groups else REPORTED].setdefault(row.sha256, row.name)
    return {part: tuple(name for _, name in sorted(names.items())) for part, names in found.items()}


def drawn_films(folder: Path, per_class: int, seed: int = 0) -> list[Path]:
    """Phantoms, frontal and lateral, drawn into `folder` by `osteo-edge data phantom`."""
    run_cold(_osteo_edge("data", "phantom", folder, "--per-class", per_class, "--seed", seed))
    return sorted(folder.rglob("*.png"))


def other_pictures(data: Path) -> dict[str, list[Path]]:
    """The pictures that are no knees, and the originals of some films, by kind; each content once."""
    folders = {FULL_SIZE: data / ORIGINALS}
    folders |= {found.name: found for pattern in OTHERS for found in sorted(data.glob(pattern)) if found.is_dir()}
    kinds = {kind: {sha256_file(path): path for path in _files(folder)} for kind, folder in folders.items()}
    return {kind: sorted(files.values()) for kind, files in kinds.items() if files}


def as_they_are(kind: str, paths: list[Path] | tuple[Path, ...]) -> Iterator[Picture]:
    """The files, unaltered."""
    for path in paths:
        yield Picture(kind, path.name, path.read_bytes())


def spoilt(paths: tuple[Path, ...]) -> Iterator[Picture]:
    """Each film in each way, at each strength."""
    for path in paths:
        film = read_radiograph(path).pixels
        for kind in KINDS:
            for strength in STRENGTHS:
                yield Picture(kind, path.name, to_file(kind, film, strength), strength)


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*"), reverse=True) if path.is_file() and path.suffix != ".csv"]


def _osteo_edge(*words: object) -> list[str]:
    return [sys.executable, "-m", "osteo_edge", *map(str, words)]
