"""How well bundles answer on labelled images, and what each lost beside the float bundle that it stands in for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from osteo_edge import metrics
from osteo_edge.agreement import measure_agreement
from osteo_edge.answers import Answers, Bools, Floats, Indices
from osteo_edge.benchmarks.compression.measurement import Sample
from osteo_edge.benchmarks.measuring.lineage import UNKNOWN, Lineage, read_lineage
from osteo_edge.benchmarks.measuring.results import Fidelity
from osteo_edge.bundle import Bundle
from osteo_edge.dataset import Case
from osteo_edge.errors import BundleError, DatasetError, OsteoEdgeError
from osteo_edge.evaluation import answers_of, predict
from osteo_edge.hashing import sha256_bytes, sha256_file
from osteo_edge.intervals import Estimate, estimate
from osteo_edge.runtime import open_interpreter
from osteo_edge.split import require_unchanged


@dataclass(frozen=True, eq=False)
class Asked:
    """What a bundle answered, and a hash of the images' files with their labels, whatever their names and order."""

    answers: Answers
    images_sha256: str


def measure_fidelity(
    bundles: Sequence[Bundle],
    sample: Sample,
    split_sha256: str,
    *,
    threads: int | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Fidelity | str]:
    """Ask every TFLite bundle about the images of the sample; by its path, its fidelity or why there is none.

    `sample` is `compression.measurement.choose_sample`'s, `split_sha256` the hash of the split file that it is of: what
    was trained with another split may know the images. Each bundle is compared with its `find_reference` among them.
    """
    answers: dict[str, Asked | str] = {}
    total = len(bundles) * len(sample.cases)
    for number, bundle in enumerate(bundles):
        report = partial(_report, on_progress, number * len(sample.cases), total)
        try:
            answers[str(bundle.path)] = ask(bundle, sample, threads=threads, on_progress=report)
        except OsteoEdgeError as error:
            answers[str(bundle.path)] = str(error)
    return {str(bundle.path): _describe(bundle, bundles, answers, sample.part, split_sha256) for bundle in bundles}


def _describe(
    bundle: Bundle, bundles: Sequence[Bundle], answers: Mapping[str, Asked | str], part: str, split_sha256: str
) -> Fidelity | str:
    own, reference = answers[str(bundle.path)], find_reference(bundle, bundles)
    if isinstance(own, str):
        return own
    beside = None if reference is None else answers[str(reference.path)]
    pair = (str(reference.path), beside.answers) if reference is not None and isinstance(beside, Asked) else None
    is_trained = bundle.manifest.data.split_sha256 == split_sha256
    found = describe_answers(own.answers, part, on_trained_split=is_trained, reference=pair)
    return replace(found, images_sha256=own.images_sha256)


def find_reference(bundle: Bundle, among: Sequence[Bundle]) -> Bundle | None:
    """The float32 bundle that the bundle stands in for: of the same parent, else of its network as it was trained."""
    own = bundle.manifest
    floats = [other for other in among if other.manifest.model.precision == "float32" and _asks_the_same(other, bundle)]
    siblings = [other for other in floats if other.manifest.parent.sha256 == own.parent.sha256]
    lineage = read_lineage(own)
    is_known = lineage.backbone != UNKNOWN
    plain = [other for other in floats if is_known and read_lineage(other.manifest) == _as_trained(lineage)]
    found = next(iter((*siblings, *plain)), None)
    return None if found is None or found.manifest.model.sha256 == own.model.sha256 else found


def ask(
    bundle: Bundle,
    sample: Sample,
    *,
    threads: int | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Asked:
    """What the bundle answers on the sample; an image that cannot be read is left out, by every bundle alike.

    `BundleError` if it gives no number for an image, `DatasetError` if no image can be read, and for images that have
    changed since the split was made.
    """
    interpreter = open_interpreter(bundle, threads=threads)
    found = predict(sample.cases, sample.groups, bundle.manifest, interpreter, on_progress=on_progress)
    require_unchanged(sample.split, found.files)
    if not np.isfinite(found.probabilities).all():
        raise BundleError(f"{bundle.path}: gives no number for some images; convert it again")
    return Asked(answers_of(found, bundle.manifest), hash_images(found.cases))


def hash_images(cases: Sequence[Case]) -> str:
    """The same for the same files under the same labels; `DatasetError` if one has gone since it was read."""
    try:
        lines = sorted(f"{sha256_file(case.path)} {case.label}\n" for case in cases)
    except OSError as error:
        raise DatasetError(f"{error.filename}: has gone while it was measured on ({error.strerror})") from error
    return sha256_bytes("".join(lines).encode())


def describe_answers(
    answers: Answers, part: str, *, on_trained_split: bool, reference: tuple[str, Answers] | None = None
) -> Fidelity:
    """The figures of a bundle's answers, beside those of `reference`, its path and answers on the same images."""
    own = Fidelity(
        part=part,
        n=answers.truth.size,
        on_trained_split=on_trained_split,
        aurocs={question.name: _estimated(metrics.auroc, answers, question.labels) for question in answers.questions},
        calibration_error=_estimated(metrics.calibration_error, answers, answers.positive_labels),
    )
    if reference is None:
        return own
    path, before = reference
    alike = measure_agreement(before, answers)
    return replace(
        own,
        reference=path,
        auroc_changes={question: paired.difference for question, paired in alike.aurocs.items()},
        decisions_agree=alike.decisions,
        mean_difference=alike.mean_difference,
    )


def _asks_the_same(one: Bundle, other: Bundle) -> bool:
    first, second = one.manifest, other.manifest
    return (first.labels, first.decision.positive_labels) == (second.labels, second.decision.positive_labels)


def _as_trained(lineage: Lineage) -> Lineage:
    """The same network before it was pruned or trained for int8."""
    return replace(lineage, pruning=None, is_trained_for_int8=False)


def _estimated(metric: Callable[[Bools, Floats], float], answers: Answers, labels: Sequence[str]) -> Estimate:
    positive, score = answers.asked(labels)

    def on(cases: Indices) -> float:
        return metric(positive[cases], score[cases])

    return estimate(on, positive.size, groups=answers.groups)


def _report(on_progress: Callable[[int, int], None], before: int, total: int, done: int, _: int) -> None:
    on_progress(before + done, total)
