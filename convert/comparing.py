"""Compressed bundles beside the float one that they were made from: answers, maps, layers, size and placement."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from osteo_edge.agreement import Agreement, measure_agreement
from osteo_edge.bundle import Bundle
from osteo_edge.console import Advance
from osteo_edge.convert.answering import Asked, ask
from osteo_edge.convert.layer_errors import LayerErrors, measure_layers
from osteo_edge.convert.map_correlation import MapCorrelation, correlate
from osteo_edge.dataset import Dataset
from osteo_edge.errors import BundleError, DatasetError
from osteo_edge.placement import Placement, read_placement
from osteo_edge.split import Split, changed_since, select

LAYER_IMAGES = 16
"""Images that layers are compared on: one has thousands of places already, and they all are kept in memory."""


@dataclass(frozen=True)
class Model:
    """One of the compared bundles: what it is, and what a runtime makes of it."""

    bundle: str
    precision: str
    runtime: str
    placement: Placement


@dataclass(frozen=True)
class Compressed:
    """One compressed bundle beside the float one.

    With `same_origin` both were converted from one Keras model; otherwise the errors of layers are those of further
    training too. `maps` is None where one of the models has none.
    """

    model: Model
    same_origin: bool
    agreement: Agreement
    maps: MapCorrelation | None
    layers: LayerErrors


@dataclass(frozen=True)
class Comparison:
    """All that was found on one part of a split; `counts` are images by label."""

    part: str
    counts: dict[str, int]
    reference: Model
    compressed: tuple[Compressed, ...]
    skipped: tuple[str, ...]
    changed_since_the_split: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The comparison for machines."""
        return asdict(self)


def compare_bundles(
    reference: Bundle, bundles: Sequence[Bundle], dataset: Dataset, split: Split, part: str, *, on_progress: Advance
) -> Comparison:
    """Run all bundles on the images of one part and compare each with the reference; `check_comparable` comes first."""
    cases = [case for case in select(dataset, split, part) if case.label in reference.manifest.labels]
    if len({case.label for case in cases}) < 2:
        found = f"only {cases[0].label}" if cases else "no image"
        raise DatasetError(f"{dataset.root}: the {part} part holds {found}; compare on a part with two labels or more")
    groups = {row.name: row.group for row in split.rows}
    names = [groups[case.name] for case in cases]
    everyone = (reference, *bundles)
    asked = ask(everyone, cases, names, keep=LAYER_IMAGES, on_progress=_stage(on_progress, "answer"))
    return Comparison(
        part=part,
        counts={label: sum(case.label == label for case in asked.cases) for label in reference.manifest.labels},
        reference=_model(reference, asked, 0),
        compressed=tuple(_compare(everyone, place, asked, on_progress) for place in range(1, len(everyone))),
        skipped=asked.skipped,
        changed_since_the_split=changed_since(split, asked.cases),
    )


def check_comparable(reference: Bundle, bundles: Sequence[Bundle]) -> None:
    """Raise `BundleError` unless the reference is float32 TFLite and the others answer the same of the same images."""
    model = reference.manifest.model
    if model.format != "tflite":
        raise BundleError(
            f"{reference.path}: a {model.format} bundle; convert it first: "
            f"osteo-edge convert {reference.path} --precision float32 --out {reference.path}-float32"
        )
    if model.precision != "float32":
        raise BundleError(f"{reference.path}: is {model.precision}; the first bundle must be the float32 one")
    known = {model.sha256: reference}
    for bundle in bundles:
        _check_alike(reference, bundle)
        digest = bundle.manifest.model.sha256
        if digest in known:
            raise BundleError(f"{bundle.path}: holds the same model as {known[digest].path}; name each model once")
        known[digest] = bundle


def _compare(bundles: Sequence[Bundle], place: int, asked: Asked, on_progress: Advance) -> Compressed:
    reference, bundle = bundles[0], bundles[place]
    layers = measure_layers(
        reference.model_path,
        bundle.model_path,
        asked.tensors,
        on_progress=_stage(on_progress, f"layers of {bundle.path.name}"),
    )
    return Compressed(
        model=_model(bundle, asked, place),
        same_origin=bundle.manifest.parent.sha256 == reference.manifest.parent.sha256,
        agreement=measure_agreement(asked.answers(0, reference), asked.answers(place, bundle)),
        maps=correlate(asked.predictions[0], asked.predictions[place]),
        layers=layers,
    )


def _check_alike(reference: Bundle, bundle: Bundle) -> None:
    expected, found = reference.manifest, bundle.manifest
    if (found.labels, found.decision.positive_labels) != (expected.labels, expected.decision.positive_labels):
        raise BundleError(f"{bundle.path}: its labels are not those of {reference.path}; compare bundles of one model")
    if found.input != expected.input:
        raise BundleError(
            f"{bundle.path}: prepares images otherwise than {reference.path}; compare bundles of one input spec"
        )


def _model(bundle: Bundle, asked: Asked, place: int) -> Model:
    placement = read_placement(bundle.model_path)
    return Model(str(bundle.path), bundle.manifest.model.precision, asked.runtimes[place], placement)


def _stage(on_progress: Advance, stage: str) -> Callable[[int, int], None]:
    return lambda done, total: on_progress(done, total, stage=stage)
