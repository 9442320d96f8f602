"""Data sets that their publisher has divided: the test part stays as published, and nothing of it is trained on."""

from collections.abc import Mapping

from osteo_edge.dataset import PARTS, Dataset
from osteo_edge.errors import DatasetError
from osteo_edge.train.audit import Audit

TRAIN = PARTS[0]


def published_parts(dataset: Dataset) -> dict[str, str]:
    """The part of each image by name; empty where nothing is published. Some images without one is an error."""
    given = {case.name: case.published_part for case in dataset.cases if case.published_part is not None}
    if given and len(given) < len(dataset.cases):
        first = next(case.name for case in dataset.cases if case.published_part is None)
        raise DatasetError(
            f"{dataset.root}: {len(dataset.cases) - len(given)} of {len(dataset.cases)} images have no published_part, "
            f"the first of them {first}; fill it in for all images or leave it empty for all"
        )
    return given


def held_out_groups(audit: Audit, published: Mapping[str, str]) -> dict[str, str]:
    """The part of each group that holds an image published for validation or testing; testing counts first."""
    found: dict[str, str] = {}
    for image in audit.images:
        part, group = published.get(image.name, TRAIN), audit.groups[image.name]
        if part != TRAIN:
            found[group] = max(found.get(group, part), part, key=PARTS.index)
    return found


def exclusions(audit: Audit, published: Mapping[str, str], held_out: Mapping[str, str]) -> dict[str, str]:
    """Each image that no part may use, with the reason.

    Of what is published for testing or validation only what cannot be read, or shows nothing, is excluded, so that
    figures compare with published ones: copies and contradicting labels in it stay. An image of another part goes
    where its copy, study or patient is held out.
    """
    reasons = audit.exclusions
    unusable = {*audit.blank, *(file.name for file in audit.unreadable)}
    members: dict[str, str] = {}
    for image in audit.images:
        group = audit.groups[image.name]
        if published.get(image.name) == held_out.get(group):
            members.setdefault(group, image.name)
    for image in audit.images:
        own, part = published.get(image.name), held_out.get(audit.groups[image.name])
        if image.name in unusable or part is None:
            continue
        if own == part:
            reasons.pop(image.name, None)
        else:
            other = members[audit.groups[image.name]]
            reasons[image.name] = f"published for {own}, but a copy or the patient of {other} ({part})"
    return reasons
