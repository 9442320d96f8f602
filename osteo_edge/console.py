"""Progress and tables on a terminal, through rich, which is imported only when something is shown."""

import json
import sys
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import click

from osteo_edge.interruption import raise_lost_interruption


class Advance(Protocol):
    """Report progress: how much is done, of how much, a note to show, and what is being done if that changed."""

    def __call__(self, done: int, total: int, note: str = "", stage: str | None = None) -> None: ...


@contextmanager
def progress(description: str) -> Iterator[Advance]:
    """A progress bar on standard error; silent where that is no terminal. A report raises a Ctrl-C that got lost."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(description, total=None, note="")

        def advance(done: int, total: int, note: str = "", stage: str | None = None) -> None:
            raise_lost_interruption()
            if stage is not None and stage != bar.tasks[0].description:
                bar.reset(task, description=stage)
            bar.update(task, completed=done, total=total, note=note)

        yield advance


def show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, red: Container[str] = ()) -> None:
    """Print a table to standard output, as wide as the terminal, or as the content where it is no terminal.

    Rows whose first cell is in `red` are red, where the terminal has colours.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title), title_justify="left", title_style="bold")
    for column in columns:
        table.add_column(Text(column), overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row), style="red" if row[0] in red else None)
    Console(width=None if sys.stdout.isatty() else 120).print(table)


def printable(text: str) -> str:
    r"""A line in which what a terminal would obey, such as a file's name may hold, is spelled out.

    >>> print(printable("größer" + chr(27) + "[2J"))
    größer\x1b[2J
    """
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)


def show_json(value: Any, *, indent: int | None = 2) -> None:
    """Print JSON to standard output, piece by piece; NaN becomes null, since JSON has none."""
    encoder = json.JSONEncoder(indent=indent, allow_nan=False, ensure_ascii=False)
    sys.stdout.writelines(encoder.iterencode(without_nan(value)))
    click.echo()


def without_nan(value: Any) -> Any:
    """JSON values with None for NaN, at any depth; tuples become lists."""
    if isinstance(value, float) and value != value:
        return None
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    return value
