"""`osteo-edge package pi`: what is needed on a Raspberry Pi, in a folder to be carried there."""

import os
from pathlib import Path

import click

from osteo_edge.cache import cache_folder
from osteo_edge.console import progress
from osteo_edge.edge_app.pi.maintainer import find_maintainer
from osteo_edge.edge_app.pi.making import PYTHONS, make_kit, size_bytes
from osteo_edge.edge_app.pi.wheels import source_lock


@click.command(short_help="A kit for the Raspberry Pi.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Where the kit goes.")
@click.option(
    "--python",
    "pythons",
    type=click.Choice(PYTHONS),
    multiple=True,
    default=PYTHONS,
    show_default=True,
    help="For which Python: 3.11 is Raspberry Pi OS 12, 3.13 is 13. May be given twice.",
)
@click.option(
    "--wheels",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep the packages in this folder; what is there needs no network [default: the user's cache].",
)
@click.option(
    "--lock",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Which packages these are, by their hashes [default: locks/pi.txt, where the program runs from its sources].",
)
@click.option("--deb", is_flag=True, help="Also a Debian package for each Python, made from the same files.")
@click.option(
    "--maintainer",
    metavar="'NAME <ADDRESS>'",
    help="Who stands for the Debian package [default: DEBFULLNAME and DEBEMAIL of the environment].",
)
def pi(
    bundle: Path,
    out: Path,
    pythons: tuple[str, ...],
    wheels: Path | None,
    lock: Path | None,
    deb: bool,
    maintainer: str | None,
) -> None:
    """Make a kit for the Raspberry Pi (64 bits): the program, all it needs, and the TFLite model in BUNDLE.

    The kit is a folder, complete or not there at all. On the Raspberry Pi `sudo sh install.sh` installs it, with or
    without a network. The model must have passed its check after conversion, and answer a drawn film.

    The first time, packages are fetched by pip and compressed, which takes some minutes; they are kept. One whose hash
    is not in the lock is refused; without a lock pip chooses the newest, and a line says so.

    \b
    Example:
      osteo-edge package pi knee-int8 --out /media/stick
      osteo-edge package pi knee-int8 --out kit --deb --maintainer 'Jane Roe <jane@clinic.example>'
    """
    named = find_maintainer(maintainer, os.environ) if deb else None
    lock = lock or source_lock()
    if lock is None:
        click.echo("osteo-edge: no lock says which packages to take (--lock): the newest that fit are taken", err=True)
    with progress("the kit") as advance:
        kit = make_kit(
            bundle,
            out,
            pythons=tuple(dict.fromkeys(pythons)),
            wheels=wheels or cache_folder() / "pi-wheels",
            lock=lock,
            on_progress=lambda stage, done, total: advance(done, total, stage=stage),
        )
    click.echo(f"{kit.path}: {size_bytes(kit) / 1e6:.1f} MB, version {kit.name}")
    for python, size in kit.contents.installed_bytes.items():
        click.echo(f"  for Python {python}, at most {size / 1e6:.0f} MB installed")
    click.echo("On the Raspberry Pi: sudo sh install.sh")
    if named is not None:
        from osteo_edge.edge_app.pi.deb import build_deb

        for path in build_deb(kit.path, out, named):
            click.echo(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
