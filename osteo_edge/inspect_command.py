"""`osteo-edge inspect`: the manifest and the model card, readable."""

from pathlib import Path

import click

from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.console import show_json, show_table
from osteo_edge.manifest import CARD_NAME
from osteo_edge.verdict import warning


@click.command(short_help="Show a bundle and verify every file in it.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="The manifest as JSON.")
def inspect(bundle: Path, as_json: bool) -> None:
    """Show a bundle's manifest and model card, and verify the SHA-256 of every file in it.

    \b
    Example:
      osteo-edge inspect knee-int8
    """
    loaded = read_bundle(bundle)
    failed = warning(loaded.manifest.parity)
    if failed is not None:
        click.secho(f"FAILED: {failed}", fg="red", bold=True, err=as_json)
    if as_json:
        show_json(loaded.manifest.to_dict())
        return
    click.echo(f"{loaded.path}: every file is as its manifest says")
    show_table("Files", ("File", "Bytes", "SHA-256"), _files(loaded))
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown((loaded.path / CARD_NAME).read_text("utf-8")))


def _files(bundle: Bundle) -> list[tuple[str, str, str]]:
    digests = {bundle.manifest.model.file: bundle.manifest.model.sha256, **bundle.manifest.files}
    return [(name, f"{(bundle.path / name).stat().st_size:,}", digest[:16]) for name, digest in digests.items()]
