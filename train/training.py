"""The whole training job: data set and split in, Keras bundle out."""

import tempfile
import time
from collections import Counter
from dataclasses import dataclass, replace
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
from osteo_edge.familiarity import FILE as FAMILIARITY_FILE
from osteo_edge.familiarity import KnownFilms
from osteo_edge.gate import DEFAULT_GATE
from osteo_edge.hashing import sha256_bytes
from osteo_edge.manifest import SCHEMA, DataCard, Manifest, Outputs, Parent
from osteo_edge.preprocessing import InputSpec
from osteo_edge.routing import answered
from osteo_edge.samples import CALIBRATION, PARITY, SAMPLES_FILE, pack_samples
from osteo_edge.screening import calibrated
from osteo_edge.split import PARTS, Split, changed_files, select, write_split
from osteo_edge.train import two_stage
from osteo_edge.train.backbones import input_spec
from osteo_edge.train.calibrating import choose_decision, fit_temperature
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.distribution import StrategyName, is_chief, open_strategy
from osteo_edge.train.embedding import attach_embedding, embeddings, find_familiarity
from osteo_edge.train.fitting import Fit, FitOptions, fit, predict_logits
from osteo_edge.train.heads import find_router, finding_of, head_places
from osteo_edge.train.keeping import discard
from osteo_edge.train.keras_bundle import MODEL_FILE, SPLIT_FILE, model_bytes, model_file
from osteo_edge.train.labelled import Labelled
from osteo_edge.train.models import OUTPUTS, Network, build
from osteo_edge.train.prepared import prepare
from osteo_edge.train.recipes.presets import PLAIN_RECIPE
from osteo_edge.train.recorded_metrics import recorded_metrics
from osteo_edge.train.training_record import Reading, describe_training
from osteo_edge.version import VERSION
from osteo_edge.wording import Finding, intended_use

SPLIT_RULE = "by duplicate group, and by patient where known"


@dataclass(frozen=True)
class Job:
    """What to train on and what to call it. `label_source` says what decided the labels: DXA, QUS, phantom, ...

    `recipe` is the preset that `config` came from. `find_rate` takes the learning rate from a range test. An
    interrupted run is gone on with unless `resume` is False. Without `measure_test` no image of the test part is read.
    `intended_use` and `finding` are None where they follow from the labels.
    """

    dataset: Dataset
    split: Split
    config: TrainConfig
    name: str
    label_source: str
    recipe: str = PLAIN_RECIPE
    find_rate: bool = False
    strategy: StrategyName = "none"
    resume: bool = True
    measure_test: bool = True
    intended_use: str | None = None
    finding: Finding | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of the split whose images are read."""
        return PARTS if self.measure_test else tuple(part for part in PARTS if part != "test")


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted network with the images that it was fitted and chosen on. Only the chief of several workers writes.

    `severity` tells of the grades where the network has them, `known` of the films that it learned from, where it gives
    an embedding.
    """

    network: Network
    spec: InputSpec
    parts: dict[str, Labelled]
    fit: Fit
    reading: Reading
    is_chief: bool
    outputs: Outputs = OUTPUTS
    severity: dict[str, Any] | None = None
    known: KnownFilms | None = None

    @property
    def skipped(self) -> tuple[str, ...]:
        """A line for each image that could not be read."""
        return tuple(line for part in self.parts.values() for line in part.prepared.skipped)


@dataclass(frozen=True)
class Trained:
    """What came out: the bundle, how the fit went, and what was measured on validation and test."""

    bundle: Bundle
    fit: Fit
    evaluations: dict[str, Evaluation]
    skipped: tuple[str, ...]


def train_bundle(job: Job, out: Path, *, on_progress: Advance) -> Trained:
    """Train, calibrate and choose the threshold on validation, measure once on test, and write the bundle `out`."""
    return write_trained(job, fit_job(job, out, on_progress=on_progress), out)


