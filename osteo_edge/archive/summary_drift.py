"""How an archive's films differ from those that a model was chosen on, as far as its bundle tells."""

import math
from dataclasses import dataclass
from typing import Final

from osteo_edge.archive.summary_counts import Counts
from osteo_edge.intervals import Estimate, Interval, wilson_interval
from osteo_edge.manifest import Manifest

SENSITIVITY: Final = "sensitivity, validation"
SPECIFICITY: Final = "specificity, validation"
ONE_PATIENT: Final = (
    "The intervals take each film for another patient's; of several films a patient they are too narrow."
)


@dataclass(frozen=True)
class Drift:
    """A share of the archive's films beside the same share where the model was chosen, and what to make of both.

    `difference` is `here` less `there`, with Newcombe's interval; it `differs` where that leaves out 0.
    """

    name: str
    here: Estimate
    there: Estimate
    difference: Estimate
    meaning: str

    @property
    def differs(self) -> bool:
        return not self.difference.low <= 0 <= self.difference.high


def find_drift(counts: Counts, manifest: Manifest) -> tuple[Drift, ...]:
    """What can be compared: how many films are unfamiliar, and how many reach the threshold."""
    found = (_unfamiliar(counts, manifest), _positive(counts, manifest))
    return tuple(drift for drift in found if drift is not None)


def not_compared(counts: Counts, manifest: Manifest) -> tuple[str, ...]:
    """What cannot be compared, and why, in sentences."""
    sentences = ["Quality figures: a bundle carries none of its training films, so there is nothing to compare with."]
    if manifest.familiarity is None:
        sentences.append(
            "Unfamiliar films: this bundle carries no statistics of its training films, so how unlike them the "
            "archive's films are is not known."
        )
    elif not counts.distances.n:
        sentences.append("Unfamiliar films: no film got as far as the model.")
    if _expected(manifest) is None:
        sentences.append(
            "Films that reach the threshold: this bundle does not say how many of its validation films did."
        )
    elif not counts.scored:
        sentences.append("Films that reach the threshold: no film was answered.")
    return tuple(sentences)


def share(hits: int, n: int) -> Estimate:
    """A share with Wilson's interval; NaN of none."""
    value = hits / n if n else math.nan
    interval = wilson_interval(value, n)
    return Estimate(value, float(interval.low), float(interval.high), n)


def difference(first: Estimate, second: Estimate) -> Estimate:
    """The first share less the second, with the hybrid score interval (Newcombe 1998, Stat Med 17:873, method 10).

    >>> print(difference(share(56, 70), share(48, 80)))
    0.200 [0.052, 0.334] (n = 150)
    """
    value = first.value - second.value
    low = math.hypot(first.value - first.low, second.high - second.value)
    high = math.hypot(first.high - first.value, second.value - second.low)
    found = Interval(value - low, value + high)
    return Estimate(value, found.low, found.high, first.n + second.n)


def _unfamiliar(counts: Counts, manifest: Manifest) -> Drift | None:
    known = manifest.familiarity
    if known is None or not counts.distances.n:
        return None
    here = share(counts.beyond, counts.distances.n)
    there = share(round(known.refused_share * known.chosen_images), known.chosen_images)
    meaning = (
        f"Films too unlike the training films to be answered, by the distance above which the model refuses. "
        f"{known.chosen_images} films ({known.chosen_on}) set that distance. Many more here: another machine, another "
        "view or another joint, and the answered films may be stranger to the model too, so have some of them read. "
        "As few here does not show that the model errs as rarely as it did there."
    )
    return Drift("unfamiliar films", here, there, difference(here, there), meaning)


def _positive(counts: Counts, manifest: Manifest) -> Drift | None:
    there = _expected(manifest)
    if there is None or not counts.scored:
        return None
    here = share(counts.reached, counts.scored)
    meaning = (
        f"Films whose score reaches the threshold, of those that have one. The {there.n} validation films "
        "were chosen by their labels, and an archive is not: a difference is to be expected, and says nothing of "
        "errors by itself. Far more than the prevalence among these patients can be: the model refers too often here. "
        "None of it measures how many patients have what is looked for."
    )
    return Drift("films at or above the threshold", here, there, difference(here, there), meaning)


def _expected(manifest: Manifest) -> Estimate | None:
    """The share of the validation films that reached the threshold; None where the bundle does not say.

    Of a model of several bones it does not: its measures are of each bone.
    """
    found, spared = (manifest.metrics.get(name) for name in (SENSITIVITY, SPECIFICITY))
    if manifest.router is not None or found is None or spared is None or None in (found.value, spared.value):
        return None
    positives, negatives = (found.value or 0.0) * found.n, (1 - (spared.value or 0.0)) * spared.n
    return share(round(positives + negatives), found.n + spared.n)
