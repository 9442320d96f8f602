"""`osteo-edge stress`: the command; what is done to the films is in `disturbances`, what is measured in `stress`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.console import progress, show_json, show_table
from osteo_edge.dataset import read_dataset
from osteo_edge.errors import DatasetError
from osteo_edge.hashing import sha256_file
from osteo_edge.runtime import Interpreter, open_interpreter
from osteo_edge.split import PARTS, changed_line, changed_since, read_split, select
from osteo_edge.train.disturbances import DISTURBANCES, STRENGTHS
from osteo_edge.train.keras_bundle import KerasInterpreter
from osteo_edge.train.stress import Reply, choose_evenly, stress_test
from osteo_edge.train.stress_measures import LevelMeasures, StressFigures, in_percent, measure, turns_of
from osteo_edge.train.stress_report import NO_STATISTICS, refused_untouched, require_report, write_stress_report
from osteo_edge.verdict import warning

NAMES = tuple(disturbance.name for disturbance in DISTURBANCES)


@click.command(short_help="Measure what spoilt films do to a bundle's answers.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "--split", "split_file", type=click.Path(path_type=Path), required=True, help="The split it was trained with."
)
@click.option("--part", type=click.Choice(PARTS), default="test", show_default=True)
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=60,
    show_default=True,
    help=f"Films at most, evenly over the labels. Each is screened {len(NAMES) * STRENGTHS + 1} times.",
)
@click.option(
    "--only",
    type=click.Choice(NAMES),
    multiple=True,
    metavar="NAME",
    help=f"This disturbance alone; may be given again. There are: {', '.join(NAMES)}.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Chooses films, noise and places.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write an HTML page too, with curves and a film at every strength.",
)
@click.option("--json", "as_json", is_flag=True, help="The result for machines, every single answer in it.")
def stress(
    bundle: Path,
    data: Path,
    split_file: Path,
    part: str,
    limit: int,
    only: tuple[str, ...],
    seed: int,
    report: Path | None,
    as_json: bool,
) -> None:
    """Measure what spoilt films do to the answers of a Keras or TFLite bundle, and whether the gate notices.

    Films of one part of a split are blurred, made noisy, darker and brighter, compressed, turned, cropped, written on
    and "photographed", at five strengths each, and go through the whole screening. All are PNG files of grey pixels,
    those without a disturbance too: what a film's own file brings, such as colour or a DICOM modality, is not asked.
    Answers are compared with those to the undisturbed film, not with its label. Each figure has its 95 % interval:

    \b
      AUROC       how well the scores still order all the films, as if there were no gate
      reversed    decisions that turned from no finding to refer, or back
      wavered     decisions that turned to or from uncertain
      re-routed   films that another bone's head answers (models that tell bones apart)
      refused     films that the gate refuses, which is as it should be where answers turn
      caught      of the reversed and re-routed ones, those that the gate refuses
      unnoticed   reversed or re-routed, and not refused: an opposite turn, or another bone's
                  answer, that somebody would act on

    Of a model that tells bones apart, the AUROC compares films of one bone only. What the gate refuses undisturbed is
    counted, and left out of "refused" and "caught".

    Read "unnoticed" first. It tells what must not happen to a film on its way to the model.

    \b
    Example:
      osteo-edge stress knee-int8 knees.csv --split split.csv --report stress.html
    """
    if report is not None:
        require_report(report)
    loaded = read_bundle(bundle)
    manifest = loaded.manifest
    split = read_split(split_file)
    found = select(read_dataset(data, labels=manifest.labels), split, part)
    cases = choose_evenly([case for case in found if case.label in manifest.labels], limit, seed)
    if not cases:
        raise DatasetError(
            f"{split_file}: its part {part!r} holds no film with one of the labels {', '.join(manifest.labels)}; name "
            "another part, or the split that the bundle was trained with"
        )
    group_of = {row.name: row.group for row in split.rows}
    kinds = [disturbance for disturbance in DISTURBANCES if not only or disturbance.name in only]
    interpreter = _open(loaded)
    with progress("stress") as advance:
        groups = [group_of[case.name] for case in cases]
        test = stress_test(cases, groups, loaded, interpreter, kinds, seed=seed, on_progress=advance)
    figures = measure(test)
    same_split = sha256_file(split_file) == manifest.data.split_sha256
    changed = changed_since(split, test.cases)
    for line in (*_warnings(loaded, same_split), *(f"skipped {line}" for line in test.skipped)):
        click.echo(line, err=True)
    if changed:
        click.echo(f"Warning: {changed_line(changed, len(test.cases))}.", err=True)
    if as_json:
        facts = {"bundle": str(bundle), "runtime": interpreter.name, "part": part}
        source = {"split_is_the_trained_one": same_split, "label_source": manifest.data.label_source}
        show_json({**facts, **source, "changed_since_the_split": list(changed), **to_dict(figures)})
    else:
        _show(loaded, part, figures)
    if report is not None:
        click.echo(f"Written: {write_stress_report(report, loaded, part, figures)}", err=as_json)


def to_dict(figures: StressFigures) -> dict[str, Any]:
    """The stress test for machines: what is measured, and every reply, in the order of the films."""
    test = figures.test
    films = [
        {"name": case.name, "label": case.label, "group": group, "bone": bone}
        for case, group, bone in zip(test.cases, test.groups, test.bones, strict=True)
    ]
    levels = [
        {
            "disturbance": level.disturbance.name,
            "unit": level.disturbance.unit,
            "strength": level.strength,
            "amount": level.amount,
            **_measured(found, level.replies),
            "turns": turns_of(test, level.replies),
        }
        for level, found in figures.levels
    ]
    untouched = _measured(figures.untouched, test.untouched)
    facts = {"question": test.question, "seed": test.seed, "skipped": test.skipped, "verdict": figures.verdict}
    facts["refused_untouched"] = int(test.refused.sum())
    return {**facts, "films": films, "untouched": untouched, "levels": levels}


def _measured(found: LevelMeasures, replies: tuple[Reply, ...]) -> dict[str, Any]:
    return {"measures": found.to_dict(), "replies": [vars(reply) for reply in replies]}


def _open(bundle: Bundle) -> Interpreter:
    return KerasInterpreter(bundle) if bundle.manifest.model.format == "keras" else open_interpreter(bundle)


def _warnings(bundle: Bundle, same_split: bool) -> Iterator[str]:
    failed = warning(bundle.manifest.parity)
    if failed is not None:
        yield f"FAILED: {failed}"
    if not same_split:
        yield "Warning: not the split file that this bundle was trained with; it may have seen these images."
    if bundle.manifest.familiarity is None:
        yield f"Note: {NO_STATISTICS}"


def _show(bundle: Bundle, part: str, figures: StressFigures) -> None:
    manifest, test = bundle.manifest, figures.test
    title = (
        f"{manifest.name} on {len(test.cases)} films of the part {part}, {test.question} against the rest "
        f"(labels: {manifest.data.label_source})"
    )
    routed = any(test.bones)
    bones = ("re-routed",) if routed else ()
    columns = ("Disturbed by", "AUROC", "reversed", "wavered", *bones, "refused", "caught", "unnoticed")
    rows = [("nothing", *_cells(figures.untouched, routed))]
    rows += [(f"{level.disturbance.name} {level.amount:g}", *_cells(found, routed)) for level, found in figures.levels]
    show_table(title, columns, rows)
    units = {level.disturbance.name: level.disturbance.unit for level in test.levels}
    for name, unit in units.items():
        click.echo(f"{name}: {unit}")
    for line in refused_untouched(test):
        click.echo(line)
    click.echo(f"\n{figures.verdict}")


def _cells(found: LevelMeasures, routed: bool) -> tuple[str, ...]:
    area = found.auroc
    shown = "not defined" if area.value != area.value else f"{area.value:.2f} [{area.low:.2f}, {area.high:.2f}]"
    caught = f"{round(found.caught.value * found.caught.n)} of {found.caught.n}" if found.caught.n else "-"
    shares = (found.reversed, found.wavered, *((found.rerouted,) if routed else ()), found.refused)
    return shown, *map(in_percent, shares), caught, in_percent(found.unnoticed)
