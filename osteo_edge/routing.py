"""Which bone a film shows, by a model that answers for several: the cascade's first step, and what follows from it.

Such a model gives one probability for each pair of bone and label. Summed over a bone's labels they say which bone it
is; among a bone's labels they say what was found there. So one softmax is router and heads in one, and its
cross-entropy is the router's loss plus that of the head of the true bone alone (the chain rule of probability): heads
of other bones learn nothing from a film.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.manifest import Decision, Head, Manifest, Router

Probabilities = npt.NDArray[np.float64]
SHOWN_BONES = 2


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
    return np.stack([probabilities[..., _places(head, manifest)].sum(axis=-1) for head in _heads(manifest)], axis=-1)


def route(probabilities: Probabilities, manifest: Manifest, bone: str | None = None) -> Route | None:
    """Whose head answers, by the probabilities of one film, (labels,); None for a model of one question.

    A `bone` that the user names is believed; `OsteoEdgeError` where the model does not know it.
    """
    if manifest.router is None:
        if bone is not None:
            raise OsteoEdgeError(f"{manifest.name} does not tell bones apart, so --bone {bone} says nothing to it")
        return None
    of_bones = bone_probabilities(probabilities, manifest)
    place = int(of_bones.argmax())
    heads = manifest.router.heads
    found, confidence = heads[place].bone, float(of_bones[place])
    if bone is None:
        return Route(heads[place], found, confidence)
    return Route(_head_of(bone, manifest.router), found, confidence, bone)


def given_bone(probabilities: Probabilities, route: Route | None, manifest: Manifest) -> Probabilities:
    """The probabilities, (labels,), as they are if the film shows the bone that was named; unchanged where none was."""
    if route is None or route.given is None:
        return probabilities
    own = np.zeros_like(probabilities)
    places = _places(route.head, manifest)
    own[places] = probabilities[places]
    with np.errstate(invalid="ignore"):  # of a bone that is ruled out to the last digit nothing is known: NaN
        return np.asarray(own / own.sum(), np.float64)


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
    """Why no head may answer for a film, in words for the user, (labels,); None where one may."""
    if manifest.router is None:
        return None
    of_bones = bone_probabilities(probabilities, manifest)
    if float(of_bones.max()) >= manifest.router.min_confidence:
        return None
    order = np.argsort(-of_bones, kind="stable")[:SHOWN_BONES]
    guesses = ", ".join(f"{manifest.router.heads[place].bone} {of_bones[place]:.2f}" for place in order)
    return f"it is not clear which bone this shows ({guesses})"


def _heads(manifest: Manifest) -> tuple[Head, ...]:
    if manifest.router is None:
        raise ValueError("the model does not tell bones apart")
    return manifest.router.heads


def _head_of(bone: str, router: Router) -> Head:
    known = {head.bone: head for head in router.heads}
    if bone not in known:
        raise OsteoEdgeError(f"this model does not know the bone {bone!r}; it knows {', '.join(known)}")
    return known[bone]


def _places(head: Head, manifest: Manifest) -> Any:
    return [manifest.labels.index(label) for label in head.labels]
