"""The picture that goes with an answer: the film, the evidence over it, a legend, and the words."""

from pathlib import Path

import cv2
import numpy as np

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.lettering import Colour, Picture, draw_text, wrap
from osteo_edge.preprocessing import Pixels
from osteo_edge.screening import Screening
from osteo_edge.wording import ADVICE, Outcome

COLOUR_MAP = cv2.COLORMAP_VIRIDIS  # perceptually uniform, and readable by the colour-blind (Nuñez et al. 2018)
MAX_SIDE_PX = 1024
MIN_WIDTH_PX = 480
OPACITY = 0.55
MARGIN_PX = 16
INK: Colour = (240, 240, 240)
FAINT: Colour = (170, 170, 170)
PANEL: Colour = (32, 28, 24)
ACCENTS: dict[Outcome, Colour] = {
    "refer": (60, 140, 250),
    "no_finding": (200, 190, 170),
    "uncertain": (90, 200, 240),
    "rejected": (110, 110, 230),
}


def draw_overlay(pixels: Pixels, screening: Screening) -> Picture:
    """The annotated film, (height, width, 3) in blue, green, red; the film keeps its aspect."""
    film = blend(pixels, screening.evidence)
    width = max(film.shape[1], MIN_WIDTH_PX)
    panels = [_words(width, screening), _centred(film, width)]
    if screening.evidence is not None:
        panels.append(_legend(width, bool(screening.evidence.any())))
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
    strength = cv2.resize(evidence, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    colours = cv2.applyColorMap((strength * 255).astype(np.uint8), COLOUR_MAP)
    alpha = (opacity * np.clip(strength * 2, 0, 1))[..., np.newaxis]
    return np.asarray(film * (1 - alpha) + colours * alpha, np.uint8)


def write_overlay(path: Path, pixels: Pixels, screening: Screening) -> Path:
    """Write the annotated film as PNG; `OsteoEdgeError` if the file cannot be written."""
    encoded, data = cv2.imencode(".png", draw_overlay(pixels, screening))
    assert encoded
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(data.tobytes())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise OsteoEdgeError(f"{path}: the overlay cannot be written ({error.strerror})") from error
    return path


def _fit(pixels: Pixels, max_side_px: int) -> Pixels:
    height, width = pixels.shape
    scale = min(1.0, max_side_px / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.float32)


def _words(width: int, screening: Screening) -> Picture:
    lines = [(line, 22, ACCENTS[screening.outcome], True) for line in wrap(screening.headline, width - 40, 22)]
    body = [*screening.reasons, ADVICE[screening.outcome]]
    lines += [(line, 15, INK, False) for text in body for line in wrap(text, width - 2 * MARGIN_PX, 15)]
    return _panel(width, lines)


def _small_print(width: int, screening: Screening) -> Picture:
    texts = [
        screening.intended_use,
        f"Model {screening.model_sha256[:12]}, image {screening.image_sha256[:12]}, {screening.taken_at}",
    ]
    return _panel(width, [(line, 13, FAINT, False) for text in texts for line in wrap(text, width - 2 * MARGIN_PX, 13)])


def _panel(width: int, lines: list[tuple[str, int, Colour, bool]]) -> Picture:
    heights = [round(size * 1.45) for _, size, _, _ in lines]
    panel = _blank(sum(heights) + MARGIN_PX, width)
    baseline = MARGIN_PX // 2
    for (text, size, colour, bold), height in zip(lines, heights, strict=True):
        baseline += height
        draw_text(panel, text, MARGIN_PX, baseline - round(size * 0.3), size, colour, bold=bold)
    return panel


def _legend(width: int, any_evidence: bool) -> Picture:
    if not any_evidence:
        return _panel(width, [("No region of this image speaks for low bone density to the model.", 13, INK, False)])
    bar_width = min(200, width // 3)
    panel = _panel(
        width,
        [
            ("Evidence to the model, relative to the strongest", 13, INK, False),
            ("region of this image:", 13, INK, False),
        ],
    )
    ramp = np.linspace(0, 255, bar_width).astype(np.uint8)[np.newaxis].repeat(10, axis=0)
    left, top = MARGIN_PX + 150, panel.shape[0] - MARGIN_PX // 2 - 15
    panel[top : top + 10, left : left + bar_width] = cv2.applyColorMap(ramp, COLOUR_MAP)
    draw_text(panel, "strong", left + bar_width + 8, top + 10, 13, INK)
    return panel


def _centred(film: Picture, width: int) -> Picture:
    canvas = _blank(film.shape[0], width)
    left = (width - film.shape[1]) // 2
    canvas[:, left : left + film.shape[1]] = film
    return canvas


def _blank(height: int, width: int) -> Picture:
    return np.full((height, width, 3), PANEL, np.uint8)
