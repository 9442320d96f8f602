"""What a bundle says of its model: the manifest, version 1, as frozen dataclasses that are read strictly."""

import re
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from osteo_edge.intervals import wilson_interval
from osteo_edge.portable_names import clashing, is_portable
from osteo_edge.preprocessing import InputSpec
from osteo_edge.strict import FieldError, from_dict, shown, to_dict
from osteo_edge.wording import Finding

SCHEMA: Final = 1
FILE_NAME = "manifest.json"
CARD_NAME = "MODEL_CARD.md"
LATER_FIELDS: Final = ("finding", "router")
MAX_NAME: Final = 500
MAX_SOURCE: Final = 1000
MAX_USE: Final = 1500
"""Letters of a name, of what decided the labels, and of the intended use, which is always shown whole."""

Format = Literal["keras", "tflite"]
Precision = Literal["float32", "float16", "dynamic", "int8", "int16x8", "mixed"]


@dataclass(frozen=True)
class ModelFile:
    """The network itself. `macs` are multiply-accumulates for one image, counted from the graph."""

    file: str
    format: Format
    precision: Precision
    sha256: str
    parameters: int
    macs: int

    def __post_init__(self) -> None:
        _require_file_name("file", self.file)
        _require_sha256("sha256", self.sha256)
        for name in ("parameters", "macs"):
            _require(name, getattr(self, name) >= 0, "must not be negative")


@dataclass(frozen=True)
class Parent:
    """Where the model came from: the file it was made from (None: from nothing) and the recipe that made it."""

    sha256: str | None
    recipe: dict[str, Any]

    def __post_init__(self) -> None:
        if self.sha256 is not None:
            _require_sha256("sha256", self.sha256)


@dataclass(frozen=True)
class Outputs:
    """Which of the model's outputs is which: logits are (1, labels), the activation map (1, rows, columns, labels).

    `severity` is (1, 3), logits of unsupervised grades low, medium and high; None for a model that gives none.
    `embedding` is (1, features), the pooled output of the last layer, where the bundle knows those of its films.
    """

    logits: int
    activation_map: int | None
    severity: int | None = None
    embedding: int | None = None

    def __post_init__(self) -> None:
        for name in ("logits", "activation_map", "severity", "embedding"):
            _require(name, getattr(self, name) is None or getattr(self, name) >= 0, "must not be negative")


@dataclass(frozen=True)
class Calibration:
    """Probabilities are softmax(logits / temperature) (Guo et al. 2017)."""

    method: Literal["temperature"]
    temperature: float
    fitted_on: str

    def __post_init__(self) -> None:
        _require("temperature", 0.0 < self.temperature < float("inf"), "must be above 0")


@dataclass(frozen=True)
class Decision:
    """When to refer: at `threshold` or more on the summed probability of the positive labels.

    A score in [abstain_low, abstain_high) is answered "uncertain"; the threshold lies in or at the end of that band.
    """

    positive_labels: tuple[str, ...]
    threshold: float
    target_sensitivity: float
    abstain_low: float
    abstain_high: float
    chosen_on: str

    def __post_init__(self) -> None:
        _require("positive_labels", len(self.positive_labels) > 0, "must name at least one label")
        _require("positive_labels", len(set(self.positive_labels)) == len(self.positive_labels), "must not repeat one")
        for name in ("threshold", "target_sensitivity", "abstain_low", "abstain_high"):
            _require(name, 0.0 <= getattr(self, name) <= 1.0, "must lie between 0 and 1")
        ordered = self.abstain_low <= self.threshold <= self.abstain_high
        _require("threshold", ordered, "must lie between abstain_low and abstain_high")


@dataclass(frozen=True)
class Head:
    """What a model of several bones answers for one of them: some of its labels, the first the reference class.

    `finding` is what a positive answer speaks of. `decision` is when to refer a film of this bone.
    """

    bone: str
    finding: Finding
    labels: tuple[str, ...]
    decision: Decision

    def __post_init__(self) -> None:
        _require("labels", len(self.labels) >= 2, "must name at least two labels")
        _require("decision", self.decision.positive_labels == self.labels[1:], "must be about all labels but the first")


@dataclass(frozen=True)
class Router:
    """How a model of several bones tells them apart: a bone is as probable as its head's labels together.

    Of a film whose most probable bone is less so than `min_confidence` no head is asked.
    """

    heads: tuple[Head, ...]
    min_confidence: float
    chosen_on: str

    def __post_init__(self) -> None:
        _require("heads", len(self.heads) >= 2, "must be at least two")
        _require("heads", len({head.bone for head in self.heads}) == len(self.heads), "must not repeat a bone")
        _require("min_confidence", 0.0 <= self.min_confidence <= 1.0, "must lie between 0 and 1")


