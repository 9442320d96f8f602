"""Is this image fit to be screened at all? Checks that need no network; anything refused is told why."""

import cv2

from osteo_edge.layout import Layout
from osteo_edge.manifest import Gate
from osteo_edge.radiograph import Radiograph

DEFAULT_GATE = Gate(
    min_side_px=160, min_contrast=0.04, max_chroma=0.06, modalities=("CR", "DX", "RG", "RF", "OT", "SC")
)


def rejections(radiograph: Radiograph, gate: Gate) -> tuple[str, ...]:
    """Why the image must not be screened, in words for the user; empty if it may be."""
    source = radiograph.source
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
        (
            float(cv2.meanStdDev(radiograph.pixels)[1][0, 0]) < gate.min_contrast,
            "blank or nearly so: there is almost no contrast",
        ),
    )
    return tuple(reason for fails, reason in checks if fails)


def knee_rejections(layout: Layout) -> tuple[str, ...]:
    """Why the image must not be screened once it is laid out: where knees were looked for, there must be one."""
    if layout.knees is None or layout.knees:
        return ()
    return ("no knee joint was found in this image: use a frontal film that shows the whole joint",)
