"""A row of the results: what became of one film. Version 1 of the data set's schema."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal, get_args

from osteo_edge.archive.arrow import pyarrow
from osteo_edge.image_quality import ImageQuality
from osteo_edge.manifest import Manifest

SCHEMA: Final = 1
METADATA_KEY: Final = b"osteo-edge"
PROBABILITY: Final = "probability_"
QUALITY: Final = "quality_"

FilmOutcome = Literal["refer", "no_finding", "uncertain", "rejected", "not_screened", "unreadable"]
OUTCOMES: Final[tuple[FilmOutcome, ...]] = get_args(FilmOutcome)
"""A model's outcomes; that its tags tell a film to be no case for the model; that a file is no readable film."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """What became of one film; all but the times is the same whenever and wherever it is screened.

    `film` is its path below the source, or as the list has it; the UIDs are those of a DICOM file. `image_sha256` is
    that of the file, None where it was left out by its tags or could not be opened.

    `reason` is a code to count by (`osteo_edge.archive.reasons`), `reasons` say it in sentences, the model's warnings
    first. `probabilities` and `score` are those of an `osteo_edge.screening.Answer`, `distance` is that from the films
    that the model learned from (`osteo_edge.familiarity`), and `quality`, `contrast` (the standard deviation of the
    pixels) and `chroma` are what the gate looks at. `map` is the annotated film, a path below the results.
    """

    film: str
    outcome: FilmOutcome
    reason: str
    reasons: tuple[str, ...]
    model_sha256: str
    sop_instance_uid: str | None = None
    study_instance_uid: str | None = None
    series_instance_uid: str | None = None
    image_sha256: str | None = None
    bone: str | None = None
    score: float | None = None
    probabilities: dict[str, float] = field(default_factory=dict)
    severity: str | None = None
    map: str | None = None
    distance: float | None = None
    contrast: float | None = None
    chroma: float | None = None
    quality: ImageQuality | None = None
    width: int | None = None
    height: int | None = None
    ms_read: float | None = None
    ms_prepare: float | None = None
    ms_infer: float | None = None
    ms_map: float | None = None
    ms_total: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """The row by the names of its columns, without those of probabilities and quality that it has not."""
        plain = {name: value for name, value in vars(self).items() if name not in ("probabilities", "quality")}
        probabilities = {f"{PROBABILITY}{label}": value for label, value in self.probabilities.items()}
        quality = {} if self.quality is None else {f"{QUALITY}{name}": v for name, v in vars(self.quality).items()}
        return {**plain, "reasons": list(self.reasons), **probabilities, **quality}


def schema_of(manifest: Manifest) -> Any:
    """The `pyarrow.Schema` of the results of a model: a column of probabilities for each of its positive labels.

    There is none for the others, since a high number beside a name like "normal" would read as a rule-out. The schema's
    metadata hold its version and the model's hash, under `METADATA_KEY` as JSON.
    """
    arrow = pyarrow()
    text, number, whole = arrow.string(), arrow.float64(), arrow.int32()
    must = ("film", "outcome", "reason", "model_sha256")
    types = {
        "film": text,
        "sop_instance_uid": text,
        "study_instance_uid": text,
        "series_instance_uid": text,
        "image_sha256": text,
        "outcome": text,
        "reason": text,
        "reasons": arrow.list_(text),
        "bone": text,
        "score": number,
        **{f"{PROBABILITY}{label}": number for label in manifest.decision.positive_labels},
        "severity": text,
        "map": text,
        **dict.fromkeys(("distance", "contrast", "chroma"), number),
        **{f"{QUALITY}{measure.name}": number for measure in fields(ImageQuality)},
        **dict.fromkeys(("width", "height"), whole),
        "model_sha256": text,
        **dict.fromkeys(("ms_read", "ms_prepare", "ms_infer", "ms_map", "ms_total"), number),
    }
    about = {"schema": SCHEMA, "model_sha256": manifest.model.sha256}
    columns = [arrow.field(name, kind, nullable=name not in must) for name, kind in types.items()]
    return arrow.schema(columns, {METADATA_KEY: json.dumps(about)})


def table_of(rows: Sequence[Row], manifest: Manifest) -> Any:
    """The rows as a `pyarrow.Table` of that schema."""
    schema = schema_of(manifest)
    return pyarrow().Table.from_pylist([row.to_dict() for row in rows], schema=schema)
