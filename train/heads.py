"""Several bones, one network: its labels, a pair (or more) for each bone, and what is chosen for each on validation.

The network is trained on the pairs of bone and label as on any labels: `osteo_edge.routing` tells why that is a router
and a head for each bone, trained together, each head by the films of its own bone.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from osteo_edge.dataset import Dataset
from osteo_edge.errors import DatasetError, OsteoEdgeError
from osteo_edge.manifest import Head, Router
from osteo_edge.train.calibrating import FITTED_ON, choose_decision
from osteo_edge.train.config import TrainConfig
from osteo_edge.wording import Finding

Probabilities = npt.NDArray[np.float64]
Classes = npt.NDArray[np.intp]

REFERENCES = ("normal", "negative")
ABNORMAL = ("abnormal", "positive")
DENSITY = ("osteop", "density", "bmd")
ROUTER = "router"
"""What the folder of the network is called that tells bones apart; no bone may be."""
LEAST_CONFIDENCE = 0.5
MISROUTED = 0.01
"""The share of validation films that may go to the wrong head."""
LEFT_OUT = 0.05
"""The share of rightly routed ones for which that is not sure enough: what it costs that other bones find no head."""
SMALLEST = 1e-12


def bones_of(dataset: Dataset, wanted: Sequence[str] = ()) -> tuple[str, ...]:
    """The bones that get a head: the `wanted` ones, or all that the films show, in alphabetical order.

    `DatasetError` where films name no bone, or too few bones; `OsteoEdgeError` for a wanted one that no film shows.
    """
    nameless = [case for case in dataset.cases if case.bone is None]
    if nameless:
        raise DatasetError(
            f"{dataset.root}: {len(nameless)} of {len(dataset.cases)} films name no bone, the first of them "
            f"{nameless[0].name}; a cascade needs a CSV file with the column bone, as `osteo-edge data mura` writes it"
        )
    known = sorted({case.bone for case in dataset.cases if case.bone is not None})
    unknown = [bone for bone in wanted if bone not in known]
    if unknown:
        raise OsteoEdgeError(f"{dataset.root}: no film shows the bone {unknown[0]!r}; there are {', '.join(known)}")
    bones = tuple(bone for bone in known if not wanted or bone in wanted)
    for bone in bones:
        _check_name(dataset, bone, bones)
    if len(bones) < 2:
        raise DatasetError(f"{dataset.root}: a cascade needs films of at least two bones, not of {' and '.join(bones)}")
    return bones


def _check_name(dataset: Dataset, bone: str, bones: Sequence[str]) -> None:
    """A bone's name begins its labels and names a folder."""
    longer = next((other for other in bones if other.startswith(f"{bone} ")), None)
    if longer is not None:
        raise DatasetError(f"{dataset.root}: the bones {bone!r} and {longer!r} cannot be told apart by their beginning")
    if not re.fullmatch(r"[\w][\w .-]*", bone) or bone == ROUTER:
        raise DatasetError(f"{dataset.root}: a bone cannot be called {bone!r}; use letters, digits, spaces and hyphens")


def labels_of(dataset: Dataset, bone: str) -> tuple[str, ...]:
    """The labels of one bone's films as the data set has them, the reference first, the others by alphabet."""
    found = sorted({case.label for case in dataset.cases if case.bone == bone})
    reference = next((label for label in found if label.lower() in REFERENCES), None)
    if reference is None or len(found) < 2:
        raise DatasetError(
            f"{dataset.root}: the films of the {bone} are labelled {' and '.join(found)}; each bone needs films called "
            "normal and others"
        )
    return (reference, *(label for label in found if label != reference))


def paired_labels(dataset: Dataset, bones: Sequence[str]) -> tuple[str, ...]:
    """The labels of all bones as the network has them: "elbow normal", "elbow abnormal", ..."""
    return tuple(f"{bone} {label}" for bone in bones for label in labels_of(dataset, bone))


