"""A data set as a CSV of films, with the split that has them all in its test part."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

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
    rows = (SplitRow(str(film["path"]), str(film["label"]), str(film["path"]), "test", "a" * 64) for film in films)
    write_split(Split(tuple(rows)), written.split)
    return written
