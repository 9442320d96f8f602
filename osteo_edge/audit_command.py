"""`osteo-edge audit-log`: what was done, and whether the record of it is whole."""

import re
from collections import deque
from pathlib import Path

import click

from osteo_edge.audit_log import FILE, Event, Head, read_events, verify_log
from osteo_edge.console import printable, show_json, show_table
from osteo_edge.data_folder import default_data_folder
from osteo_edge.strict import to_dict

SHOWN_DIGITS = 12
IN_APP_DATA = "audit"

folder_option = click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the log lies: a folder of `watch --out`, or that of the app [default: the app's, in the user's data].",
)


@click.group("audit-log", short_help="Show and verify the record of all that was done.")
def audit_log() -> None:
    """Show and verify the record of all that was done: each screening, refusal, change, export and deletion.

    Each line of it holds the hash of the line before: one that is changed, removed or moved is found. Note the head
    that `verify` prints now and then, on paper or on another machine: with it even a record that was forged from
    end to end is found.

    \b
    Example:
      osteo-edge audit-log show --last 5
      osteo-edge audit-log verify --noted 120:5d41402abc4b2a76b9719d911017c592f1e1fdf0ee8a2d2f6b2e0c9f8a7b6c5d
    """


@audit_log.command("verify", short_help="Tell whether the record is whole.")
@folder_option
@click.option("--noted", metavar="NUMBER:HASH", help="A head that was noted before, as this command prints it.")
@click.option("--json", "as_json", is_flag=True, help="The answer as JSON.")
@click.pass_context
def verify(ctx: click.Context, folder: Path | None, noted: str | None, as_json: bool) -> None:
    """Go through the whole record; exits with 1 if a line was changed, removed, moved or put in.

    \b
    Example:
      osteo-edge audit-log verify --folder results
    """
    place = folder or _app_folder()
    verified = verify_log(place, None if noted is None else _head(noted))
    head = verified.head
    if as_json:
        found = {"lines": head.number, "head": f"{head.number}:{head.sha256}", "findings": list(verified.findings)}
        show_json({"log": str(place / FILE), **found})
    else:
        for finding in verified.findings:
            click.secho(f"{place / FILE}: {finding}", fg="red")
        if not verified.findings:
            click.echo(f"{place / FILE}: {head.number} lines, none changed, removed or moved")
        click.echo(f"head: {head.number}:{head.sha256}")
    ctx.exit(1 if verified.findings else 0)


@audit_log.command("show", short_help="Show what was done.")
@folder_option
@click.option("--last", type=click.IntRange(min=1), default=20, show_default=True, help="How many events.")
@click.option("--json", "as_json", is_flag=True, help="One object a line, with the whole hashes.")
def show(folder: Path | None, last: int, as_json: bool) -> None:
    """Show the last events of the record. It is not verified by that.

    \b
    Example:
      osteo-edge audit-log show --last 5
    """
    place = folder or _app_folder()
    counted = deque(enumerate(read_events(place), 1), maxlen=last)
    if as_json:
        for _, event in counted:
            show_json(to_dict(event), indent=None)
        return
    count = counted[-1][0] if counted else 0
    columns = ("Number", "When (UTC)", "What", "Who", "With what")
    show_table(f"The last of {count} events", columns, (_row(event) for _, event in counted))


def _app_folder() -> Path:
    return default_data_folder() / IN_APP_DATA


def _head(noted: str) -> Head:
    found = re.fullmatch(r"(\d{1,12}):([0-9a-f]{64})", noted.strip())
    if found is None:
        raise click.BadParameter(
            f"{noted!r} is no head; write it as `audit-log verify` prints it", param_hint="--noted"
        )
    return Head(int(found[1]), found[2])


def _row(event: Event) -> tuple[str, ...]:
    about = (f"{name} {_shortened(value)}" for name, value in event.about.items() if value is not None)
    texts = (event.at[:19].replace("T", " "), event.what, event.who, ", ".join(about))
    return str(event.number), *map(printable, texts)  # whoever can write the log could hide lines


def _shortened(value: object) -> str:
    """A hash by its first digits.

    >>> _shortened("ab" * 32), _shortened(True), _shortened("refer")
    ('abababababab', 'yes', 'refer')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    return re.sub(r"\b[0-9a-f]{64}\b", lambda digest: digest[0][:SHOWN_DIGITS], str(value))
