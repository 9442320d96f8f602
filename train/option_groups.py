"""Options under headings: a command's help in the order in which one thinks of them."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])
LAST_GROUP = "Output"


class GroupedOption(click.Option):
    """An option that belongs under a heading."""

    def __init__(self, *words: Any, group: str, **settings: Any) -> None:
        super().__init__(*words, **settings)
        self.group = group


class GroupedCommand(click.Command):
    """A command whose help shows its options under their headings; those without one come under the last."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        groups: dict[str, list[tuple[str, str]]] = {}
        for option in self.get_params(ctx):
            record = option.get_help_record(ctx) if isinstance(option, click.Option) else None
            if record is not None:
                groups.setdefault(getattr(option, "group", LAST_GROUP), []).append(record)
        for group, records in groups.items():
            with formatter.section(group):
                formatter.write_dl(records)


def grouped(group: str, *options: Callable[..., Any]) -> Callable[[Command], Command]:
    """Put several options, made by `option`, under one heading, in their order."""

    def decorate(command: Command) -> Command:
        for make in reversed(options):
            command = make(group)(command)
        return command

    return decorate


def option(*words: str, **settings: Any) -> Callable[[str], Callable[[Command], Command]]:
    """A `click.option` that waits for its heading."""
    return lambda group: click.option(*words, cls=GroupedOption, group=group, **settings)
