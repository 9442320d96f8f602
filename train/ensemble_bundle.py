"""Several Keras bundles into one: checked, joined, calibrated anew on validation, measured once on test."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from osteo_edge.bundle import Bundle, require_free, write_bundle
from osteo_edge.console import Advance
from osteo_edge.dataset import Dataset
from osteo_edge.errors import BundleError
from osteo_edge.evaluation import Evaluation
from osteo_edge.manifest import Manifest, Parent
from osteo_edge.split import PARTS, Split
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.ensembling import Member, join_networks
from osteo_edge.train.fitting import Fit
from osteo_edge.train.keras_bundle import load_model
from osteo_edge.train.models import Network
from osteo_edge.train.training import Fitted, Job, finish, prepare_part
from osteo_edge.train.training_record import Reading

RECIPE = "ensemble"


@dataclass(frozen=True)
class Ensemble:
    """The bundle that came out, and what was measured on validation and test."""

    bundle: Bundle
    evaluations: dict[str, Evaluation]
    skipped: tuple[str, ...]


def join_bundles(
    bundles: Sequence[Bundle], dataset: Dataset, split: Split, out: Path, *, name: str, on_progress: Advance
) -> Ensemble:
    """Write the bundle `out`, whose one model averages the calibrated probabilities of the bundles' models.

    Temperature and threshold are chosen on the validation part, as they are for a single network.
    """
    require_free(out)
    check_members(bundles)
    ordered = sorted(bundles, key=lambda bundle: bundle.manifest.input.channels)  # colour is made from grey, not back
    spec = ordered[0].manifest.input
    job = Job(dataset, split, _config(ordered[0].manifest), name, ordered[0].manifest.data.label_source)
    model = join_networks([_member(bundle) for bundle in ordered])
    parts = {part: prepare_part(job, part, spec, on_progress) for part in PARTS}
    fitted = Fitted(Network(model, None, None), spec, parts, Fit((0.0,), 0, False), Reading(0, 0.0), True)
    manifest, files, evaluations = finish(job, fitted)
    described = replace(manifest, parent=Parent(None, {RECIPE: [_origin(bundle) for bundle in ordered]}))
    skipped = tuple(line for part in parts.values() for line in part.prepared.skipped)
    return Ensemble(write_bundle(out, described, files), evaluations, skipped)


def check_members(bundles: Sequence[Bundle]) -> None:
    """Raise `BundleError` unless the bundles can be one: networks that see the same images and answer the same."""
    first = bundles[0]
    if len({bundle.manifest.model.sha256 for bundle in bundles}) < len(bundles):
        raise BundleError(f"{first.path}: stands among the members twice, or a copy of it does; name each model once")
    for bundle in bundles:
        if bundle.manifest.model.format != "keras":
            raise BundleError(f"{bundle.path}: not a Keras bundle; name the one that `osteo-edge train` wrote")
        if RECIPE in bundle.manifest.parent.recipe:
            raise BundleError(f"{bundle.path}: an ensemble itself; name the bundles that it was made from")
        for what, value in _shared(bundle.manifest).items():
            expected = _shared(first.manifest)[what]
            if value != expected:
                raise BundleError(
                    f"{bundle.path}: its {what} {value}, that of {first.path} {expected}; choose members that agree"
                )


def _shared(manifest: Manifest) -> dict[str, Any]:
    """What must be the same in all members, by how an error calls it."""
    spec = manifest.input
    return {
        "list of labels is": ", ".join(manifest.labels),
        "input is": f"{spec.width} x {spec.height}",
        "list of filters is": ", ".join(map(str, spec.filters)) or "empty",
        "split has the hash": manifest.data.split_sha256[:12],
    }


def _config(manifest: Manifest) -> TrainConfig:
    """What calibration and decision are to reach: what the first member was made for."""
    heads = () if manifest.router is None else tuple(head.bone for head in manifest.router.heads)
    return TrainConfig(labels=manifest.labels, heads=heads, target_sensitivity=manifest.decision.target_sensitivity)


def _origin(bundle: Bundle) -> dict[str, Any]:
    """What the manifest records of a member."""
    manifest = bundle.manifest
    return {
        "name": manifest.name,
        "sha256": manifest.model.sha256,
        "temperature": manifest.calibration.temperature,
        "parent": manifest.parent.recipe,
    }


def _member(bundle: Bundle) -> Member:
    return Member(load_model(bundle), bundle.manifest.input, bundle.manifest.calibration.temperature)
