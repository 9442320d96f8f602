"""Which bone a film shows, by a model that answers for several: the cascade's first step, and what follows from it.

Such a model gives one probability for each pair of bone and label. Summed over a bone's labels they say which bone it
is; among a bone's labels, given that it is that bone, they say what was found there. So one softmax is router and heads
in one, and its cross-entropy is the router's loss plus that of the head of the true bone alone (the chain rule of
probability): heads of other bones learn nothing from a film.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.manifest import Decision, Head, Manifest
from osteo_edge.wording import probability_in_words

Probabilities = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
Heads = tuple[tuple[int, ...], ...]
"""Where each head's labels stand among the model's."""


@dataclass(frozen=True)
class Route:
    """The head that answers for a film, and the probability that the film shows its bone.

    `given` is the bone that somebody named, where that overrides what the router says; `head` is then that bone's, and
    `found` and `confidence` are still the router's.
    """

    head: Head
    found: str
    confidence: float
    given: str | None = None


def bone_probabilities(probabilities: Probabilities, manifest: Manifest) -> Probabilities:
    """The probability of each bone, (..., bones) in the order of the router's heads, of (..., labels)."""
    if manifest.router is None:
        raise ValueError("the model does not tell bones apart")
    return np.asarray(probabilities @ _membership(head_places(manifest), probabilities.shape[-1]).T, np.float64)


def route(probabilities: Probabilities, manifest: Manifest, bone: str | None = None) -> Route | None:
    """Whose head answers, by the probabilities of one film, (labels,).

    None for a model of one question, and where the probabilities are no numbers. A `bone` that the user names is
    believed; `OsteoEdgeError` where the model does not know it.
    """
    named = None if bone is None else named_head(bone, manifest)
    if manifest.router is None or not np.isfinite(probabilities).all():
        return None
    of_bones = bone_probabilities(probabilities, manifest)
    place = int(of_bones.argmax())
    likeliest = manifest.router.heads[place]
    return Route(named or likeliest, likeliest.bone, float(of_bones[place]), bone)


def named_head(bone: str, manifest: Manifest) -> Head:
    """The head of a bone that the user names; `OsteoEdgeError` where the model has none."""
    if manifest.router is None:
        raise OsteoEdgeError(f"{manifest.name} does not tell bones apart; leave out --bone {bone}")
    known = {head.bone: head for head in manifest.router.heads}
    if bone not in known:
        raise OsteoEdgeError(f"{manifest.name} does not know the bone {bone!r}; it knows {', '.join(known)}")
    return known[bone]


def route_words(route: Route) -> str:
    """Which bone a film was taken for, beside what the user said where that overrides it."""
    bone, found, probability = route.head.bone, route.found, probability_in_words(route.confidence)
    if route.given is None:
        return f"taken for: {found} (probability {probability})"
    return f"read as {bone}, as you said; the model takes it for {found} ({probability})"


def given_bone(probabilities: Probabilities, route: Route | None, manifest: Manifest) -> Probabilities:
    """The probabilities, (labels,), as they are if the film shows the bone whose head answers; unchanged without heads.

    Of a bone that is ruled out to the last digit nothing is known: NaN.
    """
    if route is None:
        return probabilities
    own = np.zeros_like(probabilities)
    places = _places(route.head, manifest)
    own[places] = probabilities[places]
    with np.errstate(invalid="ignore"):
        return np.asarray(own / own.sum(), np.float64)


def head_places(manifest: Manifest) -> Heads:
    """Where the labels of each head stand among the model's; nothing for a model of one question."""
    return () if manifest.router is None else tuple(tuple(_places(head, manifest)) for head in manifest.router.heads)


def routed(probabilities: Probabilities, heads: Heads) -> Indices:
    """The number of the head whose labels, at these places, are the most probable together: (..., labels) to (...)."""
    return np.asarray((probabilities @ _membership(heads, probabilities.shape[-1]).T).argmax(axis=-1), np.intp)


def answered(probabilities: Probabilities, heads: Heads) -> Probabilities:
    """Probabilities, (..., labels), as the head answers that the router chooses: given that the film shows its bone.

    Those of other heads' labels are 0. Unchanged without heads.
    """
    if not heads:
        return probabilities
    own = probabilities * _membership(heads, probabilities.shape[-1])[routed(probabilities, heads)]
    with np.errstate(invalid="ignore"):
        return np.asarray(own / own.sum(axis=-1, keepdims=True), np.float64)


def decisions(probabilities: Probabilities, manifest: Manifest) -> tuple[Decision, ...]:
    """When to refer, by case, for (n, labels): the decision of the head that answers, or the model's one."""
    if manifest.router is None:
        return (manifest.decision,) * len(probabilities)
    places = bone_probabilities(probabilities, manifest).argmax(axis=-1)
    return tuple(manifest.router.heads[int(place)].decision for place in places)


def thresholds(probabilities: Probabilities, manifest: Manifest) -> npt.NDArray[np.float64]:
    """The threshold of each case's `decisions`, (n,)."""
    return np.array([decision.threshold for decision in decisions(probabilities, manifest)], np.float64)


def doubt(probabilities: Probabilities, manifest: Manifest) -> str | None:
    """Why no head may answer for a film, in words for the user, (labels,); None where one may.

    None as well for probabilities that are no numbers, of which there is more to say.
    """
    if manifest.router is None or not np.isfinite(probabilities).all():
        return None
    of_bones = bone_probabilities(probabilities, manifest)
    if float(of_bones.max()) >= manifest.router.min_confidence:
        return None
    first, second = np.argsort(-of_bones, kind="stable")[:2]
    bone, other = manifest.router.heads[first].bone, manifest.router.heads[second].bone
    probability, less = (probability_in_words(float(of_bones[place])) for place in (first, second))
    return f"it is not clear which bone this shows: {bone} ({probability}) or {other} ({less})"


def disagreement(films: Probabilities, manifest: Manifest) -> str | None:
    """Why no head may answer for the films of a study together, (films, labels), in words; None where one may.

    One film shows one bone and another film another, each beyond doubt.
    """
    if manifest.router is None:
        return None
    of_bones = bone_probabilities(films, manifest)
    certain = of_bones[of_bones.max(axis=-1) >= manifest.router.min_confidence]
    found = sorted({manifest.router.heads[int(place)].bone for place in certain.argmax(axis=-1)})
    return f"its films show different bones: {', '.join(found)}" if len(found) > 1 else None


@lru_cache(maxsize=8)
def _membership(heads: Heads, labels: int) -> Probabilities:
    """Which labels are a head's: 1 or 0, (heads, labels)."""
    own = np.zeros((len(heads), labels))
    for number, places in enumerate(heads):
        own[number, list(places)] = 1.0
    return own


def _places(head: Head, manifest: Manifest) -> Any:
    return [manifest.labels.index(label) for label in head.labels]