def fit_job(job: Job, out: Path, *, on_progress: Advance) -> Fitted:
    """Read the images and fit the network; what a killed run left beside `out` is gone on with.

    The network is built first, so that a wrong weights file is found before the images are read.
    """
    require_free(out)
    check_parts(job)
    strategy = open_strategy(job.strategy)
    spec = input_spec(job.config)
    network = build(job.config, spec)
    started = time.perf_counter()
    parts = {part: prepare_part(job, part, spec, on_progress) for part in job.parts}
    reading = Reading(sum(map(len, parts.values())), time.perf_counter() - started)
    if not job.resume:
        discard(checkpoints_of(out))
    options = FitOptions(strategy, checkpoints_of(out), job.find_rate)
    found = fit(
        network, job.config, spec, parts["train"], parts["validation"], on_progress=on_progress, options=options
    )
    fitted = Fitted(network, spec, parts, found, reading, is_chief(strategy))
    return with_further_outputs(fitted, job.config)


def write_trained(job: Job, fitted: Fitted, out: Path) -> Trained:
    """Calibrate, choose, measure and write the bundle; then the checkpoints are no longer needed."""
    manifest, files, evaluations = finish(job, fitted)
    bundle = write_bundle(out, manifest, files)
    discard(checkpoints_of(out))
    return Trained(bundle, fitted.fit, evaluations, fitted.skipped)


def checkpoints_of(out: Path) -> Path:
    """Where a run that writes the bundle `out` keeps what it needs to go on after it was killed."""
    return out.with_name(f"{out.name}.partial-training")


def check_parts(job: Job) -> None:
    """Raise `DatasetError` unless every part of the split holds every label."""
    for part in PARTS:
        counts = Counter(case.label for case in select(job.dataset, job.split, part))
        missing = [label for label in job.config.labels if not counts.get(label)]
        if missing:
            raise DatasetError(
                f"{job.dataset.root}: the {part} part of the split holds no {' and no '.join(missing)}; "
                "add images, leave the label out with --labels, or split again"
            )


def prepare_part(job: Job, part: str, spec: InputSpec, on_progress: Advance) -> Labelled:
    """Read and prepare the images of one part of the split that have one of the job's labels.

    `DatasetError` where one is another file than the split was made from: it may be a copy of one in another part.
    """
    cases = [case for case in select(job.dataset, job.split, part) if case.label in job.config.labels]
    prepared = prepare(cases, spec, on_progress=lambda done, total: on_progress(done, total, stage=f"read {part}"))
    read = {case.name: sha256 for case, sha256 in zip(prepared.cases, prepared.sha256s, strict=True)}
    changed = changed_files(job.split, read)
    if changed:
        raise DatasetError(
            f"{job.dataset.root}: {len(changed)} of {len(read)} {part} images have changed since the split was made, "
            f"the first of them {changed[0]}; they may copy images of other parts: make the split again"
        )
    return Labelled.of(prepared, job.config.labels, {row.name: row.group for row in job.split.rows})


def with_further_outputs(fitted: Fitted, config: TrainConfig) -> Fitted:
    """The fitted network with what is read off its features as they are now: grades, if asked for, and its embedding.

    Without an embedding where there are too few images to know what the films look like to the network.
    """
    graded = with_grades(fitted, config.seed) if config.severity else fitted
    network = attach_embedding(graded.network, config.taps)
    found = find_familiarity(network, graded.parts["train"], graded.parts["validation"], graded.spec)
    if found is None:
        return graded
    outputs = replace(graded.outputs, embedding=len(network.model.outputs) - 1)
    return replace(graded, network=network, outputs=outputs, known=found)


def with_grades(fitted: Fitted, seed: int) -> Fitted:
    """The network with a second stage, found in its features as they are now, that grades what is positive."""
    graded = two_stage.attach_severity(fitted.network, fitted.parts["train"], fitted.spec, seed=seed)
    held_out = {"validation": fitted.parts["validation"]}
    described = two_stage.describe_severity(graded, held_out, fitted.spec, seed=seed)
    return replace(fitted, network=graded.network, outputs=two_stage.OUTPUTS, severity=described)


