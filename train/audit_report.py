"""Show an audit or a split on a terminal."""

from collections import Counter
from collections.abc import Sequence

import click

from osteo_edge.console import show_table
from osteo_edge.dataset import Dataset
from osteo_edge.split import EXCLUDED, PARTS, Split
from osteo_edge.train.audit import Audit
from osteo_edge.train.confounders import Confounder

SHOWN = 20
"""Lines of a list that are shown; JSON output has them all."""

Rows = Sequence[tuple[str, ...]]


def show_audit(audit: Audit) -> None:
    """Print what was found, most urgent first, as tables on standard output."""
    show_table(f"Audit of {audit.dataset}", ("Finding", "Number", "What it means"), summary(audit))
    labels = {image.name: image.label for image in audit.images}
    conflicts = [(" = ".join(group), ", ".join(sorted({labels[name] for name in group}))) for group in audit.conflicts]
    _show("One image under more than one label", ("Images", "Labels"), conflicts)
    _show("Exact copies", ("Images",), [(" = ".join(group),) for group in audit.exact])
    near = [(pair.first, pair.second, f"{pair.distance} of 256 bits", pair.variant) for pair in audit.near]
    _show("Nearly the same", ("Image", "Image", "Differ in", "The one is the other"), near)
    _show("Unreadable", ("File", "Reason"), [(file.name, file.reason) for file in audit.unreadable])
    _show("Beside the bone", ("Alone", "AUROC", "By label", "Verdict"), [_row(each) for each in audit.confounders])


def summary(audit: Audit) -> Rows:
    """One row for each kind of finding: its name, how many, and what a split does with it."""
    in_copies = sum(len(group) for group in audit.exact)
    in_conflicts = sum(len(group) for group in audit.conflicts)
    excluded = audit.exclusions
    usable = [audit.groups[image.name] for image in audit.images if image.name not in excluded]
    return (
        ("images", str(len(audit.images)), f"{len(usable)} of them usable, in {len(set(usable))} independent groups"),
        ("label conflicts", str(len(audit.conflicts)), f"{in_conflicts} images under more than one label: excluded"),
        ("exact copies", str(len(audit.exact)), f"groups of {in_copies} images in all: one of each label is kept"),
        ("near copies", str(len(audit.near)), "pairs that look alike: kept in one part"),
        ("unreadable", str(len(audit.unreadable)), "files that are no radiograph: excluded"),
        ("blank", str(len(audit.blank)), "images without a picture: excluded"),
        ("featureless", str(len(audit.featureless)), "images with too little structure to look for near copies"),
        ("patients with two labels", str(len(audit.patients_with_two_labels)), "may be right; kept in one part"),
    )


def verdict(confounder: Confounder) -> str:
    """One sentence on whether the label can be told without the bone."""
    if confounder.auroc is None:
        return f"not measured: {confounder.note}"
    if confounder.flagged:
        return f"{confounder.name} alone predicts the label: AUROC {confounder.auroc.value:.2f}"
    return "no more than chance, as far as this many images can tell"


def show_split(split: Split, dataset: Dataset) -> None:
    """Print the images of each part by label, and by bone where bones are known, and what was excluded, why."""
    parts = (*PARTS, EXCLUDED)
    counts = {part: split.counts(part) for part in parts}
    rows = [(part, *(str(n) for n in counts[part].values()), str(sum(counts[part].values()))) for part in parts]
    show_table("Images by part", ("Part", *counts[EXCLUDED], "All"), rows)
    by_bone = [
        (bone, part, *(str(n) for n in labels.values()))
        for bone, by_part in count_by_bone(split, dataset).items()
        for part, labels in by_part.items()
    ]
    if by_bone:
        show_table("Images by bone and part", ("Bone", "Part", *counts[EXCLUDED]), by_bone)
    excluded = [(row.name, row.label, row.reason) for row in split.rows if row.part == EXCLUDED]
    _show("Excluded", ("Image", "Label", "Reason"), sorted(excluded, key=lambda row: (row[2][:5] != "label", row[0])))


def count_by_bone(split: Split, dataset: Dataset) -> dict[str, dict[str, dict[str, int]]]:
    """Images of each bone, part and label, in the order of `PARTS`; empty where no bone is known."""
    bones = {case.name: case.bone for case in dataset.cases if case.bone is not None}
    counts = Counter((bones.get(row.name), row.part, row.label) for row in split.rows)
    labels = list(split.counts(EXCLUDED))
    return {
        bone: {part: {label: counts[bone, part, label] for label in labels} for part in PARTS}
        for bone in sorted(set(bones.values()))
    }


def _row(confounder: Confounder) -> tuple[str, ...]:
    by_label = ", ".join(f"{label} {value:.2f}" for label, value in confounder.by_label.items())
    return confounder.name, str(confounder.auroc or ""), by_label, verdict(confounder)


def _show(title: str, columns: Sequence[str], rows: Rows) -> None:
    """A table of the first rows, where there are any, with a line on how many more there are."""
    if rows:
        show_table(f"{title} ({len(rows)})", columns, rows[:SHOWN])
    if len(rows) > SHOWN:
        click.echo(f"... and {len(rows) - SHOWN} more; --json lists all")
