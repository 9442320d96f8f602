"""The words a clinic worker reads. A referral aid: it never diagnoses and never rules anything out.

After the labelling of the cleared comparable (US De Novo DEN230023): only positives are reported as findings, and a
negative answer says that it does not rule out low bone density, nor, of a model that looks for abnormalities, those.
"""

from typing import Final, Literal

Outcome = Literal["refer", "no_finding", "uncertain", "rejected"]
Finding = Literal["density", "abnormality"]
"""What a positive answer speaks of: low bone density, or anything abnormal about a bone (fracture, metal, ...)."""
Severity = Literal["low", "medium", "high"]
SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high")
FINDINGS: tuple[Finding, ...] = ("density", "abnormality")

HEADLINES: dict[Outcome, str] = {
    "refer": "Possible low bone density: refer for DXA",
    "no_finding": "No finding; this does not rule out low bone density",
    "uncertain": "Uncertain: no answer from this image",
    "rejected": "Rejected: this image was not screened",
}
"""Of bone density, as `ADVICE` is; `headline` and `advice` know those of every finding."""

ADVICE: dict[Outcome, str] = {
    "refer": "A referral aid, not a diagnosis. Only DXA measures bone density.",
    "no_finding": "Decide on referral by risk factors and age as if there were no such answer.",
    "uncertain": "Decide on referral by risk factors and age, or screen another image.",
    "rejected": "Screen a frontal knee radiograph as it came from the X-ray machine.",
}

ABNORMALITY_HEADLINES: Final[dict[Outcome, str]] = {
    **HEADLINES,
    "refer": "Possible abnormality: have this film read",
    "no_finding": "No finding; this does not rule out a fracture or other abnormality",
}

ABNORMALITY_ADVICE: Final[dict[Outcome, str]] = {
    "refer": ("A referral aid, not a diagnosis. Only a reader of the film and an examination of the patient can tell."),
    "no_finding": "Decide by examination and history as if there were no such answer.",
    "uncertain": "Decide by examination and history, or screen another image.",
    "rejected": "Screen a radiograph of a bone that this model knows, as it came from the X-ray machine.",
}

INTENDED_USE = (
    "Opportunistic screening for low bone density on knee radiographs of adults, as an aid to the decision whom to "
    "refer for DXA. Not a diagnosis, and not to be used to rule out low bone density. For use by trained staff who see "
    "the image."
)

ABNORMALITY_USE = (
    "Opportunistic screening for abnormalities on radiographs of the upper limb, as an aid to the decision which films "
    "to have read first. Not a diagnosis, and not to be used to rule out a fracture or any other abnormality. For use "
    "by trained staff who see the image."
)

BOTH_USE = (
    "Opportunistic screening for low bone density on knee radiographs of adults and for abnormalities on radiographs "
    "of the upper limb, as an aid to the decision whom to refer for DXA and which films to have read first. Not a "
    "diagnosis, and not to be used to rule out low bone density, a fracture or any other abnormality. For use by "
    "trained staff who see the image."
)

PHANTOM_USE = (
    "DEMONSTRATION ONLY: trained on drawn images (phantoms), never on patients. Must not be used on patients. "
    "It shows how the program works and says nothing about any real bone."
)

COMPARISON_USE = "FOR COMPARISON ONLY: tells which bone a film shows, nothing more. Must not be used on patients."
"""Of the router of a cascade of separate networks: no film is screened with it."""

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


def headline(outcome: Outcome, finding: Finding = "density") -> str:
    """The answer in one line, of a model whose positive answer speaks of `finding`.

    >>> headline("refer"), headline("refer", "abnormality")
    ('Possible low bone density: refer for DXA', 'Possible abnormality: have this film read')
    """
    return (HEADLINES if finding == "density" else ABNORMALITY_HEADLINES)[outcome]


def advice(outcome: Outcome, finding: Finding = "density") -> str:
    """What to do, and what the answer is not."""
    return (ADVICE if finding == "density" else ABNORMALITY_ADVICE)[outcome]


def intended_use(label_source: str, *findings: Finding) -> str:
    """The intended use of a model whose labels came from `label_source`; drawn labels allow no use on patients.

    `findings` are those of its positive answers, one or both; none stands for bone density.
    """
    if label_source == "phantom":
        return PHANTOM_USE
    if set(findings) == set(FINDINGS):
        return f"{BOTH_USE} Research prototype; the labels it learned came from: {label_source}."
    if "abnormality" in findings:
        return f"{ABNORMALITY_USE} Research prototype; the labels it learned came from: {label_source}."
    return f"{INTENDED_USE} Research prototype; the labels it learned came from: {label_source}."
