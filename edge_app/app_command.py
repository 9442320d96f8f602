"""`osteo-edge app`: the command; the window is in `ui`."""

import re
from importlib.util import find_spec
from pathlib import Path

import click

from osteo_edge.cli import EXIT_FAILED
from osteo_edge.data_folder import default_data_folder
from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.window_start import run_window
from osteo_edge.errors import MissingExtraError

SMALLEST_PX, LARGEST_PX = 240, 16_384


def _size(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, int] | None:
    if value is None:
        return None
    found = re.fullmatch(r"(\d{3,5})x(\d{3,5})", value.strip().lower())
    size = (int(found[1]), int(found[2])) if found else (0, 0)
    if not all(SMALLEST_PX <= side <= LARGEST_PX for side in size):
        raise click.BadParameter(f"{value!r} is no size of a window; write it like 800x480")
    return size


@click.command("app", short_help="Screen films in a window, with history and follow-up.")
@click.argument("bundle", type=click.Path(path_type=Path), required=False)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where history, models and settings are kept [default: the user's data folder, osteo-edge in it].",
)
@click.option("--size", callback=_size, metavar="WxH", help="The window's size in pixels, such as 800x480.")
@click.option("--fullscreen", is_flag=True, help="Fill the whole screen, without a border.")
@click.option(
    "--camera",
    metavar="N|FOLDER",
    default="auto",
    show_default=True,
    help="Which camera takes photos of films: a number, or a folder of recorded pictures.",
)
@click.option("--keyboard", is_flag=True, help="Show a keyboard on the screen, where there is none on the table.")
@click.pass_context
def app(
    ctx: click.Context,
    bundle: Path | None,
    data: Path | None,
    size: tuple[int, int] | None,
    fullscreen: bool,
    camera: str,
    keyboard: bool,
) -> None:
    """Screen films one at a time, by touch, mouse or keys. Works without a network.

    Without BUNDLE the model that was installed in the app is used; where there is none, a demonstration that has
    learned from drawn films only and must not be used on patients. With BUNDLE that one is used, for this run.

    A referral aid, never a diagnosis. What is shown as saved is on the disk.

    \b
    Example:
      osteo-edge app
      osteo-edge app knee-int8 --size 800x480 --data /srv/clinic
    """
    if find_spec("kivy") is None:
        raise MissingExtraError("the app", "kivy", "app")
    folders = Folders((data or default_data_folder()).absolute())
    if bundle is not None:
        from osteo_edge.edge_app.models.trial import read_usable

        read_usable(bundle)
    unsaved = run_window(folders, bundle, size=size, fullscreen=fullscreen, camera=camera, keyboard=keyboard)
    for line in unsaved:
        click.echo(f"osteo-edge: {line}", err=True)
    ctx.exit(EXIT_FAILED if unsaved else 0)
