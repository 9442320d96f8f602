"""The whole training job: data set and split in, Keras bundle out."""

import logging
import tempfile
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from osteo_edge import evaluation
from osteo_edge.bundle import Bundle, require_free, write_bundle
from osteo_edge.console import Advance
from osteo_edge.dataset import Dataset
from osteo_edge.errors import DatasetError
from osteo_edge.evaluation import Evaluation, Predictions
from osteo_edge.gate import DEFAULT_GATE
from osteo_edge.hashing import sha256_bytes
from osteo_edge.manifest import SCHEMA, Calibration, DataCard, Manifest, Metric, Parent
from osteo_edge.preprocessing import InputSpec
from osteo_edge.samples import CALIBRATION, PARITY, SAMPLES_FILE, pack_samples
from osteo_edge.screening import calibrated
from osteo_edge.split import PARTS, Split, select, write_split
from osteo_edge.strict import to_dict
from osteo_edge.train.calibrating import choose_decision, fit_temperature
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.fitting import Fit, LabelledPlanes, fit, predict_logits
from osteo_edge.train.keras_bundle import MODEL_FILE, SPLIT_FILE, model_bytes, model_file
from osteo_edge.train.models import OUTPUTS, Network, build
from osteo_edge.train.prepared import Prepared, prepare
from osteo_edge.version import VERSION
from osteo_edge.wording import intended_use

SPLIT_RULE = "by duplicate group, and by patient where known"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """What to train on and what to call it. `label_source` says what decided the labels: DXA, QUS, phantom, ..."""

    dataset: Dataset
    split: Split
    config: TrainConfig
    name: str
    label_source: str


@dataclass(frozen=True)
class Trained:
    """What came out: the bundle, how the fit went, and what was measured on validation and test."""

    bundle: Bundle
    fit: Fit
    evaluations: dict[str, Evaluation]
    skipped: tuple[str, ...]


def train_bundle(job: Job, out: Path, *, on_progress: Advance) -> Trained:
    """Train, calibrate and choose the threshold on validation, measure once on test, and write the bundle `out`.

    The network is built first, so that a wrong weights file is found before the images are read.
    """
    require_free(out)
    spec = InputSpec(job.config.side_px, job.config.side_px)
    check_parts(job)
    network = build(job.config, spec)
    parts = {part: _prepare(job, part, spec, on_progress) for part in PARTS}
    fitted = fit(network, job.config, spec, parts["train"], parts["validation"], on_progress=on_progress)
    manifest, files, evaluations = _settle(job, network, spec, parts, fitted)
    skipped = tuple(line for part in parts.values() for line in part.prepared.skipped)
    return Trained(write_bundle(out, manifest, files), fitted, evaluations, skipped)


def check_parts(job: Job) -> None:
    """Raise `DatasetError` unless every part of the split holds every label."""
    for part in PARTS:
        counts = job.split.counts(part)
        missing = [label for label in job.config.labels if not counts.get(label)]
        if missing:
            raise DatasetError(
                f"{job.dataset.root}: the {part} part of the split holds no {' and no '.join(missing)}; "
                "add images, leave the label out with --labels, or split again"
            )


def _prepare(job: Job, part: str, spec: InputSpec, on_progress: Advance) -> LabelledPlanes:
    cases = [case for case in select(job.dataset, job.split, part) if case.label in job.config.labels]
    prepared = prepare(cases, spec, on_progress=lambda done, total: on_progress(done, total, stage=f"read {part}"))
    return LabelledPlanes(prepared, prepared.classes(job.config.labels))


def _settle(
    job: Job, network: Network, spec: InputSpec, parts: dict[str, LabelledPlanes], fitted: Fit
) -> tuple[Manifest, dict[str, bytes], dict[str, Evaluation]]:
    """Everything after the fit: calibration, decision, measures, files."""
    logits = {part: predict_logits(network.model, parts[part].prepared.planes, spec) for part in ("validation", "test")}
    calibration = fit_temperature(logits["validation"], parts["validation"].classes)
    split_data = _split_bytes(job.split)
    data = model_bytes(network.model)
    manifest = _manifest(job, network, spec, fitted, parts, calibration, logits["validation"], data, split_data)
    evaluations = {
        part: evaluation.evaluate(_predictions(job, parts[part].prepared, logits[part], manifest), manifest, part)
        for part in logits
    }
    files = {MODEL_FILE: data, SAMPLES_FILE: _samples(job, parts), SPLIT_FILE: split_data}
    return replace(manifest, metrics=_metrics(evaluations)), files, evaluations


def _manifest(
    job: Job,
    network: Network,
    spec: InputSpec,
    fitted: Fit,
    parts: dict[str, LabelledPlanes],
    calibration: Calibration,
    validation_logits: Any,
    data: bytes,
    split_data: bytes,
) -> Manifest:
    labels = job.config.labels
    classes = parts["validation"].classes
    scores = calibrated(validation_logits, calibration)[:, 1:].sum(axis=1)
    history = {"validation_losses": [round(loss, 6) for loss in fitted.validation_losses if np.isfinite(loss)]}
    recipe = {
        "train": asdict(job.config),
        "best_epoch": fitted.best_epoch,
        "interrupted": fitted.interrupted,
        **history,
    }
    return Manifest(
        schema=SCHEMA,
        name=job.name,
        version="1",
        created_by=f"osteo-edge {VERSION}",
        created_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        intended_use=intended_use(job.label_source),
        model=model_file(network.model, data),
        parent=Parent(network.weights_sha256, _plain(recipe)),
        input=spec,
        outputs=OUTPUTS,
        labels=labels,
        calibration=calibration,
        decision=choose_decision(scores, classes > 0, job.config),
        gate=DEFAULT_GATE,
        parity=None,
        metrics={},
        data=DataCard(job.dataset.name, _counts(parts, labels), SPLIT_RULE, sha256_bytes(split_data), job.label_source),
        files={},
    )


def _predictions(job: Job, prepared: Prepared, logits: Any, manifest: Manifest) -> Predictions:
    groups = {row.name: row.group for row in job.split.rows}
    names = np.array([groups[case.name] for case in prepared.cases])
    return Predictions(prepared.cases, names, calibrated(logits, manifest.calibration), ())


def _samples(job: Job, parts: dict[str, LabelledPlanes]) -> bytes:
    """Evenly spread over the parts, so that every label is among them."""

    def spread(part: str, number: int) -> Any:
        order = np.argsort(parts[part].classes, kind="stable")
        places = np.unique(np.linspace(0, order.size - 1, min(number, order.size)).round().astype(int))
        return np.asarray(parts[part].prepared.planes[np.sort(order[places])])

    config = job.config
    return pack_samples(
        {CALIBRATION: spread("train", config.calibration_images), PARITY: spread("validation", config.parity_images)}
    )


def _metrics(evaluations: dict[str, Evaluation]) -> dict[str, Metric]:
    return {
        f"{name}, {part}": Metric(_number(found.value), _number(found.low), _number(found.high), found.n, part)
        for part, evaluated in evaluations.items()
        for name, found in evaluated.estimates.items()
    }


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _counts(parts: dict[str, LabelledPlanes], labels: tuple[str, ...]) -> dict[str, dict[str, int]]:
    return {
        part: {label: int((planes.classes == number).sum()) for number, label in enumerate(labels)}
        for part, planes in parts.items()
    }


def _split_bytes(split: Split) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / SPLIT_FILE
        write_split(split, path)
        return path.read_bytes()


def _plain(recipe: dict[str, Any]) -> dict[str, Any]:
    """As JSON will give it back: lists for tuples."""
    return {key: to_dict(value) for key, value in recipe.items()}
