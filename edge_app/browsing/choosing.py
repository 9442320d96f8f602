"""What can be chosen in a folder, as the rows of a list, by what it is to be chosen for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from osteo_edge.edge_app.browsing.listing import Item, list_folder
from osteo_edge.edge_app.browsing.names import shown
from osteo_edge.edge_app.browsing.places import Kind, Place
from osteo_edge.errors import BundleError

Purpose = Literal["film", "bundle", "backup", "folder"]
"""A film's file, the folder of a bundle, a backup as the app writes it, or a folder to write to or to watch."""

BACKUP_SUFFIX: Final = ".zip"
PLACE_NAMES: Final[dict[Kind, str]] = {"home": "This device", "watched": "Watched folder"}
STICK: Final = "USB stick or card"
"""Messages to translate; a stick goes by its label."""


@dataclass(frozen=True)
class Row:
    """One line of the list: what is at `path`, its name as it is shown, and what else is known of it.

    A place and a folder lead on; the others are what is chosen.
    """

    path: Path
    name: str
    kind: Literal["place", "folder", "film", "bundle", "backup"]
    detail: str = ""

    @property
    def leads_on(self) -> bool:
        return self.kind in ("place", "folder")


def rows_in(folder: Path, purpose: Purpose) -> tuple[Row, ...]:
    """The folders in `folder`, then its files that may be what is looked for; bundles go before folders.

    May take long on a slow stick, for bundles above all, whose manifests are read. Raises `PlaceGoneError` where the
    folder has gone, `FolderError` where it may not be read.
    """
    listing = list_folder(folder)
    folders = tuple(Row(item.path, item.name, "folder") for item in listing.folders)
    if purpose == "film":
        return (*folders, *(Row(item.path, item.name, "film") for item in listing.files))
    if purpose == "backup":
        return (*folders, *(Row(item.path, item.name, "backup") for item in listing.files if _is_backup(item)))
    if purpose == "bundle":
        return (*_bundles(folder), *folders)
    return folders


def films_of(rows: tuple[Row, ...]) -> tuple[Item, ...]:
    """The files among the rows that are taken for films by their names alone, to be looked into."""
    return tuple(Item(row.path, row.name) for row in rows if row.kind == "film")


def place_row(place: Place) -> Row:
    """The row of a place; its name and its detail are messages, but for a stick's own name."""
    if place.kind == "stick":
        return Row(place.path, place.name, "place", STICK)
    return Row(place.path, PLACE_NAMES[place.kind], "place")


def _bundles(folder: Path) -> tuple[Row, ...]:
    from osteo_edge.edge_app.models.transfer import find_bundles

    return tuple(
        Row(path, shown(str(path.relative_to(folder.parent))), "bundle", _about(path)) for path in find_bundles(folder)
    )


def _about(bundle: Path) -> str:
    from osteo_edge.edge_app.models.description import describe

    try:
        return describe(bundle).title
    except BundleError as error:
        return str(error).removeprefix(f"{bundle}: ")


def _is_backup(item: Item) -> bool:
    return item.path.suffix.lower() == BACKUP_SUFFIX
