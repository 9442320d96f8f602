"""`osteo-edge evaluate`: the command; what is measured is in `evaluation`."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from osteo_edge import page
from osteo_edge.amounts import counted
from osteo_edge.bone_table import BoneTable, measure_bones
from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.conformal import COVERAGE
from osteo_edge.console import progress, show_json, show_table
from osteo_edge.dataset import Case, Dataset, read_dataset
from osteo_edge.evaluation import Evaluation, Predictions, predict, to_dict
from osteo_edge.evaluation import evaluate as measure
from osteo_edge.familiarity import read_statistics
from osteo_edge.finite_range import FiniteRange
from osteo_edge.hashing import sha256_file
from osteo_edge.intervals import Estimate
from osteo_edge.manifest import Manifest
from osteo_edge.runtime import Interpreter, open_interpreter
from osteo_edge.split import PARTS, Split, changed_files, changed_line, read_split, select
from osteo_edge.subgroups import Subgroup
from osteo_edge.targets import require_target
from osteo_edge.train.calibrating import FITTED_ON
from osteo_edge.train.evaluation_report import example_films, write_report
from osteo_edge.train.keras_bundle import KerasInterpreter
from osteo_edge.train.uncertainty import (
    LOOK_COLUMNS,
    RISK_COLUMNS,
    Uncertainty,
    look_rows,
    look_sentence,
    measure_uncertainty,
    risk_rows,
    risk_sentences,
    set_columns,
    set_rows,
    set_sentence,
)
from osteo_edge.verdict import warning
from osteo_edge.writable import require_writable


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
@click.option(
    "--coverage",
    type=FiniteRange(0, 1, min_open=True, max_open=True),
    default=COVERAGE,
    show_default=True,
    help="The share of the films whose prediction set is to hold the true label.",
)
@click.option(
    "--sets/--no-sets",
    default=True,
    show_default=True,
    help="Prediction sets, for which the validation films of the split are answered too.",
)
@click.option(
    "--second-look",
    is_flag=True,
    help="Also answer each film mirrored and a little shifted: does it tell wrong answers? Six times the time.",
)
@click.option("--report", type=click.Path(path_type=Path), help="Write an HTML page with films and maps too.")
@click.option("--json", "as_json", is_flag=True, help="The result for machines.")
def evaluate(
    bundle: Path,
    data: Path,
    split_file: Path,
    part: str,
    prevalence: float | None,
    coverage: float,
    sets: bool,
    second_look: bool,
    report: Path | None,
    as_json: bool,
) -> None:
    """Measure a Keras or TFLite bundle on one part of a split, every metric with its 95 % interval and n.

    Beside the model's AUROC stands what age alone and the OST index reach on the same cases, where the data set's CSV
    has them: a model that does not beat them has not shown that it sees bone. Subgroups are by sex, age and file
    format. Figures that are too good to be true raise an alarm. The input gate, which screening asks first, is not
    asked here: every film that can be read is measured. Whether films have changed since the split was made is told.

    Of a model of bones, on a data set that says which bone each film shows and to which study it belongs, the table by
    bone comes first: each study is scored by the mean of its films, and each line holds the studies of the bone that
    they show, whatever the model took them for.

    How sure the answers are: how many decisions, refer or no finding, are wrong when only the surest share of the films
    is answered (risk and coverage), and what the bundle's own abstain band makes of it; and prediction sets, the labels
    that a film may have, whose limit is fitted on this bundle's answers to the validation films.

    \b
    Example:
      osteo-edge evaluate knee-int8 knees.csv --split split.csv --prevalence 0.1
      osteo-edge evaluate knee-int8 knees.csv --split split.csv --second-look --report knee.html
      osteo-edge evaluate limbs-int8 mura.csv --split mura-split.csv --report limbs.html
    """
    if report is not None:
        require_writable(report, "the report")
        require_target(report, "the report", page.BEGINS)
    loaded = read_bundle(bundle)
    manifest = loaded.manifest
    split = read_split(split_file)
    dataset = read_dataset(data, labels=manifest.labels)
    films = partial(_films, dataset, split, manifest)
    (cases, groups), validation = films(part), films(FITTED_ON)
    interpreter = _open(loaded)
    known = read_statistics(loaded)
    fitted_on: Predictions | str = _no_sets(sets, part, len(validation[0]))
    with progress("evaluate") as advance:
        predictions = predict(
            cases, groups, manifest, interpreter, known=known, second_look=second_look, on_progress=advance
        )
        if not fitted_on:
            report_fit = partial(advance, stage="validation films, for the prediction sets")
            fitted_on = predict(*validation, manifest, interpreter, on_progress=report_fit)
    for line in () if isinstance(fitted_on, str) else fitted_on.skipped:
        click.echo(f"skipped {line}", err=True)
    evaluation = measure(predictions, manifest, part, prevalence=prevalence)
    by_bone = measure_bones(predictions, manifest)
    uncertainty = measure_uncertainty(predictions, fitted_on, manifest, coverage)
    same_split = sha256_file(split_file) == manifest.data.split_sha256
    changed = changed_files(split, predictions.files)
    if changed:
        click.echo(f"Warning: {changed_line(changed, len(predictions.cases))}.", err=True)
    failed = warning(manifest.parity)
    if failed is not None:
        click.secho(f"FAILED: {failed}", fg="red", bold=True, err=True)
    if as_json:
        facts: dict[str, Any] = {"bundle": str(bundle), "runtime": interpreter.name}
        facts |= {"split_is_the_trained_one": same_split, "changed_since_the_split": list(changed)}
        studies = {} if by_bone is None else {"by_bone": by_bone.to_dict()}
        source = {"label_source": manifest.data.label_source}
        show_json({**facts, **source, **to_dict(evaluation), **uncertainty.to_dict(), **studies})
    else:
        _show(manifest, evaluation, by_bone, uncertainty, interpreter.name, same_split)
    if report is not None:
        examples = example_films(predictions, loaded, interpreter)
        write_report(report, loaded, predictions, evaluation, examples, by_bone, uncertainty)
        click.echo(f"Written: {report}", err=as_json)


def _open(bundle: Bundle) -> Interpreter:
    return KerasInterpreter(bundle) if bundle.manifest.model.format == "keras" else open_interpreter(bundle)


def _films(dataset: Dataset, split: Split, manifest: Manifest, part: str) -> tuple[list[Case], list[str]]:
    """The films of one part that have a label of the model, and their groups."""
    groups = {row.name: row.group for row in split.rows}
    cases = [case for case in select(dataset, split, part) if case.label in manifest.labels]
    return cases, [groups[case.name] for case in cases]


def _no_sets(asked_for: bool, part: str, films: int) -> str:
    """Why there can be no prediction sets; empty where there can."""
    if not asked_for:
        return "No prediction sets: they were not asked for."
    if part == FITTED_ON:
        return f"No prediction sets: they would be fitted on the part {FITTED_ON}, so they are not measured on it."
    return "" if films else f"No prediction sets: the split has no films in its part {FITTED_ON} to fit them on."


def _show(
    manifest: Manifest,
    evaluation: Evaluation,
    by_bone: BoneTable | None,
    uncertainty: Uncertainty,
    runtime: str,
    same_split: bool,
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
    _show_uncertainty(uncertainty)
    _show_subgroups(evaluation)
    _show_rivals(evaluation)
    outcomes = ", ".join(f"{outcome} {number}" for outcome, number in evaluation.outcomes.items())
    click.echo(f"Outcomes: {outcomes}. Skipped: {len(evaluation.skipped)}.")


def _show_bones(by_bone: BoneTable) -> None:
    title = f"By bone, study by study (mean of {counted(by_bone.films, 'film')}), 95 % intervals"
    for part, (columns, rows) in zip((title, "The same, continued"), by_bone.table.halves(), strict=True):
        show_table(part, columns, rows)
    if by_bone.without_bone:
        click.echo(f"Left out of it: {counted(by_bone.without_bone, 'film')}, of which the data set names no bone.")
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


def _show_uncertainty(found: Uncertainty) -> None:
    show_table("How sure it is", RISK_COLUMNS, risk_rows(found.selective))
    for sentence in risk_sentences(found.selective):
        click.echo(sentence)
    if found.sets is None:
        click.echo(found.no_sets)
    else:
        show_table("Prediction sets", set_columns(found.sets), set_rows(found.sets))
        click.echo(set_sentence(found.sets))
    if found.consistency is not None:
        show_table("Second look", LOOK_COLUMNS, look_rows(found.consistency))
        click.echo(look_sentence(found.consistency))


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