def finish(job: Job, fitted: Fitted) -> tuple[Manifest, dict[str, bytes], dict[str, Evaluation]]:
    """Everything after the fit: calibrate, decide, measure. The manifest, the bundle's files, and what was measured."""
    model, parts = fitted.network.model, fitted.parts
    measured = [part for part in job.parts if part != "train"]
    logits = {part: predict_logits(model, parts[part], fitted.spec) for part in measured}
    files = {MODEL_FILE: model_bytes(model), SAMPLES_FILE: _samples(job, parts), SPLIT_FILE: split_bytes(job.split)}
    if fitted.known is not None:
        files[FAMILIARITY_FILE] = fitted.known.statistics.pack()
    manifest = _manifest(job, fitted, logits["validation"], files)
    evaluations = {
        part: evaluation.evaluate(_predictions(fitted, part, found, manifest), manifest, part)
        for part, found in logits.items()
    }
    return replace(manifest, metrics=recorded_metrics(evaluations)), files, evaluations


def _manifest(job: Job, fitted: Fitted, validation_logits: Any, files: dict[str, bytes]) -> Manifest:
    config, parts = job.config, fitted.parts
    classes = parts["validation"].classes
    calibration = fit_temperature(validation_logits, classes)
    probabilities = calibrated(validation_logits, calibration)
    positive = [config.labels.index(label) for label in config.positive_labels]
    scores = answered(probabilities, head_places(config))[:, positive].sum(axis=1)
    split_digest, counts = sha256_bytes(files[SPLIT_FILE]), _counts(parts, config.labels)
    router = find_router(probabilities, classes, config)
    finding = job.finding or finding_of(config.positive_labels)
    findings = [finding or "density"] if router is None else [head.finding for head in router.heads]
    recipe = describe_training(config, job.recipe, job.strategy, fitted.fit, fitted.reading, len(parts["train"]))
    if fitted.severity is not None:
        recipe["severity"] = fitted.severity
    return Manifest(
        schema=SCHEMA,
        name=job.name,
        version="1",
        created_by=f"osteo-edge {VERSION}",
        created_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        intended_use=job.intended_use or intended_use(job.label_source, *findings),
        model=model_file(fitted.network.model, files[MODEL_FILE]),
        parent=Parent(fitted.network.weights_sha256, recipe),
        input=fitted.spec,
        outputs=fitted.outputs,
        labels=config.labels,
        calibration=calibration,
        decision=choose_decision(scores, np.isin(classes, positive), config),
        gate=DEFAULT_GATE,
        parity=None,
        metrics={},
        data=DataCard(job.dataset.name, counts, SPLIT_RULE, split_digest, job.label_source),
        files={},
        familiarity=None if fitted.known is None else fitted.known.record,
        finding=finding if router is None else None,
        router=router,
    )


def _predictions(fitted: Fitted, name: str, logits: Any, manifest: Manifest) -> Predictions:
    part, known, place = fitted.parts[name], fitted.known, fitted.outputs.embedding
    distances = None
    if known is not None and place is not None:
        distances = known.statistics.distances(embeddings(fitted.network.model, place, part, fitted.spec))
    return Predictions(part.cases, part.groups, calibrated(logits, manifest.calibration), (), distances)


def _samples(job: Job, parts: dict[str, Labelled]) -> bytes:
    """Evenly spread over the parts, so that every label is among them."""

    def spread(part: str, number: int) -> Any:
        order = np.argsort(parts[part].classes, kind="stable")
        places = np.unique(np.linspace(0, order.size - 1, min(number, order.size)).round().astype(int))
        return parts[part].planes(np.sort(order[places]))

    config = job.config
    return pack_samples(
        {CALIBRATION: spread("train", config.calibration_images), PARITY: spread("validation", config.parity_images)}
    )


def _counts(parts: dict[str, Labelled], labels: tuple[str, ...]) -> dict[str, dict[str, int]]:
    return {
        part: {label: int((planes.classes == number).sum()) for number, label in enumerate(labels)}
        for part, planes in parts.items()
    }


def split_bytes(split: Split) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / SPLIT_FILE
        write_split(split, path)
        return path.read_bytes()
