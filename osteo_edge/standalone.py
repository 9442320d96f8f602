"""A command that `python -m` runs by itself, beside those of `osteo-edge`."""

from typing import Any

import click

from osteo_edge.cli import EXIT_FAILED
from osteo_edge.errors import OsteoEdgeError


class Standalone(click.Command):
    """What a user can mend becomes one line and exit code 1 here, as `osteo-edge` does it for its own commands."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except OsteoEdgeError as error:
            click.echo(f"osteo-edge: {error}", err=True)
            ctx.exit(EXIT_FAILED)
