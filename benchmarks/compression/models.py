"""The compressed models that have figures to keep: what each must be, what it is compared with, and its bounds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from osteo_edge.benchmarks.measuring.lineage import Lineage, read_lineage
from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.errors import BundleError
from osteo_edge.manifest import Precision

Pair = tuple[Path, Path]
"""A float32 bundle, and the int8 one of the same network."""
MOBILENET, SMALL, EFFICIENTNET = ("mobilenet_v2", 1.0), ("mobilenet_v2", 0.35), ("efficientnet_b0", None)
HALF, MOST = 0.5, 0.8


@dataclass(frozen=True)
class Bounds:
    """What a compressed model is held to; None where it is not.

    The change of the AUROC counts in both directions, and for every question; the calibration error may fall. `speed`
    is how many times as fast as its rival it is, `packed` the share of the dense model's bytes after gzip.
    """

    max_bytes: int | None = None
    min_agreement: float | None = None
    max_auroc_change: float | None = None
    max_calibration_rise: float | None = None
    min_speed: float | None = None
    max_packed: float | None = None


@dataclass(frozen=True, eq=False)
class Compressed:
    """A compressed model beside the float32 one that it stands in for, and the one that its speed is compared with.

    `dense` is the model without zeros that its packed size is compared with, or None.
    """

    bundle: Bundle
    reference: Bundle
    rival: Bundle
    bounds: Bounds
    dense: Bundle | None = None

    @property
    def title(self) -> str:
        """What it is, for people."""
        manifest = self.bundle.manifest
        return f"{read_lineage(manifest)}, {manifest.model.precision}"


@dataclass(frozen=True)
class Named:
    """The bundles that are to be measured, by the part that each plays; `others` are held to nothing."""

    mobilenet: Pair | None = None
    pruned: Path | None = None
    small: Pair | None = None
    efficientnet: Pair | None = None
    sparse: tuple[Path, ...] = ()
    others: tuple[Path, ...] = ()


def find_compressed(named: Named) -> tuple[Compressed, ...]:
    """Read the bundles, each once compared with what it is to be compared with.

    `BundleError` for a bundle that is not what it was named as, and for one whose dense network was not named.
    """
    found = tuple(_compressed(named))
    for compressed in found:
        _check_comparable(compressed, found[0].reference)
    return found


def _compressed(named: Named) -> Iterator[Compressed]:
    pairs = {
        option: _read_pair(pair, option, network)
        for option, pair, network in (
            ("--mobilenet", named.mobilenet, MOBILENET),
            ("--small", named.small, SMALL),
            ("--efficientnet", named.efficientnet, EFFICIENTNET),
        )
        if pair is not None
    }
    if "--mobilenet" in pairs:
        reference, int8 = pairs["--mobilenet"]
        yield Compressed(int8, reference, reference, Bounds(2_750_000, 0.99, 0.005, 0.01, 1.5))
    if named.pruned is not None:
        bundle = _read(named.pruned, "--pruned", MOBILENET, "int8", ("channel", HALF))
        reference, int8 = _dense(bundle, pairs)
        yield Compressed(bundle, reference, int8, Bounds(max_bytes=1_500_000, max_auroc_change=0.01, min_speed=1.4))
    if "--small" in pairs:
        reference, bundle = pairs["--small"]
        if "--mobilenet" not in pairs:
            raise BundleError(f"{bundle.path}: its speed is compared with MobileNetV2 1.0; give --mobilenet, too")
        _, int8 = pairs["--mobilenet"]
        yield Compressed(bundle, reference, int8, Bounds(750_000, 0.98, min_speed=2.0))
    if "--efficientnet" in pairs:
        reference, int8 = pairs["--efficientnet"]
        yield Compressed(int8, reference, reference, Bounds(5_000_000, 0.98, 0.01, min_speed=2.0))
    for path in named.sparse:
        bundle = _read(path, "--sparse", None, "int8", ("magnitude", MOST))
        reference, int8 = _dense(bundle, pairs)
        yield Compressed(bundle, reference, int8, Bounds(max_auroc_change=0.01, max_packed=0.45), int8)
    for path in named.others:
        bundle = read_bundle(path)
        reference, _ = _dense(bundle, pairs)
        yield Compressed(bundle, reference, reference, Bounds())


def _read_pair(pair: Pair, option: str, network: tuple[str, float | None]) -> tuple[Bundle, Bundle]:
    reference, bundle = _read(pair[0], option, network, "float32"), _read(pair[1], option, network, "int8")
    _require_one_origin(bundle, reference)
    return reference, bundle


def _require_one_origin(bundle: Bundle, reference: Bundle) -> None:
    """`BundleError` unless both were converted from one Keras model, or the bundle's was made from the reference's.

    What was trained further names its last Keras model only; that its first one is the reference's is told by the
    record of the training, which every later one hands on: no other training has its losses and times.
    """
    if bundle.manifest.parent.sha256 == reference.manifest.parent.sha256:
        return
    if read_lineage(bundle.manifest).is_plain or _training(bundle) != _training(reference):
        raise BundleError(
            f"{bundle.path}: was not made from the Keras model that {reference.path} was converted from, so what they "
            "differ by is not of its compression"
        )


def _training(bundle: Bundle) -> Mapping[str, Any]:
    """The record of the training that the bundle's network began with."""
    recipe: Mapping[str, Any] = bundle.manifest.parent.recipe
    while isinstance(recipe.get("parent"), Mapping):
        recipe = recipe["parent"]
    return recipe


