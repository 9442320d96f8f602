"""`osteo-edge evaluate`: the command; what is measured is in `evaluation`."""

from pathlib import Path

import click

from osteo_edge.bone_table import BoneTable, measure_bones
from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.console import progress, show_json, show_table
from osteo_edge.dataset import read_dataset
from osteo_edge.evaluation import Evaluation, predict, to_dict
from osteo_edge.evaluation import evaluate as measure
from osteo_edge.familiarity import read_statistics
from osteo_edge.finite_range import FiniteRange
from osteo_edge.hashing import sha256_file
from osteo_edge.intervals import Estimate
from osteo_edge.manifest import Manifest
from osteo_edge.runtime import Interpreter, open_interpreter
from osteo_edge.split import PARTS, read_split, select
from osteo_edge.subgroups import Subgroup
from osteo_edge.train.evaluation_report import example_films, write_report
from osteo_edge.train.keras_bundle import KerasInterpreter
from osteo_edge.verdict import warning


@click.command(short_help="Measure a bundle on one part of a split.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "--split", "split_file", type=click.Path(path_type=Path), required=True, help="The split it was trained with."
)
@click.option("--part", type=click.Choice(PARTS), default="test", show_default=True)
@click.option(
    "--prevalence",
    type=FiniteRange(0, 1, min_open=True, max_open=True),
    help="Also the predictive values where this share of the people is positive, such as 0.1.",
)
@click.option("--report", type=click.Path(path_type=Path), help="Write an HTML page with films and maps too.")
@click.option("--json", "as_json", is_flag=True, help="The result for machines.")
def evaluate(
    bundle: Path,
    data: Path,
    split_file: Path,
    part: str,
    prevalence: float | None,
    report: Path | None,
    as_json: bool,
) -> None:
    """Measure a Keras or TFLite bundle on one part of a split, every metric with its 95 % interval and n.

    Beside the model's AUROC stands what age alone and the OST index reach on the same cases, where the data set's CSV
    has them: a model that does not beat them has not shown that it sees bone. Subgroups are by sex, age and file
    format. Figures that are too good to be true raise an alarm.

    Of a model of bones, on a data set that says which bone each film shows and to which study it belongs, the table by
    bone comes first: each study is scored by the mean of its films, and each line holds the studies of the bone that
    they show, whatever the model took them for.

    \b
    Example:
      osteo-edge evaluate knee-int8 knees.csv --split split.csv --prevalence 0.1
      osteo-edge evaluate limbs-int8 mura.csv --split mura-split.csv --report limbs.html
    """
    loaded = read_bundle(bundle)
    manifest = loaded.manifest
    split = read_split(split_file)
    dataset = read_dataset(data, labels=manifest.labels)
    cases = [case for case in select(dataset, split, part) if case.label in manifest.labels]
    groups = {row.name: row.group for row in split.rows}
    interpreter = _open(loaded)
    with progress("evaluate") as advance:
        names = [groups[case.name] for case in cases]
        known = read_statistics(loaded)
        predictions = predict(cases, names, manifest, interpreter, known=known, on_progress=advance)
    evaluation = measure(predictions, manifest, part, prevalence=prevalence)
    by_bone = measure_bones(predictions, manifest)
    if report is not None:
        films = example_films(predictions, loaded, interpreter)
        write_report(report, loaded, predictions, evaluation, films, by_bone)
    same_split = sha256_file(split_file) == manifest.data.split_sha256
    failed = warning(manifest.parity)
    if failed is not None:
        click.secho(f"FAILED: {failed}", fg="red", bold=True, err=True)
    if as_json:
        facts = {"bundle": str(bundle), "runtime": interpreter.name, "split_is_the_trained_one": same_split}
        studies = {} if by_bone is None else {"by_bone": by_bone.to_dict()}
        show_json({**facts, "label_source": manifest.data.label_source, **to_dict(evaluation), **studies})
    else:
        _show(manifest, evaluation, by_bone, interpreter.name, same_split)
        if report is not None:
            click.echo(f"Written: {report}")


