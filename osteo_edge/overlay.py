"""The picture that goes with an answer: the film, the evidence over it, a legend, and the words."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple, get_args

import numpy as np

from osteo_edge.lettering import Colour, Picture, draw_text, text_width, wrap
from osteo_edge.preprocessing import Pixels
from osteo_edge.raster import codec, colour, scaling
from osteo_edge.screening import Screening
from osteo_edge.wording import PHANTOM_USE, Finding, Outcome
from osteo_edge.writing import write_whole

ColourMap = Literal["viridis", "cividis", "jet"]
COLOUR_MAPS: Final[tuple[ColourMap, ...]] = get_args(ColourMap)
"""Viridis and cividis are perceptually uniform, and readable by the colour-blind (Nuñez et al. 2018)."""
MAX_SIDE_PX = 1024
MIN_WIDTH_PX = 480
OPACITY = 0.55
MARGIN_PX = 16
LEGEND_WIDTH_PX = 200
INK: Colour = (240, 240, 240)
FAINT: Colour = (170, 170, 170)
PANEL: Colour = (32, 28, 24)
ACCENTS: dict[Outcome, Colour] = {
    "refer": (60, 140, 250),
    "no_finding": (200, 190, 170),
    "uncertain": (90, 200, 240),
    "rejected": (110, 110, 230),
}
NO_REGION: dict[Finding, str] = {
    "density": "No region of this image speaks for low bone density to the model.",
    "abnormality": "No region of this image speaks for an abnormality to the model.",
}


class Text(NamedTuple):
    """A paragraph in one size, in pixels, and colour."""

    words: str
    size: int
    colour: Colour
    bold: bool = False


def draw_overlay(pixels: Pixels, screening: Screening) -> Picture:
    """The annotated film, (height, width, 3) in blue, green, red; the film keeps its aspect."""
    film = blend(pixels, screening.evidence)
    width = max(film.shape[1], MIN_WIDTH_PX)
    panels = [_words(width, screening), _centred(film, width)]
    if screening.evidence is not None:
        panels.append(_legend(width, bool(screening.evidence.any()), screening.finding))
    panels.append(_small_print(width, screening))
    return np.vstack(panels)


def blend(
    pixels: Pixels, evidence: Pixels | None, *, opacity: float = OPACITY, max_side_px: int = MAX_SIDE_PX
) -> Picture:
    """The film with the evidence laid over it, the more opaque the stronger; at most `max_side_px` on a side."""
    grey = _fit(pixels, max_side_px)
    film = np.repeat((grey * 255).astype(np.uint8)[..., np.newaxis], 3, axis=-1)
    if evidence is None:
        return film
    strength = scaling.enlarge(evidence, *grey.shape)
    alpha = (opacity * _veil(strength))[..., np.newaxis]
    return np.asarray(film * (1 - alpha) + _colours(strength, "viridis") * alpha, np.uint8)


def layer(evidence: Pixels, colour_map: ColourMap = "viridis") -> Picture:
    """The evidence alone, (height, width, 4) in red, green, blue and alpha, to be laid over a film by a window.

    Alpha is that of `blend` at an opacity of 1.

    >>> layer(np.array([[0.0, 0.25, 1.0]], np.float32))[..., 3].tolist()
    [[0, 128, 255]]
    """
    picture = np.empty((*evidence.shape, 4), np.uint8)
    picture[..., :3] = _colours(evidence, colour_map)[..., ::-1]
    picture[..., 3] = np.rint(_veil(evidence) * 255)
    return picture


def write_overlay(path: Path, pixels: Pixels, screening: Screening) -> Path:
    """Write the annotated film as PNG; `OsteoEdgeError` if the file cannot be written."""
    return write_whole(path, encode_overlay(pixels, screening), "the overlay")


def encode_overlay(pixels: Pixels, screening: Screening) -> bytes:
    """The annotated film as a PNG file."""
    return codec.encode_png(draw_overlay(pixels, screening))


def encode_evidence(evidence: Pixels) -> bytes:
    """The evidence as a grey PNG file of 8 bits: some kilobytes, from which any overlay can be drawn anew."""
    return codec.encode_png(np.rint(np.clip(evidence, 0, 1) * 255).astype(np.uint8))


def decode_evidence(data: bytes) -> Pixels | None:
    """The evidence, (height, width) in [0, 1], of a file that `encode_evidence` wrote; None for any other file."""
    grey = codec.decode_grey_png(data)
    return None if grey is None else np.divide(grey, np.float32(255), dtype=np.float32)


def _veil(strength: Pixels) -> Pixels:
    """How much of the film the evidence hides: all of it from half the strongest on."""
    return np.clip(strength * 2, 0, 1)


def _colours(strength: Pixels, colour_map: ColourMap) -> Picture:
    return colour.coloured((strength * 255).astype(np.uint8), colour_map)


def _fit(pixels: Pixels, max_side_px: int) -> Pixels:
    height, width = pixels.shape
    scale = min(1.0, max_side_px / max(height, width))
    return scaling.shrink(pixels, max(1, round(height * scale)), max(1, round(width * scale)))


def _words(width: int, screening: Screening) -> Picture:
    body = [
        Text(text, 15, ACCENTS["rejected"], bold=True) if text in screening.warnings else Text(text, 15, INK)
        for text in screening.notes
    ]
    return _panel(width, [Text(screening.headline, 22, ACCENTS[screening.outcome], bold=True), *body])


def _small_print(width: int, screening: Screening) -> Picture:
    hashes = f"Model {screening.model_sha256[:12]}, image {screening.image_sha256[:12]}, {screening.taken_at}"
    use = Text(screening.intended_use, 13, FAINT)
    if screening.intended_use == PHANTOM_USE:
        use = Text(screening.intended_use, 15, ACCENTS["rejected"], bold=True)
    return _panel(width, [use, Text(hashes, 13, FAINT)])


def _panel(width: int, texts: Sequence[Text]) -> Picture:
    room = width - 2 * MARGIN_PX
    lines = [(line, text) for text in texts for line in wrap(text.words, room, text.size, bold=text.bold)]
    panel = _blank(sum(_line_height(text.size) for _, text in lines) + MARGIN_PX, width)
    baseline = MARGIN_PX // 2
    for line, text in lines:
        baseline += _line_height(text.size)
        draw_text(panel, line, MARGIN_PX, baseline - round(text.size * 0.3), text.size, text.colour, bold=text.bold)
    return panel


def _line_height(size: int) -> int:
    return round(size * 1.45)


def _legend(width: int, any_evidence: bool, finding: Finding) -> Picture:
    if not any_evidence:
        return _panel(width, [Text(NO_REGION[finding], 13, INK)])
    title = _panel(width, [Text("Evidence to the model, relative to the strongest region of this image:", 13, INK)])
    return np.vstack([title, _scale(width)])


def _scale(width: int) -> Picture:
    """The colours from none to strong, as they lie on a film of middle grey."""
    weak, strong, size = "none", "strong", 13
    scale = _blank(_line_height(size) + MARGIN_PX // 2, width)
    left = MARGIN_PX + text_width(weak, size) + 8
    ramp = np.linspace(0, 1, LEGEND_WIDTH_PX, dtype=np.float32)[np.newaxis].repeat(12, axis=0)
    scale[2:14, left : left + LEGEND_WIDTH_PX] = blend(np.full_like(ramp, 0.5), ramp)
    draw_text(scale, weak, MARGIN_PX, 13, size, INK)
    draw_text(scale, strong, left + LEGEND_WIDTH_PX + 8, 13, size, INK)
    return scale


def _centred(film: Picture, width: int) -> Picture:
    canvas = _blank(film.shape[0], width)
    left = (width - film.shape[1]) // 2
    canvas[:, left : left + film.shape[1]] = film
    return canvas


def _blank(height: int, width: int) -> Picture:
    return np.full((height, width, 3), PANEL, np.uint8)
