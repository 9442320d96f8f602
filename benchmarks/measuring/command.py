"""What the benchmark commands share: errors in one line, verdicts that decide the exit code, a place to write."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import click

from osteo_edge.benchmarks.measuring.comparison import Check
from osteo_edge.benchmarks.measuring.environment import Environment
from osteo_edge.cli import EXIT_FAILED
from osteo_edge.console import show_json
from osteo_edge.errors import OsteoEdgeError


class Result(Protocol):
    """What a benchmark measured."""

    @property
    def environment(self) -> Environment: ...

    @property
    def checks(self) -> Sequence[Check]: ...

    def to_dict(self) -> dict[str, Any]: ...


def make_folder(folder: Path, what: str) -> None:
    """Make the folder that `what` ("the report") goes to; `OsteoEdgeError` if it cannot be, or cannot be written to.

    To be called before anything is measured: an hour's figures are not to be lost for a folder.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OsteoEdgeError(f"{folder}: {what} cannot be written there ({error.strerror}); name a folder") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OsteoEdgeError(f"{folder}: {what} cannot be written there; name a folder that you may write to")


def check_file(file: Path, what: str) -> None:
    """The same for a single file, whose folder is made."""
    if file.is_dir():
        raise OsteoEdgeError(f"{file}: is a folder, and {what} is a file; name one in it")
    make_folder(file.parent, what)


def finish(ctx: click.Context, result: Result, *, as_json: bool) -> None:
    """Print the verdicts, or the whole result as JSON; exit code 1 if a bound was missed."""
    if as_json:
        show_json(result.to_dict())
    else:
        for check in result.checks:
            click.echo(str(check))
        click.echo(f"Measured on {result.environment}")
        if result.environment.is_busy:
            click.echo("The machine was busy with other work: repeat on an idle one before quoting the figures.")
    if not all(check.passed for check in result.checks):
        ctx.exit(EXIT_FAILED)
