"""Divide a data set into train, validation and test so that no image, copy or patient is in two of them."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from osteo_edge.dataset import Dataset
from osteo_edge.errors import DatasetError
from osteo_edge.split import EXCLUDED, PARTS, Split, SplitRow
from osteo_edge.train.audit import Audit

Counts = Mapping[str, int]

ATTEMPTS = 20
"""Orders tried where patients join classes so that a plain one leaves a class out of a part."""


def make_split(audit: Audit, dataset: Dataset, *, seed: int = 0, fractions: Sequence[float] = (0.6, 0.2, 0.2)) -> Split:
    """Assign every image of `dataset` to a part by its group in `audit`, stratified by label as well as groups allow.

    `fractions` are those of train, validation and test, and add up to 1. Conflicts, surplus exact copies, blank and
    unreadable files are excluded, with the reason. The same image files and seed give the same split on any machine,
    wherever the files lie and whatever they are called.
    Raises `DatasetError` where a label is alone, or cannot be in every part.
    """
    if len(fractions) != len(PARTS) or min(fractions) <= 0 or abs(sum(fractions) - 1) > 1e-6:
        raise ValueError(f"fractions must be {len(PARTS)} positive numbers that add up to 1, not {fractions}")
    reasons = audit.exclusions
    groups = _label_counts(audit, reasons)
    _check_enough(dataset, groups)
    shares = dict(zip(PARTS, fractions, strict=True))
    parts = _find_parts(dataset, groups, _content(audit, groups), seed, shares)
    images = [(image.name, image.label, audit.groups[image.name], image.sha256) for image in audit.images]
    images += [(file.name, file.label, file.name, file.sha256) for file in audit.unreadable]
    rows = [
        SplitRow(name, label, group, EXCLUDED if name in reasons else parts[group], sha256, reasons.get(name, ""))
        for name, label, group, sha256 in sorted(images)
    ]
    return Split(tuple(rows))


def _content(audit: Audit, groups: Iterable[str]) -> dict[str, str]:
    """A name for each group that does not depend on what its files are called: the lowest SHA-256 among them."""
    content = dict.fromkeys(groups, "~")
    for image in audit.images:
        group = audit.groups[image.name]
        if group in content:
            content[group] = min(content[group], image.sha256)
    return content


def _label_counts(audit: Audit, reasons: Mapping[str, str]) -> dict[str, Counter[str]]:
    """How many usable images of each label every group has."""
    groups: dict[str, Counter[str]] = defaultdict(Counter)
    for image in audit.images:
        if image.name not in reasons:
            groups[audit.groups[image.name]][image.label] += 1
    return dict(groups)


def _check_enough(dataset: Dataset, groups: Mapping[str, Counts]) -> None:
    per_label = Counter(label for counts in groups.values() for label in counts)
    for label in dataset.counts:
        if per_label[label] < len(PARTS):
            raise DatasetError(
                f"{dataset.root}: {label} has {per_label[label]} independent usable images and a split needs at least "
                f"{len(PARTS)}, one for each part; add images or leave the class out (osteo-edge data audit tells why)"
            )
    if len(per_label) < 2:
        raise DatasetError(f"{dataset.root}: all images are {next(iter(per_label))}; add images of another class")


def _find_parts(
    dataset: Dataset,
    groups: Mapping[str, Counts],
    content: Mapping[str, str],
    seed: int,
    fractions: Mapping[str, float],
) -> dict[str, str]:
    """The part of each group, in the first order of groups that brings every label into every part."""
    incomplete: list[str] = []
    for attempt in range(ATTEMPTS):
        parts = _assign(groups, _order(groups, content, seed, attempt), fractions)
        incomplete = [label for label in dataset.counts if len(_reached(label, groups, parts)) < len(PARTS)]
        if not incomplete:
            return parts
    raise DatasetError(
        f"{dataset.root}: {incomplete[0]} cannot be in every part, because its patients or copies are joined with "
        "those of other classes; add images of other patients"
    )


def _order(groups: Mapping[str, Counts], content: Mapping[str, str], seed: int, attempt: int) -> list[str]:
    """Small groups first and otherwise at random; later attempts at random only."""

    def place(group: str) -> tuple[int, str]:
        size = sum(groups[group].values()) if attempt == 0 else 0
        return size, hashlib.sha256(f"{seed}:{attempt}:{content[group]}".encode()).hexdigest()

    return sorted(groups, key=place)


def _reached(label: str, groups: Mapping[str, Counts], parts: Mapping[str, str]) -> set[str]:
    return {parts[group] for group, counts in groups.items() if label in counts}


def _assign(groups: Mapping[str, Counts], order: Sequence[str], fractions: Mapping[str, float]) -> dict[str, str]:
    """The part of each group: first one group of every label for every part, then whichever part lacks most.

    The rarest label chooses first, and takes the first groups in `order`; the rest follows from its end, large groups
    before small ones, since small ones can even things out.
    """
    total = sum((Counter(counts) for counts in groups.values()), Counter[str]())
    have: dict[str, Counter[str]] = {part: Counter() for part in fractions}
    parts: dict[str, str] = {}

    def put(group: str, part: str) -> None:
        parts[group] = part
        have[part].update(groups[group])

    for label in sorted(total, key=lambda label: (total[label], label)):
        for part in fractions:
            free = [group for group in order if group not in parts and label in groups[group]]
            if free and not have[part][label]:
                put(free[0], part)
    for group in reversed(order):
        if group not in parts:
            put(group, max(fractions, key=lambda part: _lack(groups[group], have[part], total, fractions[part])))
    return parts


def _lack(counts: Counts, have: Counts, total: Counts, fraction: float) -> float:
    """How far a part is from its share of the labels of a group, in shares of those labels."""
    return sum(count * (fraction - have[label] / total[label]) for label, count in counts.items())
