"""How often lettering on a film is found, and how often it is seen where there is none.

python -m osteo_edge.benchmarks.studies.lettering DATA

DATA holds knee films below knees/. They are looked at as they are, and with lines of print set on them in a font and in
words that no limit was chosen by, as JPEG of a middling quality. docs/privacy.md has the figures.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from osteo_edge.burned_in import shows_lettering
from osteo_edge.console import progress, show_json, show_table
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.intervals import wilson
from osteo_edge.radiograph import read_radiograph
from osteo_edge.raster import codec, tones
from osteo_edge.standalone import Standalone
from osteo_edge.strict import to_dict

Grey = npt.NDArray[np.uint8]

WORDS: Final = ("ODHIAMBO, GRACE  F  12/04/1951", "Traoré Aminata 0098241", "Hospital San Juan  2024-02-19 10:15")
SIZES: Final = (0.012, 0.018, 0.027, 0.04)
"""Height of the font, of the film's longest side."""
PLACES: Final = {"beside the leg": (0.03, 0.04), "on the leg": (0.25, 0.6)}
GREYS: Final = {"white": 255, "grey": 170, "black": 0}
JPEG_QUALITY: Final = 80
FILM_SUFFIXES: Final = (".jpg", ".jpeg", ".png")


@click.command(cls=Standalone, short_help="How much of the lettering on films is found.")
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--films", type=click.IntRange(1), default=20, show_default=True, help="Films that lines are set on.")
@click.option("--json", "as_json", is_flag=True, help="The shares with their intervals, for machines.")
def lettering_study(data: Path, films: int, as_json: bool) -> None:
    """Look for lettering on the knee films in DATA, as they are and with lines of print set on them.

    \b
    Example:
      python -m osteo_edge.benchmarks.studies.lettering ../shared/data
    """
    paths = sorted(path for path in (data / "knees").rglob("*") if path.suffix.lower() in FILM_SUFFIXES)
    if not paths:
        raise OsteoEdgeError(f"{data}: no films in {data / 'knees'}; name the folder of the real data")
    seen = dict[str, list[bool]]()
    with progress("Looking at films") as advance:
        seen["as they are"] = [shows_lettering(read_radiograph(path).pixels) for path in paths]
        for number, path in enumerate(paths[:: max(1, len(paths) // films)], 1):
            for name, grey in _lettered(path):
                seen.setdefault(name, []).append(shows_lettering(tones_of(grey)))
            advance(number, films)
    shares = {name: wilson(np.array(found)) for name, found in seen.items()}
    if as_json:
        show_json({name: to_dict(share) for name, share in shares.items()})
    else:
        show_table("Lettering found", ("Films", "Share [95 %]"), ((name, str(share)) for name, share in shares.items()))


def _lettered(path: Path) -> Iterator[tuple[str, Grey]]:
    """The film with a line of print in each size, place and grey, as it comes out of a JPEG file; and what it is."""
    film = tones.to_8_bit(read_radiograph(path).pixels)
    longest = max(film.shape)
    for place, (across, down) in PLACES.items():
        for tone, value in GREYS.items():
            for number, size in enumerate(SIZES):
                picture = Image.fromarray(film)
                font = ImageFont.load_default(max(6, round(size * longest)))
                at = (across * film.shape[1], down * film.shape[0])
                ImageDraw.Draw(picture).text(at, WORDS[number % len(WORDS)], fill=value, font=font)
                data = codec.encode_jpeg(np.asarray(picture), JPEG_QUALITY)
                yield f"{tone}, {place}, {size:.1%} high", codec.decode(data)


def tones_of(grey: Grey) -> npt.NDArray[np.float32]:
    """Samples of 8 bits as pixels in [0, 1]."""
    return np.divide(grey, np.float32(255), dtype=np.float32)


if __name__ == "__main__":
    lettering_study()
