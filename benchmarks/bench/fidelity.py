"""How well the bundles of a benchmark answer: each is asked about the labelled images once, whatever its variants."""

from collections.abc import Mapping, Sequence
from functools import partial

from osteo_edge.benchmarks.bench.answering import measure_fidelity
from osteo_edge.benchmarks.bench.candidates import Loaded
from osteo_edge.benchmarks.bench.gaps import Gaps
from osteo_edge.benchmarks.bench.job import Labelled
from osteo_edge.benchmarks.compression.measurement import choose_sample
from osteo_edge.benchmarks.measuring.results import Fidelity
from osteo_edge.bundle import Bundle
from osteo_edge.console import Advance
from osteo_edge.dataset import read_dataset
from osteo_edge.hashing import sha256_file
from osteo_edge.split import read_split


def ask_all(loaded: Sequence[Loaded], labelled: Labelled, gaps: Gaps, on_progress: Advance) -> Mapping[str, Fidelity]:
    """The fidelity of every bundle that gives one, by its path. Bundles of the same labels are compared."""
    found: dict[str, Fidelity] = {}
    for labels in dict.fromkeys(each.bundle.manifest.labels for each in loaded):
        alike = [each for each in loaded if each.bundle.manifest.labels == labels]
        bundles = list({str(each.bundle.path): each.bundle for each in alike}.values())
        names = " and ".join(each.name for each in alike)
        answered = gaps.attempt(names, "fidelity", partial(_ask, bundles, labels, labelled, on_progress)) or {}
        for path, fidelity in answered.items():
            if isinstance(fidelity, str):
                gaps.add(path, "fidelity", fidelity)
            else:
                found[path] = fidelity
    return found


def _ask(
    bundles: Sequence[Bundle], labels: tuple[str, ...], labelled: Labelled, on_progress: Advance
) -> dict[str, Fidelity | str]:
    dataset = read_dataset(labelled.data, labels=labels)
    sample = choose_sample(dataset, read_split(labelled.split), labelled.part, labels)
    return measure_fidelity(
        bundles,
        sample,
        sha256_file(labelled.split),
        on_progress=lambda done, total: on_progress(done, total, stage="fidelity"),
    )
