"""The folds file: which image is in which part of which fold, for a later run to go on with."""

from pathlib import Path

import numpy as np

from osteo_edge.errors import DatasetError
from osteo_edge.split import PARTS
from osteo_edge.table import Row, Table, read_table, write_table
from osteo_edge.train.folds import TEST, FoldImage, Folds

IMAGE_COLUMNS = ("path", "label", "group", "sha256")


def write_folds(folds: Folds, path: Path) -> None:
    """Write a line for each image and repeat, with its part in every fold, in one step."""
    columns = (*IMAGE_COLUMNS, "seed", "repeat", *(f"fold_{number + 1}" for number in range(folds.count)))
    write_table(
        path,
        columns,
        (
            (image.name, image.label, image.group, image.sha256, folds.seed, repeat + 1, *_names(folds, repeat, place))
            for repeat in range(folds.repeats)
            for place, image in enumerate(folds.images)
        ),
    )


def read_folds(path: Path) -> Folds:
    """Read what `write_folds` wrote; anything else is a `DatasetError`."""
    table = read_table(path)
    count = len(table.columns) - len(IMAGE_COLUMNS) - 2
    if table.columns[: len(IMAGE_COLUMNS)] != IMAGE_COLUMNS or count < 2 or not table.rows:
        raise DatasetError(f"{path}: is no folds file; remove it, or use another --out")
    repeats = [_whole(table, row, "repeat") for row in table.rows]
    images = tuple(FoldImage(*(row.cells[column] for column in IMAGE_COLUMNS)) for row in table.rows)
    size = repeats.count(1)
    if repeats != [number // size + 1 for number in range(len(repeats))] or images != images[:size] * max(repeats):
        raise DatasetError(f"{path}: does not list the same images in every repeat; remove it, or use another --out")
    parts = np.array([_parts(table, row, count) for row in table.rows], np.int8)
    shaped = parts.reshape(max(repeats), size, count).transpose(0, 2, 1)
    return Folds(images[:size], shaped, _whole(table, table.rows[0], "seed"))


def keep_folds(made: Folds, path: Path) -> Folds:
    """The folds of `path` where it has some, else `made`, which are then written there.

    Raises `DatasetError`, saying what differs, where those of the file are not for the same images and options.
    """
    if not path.exists():
        write_folds(made, path)
        return made
    kept = read_folds(path)
    different = _difference(kept, made)
    if different:
        raise DatasetError(f"{path}: {different}; use another --out, or the data and options it was made with")
    return kept


def _difference(kept: Folds, made: Folds) -> str:
    """What differs between stored folds and those asked for, in words; nothing where they agree."""
    for what, stored, asked in (
        ("folds", kept.count, made.count),
        ("repeats", kept.repeats, made.repeats),
        ("seed", kept.seed, made.seed),
    ):
        if stored != asked:
            return f"was made with {what} {stored}, not {asked}"
    changed = sorted({image.name for image in set(kept.images) ^ set(made.images)})
    if not changed:
        return ""
    return f"was made from other images, labels or groups ({len(changed)} differ, {changed[0]} first)"


def _names(folds: Folds, repeat: int, image: int) -> list[str]:
    return [PARTS[part] for part in folds.parts[repeat, :, image]]


def _parts(table: Table, row: Row, count: int) -> list[int]:
    words = [row.cells.get(f"fold_{number + 1}", "") for number in range(count)]
    if not set(words) <= set(PARTS) or words.count(PARTS[TEST]) != 1:
        raise table.error(row, f"needs test once and otherwise one of {', '.join(PARTS)}; use another --out")
    return [PARTS.index(word) for word in words]


def _whole(table: Table, row: Row, column: str) -> int:
    text = row.cells.get(column, "")
    if not text.isdigit():
        raise table.error(row, f"{column} {text!r} is not a whole number; use another --out")
    return int(text)
