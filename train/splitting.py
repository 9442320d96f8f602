"""Divide a data set into train, validation and test so that no image, copy or patient is in two of them."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from osteo_edge.dataset import Case, Dataset
from osteo_edge.errors import DatasetError
from osteo_edge.split import EXCLUDED, PARTS, Split, SplitRow
from osteo_edge.train.audit import Audit
from osteo_edge.train.published_parts import exclusions, held_out_groups, published_parts

Stratum = tuple[str, str]
"""A label, and the bone where it is known."""
Counts = Mapping[Stratum, int]

ATTEMPTS = 20
"""Orders tried where patients join classes so that a plain one leaves a class out of a part."""


def make_split(audit: Audit, dataset: Dataset, *, seed: int = 0, fractions: Sequence[float] = (0.6, 0.2, 0.2)) -> Split:
    """Assign every image of `dataset` to a part by its group in `audit`, stratified by label as well as groups allow.

    Where bones are known, by bone and label. `fractions` are those of train, validation and test, and add up to 1.
    Conflicts, surplus exact copies, blank and unreadable files are excluded, with the reason. What is published as
    test part stays it, whole; validation and test parts that are not published are taken, by `fractions`, from the
    published training part. The same image files and seed give the same split on any machine,
    wherever the files lie and whatever they are called.
    Raises `DatasetError` where a label is alone, or cannot be in every part.
    """
    if len(fractions) != len(PARTS) or min(fractions) <= 0 or abs(sum(fractions) - 1) > 1e-6:
        raise ValueError(f"fractions must be {len(PARTS)} positive numbers that add up to 1, not {fractions}")
    published = published_parts(dataset)
    parts = held_out_groups(audit, published)
    reasons = exclusions(audit, published, parts)
    groups = _label_counts(audit, dataset, reasons)
    shares = _free_shares(dict(zip(PARTS, fractions, strict=True)), set(published.values()))
    free = {group: counts for group, counts in groups.items() if group not in parts}
    _check_enough(dataset, free, len(shares))
    _check_published(dataset, groups, parts)
    parts |= _find_parts(dataset, free, _content(audit, free), seed, shares)
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


def _free_shares(fractions: Mapping[str, float], published: set[str]) -> dict[str, float]:
    """The shares of the parts that the images published for training, or all of them, are divided into."""
    if not published:
        return dict(fractions)
    train, *others = PARTS
    drawn = {part: fractions[part] for part in others if part not in published}
    return {train: 1 - sum(drawn.values()), **drawn}


def _label_counts(audit: Audit, dataset: Dataset, reasons: Mapping[str, str]) -> dict[str, Counter[Stratum]]:
    """How many usable images of each stratum every group has."""
    strata = {case.name: _stratum(case) for case in dataset.cases}
    groups: dict[str, Counter[Stratum]] = defaultdict(Counter)
    for image in audit.images:
        if image.name not in reasons:
            groups[audit.groups[image.name]][strata[image.name]] += 1
    return dict(groups)


def _stratum(case: Case) -> Stratum:
    return case.label, case.bone or ""


def _labels(counts: Counts) -> set[str]:
    return {label for label, _ in counts}


def _check_enough(dataset: Dataset, groups: Mapping[str, Counts], needed: int) -> None:
    per_label = Counter(label for counts in groups.values() for label in _labels(counts))
    for label in dataset.counts:
        if per_label[label] < needed:
            raise DatasetError(
                f"{dataset.root}: {label} has {per_label[label]} independent usable images and a split needs at least "
                f"{needed}, one for each part; add images or leave the class out (osteo-edge data audit tells why)"
            )
    if len(per_label) < 2:
        raise DatasetError(f"{dataset.root}: all images are {next(iter(per_label))}; add images of another class")


def _check_published(dataset: Dataset, groups: Mapping[str, Counts], held_out: Mapping[str, str]) -> None:
    for part in sorted(set(held_out.values())):
        there = {label for group in groups if held_out.get(group) == part for label in _labels(groups[group])}
        missing = sorted(dataset.counts.keys() - there)
        if missing:
            raise DatasetError(
                f"{dataset.root}: the published {part} part has no usable image of {missing[0]}; leave published_part "
                "empty for all images to have them divided anew"
            )


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
        incomplete = [label for label in dataset.counts if len(_reached(label, groups, parts)) < len(fractions)]
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
    return {parts[group] for group, counts in groups.items() if label in _labels(counts)}


def _assign(groups: Mapping[str, Counts], order: Sequence[str], fractions: Mapping[str, float]) -> dict[str, str]:
    """The part of each group: first one group of every stratum for every part, then whichever part lacks most.

    The rarest stratum chooses first, and takes the first groups in `order`; the rest follows from its end, large groups
    before small ones, since small ones can even things out.
    """
    total = Counter[Stratum]()
    for counts in groups.values():
        total.update(counts)
    have: dict[str, Counter[Stratum]] = {part: Counter() for part in fractions}
    parts: dict[str, str] = {}

    def put(group: str, part: str) -> None:
        parts[group] = part
        have[part].update(groups[group])

    for stratum in sorted(total, key=lambda stratum: (total[stratum], stratum)):
        for part in fractions:
            free = [group for group in order if group not in parts and stratum in groups[group]]
            if free and not have[part][stratum]:
                put(free[0], part)
    for group in reversed(order):
        if group not in parts:
            put(group, max(fractions, key=lambda part: _lack(groups[group], have[part], total, fractions[part])))
    return parts


def _lack(counts: Counts, have: Counts, total: Counts, fraction: float) -> float:
    """How far a part is from its share of the strata of a group, in shares of those strata."""
    return sum(count * (fraction - have[stratum] / total[stratum]) for stratum, count in counts.items())
