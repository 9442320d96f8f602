"""`osteo-edge package web`: the screening app as a folder of static files, for any browser and any host."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from osteo_edge.console import progress, show_json
from osteo_edge.edge_app.settings import Language

if TYPE_CHECKING:
    from osteo_edge.edge_app.web.packing import PackedApp

MAX_NAME = 60


def _name(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None and not (0 < len(value.strip()) <= MAX_NAME and value.isprintable()):
        raise click.BadParameter(f"must be a line of 1 to {MAX_NAME} letters")
    return value and value.strip()


@click.command(short_help="A web app, for the browser of any phone.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="The app's folder.")
@click.option("--name", callback=_name, help="What the app is called on a phone [default: osteo-edge].")
@click.option(
    "--language",
    type=click.Choice(get_args(Language)),
    help="The language that it begins in [default: the browser's]. All of them are in it.",
)
@click.option(
    "--trusted-key",
    "trusted",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    multiple=True,
    help="A public key: the page uses the model only if one of these has signed it. May be given more than once.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def web(
    bundle: Path,
    out: Path,
    name: str | None,
    language: Language | None,
    trusted: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Pack the screening app as a folder of static files, with the TFLite model in BUNDLE.

    Films are screened in the browser itself, and nothing is sent anywhere. After the first visit the app works without
    a network, and a phone can install it. That takes an address with https, or this machine's own (localhost): serve
    the folder with `osteo-edge serve DIR --tls`, or put it on a host of static files.

    The folder is complete or not there at all; one that was packed before is replaced. Set SOURCE_DATE_EPOCH for the
    same bytes each time. From the sources the page is built first, which needs npm.

    \b
    Example:
      osteo-edge package web knee-int8 --out web
      osteo-edge package web knee-int8 --out web --name "Knee screening" --language sw
    """
    from osteo_edge.edge_app.web.packing import pack, sent_bytes

    with progress("the web app") as advance:
        packed = pack(
            bundle,
            out,
            name=name,
            language=language,
            trusted=trusted,
            on_progress=lambda stage, done, total: advance(done, total, stage=stage),
        )
    first_sent, later_sent = sent_bytes(packed.path)
    if as_json:
        sent = {"first_sent_bytes": first_sent, "later_sent_bytes": later_sent}
        show_json(asdict(packed) | {"path": str(packed.path)} | sent)
    else:
        _tell(packed, first_sent, later_sent)


def _tell(packed: "PackedApp", first_sent: int, later_sent: int) -> None:
    click.echo(f"{packed.path}: {packed.bundle}, {packed.files} files, {packed.folder_bytes / 1e6:.1f} MB")
    click.echo(
        f"  a browser loads {packed.first_load_bytes / 1e6:.1f} MB at its first visit "
        f"({first_sent / 1e6:.1f} MB as `serve` sends it),"
    )
    click.echo(
        f"  {packed.later_load_bytes / 1e6:.1f} MB after that in the background ({later_sent / 1e6:.1f} MB), "
        "and then nothing more"
    )
    click.echo(f"To use it: osteo-edge serve {packed.path} --tls")
