"""The two ways to a cascade: one shared model, and a router with a model for each bone, as folders of bundles."""

import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from osteo_edge.benchmarks.measuring.lineage import read_lineage
from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.errors import BundleError

ROUTER = "router"
STAGES = ("read", "head", "fit")


@dataclass(frozen=True, eq=False)
class Cascades:
    """A model of several bones, beside a router and the models of one bone each; `heads` are by bone.

    `single` is a model of one question on the same network, which shows what an answer costs without a cascade.
    """

    shared: Bundle
    router: Bundle
    heads: dict[str, Bundle]
    single: Bundle | None = None

    @property
    def separate(self) -> dict[str, Bundle]:
        """The router and the heads, by the folder that each lies in."""
        return {ROUTER: self.router, **self.heads}


def read_cascades(shared: Path, separate: Path, single: Path | None = None) -> Cascades:
    """Read the bundle of `--recipe cascade-shared` and the folder of bundles of `--recipe cascade-separate`.

    `BundleError` where they are not that, do not know the same bones, or `single` is of another network than `shared`.
    """
    joint = read_bundle(shared)
    if joint.manifest.router is None:
        raise BundleError(f"{shared}: answers for one bone only; name the bundle of --recipe cascade-shared first")
    bones = [head.bone for head in joint.manifest.router.heads]
    missing = [name for name in (ROUTER, *bones) if not (separate / name).is_dir()]
    if missing:
        raise BundleError(
            f"{separate}: has no bundle {' and no bundle '.join(missing)}; name the folder of --recipe "
            "cascade-separate, made of the same bones"
        )
    router = read_bundle(separate / ROUTER)
    if sorted(router.manifest.labels) != sorted(bones):
        raise BundleError(
            f"{router.path}: tells {', '.join(router.manifest.labels)} apart and {shared} knows {', '.join(bones)}; "
            "train both on the same bones"
        )
    heads = {bone: read_bundle(separate / bone) for bone in bones}
    return Cascades(joint, router, heads, None if single is None else _read_single(single, joint))


def as_tflite(bundle: Bundle, folder: Path) -> Bundle:
    """A TFLite bundle that answers as this one does: itself, or for a Keras bundle its float32 form, in `folder`."""
    if bundle.manifest.model.format == "tflite":
        return bundle
    out = folder / f"{bundle.path.name}-{bundle.manifest.model.sha256}"
    if not out.exists():
        _convert(bundle.path, out)
    return read_bundle(out)


def _convert(path: Path, out: Path) -> None:
    command = [sys.executable, "-m", "osteo_edge", "convert", path, "--precision", "float32", "--out", out]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"ended with {done.returncode}"]
        raise BundleError(f"{path}: cannot be converted: {lines[-1].removeprefix('osteo-edge: ')}")


def all_as_tflite(cascades: Cascades, folder: Path) -> Cascades:
    """The cascades with every Keras bundle in its float32 form, in `folder`."""
    return Cascades(
        shared=as_tflite(cascades.shared, folder),
        router=as_tflite(cascades.router, folder),
        heads={bone: as_tflite(bundle, folder) for bone, bundle in cascades.heads.items()},
        single=None if cascades.single is None else as_tflite(cascades.single, folder),
    )


def training_seconds(bundle: Bundle) -> dict[str, float] | None:
    """What the training recorded of its time, by stage (`STAGES`), whatever was done to the model since.

    A stage that there was none of is 0; None where nothing was recorded.
    """
    for recipe in _recipes(bundle.manifest.parent.recipe):
        timing = recipe.get("timing")
        if isinstance(timing, Mapping):
            return {stage: float(timing["seconds"].get(stage) or 0.0) for stage in STAGES}
    return None


def network_of(bundles: Iterable[Bundle]) -> str:
    """The name of the network that the models are of, or their names."""
    return " and ".join(dict.fromkeys(read_lineage(bundle.manifest).network for bundle in bundles))


def _read_single(path: Path, shared: Bundle) -> Bundle:
    bundle = read_bundle(path)
    found, wanted = network_of([bundle]), network_of([shared])
    if found != wanted:
        raise BundleError(f"{path}: is of {found}, and {shared.path} of {wanted}; time a single model of that network")
    return bundle


def _recipes(recipe: Any) -> Iterator[Mapping[str, Any]]:
    """The recipe of the last step, of the one before it, and so on to the training."""
    while isinstance(recipe, Mapping):
        yield recipe
        recipe = recipe.get("parent")