@dataclass(frozen=True)
class Gate:
    """What an image must be to be screened at all; anything else is rejected with a reason.

    `min_contrast` is the standard deviation of the pixels, `max_chroma` the mean spread of the colour channels, both
    for values in [0, 1]. `modalities` are DICOM modalities (PS3.3 C.7.3.1.1.1), asked only where a file states one.
    """

    min_side_px: int
    min_contrast: float
    max_chroma: float
    modalities: tuple[str, ...]

    def __post_init__(self) -> None:
        _require("min_side_px", self.min_side_px >= 1, "must be at least 1")
        for name in ("min_contrast", "max_chroma"):
            _require(name, 0.0 <= getattr(self, name) <= 1.0, "must lie between 0 and 1")


@dataclass(frozen=True)
class Familiarity:
    """How far an image may lie from the films that the model learned from (`osteo_edge.familiarity`).

    `file` holds the statistics of the films' embeddings, `threshold` is a distance by them, about 1 for a film that
    they were fitted on. `refused_share` is the share of the images that the threshold was chosen on that lie beyond it.
    """

    file: str
    threshold: float
    fitted_on: str
    fitted_images: int
    chosen_on: str
    chosen_images: int
    refused_share: float

    def __post_init__(self) -> None:
        _require_file_name("file", self.file)
        _require("threshold", 0.0 < self.threshold < float("inf"), "must be above 0")
        for name in ("fitted_images", "chosen_images"):
            _require(name, getattr(self, name) >= 1, "must be at least 1")
        _require("refused_share", 0.0 <= self.refused_share <= 1.0, "must lie between 0 and 1")


@dataclass(frozen=True)
class Verdict:
    """What a converted model was asked to reach beside the model it was made from, and whether it did.

    `min_agreement` is the least share of decisions that agree, `max_mean_difference` the largest mean difference of
    probabilities; the latter tells a collapsed model even where both refer nearly every image.
    """

    min_agreement: float
    max_mean_difference: float
    passed: bool

    def __post_init__(self) -> None:
        for name in ("min_agreement", "max_mean_difference"):
            _require(name, 0.0 <= getattr(self, name) <= 1.0, "must lie between 0 and 1")


@dataclass(frozen=True)
class Parity:
    """How the converted model answers beside the model it was made from, on images that calibration did not see.

    Differences are of calibrated probabilities. `verdict` is None where nothing was asked for: not judged.
    """

    reference_sha256: str
    images: str
    n: int
    largest_difference: float
    mean_difference: float
    decision_agreement: float
    verdict: Verdict | None = None

    def __post_init__(self) -> None:
        _require_sha256("reference_sha256", self.reference_sha256)
        _require("n", self.n >= 1, "must be at least 1")
        for name in ("largest_difference", "mean_difference", "decision_agreement"):
            _require(name, 0.0 <= getattr(self, name) <= 1.0, "must lie between 0 and 1")
        if self.verdict is not None:
            reached = self.reaches(self.verdict.min_agreement, self.verdict.max_mean_difference)
            _require("verdict.passed", self.verdict.passed == reached, "must be what the figures beside it say")

    @property
    def passed(self) -> bool | None:
        """Whether the model reached what was asked for; None where nothing was."""
        return None if self.verdict is None else self.verdict.passed

    def agrees(self, min_agreement: float) -> bool:
        """Whether the decisions agree on a share of `min_agreement`, as far as `n` images can tell.

        They do not where the 95 % interval of the share (Wilson 1927) lies below it. The images are few: of 34, one
        alone that is decided otherwise leaves 97.1 %, and a model that agrees on 98 % of all films would fail every
        other time. All images must agree where the share asked for is 1.
        """
        return bool(wilson_interval(self.decision_agreement, self.n).high >= min_agreement)

    def reaches(self, min_agreement: float, max_mean_difference: float) -> bool:
        """Whether the decisions agree, and the probabilities differ by `max_mean_difference` on average at most."""
        return self.agrees(min_agreement) and self.mean_difference <= max_mean_difference

    def judged(self, min_agreement: float, max_mean_difference: float) -> "Parity":
        """The same with its verdict on what is asked for."""
        passed = self.reaches(min_agreement, max_mean_difference)
        return replace(self, verdict=Verdict(min_agreement, max_mean_difference, passed))


