"""What the model screen says of the model in use and of those that are installed, in the user's words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from osteo_edge.answers import Question, questions_to
from osteo_edge.bundle import Bundle
from osteo_edge.edge_app.bone_words import label_words, split_label
from osteo_edge.edge_app.clinic import Clinic
from osteo_edge.edge_app.models.description import Check, Figure, Model, describe
from osteo_edge.edge_app.models.store import DEMO, Damaged
from osteo_edge.edge_app.models.trial import read_usable
from osteo_edge.edge_app.translation import Translate
from osteo_edge.findings import findings_of
from osteo_edge.manifest import Manifest, Precision

SHORT_HASH: Final = 12
GROUP: Final = 8

PRECISIONS: Final[dict[Precision, str]] = {
    "float32": "32-bit numbers (float32), as it was trained",
    "float16": "16-bit numbers (float16)",
    "dynamic": "8-bit weights (dynamic)",
    "int8": "8-bit integers (int8)",
    "int16x8": "16-bit values, 8-bit weights (int16x8)",
    "mixed": "8-bit integers, some layers in more (mixed)",
}
"""Messages to be translated, as those below."""

CHECKS: Final[dict[Check, str]] = {
    "passed": "Passed: it answers as the model it was made from, as far as {count} images can tell",
    "failed": "Failed: it does not answer as the model it was made from",
    "not judged": "Not judged",
}

LABELS_FROM: Final = "What it learned from"
DRAWN_FILMS: Final = "Drawn films, no patients"
PRECISION: Final = "Precision"
SIZE: Final = "Size"
CHECK: Final = "Check after conversion"

FIGURE: Final = "{measure}: {value} (95 % interval {low} to {high}), n = {count}"
NO_FIGURE: Final = "{measure}: not defined, n = {count}"
MEASURES: Final = {"sensitivity": "Sensitivity", "specificity": "Specificity"}
AUROC: Final = "AUROC, {labels}"
ANY_FINDING: Final = "any finding"
"""The name of a question about more labels than can be told."""
LOW_DENSITY: Final = "osteopenia or osteoporosis"
"""The name of the question about knees' bone density (`osteo_edge.answers.questions_about`)."""
NO_FIGURES: Final = "No figures are recorded for this model."
ON_TEST: Final = "Measured on the test part of its own data. How it does on your patients, Follow-up shows."
ON_TEST_BEFORE: Final = (
    "Measured on the test part of its own data, before the model was made small for this device. How it does on your "
    "patients, Follow-up shows."
)
ON_TEST_ALONE: Final = "Measured on the test part of its own data. How it does on your patients is not known."
ON_TEST_ALONE_BEFORE: Final = (
    "Measured on the test part of its own data, before the model was made small for this device. How it does on your "
    "patients is not known."
)
"""Of a model whose answers Follow-up does not lay beside DXA."""
ON_DRAWN: Final = "Measured on drawn films: these figures say nothing about patients."


@dataclass(frozen=True)
class Overview:
    """The model in use, and all that are installed. `from_command` if it was named when the app was started."""

    used: Model
    manifest: Manifest
    from_command: bool
    installed: tuple[Model | Damaged, ...]
    problem: str | None = None


def overview(clinic: Clinic) -> Overview:
    """Look at the models; may take long. Raises `BundleError` where the model in use cannot be loaded or is gone."""
    loaded = clinic.model()
    installed = clinic.models.models()
    found = [one for one in installed if isinstance(one, Model) and one.id == loaded.id]
    used = describe(clinic.bundle) if clinic.bundle is not None else found[0] if found else _demo(installed)
    return Overview(used, loaded.manifest, clinic.bundle is not None, installed, loaded.problem)


def bundle_in_use(clinic: Clinic) -> Bundle:
    """The bundle in use, verified; raises `BundleError`."""
    return clinic.models.in_use().bundle if clinic.bundle is None else read_usable(clinic.bundle)


def facts(overview: Overview, translate: Translate) -> Sequence[tuple[str, str]]:
    """What there is to know of the model in use, as titles and values."""
    used, parity = overview.used, overview.manifest.parity
    source = translate(DRAWN_FILMS) if used.is_demo else used.label_source
    check = translate(CHECKS[used.check]).format(count=0 if parity is None else parity.n)
    return [
        (translate(LABELS_FROM), source),
        (translate(PRECISION), translate(PRECISIONS[used.precision])),
        (translate(SIZE), size_words(used.size_bytes)),
        (translate(CHECK), check),
    ]


def figure_lines(overview: Overview, translate: Translate) -> Sequence[str]:
    """The figures with interval and n, and what they were measured on."""
    figures = overview.used.figures
    if not figures:
        return [translate(NO_FIGURES)]
    lines = [_figure(figure, overview.manifest, translate) for figure in figures]
    before = all("before conversion" in figure.metric.part for figure in figures)
    if overview.used.is_demo:
        return [*lines, translate(ON_DRAWN)]
    if "density" in findings_of(overview.manifest):
        return [*lines, translate(ON_TEST_BEFORE if before else ON_TEST)]
    return [*lines, translate(ON_TEST_ALONE_BEFORE if before else ON_TEST_ALONE)]


def size_words(size_bytes: int) -> str:
    """A size in megabytes of a million bytes.

    >>> size_words(662_000), size_words(24_140_000)
    ('0.66 MB', '24.1 MB')
    """
    millions = size_bytes / 1e6
    return f"{millions:.2f} MB" if millions < 1 else f"{millions:.1f} MB"


def number_words(number: float | None) -> str:
    """A share with two decimals.

    >>> number_words(0.84375), number_words(None)
    ('0.84', '-')
    """
    return "-" if number is None else f"{number:.2f}"


def short_hash(sha256: str) -> str:
    """The start of a hash, enough to compare two models by eye.

    >>> short_hash("28e1b70796b087420f8dc3993c4c45d372300b59929e36536a51a3b488ab9df1")
    '28e1b70796b0…'
    """
    return f"{sha256[:SHORT_HASH]}…"


def full_hash(sha256: str) -> str:
    """All of it, in groups that can be read out.

    >>> full_hash("28e1b70796b087420f8dc3993c4c45d372300b59929e36536a51a3b488ab9df1")[:26]
    '28e1b707 96b08742 0f8dc399'
    """
    return " ".join(sha256[at : at + GROUP] for at in range(0, len(sha256), GROUP))


def _figure(figure: Figure, manifest: Manifest, translate: Translate) -> str:
    metric = figure.metric
    measure = _measure(figure.measure, manifest, translate)
    value, low, high = (number_words(number) for number in (metric.value, metric.low, metric.high))
    words = translate(NO_FIGURE if metric.value is None else FIGURE)
    return words.format(measure=measure, value=value, low=low, high=high, count=metric.n)


def _measure(measure: str, manifest: Manifest, translate: Translate) -> str:
    if measure in MEASURES:
        return translate(MEASURES[measure])
    question, *_ = questions_to(manifest)
    return translate(AUROC).format(labels=_question_words(question, translate))


def _question_words(question: Question, translate: Translate) -> str:
    if question.name in (ANY_FINDING, LOW_DENSITY):
        return translate(question.name)
    if any(split_label(label)[0] is not None for label in question.labels):
        return ", ".join(label_words(label, translate) for label in question.labels)
    return translate(question.name)


def _demo(installed: Sequence[Model | Damaged]) -> Model:
    """What is used where the chosen one has vanished."""
    return next(one for one in installed if isinstance(one, Model) and one.id == DEMO)
