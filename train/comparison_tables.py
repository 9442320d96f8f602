"""A comparison on the terminal: what is worth reading first, in few and short tables."""

import click

from osteo_edge.console import show_table
from osteo_edge.intervals import Estimate
from osteo_edge.train.comparison import Comparison, Contender

SHORT = ("sensitivity", "specificity")


def show_comparison(comparison: Comparison) -> None:
    """Alarms first, then the figures, the differences, what the image adds, and the subgroups of the reference."""
    for alarm in dict.fromkeys(alarm for each in comparison.contenders for alarm in each.alarms):
        click.echo(f"ALARM: {alarm}")
    _show_measures(comparison)
    _show_differences(comparison)
    _show_added(comparison)
    _show_subgroups(comparison)


def _show_measures(comparison: Comparison) -> None:
    names = (*(f"AUROC {question.name}" for question in comparison.questions), *SHORT)
    counts = ", ".join(f"{(comparison.truth == k).sum()} {label}" for k, label in enumerate(comparison.labels))
    folds = f"{comparison.folds.count} folds x {comparison.folds.repeats}"
    title = f"Out of fold, {folds}: {counts} (labels: {comparison.label_source})"
    show_table(title, ("", *names), [_row(each, names) for each in comparison.contenders])
    if comparison.prevalence is not None:
        first = comparison.contender(comparison.reference).headline
        values = tuple(name for name in first if name.startswith(("PPV", "NPV")))
        rows = [_row(each, values) for each in comparison.contenders if each.kind != "baseline"]
        show_table(f"Predictive values at a prevalence of {comparison.prevalence:g}", ("", "PPV", "NPV"), rows)


def _row(contender: Contender, names: tuple[str, ...]) -> tuple[str, ...]:
    return (contender.name, *(short(contender.measures[name]) for name in names))


def _show_differences(comparison: Comparison) -> None:
    others = [each for each in comparison.contenders if each.kind == "recipe" and each.differences]
    if others:
        columns = ("", *(question.name for question in comparison.questions))
        rows = [_difference_row(comparison, each) for each in others]
        show_table(f"AUROC less that of {comparison.reference}, paired", columns, rows)


def _difference_row(comparison: Comparison, contender: Contender) -> tuple[str, ...]:
    found = [contender.differences[question.name] for question in comparison.questions]
    return (contender.name, *(f"{short(each, sign='+')}{'' if each.low <= 0 <= each.high else ' *'}" for each in found))


def _show_added(comparison: Comparison) -> None:
    if not comparison.added:
        click.echo("Neither age, sex nor weight is known, so nothing can be said of what the image adds to them.")
    for added in comparison.added:
        click.echo(f"{added.question}: the image, seen by {added.recipe}, {added.verdict}.")


def _show_subgroups(comparison: Comparison) -> None:
    names = tuple(f"AUROC {question.name}" for question in comparison.questions)
    rows = [
        (f"{group.factor} {group.value}", f"{group.positives} of {group.n}", *_or_too_few(group.estimates, names))
        for group in comparison.contender(comparison.reference).subgroups
    ]
    show_table(f"Subgroups, {comparison.reference}", ("", "positive", *names), rows)


def _or_too_few(estimates: dict[str, Estimate], names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(short(estimates[name]) for name in names) if estimates else ("too few",) * len(names)


def short(found: Estimate, sign: str = "") -> str:
    """Two digits and the interval.

    >>> short(Estimate(0.5, 0.4, 0.61, 9))
    '0.50 [0.40, 0.61]'
    """
    if found.value != found.value:
        return "not defined"
    return f"{found.value:{sign}.2f} [{found.low:{sign}.2f}, {found.high:{sign}.2f}]"
