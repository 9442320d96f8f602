"""The probability of a screening in words: the same in a window and on paper."""

import math
from dataclasses import dataclass
from typing import Final

from osteo_edge.edge_app.bone_words import label_words
from osteo_edge.edge_app.history.entry import Entry
from osteo_edge.edge_app.translation import Translate
from osteo_edge.wording import probability_in_words

NO_PROBABILITY: Final = "No probability: the model gave no answer from this image."


@dataclass(frozen=True)
class ProbabilityWords:
    """The probability as a sentence, and what the marks of its bar stand for; `uncertain` is None without a band."""

    sentence: str
    image: str
    operating_point: str
    uncertain: str | None


def band_of(entry: Entry) -> tuple[float, float] | None:
    """The ends of the uncertain band; None where there is none, or nothing in it."""
    low, high = entry.abstain_low, entry.abstain_high
    return None if low is None or high is None or not low < high else (low, high)


def probability_words(entry: Entry, translate: Translate) -> ProbabilityWords | None:
    """The words, with as many decimals as it takes to see on which side of each bound the score lies; None without.

    The bounds are numbers as they were set; a probability is never a round 0 or 1.
    """
    from osteo_edge.screening import telling_digits

    if entry.score is None or not math.isfinite(entry.score):
        return None
    band = band_of(entry)
    digits = telling_digits(entry.score, (entry.threshold, *(band or ())))

    def bound(value: float) -> str:
        return f"{value:.{digits}f}"

    def told(probability: float) -> str:
        return translate(probability_in_words(probability, digits))

    labels = ", ".join(f"{label_words(label, translate)} {told(value)}" for label, value in entry.probabilities.items())
    sentence = translate("Calibrated probability that the model gives: {score} ({labels})")
    image = translate("this image {score}")
    point = translate("operating point {threshold}: referred from here on")
    uncertain = None
    if band is not None:
        uncertain = translate("uncertain from {low} to {high}").format(low=bound(band[0]), high=bound(band[1]))
    return ProbabilityWords(
        sentence.format(score=told(entry.score), labels=labels),
        image.format(score=told(entry.score)),
        point.format(threshold=bound(entry.threshold)),
        uncertain,
    )
