"""How well films are found in photos, and how much a photo changes the answer; docs/light-box.md has the figures.

python -m osteo_edge.edge_app.photo_study FILMS
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import click
import cv2
import numpy as np

from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.console import progress, show_json, show_table
from osteo_edge.edge_app.browsing.listing import look_into
from osteo_edge.edge_app.demo_bundle import demo_bundle
from osteo_edge.edge_app.light_box.corners import find_film, set_by_hand
from osteo_edge.edge_app.light_box.crop import proportions
from osteo_edge.edge_app.light_box.drawn import Placement, draw_photo, some_scene
from osteo_edge.edge_app.light_box.edges import Corners
from osteo_edge.edge_app.light_box.hints import HintId, hints, raised
from osteo_edge.edge_app.light_box.photo import write_film
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.radiograph import Pixels
from osteo_edge.runtime import Interpreter, open_interpreter
from osteo_edge.screening import Screening, screen
from osteo_edge.standalone import Standalone

FILM_SIDE_PX = 1024
CLOSE = 0.01


@dataclass(frozen=True, eq=False)
class Photographed:
    """One film, screened as a file and as a drawn photo.

    `corner_error` is the farthest of the four corners from where it is, as a share of the film's diagonal, None where
    no film was found; the photo is then screened with its true corners, as a user sets them. `proportions_error` is
    that of width over height from the true corners, as a share. `hints` are those that were raised.
    """

    placement: Placement
    corner_error: float | None
    proportions_error: float
    hints: tuple[HintId, ...]
    file: Screening
    photo: Screening


def photograph(path: Path, seed: int, bundle: Bundle, interpreter: Interpreter, folder: Path) -> Photographed:
    """Draw a photo of a film, of a scene by `seed`, and screen both; `folder` is for what must be a file.

    Raises `RadiographError` for a file that is no readable radiograph.
    """
    radiograph, of_file = screen(path, bundle, interpreter)
    film, scene = _resized(radiograph.pixels), some_scene(seed)
    drawn = draw_photo(film, scene)
    found = find_film(drawn.photo)
    outline = set_by_hand(drawn.corners) if found is None else found
    photo = write_film(folder / "photo.jpg", drawn.photo, outline.corners)
    ratio = proportions(drawn.corners, (drawn.photo.shape[0], drawn.photo.shape[1]))
    return Photographed(
        placement=scene.placement,
        corner_error=None if found is None else corner_error(found.corners, drawn.corners),
        proportions_error=abs(ratio * film.shape[0] / film.shape[1] - 1),
        hints=raised(hints(drawn.photo, outline)),
        file=of_file,
        photo=screen(photo, bundle, interpreter)[1],
    )


def corner_error(found: Corners, true: Corners) -> float:
    """The largest distance of a corner from where it is, as a share of the film's diagonal.

    >>> square = np.array([[0.0, 0], [30, 0], [30, 40], [0, 40]])
    >>> corner_error(square + [[3, 4], [0, 0], [0, 0], [0, 0]], square)
    0.1
    """
    return float(np.linalg.norm(found - true, axis=1).max() / np.linalg.norm(true[2] - true[0]))


def summarize(photos: Sequence[Photographed]) -> dict[str, Any]:
    """The figures: corners by placement, proportions, hints, and how the answers of files and photos agree.

    Quantiles are None where there is no number to take them of.
    """
    moves = [
        abs(one.photo.score - one.file.score)
        for one in photos
        if one.photo.score is not None and one.file.score is not None
    ]
    changes = Counter((one.file.outcome, one.photo.outcome) for one in photos if one.file.outcome != one.photo.outcome)
    return {
        "photos": len(photos),
        "corners": [_corners(photos, placement) for placement in get_args(Placement)],
        "proportions_error": _quantiles([one.proportions_error for one in photos]),
        "hints": dict(Counter(name for one in photos for name in one.hints).most_common()),
        "same_outcome": sum(one.file.outcome == one.photo.outcome for one in photos),
        "changes": {f"{before} to {after}": count for (before, after), count in changes.most_common()},
        "score_move": _quantiles(moves),
    }


def films_in(folder: Path) -> list[Path]:
    """The films in a folder and those below it, by name; `OsteoEdgeError` where there is none."""
    films = [path for path in sorted(folder.rglob("*")) if path.is_file() and look_into(path) == "film"]
    if not films:
        raise OsteoEdgeError(f"{folder}: no films in it; name a folder of radiographs, or draw some: osteo-edge data")
    return films


@click.command(cls=Standalone, short_help="What a photo of a film on a light box does to the answer.")
@click.argument("films", type=click.Path(path_type=Path))
@click.option("--bundle", type=click.Path(path_type=Path), help="A TFLite bundle [default: the demonstration's].")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Another seed draws other photos.")
@click.option("--json", "as_json", is_flag=True, help="The result for machines.")
def photo_study(films: Path, bundle: Path | None, seed: int, as_json: bool) -> None:
    """Draw a photo of each film in the folder FILMS, and screen both.

    \b
    Example:
      osteo-edge data phantom phantoms/ --per-class 65
      python -m osteo_edge.edge_app.photo_study phantoms/
    """
    loaded = demo_bundle() if bundle is None else read_bundle(bundle)
    found = summarize(list(_photographed(films_in(films), loaded, seed)))
    show_json(found) if as_json else _show(found)


def _photographed(films: Sequence[Path], bundle: Bundle, seed: int) -> Iterator[Photographed]:
    interpreter = open_interpreter(bundle)
    with TemporaryDirectory(prefix="osteo-edge-") as folder, progress("Photographing films") as advance:
        for number, film in enumerate(films):
            advance(number, len(films))
            yield photograph(film, seed + number, bundle, interpreter, Path(folder))


def _resized(pixels: Pixels) -> Pixels:
    """The film with `FILM_SIDE_PX` on its longer side, about what a photo shows of it."""
    factor = FILM_SIDE_PX / max(pixels.shape)
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=way), np.float32)


def _corners(photos: Sequence[Photographed], placement: Placement) -> dict[str, Any]:
    errors = [one.corner_error for one in photos if one.placement == placement]
    found = [error for error in errors if error is not None]
    close = sum(error <= CLOSE for error in found)
    return {
        "placement": placement,
        "photos": len(errors),
        "found": len(found),
        "error": _quantiles(found),
        "close": close,
    }


def _quantiles(values: Sequence[float]) -> dict[str, float | None]:
    median, high = np.quantile(values, [0.5, 0.9]).tolist() if values else (None, None)
    return {"median": median, "quantile_90": high}


def _show(found: dict[str, Any]) -> None:
    columns = ("Film", "Photos", "Found", "Error: median", "90 %", f"Within {CLOSE:.0%}")
    rows = [
        (row["placement"], str(row["photos"]), str(row["found"]), *_percent(row["error"]), str(row["close"]))
        for row in found["corners"]
    ]
    show_table("Corners of the film", columns, rows)
    click.echo(f"Proportions are off by {' (median) and '.join(_percent(found['proportions_error']))} (90 %).")
    click.echo(f"Hints raised: {_listed(found['hints'])}")
    click.echo(f"Same outcome as the file: {found['same_outcome']} of {found['photos']}; {_listed(found['changes'])}")
    median, high = ("" if move is None else f"{move:.3f}" for move in found["score_move"].values())
    click.echo(f"The score moved by {median} (median) and {high} (90 %).")


def _percent(quantiles: dict[str, float | None]) -> tuple[str, ...]:
    return tuple("" if share is None else f"{100 * share:.2f} %" for share in quantiles.values())


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"


if __name__ == "__main__":
    photo_study()
