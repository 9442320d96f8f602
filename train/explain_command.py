"""`osteo-edge explain`: the command and its picture; the maps and the checks are in `explaining`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
import cv2
import numpy as np

from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.console import progress, show_json, show_table
from osteo_edge.findings import findings_of
from osteo_edge.gate import knee_rejections, rejections
from osteo_edge.layout import Layout, from_canvas
from osteo_edge.lettering import Colour, Picture, draw_text, wrap
from osteo_edge.overlay import ACCENTS, FAINT, INK, MARGIN_PX, PANEL, blend
from osteo_edge.preprocessing import lay_out
from osteo_edge.radiograph import Pixels, Radiograph, read_radiograph
from osteo_edge.targets import require_target
from osteo_edge.train import explaining
from osteo_edge.train.explaining import COMPLETE, REPEATS, Explanation, Shuffled, open_probe, place_of
from osteo_edge.wording import PHANTOM_USE
from osteo_edge.writing import write_whole

FILM_PX = 480
MIN_COLUMN_PX = 340
STRONGEST = 99.5
"""The percentile of a map that gets the strongest colour, so that no single pixel outshines the rest."""
UNCHANGED = 0.7
"""A map whose rank correlation stays above this with every weight shuffled is said to show the film."""
COLOURS = "Beside it, yellow is the most that this map gives anywhere, blue is a little, no colour is nothing."
GENERAL_LIMIT = "Each shows what moved the network's number, never where disease is; none of it makes the answer right."


class Shown(NamedTuple):
    """One map: its title, what it shows, and where that ends."""

    title: str
    what: str
    limit: str


ACTIVATION_MAP = Shown(
    "Activation map",
    "What each cell of the last feature map gives to the logit; their mean is the logit.",
    "Limit: cells are coarse, each sees more of the film than it covers, and what speaks against is left out.",
)
GRAD_CAM = Shown(
    "Grad-CAM",
    "The last feature maps, weighted by how the logit depends on each.",
    "Limit: for this head it is the activation map less a constant; it tests the map and is no second opinion.",
)
INTEGRATED_GRADIENTS = Shown(
    "Integrated gradients",
    "What each pixel adds to the logit on the way from a black film to this one.",
    "Limit: noisy, edges stand out whatever was learnt, black pixels get nothing, and no film is black.",
)


@click.command(short_help="Show what moved a Keras bundle's answer.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("image", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The picture to write, a PNG.")
@click.option("--label", help="The positive label to explain [default: the one with the largest logit].")
@click.option("--check", is_flag=True, help="Shuffle the weights, layer by layer, and tell whether the maps change.")
@click.option("--json", "as_json", is_flag=True, help="The result for machines.")
def explain(bundle: Path, image: Path, out: Path, label: str | None, check: bool, as_json: bool) -> None:
    """Show what moved a Keras bundle's answer to one image, three ways side by side.

    The activation map that the bundle exports, Grad-CAM on the same layer, and integrated gradients down to the pixel,
    each over the film, with what each can and cannot tell. It explains the network and not the patient.

    \b
    Example:
      osteo-edge explain knee film.png --out explained.png --check
    """
    loaded = read_bundle(bundle)
    probe = open_probe(loaded)
    require_target(out, "the picture", b"\x89PNG", inputs=(image,))
    radiograph = read_radiograph(image)
    place = place_of(label, probe, radiograph.pixels)
    found = explaining.explain(probe, radiograph.pixels, place)
    stages: tuple[Shuffled, ...] = ()
    if check:
        with progress("shuffle the weights") as advance:
            stages = explaining.randomization_check(probe, radiograph.pixels, place, on_progress=advance)
    write_picture(out, radiograph.pixels, found, loaded)
    for reason in _reasons(radiograph, loaded):
        click.echo(f"Warning: this image would be rejected and not screened: {reason}", err=True)
    if as_json:
        show_json(_to_dict(radiograph, loaded, found, stages, out))
    else:
        _show(radiograph, loaded, found, stages, out)


def write_picture(path: Path, pixels: Pixels, found: Explanation, bundle: Bundle) -> Path:
    """Write the film and the three maps over it as PNG; `OsteoEdgeError` if the file cannot be written."""
    encoded, data = cv2.imencode(".png", draw_picture(pixels, found, bundle))
    assert encoded
    return write_whole(path, data.tobytes(), "the picture")


def draw_picture(pixels: Pixels, found: Explanation, bundle: Bundle) -> Picture:
    """The film and the three maps over it, with titles, limits and the intended use; blue, green, red."""
    film, layout = blend(pixels, None, max_side_px=FILM_PX), lay_out(pixels, bundle.manifest.input)
    columns = [
        _column(
            film, "The film", ("Beside it, yellow is most of that map in this film, blue a little, no colour nothing.",)
        )
    ]
    for shown, relevance in _maps(found):
        strength = _strength(relevance, layout, film.shape[:2])
        words = (shown.what, shown.limit) if strength.any() else (shown.what, shown.limit, "Nothing is above zero.")
        columns.append(_column(blend(pixels, strength, max_side_px=FILM_PX), shown.title, words))
    height = max(column.shape[0] for column in columns)
    body = np.hstack([_stretched(column, height) for column in columns])
    return np.vstack([_heading(body.shape[1], found, bundle), body, _small_print(body.shape[1], bundle)])


def _maps(found: Explanation) -> tuple[tuple[Shown, Pixels], ...]:
    return (
        (ACTIVATION_MAP, found.activation_map),
        (GRAD_CAM, found.grad_cam),
        (INTEGRATED_GRADIENTS, found.integrated_gradients),
    )


def _reasons(radiograph: Radiograph, bundle: Bundle) -> tuple[str, ...]:
    """Why the image would be rejected, in words for the user."""
    found = rejections(radiograph, bundle.manifest.gate, findings=findings_of(bundle.manifest))
    return found or knee_rejections(lay_out(radiograph.pixels, bundle.manifest.input))


def _strength(relevance: Pixels, layout: Layout, shape: Sequence[int]) -> Pixels:
    """What is towards the label, over the film: (height, width) in [0, 1]; with Grad-CAM, this is its ReLU."""
    towards = np.maximum(relevance, 0)
    if not towards.any():
        return np.zeros(tuple(shape), np.float32)
    strongest = np.percentile(towards[towards > 0], STRONGEST)
    return np.asarray(np.clip(from_canvas(towards, layout, (shape[0], shape[1])) / strongest, 0, 1), np.float32)


def _column(film: Picture, title: str, words: Sequence[str]) -> Picture:
    width = max(film.shape[1] + 2 * MARGIN_PX, MIN_COLUMN_PX)
    canvas = _blank(film.shape[0], width)
    left = (width - film.shape[1]) // 2
    canvas[:, left : left + film.shape[1]] = film
    captions = [_paragraph(width, text, 13, INK) for text in words]
    return np.vstack([_paragraph(width, title, 18, INK, bold=True), canvas, *captions])


def _heading(width: int, found: Explanation, bundle: Bundle) -> Picture:
    title = f"What moved the logit of {found.label}: {bundle.manifest.name}"
    return np.vstack([_paragraph(width, title, 22, INK, bold=True), _paragraph(width, GENERAL_LIMIT, 15, INK)])


def _small_print(width: int, bundle: Bundle) -> Picture:
    use, phantom = bundle.manifest.intended_use, bundle.manifest.intended_use == PHANTOM_USE
    words = _paragraph(width, use, 15 if phantom else 13, ACCENTS["rejected"] if phantom else FAINT, bold=phantom)
    return np.vstack([words, _paragraph(width, f"Model {bundle.manifest.model.sha256[:12]}", 13, FAINT)])


def _paragraph(width: int, text: str, size: int, colour: Colour, *, bold: bool = False) -> Picture:
    lines, step = wrap(text, width - 2 * MARGIN_PX, size, bold=bold), round(size * 1.45)
    panel = _blank(step * len(lines) + MARGIN_PX // 2, width)
    for number, line in enumerate(lines, start=1):
        draw_text(panel, line, MARGIN_PX, number * step, size, colour, bold=bold)
    return panel


def _stretched(column: Picture, height: int) -> Picture:
    return np.vstack([column, _blank(height - column.shape[0], column.shape[1])])


def _blank(height: int, width: int) -> Picture:
    return np.full((height, width, 3), PANEL, np.uint8)


def _show(
    radiograph: Radiograph, bundle: Bundle, found: Explanation, stages: Sequence[Shuffled], picture: Path
) -> None:
    click.echo(f"{bundle.manifest.name}: {bundle.manifest.intended_use}\n")
    click.echo(
        f"{radiograph.source.path}: logit of {found.label} {found.logit:.2f}, of a black film {found.black_logit:.2f}"
    )
    for shown, _ in _maps(found):
        click.echo(f"  {shown.title}: {shown.what} {shown.limit}")
    click.echo(f"  {GENERAL_LIMIT}")
    click.echo(f"Rank correlation of the activation map with Grad-CAM before its ReLU: {found.agreement:.3f}")
    change = found.logit - found.black_logit
    click.echo(
        f"Integrated gradients, {found.steps} steps, add up to {change + found.residual:.3f}; "
        f"the logit changed by {change:.3f}: residual {found.residual:.3f}"
    )
    if not found.complete:
        click.echo(f"Warning: the residual is above {COMPLETE:.0%} of that change: trust no detail of them.", err=True)
    if stages:
        _show_check(stages)
    click.echo(f"Written: {picture}")


def _show_check(stages: Sequence[Shuffled]) -> None:
    names = list(stages[0].likeness)
    rows = [(stage.layer, *(f"{stage.likeness[name]:.2f}" for name in names)) for stage in stages]
    title = f"Rank correlation with the map before, its size, mean of {REPEATS} shuffles (Adebayo et al. 2018)"
    show_table(title, ("Shuffled from the head down to", *names), rows)
    for name in _unchanged(stages):
        click.echo(f"Warning: {name}: much the same with every weight shuffled, so they show the film.", err=True)


def _unchanged(stages: Sequence[Shuffled]) -> list[str]:
    """The maps that are still much like their originals when nothing of what was learnt is left."""
    return [name for name, value in stages[-1].likeness.items() if not value <= UNCHANGED] if stages else []


def _to_dict(
    radiograph: Radiograph, bundle: Bundle, found: Explanation, stages: Sequence[Shuffled], picture: Path
) -> dict[str, Any]:
    manifest = bundle.manifest
    return {
        "bundle": str(bundle.path),
        "image": str(radiograph.source.path),
        "model_sha256": manifest.model.sha256,
        "image_sha256": radiograph.sha256,
        "intended_use": manifest.intended_use,
        "rejections": list(_reasons(radiograph, bundle)),
        "label": found.label,
        "logit": found.logit,
        "black_logit": found.black_logit,
        "shows": {shown.title: f"{shown.what} {shown.limit}" for shown, _ in _maps(found)},
        "limit": GENERAL_LIMIT,
        "rank_correlation_with_grad_cam": found.agreement,
        "integrated_gradients": {"steps": found.steps, "residual": found.residual, "complete": found.complete},
        "randomization": [{"down_to": stage.layer, **stage.likeness} for stage in stages],
        "unchanged_when_shuffled": _unchanged(stages),
        "picture": str(picture),
    }