def _open(bundle: Bundle) -> Interpreter:
    return KerasInterpreter(bundle) if bundle.manifest.model.format == "keras" else open_interpreter(bundle)


def _show(
    manifest: Manifest, evaluation: Evaluation, by_bone: BoneTable | None, runtime: str, same_split: bool
) -> None:
    if not same_split:
        click.echo(
            "Warning: not the split file that this bundle was trained with; it may have seen these images.", err=True
        )
    for line in evaluation.skipped:
        click.echo(f"skipped {line}", err=True)
    for alarm in evaluation.alarms:
        click.secho(f"ALARM: {alarm}", fg="red", bold=True)
    if by_bone is not None:
        _show_bones(by_bone)
    _show_estimates(manifest, evaluation, runtime)
    if manifest.router is None:
        _show_confusion(manifest, evaluation)
    _show_subgroups(evaluation)
    _show_rivals(evaluation)
    outcomes = ", ".join(f"{outcome} {number}" for outcome, number in evaluation.outcomes.items())
    click.echo(f"Outcomes: {outcomes}. Skipped: {len(evaluation.skipped)}.")


def _show_bones(by_bone: BoneTable) -> None:
    title = f"By bone, study by study (mean of {by_bone.films} films), 95 % intervals"
    for part, (columns, rows) in zip((title, "The same, continued"), by_bone.table.halves(), strict=True):
        show_table(part, columns, rows)
    if by_bone.without_bone:
        click.echo(f"Left out of it: {by_bone.without_bone} films, of which the data set names no bone.")
    if by_bone.routing is not None:
        show_table("Studies routed to", by_bone.routing.columns, by_bone.routing.rows())
        click.echo(str(by_bone.routing))


def _show_estimates(manifest: Manifest, evaluation: Evaluation, runtime: str) -> None:
    counts = ", ".join(f"{number} {label}" for label, number in evaluation.counts.items())
    title = f"{manifest.name} on {evaluation.part}: {counts} (labels: {manifest.data.label_source}; {runtime})"
    columns = ("Metric", "Value, 95 % interval")
    first = [(name, str(evaluation.estimates[name])) for name in evaluation.headline]
    others = [(name, str(found)) for name, found in evaluation.estimates.items() if name not in evaluation.headline]
    show_table(title, columns, first)
    show_table("In detail, and by label", columns, others)


def _show_confusion(manifest: Manifest, evaluation: Evaluation) -> None:
    columns = ("Given", *(f"answered {label}" for label in manifest.labels))
    confusion = [(label, *map(str, row)) for label, row in zip(manifest.labels, evaluation.confusion, strict=True)]
    show_table("Confusion matrix", columns, confusion)


def _show_subgroups(evaluation: Evaluation) -> None:
    names = next((list(group.estimates) for group in evaluation.subgroups if not group.too_few), [])
    columns = ("Subgroup", "n", "positive", *names)
    rows = [(f"{group.factor} {group.value}", *_cells(group, names)) for group in evaluation.subgroups]
    show_table("Subgroups: a difference is a reason to look, not a finding", columns, rows)


def _cells(group: Subgroup, names: list[str]) -> tuple[str, ...]:
    found = ["too few" if group.too_few else _short(group.estimates[name]) for name in names]
    return str(group.n), str(group.positives), *found


def _short(found: Estimate) -> str:
    return f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]" if found.value == found.value else "not defined"


def _show_rivals(evaluation: Evaluation) -> None:
    if not evaluation.rivals:
        click.echo(
            "Neither age nor weight is known for these cases, so nothing can be said of what they alone would tell."
        )
        return
    rows = [
        (rival.question, rival.name, str(rival.auroc), str(rival.model_auroc), str(rival.difference))
        for rival in evaluation.rivals
    ]
    columns = ("Question", "Rival", "AUROC of the rival", "of the model, same cases", "difference, paired")
    show_table("Does the image tell more than the patient's age and weight?", columns, rows)
    for rival in evaluation.rivals:
        click.echo(f"{rival.question}: {rival.verdict}.")
