"""Which variants a benchmark has: every bundle, in every way of running it that was asked for."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from osteo_edge.benchmarks.measuring.lineage import read_lineage
from osteo_edge.benchmarks.measuring.results import Missing, Variant
from osteo_edge.benchmarks.runtimes.peer_file import read_peer_file
from osteo_edge.benchmarks.runtimes.peers import PEERS, prepare_peer
from osteo_edge.benchmarks.runtimes.runners import RunnerSpec, package_of
from osteo_edge.benchmarks.timing.turns import Rival
from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.errors import BundleError, OsteoEdgeError
from osteo_edge.runtime import BACKENDS, installed_backends

RUNTIMES = tuple(backend.title for backend in BACKENDS)
OTHERS = (*PEERS, *RUNTIMES)
"""What may be measured beside the runtime that the toolkit takes."""
EVERYTHING = "everything"


@dataclass(frozen=True)
class Loaded:
    """A TFLite bundle with the name that it has in the report: its folder's, numbered where two have the same."""

    name: str
    bundle: Bundle


@dataclass(frozen=True)
class Candidate:
    """One variant before it is measured; `is_first` is its bundle's first, which tells of what all have in common."""

    variant: Variant
    bundle: Bundle
    spec: RunnerSpec
    is_first: bool

    @property
    def rival(self) -> Rival:
        """The variant as it is timed."""
        given = self.bundle.manifest.input
        return Rival(self.variant.name, self.spec, given.height, given.width, given.channels)


def load_bundles(paths: Sequence[Path]) -> tuple[tuple[Loaded, ...], tuple[Missing, ...]]:
    """The bundles that can be measured, in order, and why the others cannot."""
    found: list[Loaded] = []
    missing: list[Missing] = []
    for path in paths:
        try:
            bundle = _tflite(read_bundle(path))
        except OsteoEdgeError as error:
            missing.append(Missing(str(path), EVERYTHING, str(error)))
        else:
            found.append(Loaded(_unused(path.resolve().name, [each.name for each in found]), bundle))
    return tuple(found), tuple(missing)


def plan_candidates(
    bundles: Sequence[Loaded],
    threads: Sequence[int],
    peers: Sequence[str],
    folder: Path,
    *,
    on_progress: Callable[[int, int, str], None] = lambda done, total, note: None,
) -> tuple[tuple[Candidate, ...], tuple[Missing, ...]]:
    """Every bundle in the toolkit's runtime and in each peer, with each number of threads.

    What peers load is made in `folder`, which has to stay until all is measured. A peer that cannot run a bundle is
    missing, with the reason. `OsteoEdgeError` if no runtime is installed, or if the toolkit's own is named as a peer.
    """
    if own_runtime() in peers:
        raise OsteoEdgeError(f"{own_runtime()} is what the toolkit runs every bundle in already; leave this peer out")
    candidates: list[Candidate] = []
    missing: list[Missing] = []
    jobs = [(loaded, peer) for loaded in bundles for peer in (None, *peers)]
    for done, (loaded, peer) in enumerate(jobs):
        on_progress(done, len(jobs), f"prepare {loaded.name}{'' if peer is None else f' for {peer}'}")
        try:
            candidates += _candidates(loaded, peer, threads, folder)
        except OsteoEdgeError as error:
            missing.append(Missing(loaded.name, f"{peer}", str(error)))
    return tuple(candidates), tuple(missing)


def own_runtime() -> str:
    """The title of the TFLite runtime that the toolkit takes; `OsteoEdgeError` if none is installed."""
    found = installed_backends()
    if not found:
        raise OsteoEdgeError("no TFLite runtime is installed: pip install ai-edge-litert")
    return found[0].title


def _candidates(loaded: Loaded, peer: str | None, threads: Sequence[int], folder: Path) -> Iterator[Candidate]:
    bundle, runtime = loaded.bundle, peer or own_runtime()
    model, difference = bundle.model_path, None
    if peer in PEERS:
        model = prepare_peer(bundle, runtime, folder)
        difference = read_peer_file(model).difference
    elif peer is not None:
        _check_installed(peer)
    for number, count in enumerate(threads):
        way = "" if peer is None else f"{peer}, "
        variant = Variant(
            name=f"{loaded.name}, {way}{count} thread{'s' if count > 1 else ''}",
            bundle=str(bundle.path),
            network=read_lineage(bundle.manifest).network,
            precision=bundle.manifest.model.precision,
            model_sha256=bundle.manifest.model.sha256,
            runtime=runtime,
            threads=count,
            delegate=None,
            is_peer=peer is not None,
            peer_difference=difference,
        )
        yield Candidate(variant, bundle, RunnerSpec(runtime, str(model), count), peer is None and number == 0)


def _check_installed(runtime: str) -> None:
    (backend,) = (backend for backend in BACKENDS if backend.title == runtime)
    if backend not in installed_backends():
        raise OsteoEdgeError(f"{runtime} is not installed: pip install {package_of(backend)}")


def _tflite(bundle: Bundle) -> Bundle:
    if bundle.manifest.model.format != "tflite":
        raise BundleError(
            f"{bundle.path}: a Keras bundle; `bench` measures TFLite ones, so convert it first: "
            f"osteo-edge convert {bundle.path} --precision int8 --out {bundle.path}-int8"
        )
    return bundle


def _unused(name: str, taken: Sequence[str]) -> str:
    """The name, with a number behind it where it is taken.

    >>> _unused("knee", ["knee", "knee (2)"])
    'knee (3)'
    """
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name} ({number})"
    return found
