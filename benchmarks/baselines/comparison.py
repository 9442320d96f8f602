"""An edge variant beside a recorded baseline of the same network."""

from collections.abc import Sequence
from pathlib import Path

from osteo_edge.benchmarks.baselines.answers import agree
from osteo_edge.benchmarks.baselines.file import Baseline, BaselineNetwork, BaselineRow, ImageAnswer
from osteo_edge.benchmarks.baselines.measurement import architecture_of
from osteo_edge.benchmarks.measuring.lineage import UNKNOWN
from osteo_edge.benchmarks.measuring.results import BesideBaseline, Measurement
from osteo_edge.benchmarks.measuring.summaries import compare
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.manifest import Manifest


def find_network(baseline: Baseline, path: Path, manifest: Manifest) -> BaselineNetwork:
    """The baseline's network that the bundle of `manifest` comes from: of its very weights, if there are several.

    `OsteoEdgeError` in one line if the file, which came from `path`, holds other networks only.
    """
    wanted = architecture_of(manifest)
    same = [network for network in baseline.networks if network.architecture == wanted]
    if not same or wanted.backbone == UNKNOWN:
        held = ", ".join(sorted({str(network.architecture) for network in baseline.networks}))
        raise OsteoEdgeError(
            f"{path}: a baseline of {held}, not of {wanted}; record one with `osteo-edge bench baseline` on its Keras "
            "bundle"
        )
    parent = manifest.parent.sha256
    return min(same, key=lambda network: (network.weights != parent, network.has_random_weights))


def set_beside(
    measurement: Measurement,
    baseline: Baseline,
    network: BaselineNetwork,
    answers: Sequence[ImageAnswer] | None = None,
) -> tuple[BesideBaseline, ...]:
    """The measured variant beside each precision of the baseline's batch 1; nothing where it has no latency.

    `answers` are the variant's own, from `answer_images`; they are compared on the images that both have seen.
    """
    single = [row for row in network.rows if row.batch == 1]
    return tuple(
        found for row in single if (found := _beside(measurement, baseline, network, row, answers)) is not None
    )


def why_no_agreement(network: BaselineNetwork, answers: Sequence[ImageAnswer] | None, path: Path) -> str | None:
    """Why there is no agreement of outputs with a baseline's network, and what to do; None if there is one."""
    recorded = [row.answers for row in network.rows if row.answers]
    if network.has_random_weights:
        return f"{path}: was recorded with random weights; record it on the Keras bundle, with --data"
    if not recorded:
        return f"{path}: was recorded without images; record it with --data"
    if answers is None:
        return f"no images were given; give --data with the images that {path} was recorded with"
    if agree(answers, recorded[0]) is None:
        return f"{path}: was recorded with other images; give --data with the same ones at both ends"
    return None


def _beside(
    measurement: Measurement,
    baseline: Baseline,
    network: BaselineNetwork,
    row: BaselineRow,
    answers: Sequence[ImageAnswer] | None,
) -> BesideBaseline | None:
    latency, memory, size = measurement.latency, measurement.memory, measurement.size
    if latency is None:
        return None
    batches = [other for other in network.rows if other.precision == row.precision]
    quickest = max(batches, key=lambda other: other.images_per_second)
    found = agree(answers, row.answers) if answers and row.answers else None
    return BesideBaseline(
        device=str(baseline.device),
        precision=row.precision,
        latency_ratio=compare(latency, row.latency),
        images_per_second=1000 / latency.summary.median.value,
        baseline_images_per_second=quickest.images_per_second,
        memory_ratio=None if memory is None else memory.peak_bytes / row.memory_bytes,
        size_ratio=None if size is None else size.model_bytes / row.weight_bytes,
        decisions_agree=None if found is None else found.decisions,
        mean_difference=None if found is None else found.mean_difference,
        baseline_batch=quickest.batch,
        on_accelerator=baseline.device.is_accelerator,
        has_random_weights=network.has_random_weights,
    )
