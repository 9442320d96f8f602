"""Grades of positive images, low, medium and high, that no one labelled: groups that k-means finds in features.

The nearest of three centroids is a linear function of the pooled features, so the second stage is one 1x1 convolution
beside the head of the first and answers as the groups are defined, up to rounding; nothing is left to be learnt.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.errors import DatasetError
from osteo_edge.manifest import Outputs
from osteo_edge.preprocessing import InputSpec
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.labelled import Labelled
from osteo_edge.train.linear_head import LinearHead
from osteo_edge.train.models import Network
from osteo_edge.train.pooling import pooled_features
from osteo_edge.wording import SEVERITIES, Severity

Features = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Grades = npt.NDArray[np.intp]

OUTPUTS = Outputs(logits=0, activation_map=1, severity=2)
STARTS = 10
SMALLEST_DEVIATION = 1e-6


@dataclass(frozen=True, eq=False)
class Grading:
    """Three centroids, (3, features), nearest to the reference class first, of features standardised by `mean` and
    `deviation`, (features,)."""

    centroids: Floats
    mean: Floats
    deviation: Floats

    def grades(self, features: Features) -> Grades:
        """The number of the nearest centroid, (n,): 0 is low."""
        standardised = (features - self.mean) / self.deviation
        distances = np.linalg.norm(standardised[:, np.newaxis] - self.centroids, axis=-1)
        return np.asarray(distances.argmin(axis=1), np.intp)

    def head(self) -> LinearHead:
        """Logits on features as they are, whose largest belongs to the nearest centroid.

        Half the squared distance, per feature and with its sign turned, less what all three have in common.
        """
        inner = self.centroids - self.centroids.mean(axis=0)
        lengths = (self.centroids**2).sum(axis=1) / 2
        kernel = (inner / self.deviation).T / self.mean.size
        bias = -(lengths - lengths.mean()) / self.mean.size - self.mean @ kernel
        return LinearHead(kernel, bias)


@dataclass(frozen=True, eq=False)
class Graded:
    """A network with a third output, the severity logits, and how its grades were found."""

    network: Network
    grading: Grading
    sizes: dict[Severity, int]
    """Positive training images of each grade."""


def attach_severity(network: Network, train: Labelled, spec: InputSpec, *, seed: int) -> Graded:
    """Give a fitted detection network a second stage; `train` are the images that it was fitted on.

    The first label is the reference class, the others are positive. Raises `DatasetError` for too few images.
    """
    features = pooled_features(network, train, spec)
    positive = train.classes > 0
    grading = find_grades(features[positive], features[~positive], seed=seed)
    found = grading.grades(features[positive])
    sizes = {name: int((found == number).sum()) for number, name in enumerate(SEVERITIES)}
    return Graded(_with_severity(network, grading.head()), grading, sizes)


def find_grades(positive: Features, reference: Features, *, seed: int) -> Grading:
    """Three groups of the positive images' features, in the order of their distance from the reference class."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    if not _can_be_grouped(positive, reference):
        raise DatasetError(
            f"two-stage: {len(positive)} positive images and {len(reference)} of the reference class to grade by; at "
            f"least {len(SEVERITIES)} that differ to the network and 1 are needed: add images or train longer"
        )
    mean, deviation = positive.mean(axis=0, dtype=np.float64), positive.std(axis=0, dtype=np.float64)
    deviation = np.where(deviation < SMALLEST_DEVIATION, np.inf, deviation)  # what never varies says nothing
    with threadpool_limits(1):  # the same groups whatever the number of cores
        model = KMeans(len(SEVERITIES), n_init=STARTS, random_state=seed).fit((positive - mean) / deviation)
    centre = ((reference - mean) / deviation).mean(axis=0)
    order = np.argsort(np.linalg.norm(model.cluster_centers_ - centre, axis=1))
    return Grading(model.cluster_centers_[order], mean, deviation)


def agreement(graded: Graded, part: Labelled, spec: InputSpec, *, seed: int) -> float | None:
    """How far the grades are those that k-means finds again, in images that were held out from the first search.

    The share of the part's positive images with the same grade either way; None where there are too few to group.
    About a third is chance.
    """
    features = pooled_features(graded.network, part, spec)
    positive = part.classes > 0
    seen, reference = features[positive], features[~positive]
    if not _can_be_grouped(seen, reference):
        return None
    again = find_grades(seen, reference, seed=seed)
    return float(np.mean(again.grades(seen) == graded.grading.grades(seen)))


def describe_severity(
    graded: Graded, held_out: Mapping[str, Labelled], spec: InputSpec, *, seed: int
) -> dict[str, Any]:
    """What a bundle's manifest records of its second stage; `held_out` are parts by name."""
    return {
        "method": "k-means on standardised pooled features of the fitted detection network",
        "training_images": graded.sizes,
        "agreement_with_groups_found_again": {
            name: agreement(graded, part, spec, seed=seed) for name, part in held_out.items()
        },
    }


def _can_be_grouped(positive: Features, reference: Features) -> bool:
    if len(positive) < len(SEVERITIES) or not len(reference):
        return False
    varying = positive.std(axis=0, dtype=np.float64) >= SMALLEST_DEVIATION
    return bool(varying.any()) and len(np.unique(positive[:, varying], axis=0)) >= len(SEVERITIES)


def _with_severity(network: Network, head: LinearHead) -> Network:
    _, keras = load_tensorflow()
    layer = keras.layers.Conv2D(len(SEVERITIES), 1, name="severity_map")
    severity = keras.layers.GlobalAveragePooling2D(name="severity")(layer(network.backbone.output))
    layer.set_weights([head.kernel[np.newaxis, np.newaxis].astype(np.float32), head.bias.astype(np.float32)])
    model = keras.Model(network.model.input, [*network.model.outputs, severity], name=network.model.name)
    return replace(network, model=model)
