"""`osteo-edge update`: another version from a kit, beside the one that is in use, and back."""

from pathlib import Path

import click

from osteo_edge.console import progress
from osteo_edge.edge_app.pi.installing import go_back, install
from osteo_edge.edge_app.pi.versions import default_places


@click.command(short_help="Install another version from a kit.")
@click.argument("kit", type=click.Path(path_type=Path), required=False)
@click.option("--rollback", is_flag=True, help="Use the version from before again.")
@click.option("--force", is_flag=True, help="Install a kit that is older than the version in use.")
def update(kit: Path | None, rollback: bool, force: bool) -> None:
    """Install the KIT that `osteo-edge package pi` made, on the Raspberry Pi itself.

    The kit is checked, unpacked beside the version in use, and tried out on a drawn film whose answer is known. Only
    then is it switched to, in one step; the version from before is kept. If it does not work, or its services do not
    start, the version from before is used on. A power cut at any moment leaves a version that works. Needs root (sudo).

    \b
    Example:
      osteo-edge update /media/stick/osteo-edge-pi-0.2.0
    """
    if rollback == (kit is not None):
        raise click.UsageError("name the folder of a KIT, or give --rollback")
    if kit is None:
        go_back(default_places(), say=click.echo)
        return
    with progress("the kit") as advance:
        install(
            kit,
            default_places(),
            force=force,
            say=click.echo,
            on_progress=lambda stage, done, total: advance(done, total, stage=stage),
        )