def _read(
    path: Path,
    option: str,
    network: tuple[str, float | None] | None,
    precision: Precision,
    pruning: tuple[str, float] | None = None,
) -> Bundle:
    """A bundle that is what the option is for; None for any network, and for one whose channels and weights are all."""
    bundle = read_bundle(path)
    lineage, model = read_lineage(bundle.manifest), bundle.manifest.model
    found = None if lineage.pruning is None else (lineage.pruning.method, lineage.pruning.amount)
    fits = network is None or _is_of(lineage, network)
    if not (fits and model.format == "tflite" and model.precision == precision and found == pruning):
        what = f"{lineage}, {model.precision}, {model.format}"
        raise BundleError(f"{path}: is {what}: not what {option} is for; its --help tells")
    return bundle


def _is_of(lineage: Lineage, network: tuple[str, float | None]) -> bool:
    backbone, alpha = network
    return lineage.backbone == backbone and alpha in (None, lineage.alpha)


def _dense(bundle: Bundle, pairs: dict[str, tuple[Bundle, Bundle]]) -> tuple[Bundle, Bundle]:
    """The float32 and int8 bundles of the bundle's network as it was trained."""
    network = read_lineage(bundle.manifest).network
    for reference, int8 in pairs.values():
        if read_lineage(reference.manifest).network == network:
            _require_one_origin(bundle, reference)
            return reference, int8
    raise BundleError(f"{bundle.path}: is {network}; name its float32 and int8 bundles, too (see --help)")


def _check_comparable(compressed: Compressed, first: Bundle) -> None:
    """`BundleError` unless all answer the same question, and prepare an image alike where that must be so."""
    manifest, path = compressed.bundle.manifest, compressed.bundle.path
    expected = first.manifest
    if (manifest.labels, manifest.decision.positive_labels) != (expected.labels, expected.decision.positive_labels):
        raise BundleError(f"{path}: its labels are not those of {first.path}; measure models of one question")
    if manifest.input != compressed.reference.manifest.input:
        beside = compressed.reference.path
        raise BundleError(f"{path}: prepares images otherwise than {beside}; compare bundles of one input spec")
    own, other = manifest.input, compressed.rival.manifest.input
    if (own.height, own.width) != (other.height, other.width):
        raise BundleError(
            f"{path}: takes images of another size than {compressed.rival.path}, so their speeds are no match"
        )
