"""A trained network is fitted further while it is changed: what pruning and quantization-aware training share."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from osteo_edge.bundle import Bundle, read_bundle, require_free, write_bundle
from osteo_edge.console import Advance
from osteo_edge.dataset import Dataset, read_dataset
from osteo_edge.errors import BundleError
from osteo_edge.manifest import Parent
from osteo_edge.split import Split, read_split
from osteo_edge.strict import FieldError, from_dict
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.fitting import Fit
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.keras_bundle import check_split, load_model
from osteo_edge.train.labelled import Labelled
from osteo_edge.train.models import Network, set_trainable
from osteo_edge.train.refit import Refit, Student, refit
from osteo_edge.train.training import Fitted, Job, Trained, finish, prepare_part, with_further_outputs
from osteo_edge.train.training_record import Reading


@dataclass(frozen=True)
class Continuation:
    """A Keras bundle to go on from, with its films and its split, and the bundle to write: its folder and its name.

    Without `measure_test` no image of the test part is read.
    """

    source: Bundle
    dataset: Dataset
    split: Split
    out: Path
    name: str
    measure_test: bool = True


@dataclass(frozen=True, eq=False)
class Begun:
    """The source's network as it was, which is the `teacher` where one distills, and all that a fit works with."""

    asked: Continuation
    teacher: Any
    job: Job
    parts: dict[str, Labelled]
    on_progress: Advance

    @property
    def config(self) -> TrainConfig:
        return self.job.config


def read_continuation(
    bundle: Path, data: Path, split_file: Path, out: Path, name: str | None, *, measure_test: bool
) -> Continuation:
    """Read what is gone on from; `name` None stands for that of `out`.

    `BundleError` for what `training_config` refuses, `DatasetError` for another split than the bundle was trained with.
    """
    source = read_bundle(bundle)
    training_config(source)
    check_split(source, split_file)
    dataset = read_dataset(data, labels=source.manifest.labels)
    return Continuation(source, dataset, read_split(split_file), out, name or out.name, measure_test)


def training_config(bundle: Bundle) -> TrainConfig:
    """The settings that the bundle's network was trained with, however often it was changed since.

    `BundleError` for a converted bundle, and for one that was not trained as a single network.
    """
    if bundle.manifest.model.format != "keras":
        raise BundleError(f"{bundle.path}: not a Keras bundle; name the one that `osteo-edge train` wrote")
    recipe: Mapping[str, Any] = bundle.manifest.parent.recipe
    while "train" not in recipe and isinstance(recipe.get("parent"), Mapping):
        recipe = recipe["parent"]
    if "train" not in recipe:
        raise BundleError(
            f"{bundle.path}: was not trained as one network, so it cannot be fitted further; name a bundle that "
            "`osteo-edge train` wrote"
        )
    try:
        return from_dict(TrainConfig, {"heads": [], **recipe["train"]})  # written before there were heads
    except FieldError as error:
        raise BundleError(f"{bundle.path}: its training settings cannot be read ({error}); train it again") from error


def further_config(bundle: Bundle, epochs: int, learning_rate: float) -> TrainConfig:
    """Settings for fitting all layers of a trained bundle's network further."""
    return replace(
        training_config(bundle),
        epochs=epochs,
        learning_rate=learning_rate,
        trainable_layers=None,
        mixed_precision=False,
    )


def begin(asked: Continuation, config: TrainConfig, on_progress: Advance) -> Begun:
    """Load the source's network, and read and prepare the films; `OsteoEdgeError` where `out` is taken."""
    require_free(asked.out)
    teacher, manifest = load_model(asked.source), asked.source.manifest
    job = Job(
        asked.dataset,
        asked.split,
        config,
        asked.name,
        manifest.data.label_source,
        measure_test=asked.measure_test,
        intended_use=manifest.intended_use,
        finding=manifest.finding,
    )
    parts = {part: prepare_part(job, part, manifest.input, on_progress) for part in job.parts}
    return Begun(asked, teacher, job, parts, on_progress)


def detecting(begun: Begun) -> Any:
    """The source's Keras model as far as it detects: without grades and embedding, which are found anew."""
    _, keras = load_tensorflow()
    return keras.Model(begun.teacher.input, begun.teacher.outputs[:2], name=begun.teacher.name)


def copied(model: Any) -> Any:
    """A Keras model of its own with the same weights."""
    _, keras = load_tensorflow()
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def receiving(begun: Begun, model: Any) -> Network:
    """The network around a Keras model that is to receive the weights of the fit, all layers of it trainable."""
    _, keras = load_tensorflow()
    features = keras.Model(model.input, model.get_layer("dropout").input)
    network = Network(model, features, begun.asked.source.manifest.model.sha256)
    set_trainable(replace(network, backbone=model), begun.config)
    return network


def fit_further(begun: Begun, network: Network, student: Student, *, distill: bool) -> Fit:
    """Fit the student and leave its best weights in the network; with `distill` it learns from the teacher, too."""
    spec, parts = begun.asked.source.manifest.input, begun.parts
    teacher = begun.teacher if distill else None
    return refit(
        Refit(network, student, begun.config, spec, parts["train"], parts["validation"], begun.on_progress, teacher)
    )


def write_further(
    begun: Begun, network: Network, fit: Fit, recipe: Mapping[str, Any], more: Mapping[str, bytes] | None = None
) -> Trained:
    """Calibrate, choose the threshold on validation, measure, and write the bundle, with `more` files.

    Its manifest says what was done, `recipe`, and to which model.
    """
    source = begun.asked.source.manifest
    fitted = Fitted(network, source.input, begun.parts, fit, Reading(0, 0.0), True)
    found, files, evaluations = finish(begun.job, with_further_outputs(fitted, begun.config))
    parent = Parent(source.model.sha256, {**recipe, "parent": source.parent.recipe})
    bundle = write_bundle(begun.asked.out, replace(found, parent=parent), {**files, **(more or {})})
    return Trained(bundle, fit, evaluations, fitted.skipped)
