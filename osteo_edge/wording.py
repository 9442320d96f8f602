"""The words a clinic worker reads. A referral aid: it never diagnoses and never rules anything out.

After the labelling of the cleared comparable (US De Novo DEN230023): only positives are reported as findings, and a
negative answer says that it does not rule out low bone density.
"""

from typing import Literal

Outcome = Literal["refer", "no_finding", "uncertain", "rejected"]
Finding = Literal["density", "abnormality"]
"""What a positive answer speaks of: low bone density, or anything abnormal about a bone (fracture, metal, ...)."""
Severity = Literal["low", "medium", "high"]
SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high")

HEADLINES: dict[Outcome, str] = {
    "refer": "Possible low bone density: refer for DXA",
    "no_finding": "No finding; this does not rule out low bone density",
    "uncertain": "Uncertain: no answer from this image",
    "rejected": "Rejected: this image was not screened",
}

ADVICE: dict[Outcome, str] = {
    "refer": "A referral aid, not a diagnosis. Only DXA measures bone density.",
    "no_finding": "Decide on referral by risk factors and age as if there were no such answer.",
    "uncertain": "Decide on referral by risk factors and age, or screen another image.",
    "rejected": "Screen a frontal knee radiograph as it came from the X-ray machine.",
}

INTENDED_USE = (
    "Opportunistic screening for low bone density on knee radiographs of adults, as an aid to the decision whom to "
    "refer for DXA. Not a diagnosis, and not to be used to rule out low bone density. For use by trained staff who see "
    "the image."
)

PHANTOM_USE = (
    "DEMONSTRATION ONLY: trained on drawn images (phantoms), never on patients. Must not be used on patients. "
    "It shows how the program works and says nothing about any real bone."
)

NO_CLINICAL_STAGE = "a grouping of this model's own, not a clinical stage"

FAILED_CHECK = "This model file failed its check after conversion: do not use it for patients."
"""Of a converted model that does not answer as the model it was made from."""

SEVERITY_USE = (
    "An image that is referred is also given an unsupervised grade, low, medium or high: the nearest of three groups "
    "that k-means found among the positive training images, in the order of their distance from the reference class. "
    f"It is {NO_CLINICAL_STAGE}, and has been compared with no measurement of bone."
)
"""For the model card of a model that grades."""


def probability_in_words(probability: float, digits: int = 2) -> str:
    """A probability with so many decimals; never a round 0 or 1, which would read as ruled out or as certain.

    >>> probability_in_words(0.004), probability_in_words(0.42), probability_in_words(1.0, digits=3)
    ('below 0.01', '0.42', 'above 0.999')
    """
    shown, least = f"{probability:.{digits}f}", 10.0**-digits
    if float(shown) <= 0:
        return f"below {least:.{digits}f}"
    if float(shown) >= 1:
        most = 1 - least
        return f"above {most:.{digits}f}"
    return shown


def severity_words(severity: Severity) -> str:
    """The unsupervised grade as it is shown, with what it is not.

    >>> severity_words("high")
    "unsupervised grade: high (a grouping of this model's own, not a clinical stage)"
    """
    return f"unsupervised grade: {severity} ({NO_CLINICAL_STAGE})"


def intended_use(label_source: str) -> str:
    """The intended use of a model whose labels came from `label_source`; drawn labels allow no use on patients."""
    if label_source == "phantom":
        return PHANTOM_USE
    return f"{INTENDED_USE} Research prototype; the labels it learned came from: {label_source}."
