"""How faithfully one bundle answers like another, the float32 model usually, on real images.

python -m osteo_edge.benchmarks.bundles.fidelity REFERENCE_BUNDLE BUNDLE DATA --split split.csv
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from osteo_edge import metrics
from osteo_edge.agreement import Paired, measure_agreement
from osteo_edge.benchmarks.measuring.command import finish
from osteo_edge.benchmarks.measuring.comparison import Check
from osteo_edge.benchmarks.measuring.environment import Environment, read_environment
from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.console import progress, show_table
from osteo_edge.dataset import Case, Dataset, read_dataset
from osteo_edge.errors import BundleError, DatasetError
from osteo_edge.evaluation import Predictions, answers_of, predict
from osteo_edge.manifest import Manifest
from osteo_edge.metrics import Estimate
from osteo_edge.routing import thresholds
from osteo_edge.runtime import open_interpreter
from osteo_edge.screening import answer_to, score_of
from osteo_edge.split import PARTS, Split, read_split, select
from osteo_edge.standalone import Standalone

MIN_AGREEMENT = 0.97
WHOLE = "all images"

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Chosen:
    """One image to compare on: its part and its duplicate group in the split."""

    case: Case
    part: str
    group: str


@dataclass(frozen=True)
class Answers:
    """The raw values, image by image: the scores that the threshold is compared with, and what came of them."""

    images: tuple[str, ...]
    parts: tuple[str, ...]
    reference_scores: tuple[float, ...]
    scores: tuple[float, ...]
    reference_outcomes: tuple[str, ...]
    outcomes: tuple[str, ...]


@dataclass(frozen=True)
class Fidelity:
    """How alike the two bundles answer.

    A decision is whether the score reaches the bundle's own threshold; an outcome also knows "uncertain". Differences
    are of calibrated probabilities, over all labels. `aurocs` are by question, the reference's before the bundle's.
    """

    environment: Environment
    reference: str
    bundle: str
    reference_bytes: int
    bundle_bytes: int
    decision_agreement: Estimate
    outcome_agreement: Estimate
    by_part: dict[str, Estimate]
    largest_difference: float
    mean_difference: float
    aurocs: dict[str, Paired]
    skipped: tuple[str, ...]
    answers: Answers

    @property
    def checks(self) -> tuple[Check, ...]:
        return (Check("agreement of decisions", self.decision_agreement, "at least", MIN_AGREEMENT),)

    def to_dict(self) -> dict[str, Any]:
        """The result for machines, with the answers for every image."""
        return {**asdict(self), "checks": [check.to_dict() for check in self.checks]}


def choose(dataset: Dataset, split: Split | None) -> tuple[Chosen, ...]:
    """Every image of the split but the excluded ones; without a split the whole data set, each image its own group."""
    if split is None:
        return tuple(Chosen(case, WHOLE, case.name) for case in dataset.cases)
    groups = {row.name: row.group for row in split.rows}
    return tuple(Chosen(case, part, groups[case.name]) for part in PARTS for case in select(dataset, split, part))


def measure_fidelity(
    reference: Bundle,
    bundle: Bundle,
    images: tuple[Chosen, ...],
    *,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Fidelity:
    """Run both bundles on every image and compare their answers; `BundleError` if their labels differ.

    An image that cannot be read is skipped and listed.
    """
    if reference.manifest.labels != bundle.manifest.labels:
        raise BundleError(f"{bundle.path}: its labels are not those of {reference.path}; compare bundles of one model")
    environment = read_environment()
    expected = _predict(reference, images, lambda done, total: on_progress(done, 2 * total))
    found = _predict(bundle, images, lambda done, total: on_progress(total + done, 2 * total))
    answers = _answers(expected, found, reference.manifest, bundle.manifest, images)
    agree = _decisions(expected, reference.manifest) == _decisions(found, bundle.manifest)
    alike = measure_agreement(answers_of(expected, reference.manifest), answers_of(found, bundle.manifest))
    return Fidelity(
        environment=environment,
        reference=str(reference.path),
        bundle=str(bundle.path),
        reference_bytes=reference.model_path.stat().st_size,
        bundle_bytes=bundle.model_path.stat().st_size,
        decision_agreement=metrics.wilson(agree),
        outcome_agreement=metrics.wilson(np.array(answers.outcomes) == np.array(answers.reference_outcomes)),
        by_part=_by_part(agree, answers.parts),
        largest_difference=alike.largest_difference,
        mean_difference=alike.mean_difference,
        aurocs=alike.aurocs,
        skipped=found.skipped,
        answers=answers,
    )


def _predict(bundle: Bundle, images: tuple[Chosen, ...], on_progress: Callable[[int, int], None]) -> Predictions:
    cases, groups = [image.case for image in images], [image.group for image in images]
    return predict(cases, groups, bundle.manifest, open_interpreter(bundle), on_progress=on_progress)


def _decisions(predictions: Predictions, manifest: Manifest) -> Bools:
    limits = thresholds(predictions.probabilities, manifest)
    return np.asarray(score_of(predictions.probabilities, manifest) >= limits)


def _answers(
    expected: Predictions, found: Predictions, reference: Manifest, manifest: Manifest, images: tuple[Chosen, ...]
) -> Answers:
    parts = {image.case.name: image.part for image in images}
    names = tuple(case.name for case in found.cases)
    reference_scores, scores = _scores(expected, reference), _scores(found, manifest)
    return Answers(
        images=names,
        parts=tuple(parts[name] for name in names),
        reference_scores=reference_scores,
        scores=scores,
        reference_outcomes=tuple(answer_to(row, reference)[0] for row in expected.probabilities),
        outcomes=tuple(answer_to(row, manifest)[0] for row in found.probabilities),
    )


def _scores(predictions: Predictions, manifest: Manifest) -> tuple[float, ...]:
    return tuple(float(score) for score in score_of(predictions.probabilities, manifest))


def _by_part(agree: Bools, parts: tuple[str, ...]) -> dict[str, Estimate]:
    return {part: metrics.wilson(agree[np.array(parts) == part]) for part in dict.fromkeys(parts)}


@click.command(cls=Standalone, short_help="How faithfully a bundle answers like its float32 reference.")
@click.argument("reference_bundle", type=click.Path(path_type=Path))
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "--split", "split_file", type=click.Path(path_type=Path), help="Leave out what it excludes, and tell parts apart."
)
@click.option("--json", "as_json", is_flag=True, help="The result for machines, with every answer.")
@click.pass_context
def fidelity(
    ctx: click.Context, reference_bundle: Path, bundle: Path, data: Path, split_file: Path | None, as_json: bool
) -> None:
    """Compare the answers of a TFLite bundle with those of another, the float32 one usually, on labelled images.

    The exit code is 1 if fewer than 97 % of the decisions agree.

    \b
    Example:
      python -m osteo_edge.benchmarks.bundles.fidelity knee-float32 knee-int8 knees.csv --split split.csv
    """
    reference, loaded = read_bundle(reference_bundle), read_bundle(bundle)
    dataset = read_dataset(data, labels=loaded.manifest.labels)
    images = choose(dataset, None if split_file is None else read_split(split_file))
    if not images:
        raise DatasetError(f"{split_file}: leaves no image to compare on; make the split again")
    with progress("compare") as advance:
        result = measure_fidelity(reference, loaded, images, on_progress=advance)
    if not as_json:
        _show(result)
    finish(ctx, result, as_json=as_json)


def _show(result: Fidelity) -> None:
    for line in result.skipped:
        click.echo(f"skipped {line}", err=True)
    rows = [("outcomes agree", str(result.outcome_agreement))]
    rows += [(f"decisions agree, {part}", str(agreement)) for part, agreement in result.by_part.items()]
    rows += [("largest difference of a probability", f"{result.largest_difference:.4f}")]
    rows += [("mean difference of a probability", f"{result.mean_difference:.4f}")]
    for question, auroc in result.aurocs.items():
        rows += [(f"AUROC {question}, reference", str(auroc.before))]
        rows += [(f"AUROC {question}, bundle", str(auroc.after))]
        rows += [(f"AUROC {question}, difference", str(auroc.difference))]
    rows += [("bytes, reference and bundle", f"{result.reference_bytes:,} and {result.bundle_bytes:,}")]
    show_table(f"{result.bundle} beside {result.reference}", ("Quantity", "Value, 95 % interval"), rows)


if __name__ == "__main__":
    fidelity()
