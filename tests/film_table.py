"""A data set as a CSV of films, with the split that has them all in its test part."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from osteo_edge.hashing import sha256_file
from osteo_edge.split import Split, SplitRow, write_split


class FilmTable(NamedTuple):
    """The two files."""

    table: Path
    split: Path


def write_film_table(folder: Path, films: Sequence[Mapping[str, object]]) -> FilmTable:
    """Write both into a folder; a film is its line by column, `path` and `label` among them, and a group of its own."""
    written = FilmTable(folder / "films.csv", folder / "split.csv")
    lines = [",".join(films[0]), *(",".join(map(str, film.values())) for film in films)]
    written.table.write_text("\n".join(lines), "utf-8")
    write_split(Split(tuple(_row(folder, str(film["path"]), str(film["label"])) for film in films)), written.split)
    return written


def _row(folder: Path, name: str, label: str) -> SplitRow:
    return SplitRow(name, label, name, "test", sha256_file(folder / name))
