"""A second look at a film: the same model on the film mirrored and a little shifted, which changes nothing of the bone.

Where these answers differ from the film's own, that hangs on more than what the film shows (test-time augmentation as a
measure of uncertainty: Ayhan and Berens 2018). It is a cheap second opinion of the same model and no other one: what
the model has learned wrongly it sees wrongly each time. The answer itself stays what it was.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from osteo_edge.manifest import Manifest
from osteo_edge.preprocessing import Pixels, to_tensor
from osteo_edge.routing import doubt, given_bone, route
from osteo_edge.runtime import Interpreter
from osteo_edge.screening import Answer, Probabilities, answer_to, calibrated, score_of
from osteo_edge.wording import Outcome, probability_in_words

SHIFT = 0.03
"""Of the film's side; training shifts films by up to 0.05 and mirrors half of them."""
OUTCOME_WORDS: dict[Outcome, str] = {"refer": "refer", "uncertain": "uncertain", "no_finding": "no finding"}


@dataclass(frozen=True)
class Look:
    """What the model answers to one version of a film; `score` is NaN where it gives no number.

    Of a model that tells bones apart, `bone` is the one whose head answers; None where it is not clear which that is.
    """

    version: str
    outcome: Outcome
    score: float
    bone: str | None

    def __str__(self) -> str:
        score = "" if math.isnan(self.score) else f" (score {probability_in_words(self.score)})"
        bone = "" if self.bone is None else f"{self.bone}, "
        return f"{self.version}: {bone}{OUTCOME_WORDS[self.outcome]}{score}"


@dataclass(frozen=True)
class SecondLook:
    """What the model answers to the versions of a film, and to which of them it answers `otherwise`."""

    looks: tuple[Look, ...]
    otherwise: tuple[Look, ...]

    @property
    def agrees(self) -> bool:
        return not self.otherwise

    def __str__(self) -> str:
        n = len(self.looks)
        if self.otherwise:
            return (
                f"second look: disagrees; {len(self.otherwise)} of {n} versions of this film are answered otherwise, "
                f"{'; '.join(map(str, self.otherwise))}. Let a person look at it"
            )
        scores = sorted(look.score for look in self.looks if not math.isnan(look.score))
        span = " to ".join(dict.fromkeys(map(probability_in_words, (*scores[:1], *scores[-1:]))))
        return f"second look: {n} versions, mirrored and shifted, are answered alike{span and f' (scores {span})'}"

    def to_dict(self) -> dict[str, Any]:
        """The looks for machines."""
        return {"agrees": self.agrees, "versions": [vars(look) for look in self.looks]}


def shifted(pixels: Pixels, down: float, right: float) -> Pixels:
    """The film moved by shares of its sides; what moves in repeats the film's edge, (height, width).

    >>> shifted(np.array([[1.0, 2.0, 3.0, 4.0]]), 0, 0.25).tolist()
    [[1.0, 1.0, 2.0, 3.0]]
    """
    height, width = pixels.shape
    rows = np.clip(np.arange(height) - round(down * height), 0, height - 1)
    columns = np.clip(np.arange(width) - round(right * width), 0, width - 1)
    return np.asarray(pixels[rows][:, columns], np.float32)


def mirrored(pixels: Pixels) -> Pixels:
    """The film with left and right exchanged."""
    return np.ascontiguousarray(pixels[:, ::-1])


VERSIONS: Mapping[str, Callable[[Pixels], Pixels]] = {
    "mirrored": mirrored,
    "shifted up": partial(shifted, down=-SHIFT, right=0.0),
    "shifted down": partial(shifted, down=SHIFT, right=0.0),
    "shifted left": partial(shifted, down=0.0, right=-SHIFT),
    "shifted right": partial(shifted, down=0.0, right=SHIFT),
}


def look_again(pixels: Pixels, manifest: Manifest, interpreter: Interpreter) -> Probabilities:
    """The calibrated probabilities of every version of a film, (versions, labels); each is prepared like a film."""
    logits = [interpreter.run(to_tensor(make(pixels), manifest.input)).logits for make in VERSIONS.values()]
    return calibrated(np.stack(logits), manifest.calibration)


def compare_looks(answer: Answer, probabilities: Probabilities, manifest: Manifest) -> SecondLook:
    """What the versions' probabilities, (versions, labels), say beside the answer that the film got.

    Answered otherwise is a version with another outcome, or by the head of another bone.
    """
    looks = tuple(
        _look(version, row, manifest, answer.bone_given) for version, row in zip(VERSIONS, probabilities, strict=True)
    )
    own = answer.outcome, answer.bone
    return SecondLook(looks, tuple(look for look in looks if (look.outcome, look.bone) != own))


def answer_of(probabilities: Probabilities, manifest: Manifest, bone: str | None = None) -> tuple[Outcome, str | None]:
    """The outcome by one film's calibrated probabilities, (labels,), and the bone whose head gave it, if one did."""
    chosen = route(probabilities, manifest, bone)
    outcome, _ = answer_to(probabilities, manifest, chosen)
    if chosen is None or (chosen.given is None and doubt(probabilities, manifest) is not None):
        return outcome, None
    return outcome, chosen.head.bone


def _look(version: str, probabilities: Probabilities, manifest: Manifest, bone: str | None) -> Look:
    outcome, answering = answer_of(probabilities, manifest, bone)
    if manifest.router is not None and answering is None:
        return Look(version, outcome, math.nan, None)
    given = given_bone(probabilities, route(probabilities, manifest, bone), manifest)
    return Look(version, outcome, float(score_of(given, manifest)), answering)