def with_heads(config: TrainConfig, dataset: Dataset, wanted: Sequence[str] = ()) -> TrainConfig:
    """The settings for a cascade on the `wanted` bones of a data set, or on all: with its heads and their labels."""
    bones = bones_of(dataset, wanted)
    return replace(config, heads=bones, labels=paired_labels(dataset, bones))


def labels_by_bone(config: TrainConfig) -> dict[str, tuple[str, ...]]:
    """The network's labels of each bone that has a head, the reference first."""
    return {bone: tuple(label for label in config.labels if label.startswith(f"{bone} ")) for bone in config.heads}


def head_places(config: TrainConfig) -> tuple[tuple[int, ...], ...]:
    """Where the labels of each head stand among the network's."""
    return tuple(tuple(config.labels.index(label) for label in own) for own in labels_by_bone(config).values())


def finding_of(positive_labels: Sequence[str], *, of_bone: bool = False) -> Finding | None:
    """What positive labels speak of, by their names; None for bone density, which needs no saying in a manifest.

    A head `of_bone` is about density only where a label says so; a network for one question is, unless it says not.

    >>> finding_of(["abnormal"]), finding_of(["osteopenia", "osteoporosis"]), finding_of(["low"])
    ('abnormality', None, None)
    >>> finding_of(["wrist fracture"], of_bone=True), finding_of(["knee osteopenia"], of_bone=True)
    ('abnormality', None)
    """
    said = " ".join(positive_labels).lower()
    if any(word in said for word in DENSITY):
        return None
    last = [label.lower().split()[-1] for label in positive_labels]
    return "abnormality" if of_bone or all(word in ABNORMAL for word in last) else None


def find_router(probabilities: Probabilities, classes: Classes, config: TrainConfig) -> Router | None:
    """The heads with a decision for each, chosen on its bone's validation films; None for a network without heads.

    A head's score is the probability of its positive labels, given that the film shows its bone.

    `probabilities` are calibrated, (n, labels), `classes` the films' label numbers, (n,).
    """
    if not config.heads:
        return None
    by_bone = labels_by_bone(config)
    places = {bone: [config.labels.index(label) for label in labels] for bone, labels in by_bone.items()}
    of_bones = np.stack([probabilities[:, own].sum(axis=1) for own in places.values()], axis=1)
    true_bone = np.array([next(b for b, own in enumerate(places.values()) if label in own) for label in classes])
    heads = []
    for number, (bone, labels) in enumerate(by_bone.items()):
        shown = true_bone == number
        positive = classes[shown] != places[bone][0]
        score = probabilities[shown][:, places[bone][1:]].sum(axis=1) / np.maximum(of_bones[shown, number], SMALLEST)
        decision = choose_decision(score, positive, replace(config, labels=labels, heads=()))
        heads.append(Head(bone, finding_of(labels[1:], of_bone=True) or "density", labels, decision))
    right = of_bones.argmax(axis=1) == true_bone
    return Router(tuple(heads), least_confidence(of_bones.max(axis=1), right), FITTED_ON)


def least_confidence(confidence: npt.NDArray[np.float64], right: npt.NDArray[np.bool_]) -> float:
    """How sure of the bone the network must be for a head to answer, by validation films, (n,) each.

    At least a half; so sure that no more than 1 % of the films are taken for another bone; and as sure as it is of 95 %
    of those that it takes for the right one, so that what shows none of the bones is not answered by a head.

    >>> least_confidence(np.array([0.55, 0.6, 0.9, 0.9]), np.array([True, False, True, True]))
    0.75
    """
    order = np.argsort(confidence)
    wrong_from = np.cumsum(~right[order][::-1])[::-1] / np.arange(right.size, 0, -1)
    kept = np.flatnonzero(wrong_from <= MISROUTED)
    if not kept.size:
        return 1.0
    first = int(kept[0])
    between = (confidence[order[first]] + confidence[order[first - 1]]) / 2 if first else 0.0
    usual = np.quantile(confidence[right], LEFT_OUT)
    return float(max(LEAST_CONFIDENCE, between, usual))