@dataclass(frozen=True)
class Metric:
    """A measured value; None, with its interval, where the cases do not define it (one class only, say)."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    part: str

    def __post_init__(self) -> None:
        _require("n", self.n >= 0, "must not be negative")


@dataclass(frozen=True)
class DataCard:
    """What the model learned from. `label_source` says who or what decided the labels (DXA, QUS, drawn, ...)."""

    name: str
    counts: dict[str, dict[str, int]]
    split_rule: str
    split_sha256: str
    label_source: str

    def __post_init__(self) -> None:
        _require_sha256("split_sha256", self.split_sha256)
        _require_short("name", self.name, MAX_NAME)
        _require_short("label_source", self.label_source, MAX_SOURCE)


@dataclass(frozen=True)
class Manifest:
    """All that is known of a model, and all that is needed to run it.

    `finding` is what a positive answer speaks of; None: bone density. `router` is of a model that answers for several
    bones, whose labels are then those of its heads.
    """

    schema: Literal[1]
    name: str
    version: str
    created_by: str
    created_at: str
    intended_use: str
    model: ModelFile
    parent: Parent
    input: InputSpec
    outputs: Outputs
    labels: tuple[str, ...]
    calibration: Calibration
    decision: Decision
    gate: Gate
    parity: Parity | None
    metrics: dict[str, Metric]
    data: DataCard
    files: dict[str, str]
    familiarity: Familiarity | None = None
    finding: Finding | None = None
    router: Router | None = None

    def __post_init__(self) -> None:
        for name in ("name", "version", "created_by", "created_at"):
            _require_short(name, getattr(self, name), MAX_NAME)
        _require_short("intended_use", self.intended_use, MAX_USE)
        for label in self.labels:
            _require_short("labels", label, MAX_NAME)
        _require("labels", len(self.labels) >= 2, "must name at least two labels")
        _require("labels", len(set(self.labels)) == len(self.labels), "must not repeat a label")
        for label in self.decision.positive_labels:
            _require("decision.positive_labels", label in self.labels, f"names {shown(label)}, which is no label")
        if self.router is not None:
            of_heads = [label for head in self.router.heads for label in head.labels]
            _require("router.heads", sorted(of_heads) == sorted(self.labels), "must share the labels among them")
            positive = {label for head in self.router.heads for label in head.decision.positive_labels}
            _require("decision.positive_labels", set(self.decision.positive_labels) == positive, "must be the heads'")
        has_embedding = self.outputs.embedding is not None
        _require("familiarity", self.familiarity is None or has_embedding, "needs a model that gives an embedding")
        _require(
            "files", self.model.file not in self.files, "must not list the model, whose hash stands at model.sha256"
        )
        for file, digest in self.files.items():
            _require_file_name("files", file)
            _require_sha256(f"files.{file}", digest)
        twice = clashing([FILE_NAME, self.model.file, *self.files])
        _require("files", twice is None, f"must not name {twice}, which differs from another one in its capitals alone")

    @classmethod
    def from_dict(cls, data: object) -> "Manifest":
        """Read a parsed manifest; `FieldError` names the first field that is not as it should be."""
        if isinstance(data, dict) and isinstance(data.get("schema"), int) and data["schema"] > SCHEMA:
            raise FieldError(
                f"schema {shown(data['schema'])} is newer than this program knows ({SCHEMA}); update osteo-edge"
            )
        return from_dict(cls, data)

    def to_dict(self) -> dict[str, Any]:
        """As JSON; without `finding` and `router` where there are none, so that older programs read it too."""
        plain: dict[str, Any] = to_dict(self)
        return {name: value for name, value in plain.items() if name not in LATER_FIELDS or value is not None}


def _require(field: str, holds: bool, rule: str) -> None:
    if not holds:
        raise ValueError(f"{field} {rule}")


def _require_short(field: str, value: str, most: int) -> None:
    _require(field, len(value) <= most, f"must have at most {most:,} letters, not {len(value):,}")


def _require_sha256(field: str, value: str) -> None:
    _require(field, re.fullmatch(r"[0-9a-f]{64}", value) is not None, "must be a SHA-256 in lower-case hex")


def _require_file_name(field: str, value: str) -> None:
    plain = re.fullmatch(r"[A-Za-z0-9._-]+", value) is not None and is_portable(value) and value != FILE_NAME
    _require(field, plain, f"must name a file inside the bundle, in plain letters, not {shown(value)}")
