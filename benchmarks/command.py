"""What the benchmark commands share: errors in one line, and verdicts that decide the exit code."""

from collections.abc import Sequence
from typing import Any, Protocol

import click

from osteo_edge.benchmarks.comparison import Check
from osteo_edge.benchmarks.environment import Environment
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


class Benchmark(click.Command):
    """A command that `python -m` runs by itself: what a user can mend becomes one line and exit code 1 here."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except OsteoEdgeError as error:
            click.echo(f"osteo-edge: {error}", err=True)
            ctx.exit(EXIT_FAILED)


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
