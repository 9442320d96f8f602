"""Is this image fit to be screened at all? Checks that need no network; anything refused is told why."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from osteo_edge.image_quality import ImageQuality, measure_quality
from osteo_edge.layout import Layout
from osteo_edge.manifest import Gate
from osteo_edge.radiograph import Radiograph
from osteo_edge.raster import statistics
from osteo_edge.wording import Finding

DEFAULT_GATE = Gate(
    min_side_px=160, min_contrast=0.04, max_chroma=0.06, modalities=("CR", "DX", "RG", "RF", "OT", "SC")
)

# What a picture must keep to, and in brackets where 102 knee films, one part of a public set, lie (docs/safety.md).
MAX_ASPECT: Final = 3.0
"""Longer side over the shorter (1.0 to 1.3); a film of the whole leg may reach 2.5."""
MAX_LONG_ASPECT: Final = 6.0
"""The same for films of other bones, which are collimated to the limb: chosen, not measured."""
MIN_SMOOTHNESS: Final = 0.9
"""(0.985 and more.) A knee film with noise of a fifth of the full scale, its standard deviation, has 0.9."""
MIN_PRINT: Final = 0.2
"""Of a picture without smoothness: the even share from which it is print on paper or a screen, and not noise."""
MIN_BRIGHTEST: Final = 0.15
"""(0.79 and more.) A file of 8 bits has 38 grey levels left then."""
MIN_TONES: Final = 16
"""(180 and more.) Of fewer, a picture is drawn in a few flat greys: what follows says nothing about such."""
NEGATIVE_RELIEF, NEGATIVE_SIDE = 0.0, 0.45
"""A negative has less than the first (0.1 and more) and more than the second (0.36 and less)."""
MAX_WHITE: Final = 0.05
"""(0.001 and less; drawn films 0.005.)"""
MAX_BLOCKS: Final = 2.0
"""(1.2 and less.) A film saved as JPEG has 1.4 to 1.9 at quality 30, and 1.9 to 3.2 at quality 10."""
MIN_DETAIL: Final = 0.36
"""(0.5 and more.) Photos of films, drawn with a hand-held camera's blur, have 0.4 and more."""
MAX_SCREEN: Final = 0.015
"""(0.0001 and less.)"""
MAX_PATCH: Final = 0.003
"""(0.0012 and less.)"""


def rejections(
    radiograph: Radiograph,
    gate: Gate,
    *,
    findings: Sequence[Finding] = ("density",),
    quality: ImageQuality | None = None,
) -> tuple[str, ...]:
    """Why the image must not be screened, in words for the user; empty if it may be.

    Of the picture's faults the first is given, since one brings about others. `findings` are the model's: one that is
    to find what is abnormal, metal too, must see it. `quality` is what was measured of the picture, if it was.
    """
    source = radiograph.source
    is_blank = statistics.mean_and_deviation(radiograph.pixels)[1] < gate.min_contrast
    metal_counts = "abnormality" in findings
    fault = None if is_blank else fault_of(quality or measure_quality(radiograph.pixels), metal_counts=metal_counts)
    checks = (
        (
            min(source.height, source.width) < gate.min_side_px,
            f"too small: {source.width} x {source.height} pixels, at least {gate.min_side_px} on each side are needed",
        ),
        (
            source.modality is not None and source.modality not in gate.modalities,
            f"not a radiograph: the file says modality {source.modality}",
        ),
        (source.chroma > gate.max_chroma, "a colour picture, not a radiograph"),
        (is_blank, "blank or nearly so: there is almost no contrast"),
    )
    return (*(reason for fails, reason in checks if fails), *(() if fault is None else (fault,)))


def fault_of(quality: ImageQuality, *, metal_counts: bool = False) -> str | None:
    """What is wrong with a picture, and what to do about it; None if nothing is.

    The order is that of what would be told wrongly after it: a negative is white in large parts, too. Where metal is a
    finding, `metal_counts`, white areas are no fault, and a film of a whole forearm may be long.
    """
    longest = MAX_LONG_ASPECT if metal_counts else MAX_ASPECT
    if metal_counts:
        quality = replace(quality, white=0.0, patch=0.0)
    return _wrong_picture(quality, longest) or (_spoilt_film(quality) if quality.tones >= MIN_TONES else None)


def _wrong_picture(quality: ImageQuality, longest: float) -> str | None:
    if quality.aspect > longest:
        return f"a strip, {quality.aspect:.1f} times as long as wide: use a film that shows the whole joint or bone"
    if quality.smoothness < MIN_SMOOTHNESS:
        if quality.even >= MIN_PRINT:
            return "a page of text or a drawing, not a radiograph: choose the picture of the film"
        return "noise all over the picture: send the file from the X-ray machine"
    if quality.brightest < MIN_BRIGHTEST:
        return "far too dark: export it again at full brightness, or send the file from the X-ray machine"
    return None


def _spoilt_film(quality: ImageQuality) -> str | None:
    if quality.relief < NEGATIVE_RELIEF and quality.side > NEGATIVE_SIDE:
        return "a negative, dark bone on a bright ground: export it again with bright bone"
    if quality.white > MAX_WHITE:
        percent = f"{100 * quality.white:.0f}"
        return f"over-exposed, or glare, {percent} % of its middle is pure white: take it again with less light"
    if quality.blocks > MAX_BLOCKS:
        return "compressed until its blocks show: export it again at a higher quality"
    if quality.detail < MIN_DETAIL:
        return "the picture is blurred: take it again, or send the file from the X-ray machine"
    if quality.screen > MAX_SCREEN:
        return "a screenshot with more than the film: export the film alone"
    if quality.patch > MAX_PATCH:
        return "a white patch over the film, glare or metal: take it again without glare, or screen the other side"
    return None


def knee_rejections(layout: Layout) -> tuple[str, ...]:
    """Why the image must not be screened once it is laid out: where knees were looked for, there must be one."""
    if layout.knees is None or layout.knees:
        return ()
    return ("no knee joint was found in this image: use a frontal film that shows the whole joint",)
