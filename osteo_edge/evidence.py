"""Where in a film the model saw evidence for its answer, from the class-activation map that it gives beside it."""

from collections.abc import Sequence

import numpy as np

from osteo_edge.layout import Layout, from_canvas
from osteo_edge.manifest import Manifest
from osteo_edge.preprocessing import Pixels
from osteo_edge.routing import named_head
from osteo_edge.runtime import Prediction

MAX_EVIDENCE_SIDE_PX = 512


def evidence_of(prediction: Prediction, manifest: Manifest, layout: Layout, bone: str | None = None) -> Pixels | None:
    """Where the model saw evidence for the positive labels: (height, width) in [0, 1], 1 in the strongest region.

    The film's shape, shrunk to `MAX_EVIDENCE_SIDE_PX`; 0 where the film lies nowhere on the canvas.

    The class-activation map (Zhou et al. 2016) of the positive labels less that of the others; below zero is cut. Of
    the labels of one `bone` alone, where one is named. None where the model has no map, or no numbers in it.
    """
    if prediction.activation_map is None or not np.isfinite(prediction.activation_map).all():
        return None
    asked = manifest if bone is None else named_head(bone, manifest)
    positive = asked.decision.positive_labels
    towards = _maps(prediction.activation_map, positive, manifest).max(axis=-1)
    against = _maps(prediction.activation_map, [label for label in asked.labels if label not in positive], manifest)
    net = towards - against.max(axis=-1) if against.shape[-1] else towards
    film = from_canvas(np.maximum(net, 0.0), layout, _fitted(layout.film))
    strongest = float(film.max())
    return film / np.float32(strongest) if strongest > 0 else film


def _maps(activation_map: Pixels, labels: Sequence[str], manifest: Manifest) -> Pixels:
    return activation_map[..., [manifest.labels.index(label) for label in labels]]


def _fitted(shape: tuple[int, int]) -> tuple[int, int]:
    """The film's shape, shrunk to `MAX_EVIDENCE_SIDE_PX`: a map of a few cells gains nothing from ten megapixels."""
    scale = min(1.0, MAX_EVIDENCE_SIDE_PX / max(shape))
    return max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))
