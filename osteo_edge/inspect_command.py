"""`osteo-edge inspect`: the manifest and the model card, readable, and as files for others."""

from pathlib import Path

import click

from osteo_edge.about import NOTHING_SAID, About, read_about
from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.console import show_json, show_table
from osteo_edge.manifest import CARD_NAME
from osteo_edge.model_card import render_card
from osteo_edge.monai_metadata import render_metadata
from osteo_edge.targets import require_target
from osteo_edge.verdict import warning
from osteo_edge.writing import write_whole


@click.command(short_help="Show a bundle and verify every file in it.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="The manifest as JSON.")
@click.option("--card", type=click.Path(path_type=Path, dir_okay=False), help="Write the model card, in Markdown.")
@click.option(
    "--metadata", type=click.Path(path_type=Path, dir_okay=False), help="Write MONAI's metadata.json of the model."
)
@click.option(
    "--about",
    "statement",
    type=click.Path(path_type=Path, exists=True, dir_okay=False, readable=True),
    help="A TOML file with what a bundle cannot know: users, manufacturer, licence, ... For --card and --metadata.",
)
def inspect(bundle: Path, as_json: bool, card: Path | None, metadata: Path | None, statement: Path | None) -> None:
    """Show a bundle's manifest and model card, and verify the SHA-256 of every file in it.

    --card and --metadata write what is known of the model into files outside the bundle: a model card with what the
    FDA's draft guidance of January 2025 asks for, and the fields of a MONAI bundle's metadata.json. What nobody has
    said of the model stands in both as not stated, with the name under which --about takes it. A statement is taken
    as it is; no signature of the bundle covers it.

    \b
    Example:
      osteo-edge inspect knee-int8
      osteo-edge inspect knee-int8 --card CARD.md --metadata metadata.json --about about.toml
    """
    files = [path for path in (card, metadata) if path is not None]
    if statement is not None and not files:
        raise click.UsageError("--about needs --card or --metadata, which are made with it.")
    for path in files:
        if path.resolve().parent == bundle.resolve():
            raise click.UsageError(f"{path}: lies in the bundle, which holds what its manifest lists alone.")
    if card is not None and metadata is not None and card.resolve() == metadata.resolve():
        raise click.UsageError(f"{card}: cannot be both the model card and the metadata.")
    for target, what, begins in ((card, "the model card", b"#"), (metadata, "the metadata", b"{")):
        if target is not None:
            require_target(target, what, begins)
    loaded = read_bundle(bundle)
    failed = warning(loaded.manifest.parity)
    if failed is not None:
        click.secho(f"FAILED: {failed}", fg="red", bold=True, err=as_json)
    _write(loaded, NOTHING_SAID if statement is None else read_about(statement), card, metadata)
    if as_json:
        show_json(loaded.manifest.to_dict())
    elif not files:
        _show(loaded)
    for path in files:
        click.echo(f"written: {path}", err=as_json)


def _write(bundle: Bundle, about: About, card: Path | None, metadata: Path | None) -> None:
    if card is not None:
        write_whole(card, render_card(bundle.manifest, about).encode(), "the model card")
    if metadata is not None:
        write_whole(metadata, render_metadata(bundle.manifest, about).encode(), "the metadata")


def _show(bundle: Bundle) -> None:
    click.echo(f"{bundle.path}: every file is as its manifest says")
    show_table("Files", ("File", "Bytes", "SHA-256"), _files(bundle))
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown((bundle.path / CARD_NAME).read_text("utf-8")))


def _files(bundle: Bundle) -> list[tuple[str, str, str]]:
    digests = {bundle.manifest.model.file: bundle.manifest.model.sha256, **bundle.manifest.files}
    return [(name, f"{(bundle.path / name).stat().st_size:,}", digest[:16]) for name, digest in digests.items()]
