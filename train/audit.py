"""Look a data set over before anything is trained on it: copies, contradicting labels, confounders."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from osteo_edge.dataset import Case, Dataset
from osteo_edge.errors import RadiographError
from osteo_edge.hashing import sha256_file
from osteo_edge.train.confounders import Confounder, measure_confounders
from osteo_edge.train.fingerprint import VARIANTS, Fingerprint, fingerprint
from osteo_edge.train.near_duplicates import find_near

Names = tuple[str, ...]


@dataclass(frozen=True)
class Unreadable:
    """A file that is no radiograph, and why; `sha256` is empty where not even its bytes can be read."""

    name: str
    label: str
    sha256: str
    reason: str


@dataclass(frozen=True)
class NearPair:
    """Two images that are nearly the same: `distance` of 256 bits, and how one was turned to meet the other."""

    first: str
    second: str
    distance: int
    variant: str


@dataclass(frozen=True)
class Audit:
    """What an audit found. Images are known by `Case.name`; every list is sorted.

    `exact` are groups of images with equal bytes or equal pixels, `near` pairs that only look alike; of a crowd that
    all look alike, enough pairs to join it (`near_duplicates.MOST_PAIRS`). `conflicts` are the groups of copies, exact
    or near, that bear more than one label. `patients_with_two_labels` may be right, two visits for instance, and
    exclude nothing. `groups` gives each readable image the name of the first image that is joined with it by copies,
    by study or by patient: such images belong into one part of a split.
    """

    dataset: str
    images: tuple[Fingerprint, ...]
    unreadable: tuple[Unreadable, ...]
    exact: tuple[Names, ...]
    near: tuple[NearPair, ...]
    conflicts: tuple[Names, ...]
    patients_with_two_labels: Names
    groups: dict[str, str]
    confounders: tuple[Confounder, ...] = ()

    @property
    def blank(self) -> Names:
        """Images without a picture; they are no copies of each other, and no split uses them."""
        return tuple(image.name for image in self.images if image.blank)

    @property
    def featureless(self) -> Names:
        """Images with too little structure to look for near copies of them; exact copies are found all the same."""
        return tuple(image.name for image in self.images if not image.hashes and not image.blank)

    @property
    def copies(self) -> dict[str, str]:
        """Each surplus exact copy with the image that stands for it: the first of its group by name."""
        return {name: group[0] for group in self.exact for name in group[1:]}

    @property
    def exclusions(self) -> dict[str, str]:
        """Each file that no training and no metric may use, with the reason."""
        labels = {image.name: image.label for image in self.images}
        reasons = {file.name: f"unreadable: {file.reason}" for file in self.unreadable}
        reasons |= dict.fromkeys(self.blank, "blank: every pixel has nearly the same brightness")
        reasons |= {name: f"exact copy of {first}" for name, first in self.copies.items()}
        for group in self.conflicts:
            first = group[0]
            second = next(name for name in group if labels[name] != labels[first])
            for name in group:
                other = second if labels[name] == labels[first] else first
                reasons[name] = f"label conflict: a copy of {other} ({labels[other]})"
        return reasons

    def to_dict(self) -> dict[str, Any]:
        """The findings as JSON values."""
        return {
            "dataset": self.dataset,
            "images": [image.to_dict() | {"group": self.groups[image.name]} for image in self.images],
            "unreadable": [vars(file) for file in self.unreadable],
            "exact": [list(group) for group in self.exact],
            "near": [vars(pair) for pair in self.near],
            "conflicts": [list(group) for group in self.conflicts],
            "patients_with_two_labels": list(self.patients_with_two_labels),
            "blank": list(self.blank),
            "featureless": list(self.featureless),
            "confounders": [confounder.to_dict() for confounder in self.confounders],
        }


def audit(
    dataset: Dataset, *, on_progress: Callable[[int, int], None] | None = None, confounders: bool = True
) -> Audit:
    """Read every image once and report copies, contradictions and confounders; a broken file is listed, not fatal.

    Memory holds one image at a time, and about two kilobytes for each when all are read. `on_progress` is called with
    (done, total). Confounders are measured without surplus copies, conflicts and blank images, and need scikit-learn
    (`MissingExtraError`); a split needs none. Deterministic.
    """
    images, unreadable = _read(dataset.cases, on_progress)
    shown = [image for image in images if not image.blank]
    exact = _equal(shown, "sha256") + _equal(shown, "pixels_sha256")
    near = _near_pairs(shown, components([image.name for image in shown], exact))
    alike = components([image.name for image in images], [*exact, *((pair.first, pair.second) for pair in near)])
    labels = {image.name: image.label for image in images}
    patients = [group for group in _by_patient(images).values() if len(group) > 1]
    studies = [group for group in _by_study(images, dataset).values() if len(group) > 1]
    found = Audit(
        dataset=dataset.name,
        images=images,
        unreadable=unreadable,
        exact=_members(components([image.name for image in images], exact)),
        near=near,
        conflicts=tuple(group for group in _members(alike) if len({labels[name] for name in group}) > 1),
        patients_with_two_labels=_patients_with_two_labels(images),
        groups=components(list(alike), [*alike.items(), *patients, *studies]),
    )
    return _with_confounders(found, dataset) if confounders else found


def components(names: Iterable[str], joined: Iterable[Sequence[str]]) -> dict[str, str]:
    """Each name with the first name that it is connected to; `joined` are sets of names that belong together.

    >>> components("abcd", [("d", "b"), ("b", "c")])
    {'a': 'a', 'b': 'b', 'c': 'b', 'd': 'b'}
    """
    parent = {name: name for name in names}

    def root(name: str) -> str:
        while parent[name] != name:
            parent[name] = name = parent[parent[name]]
        return name

    for group in joined:
        for name in group[1:]:
            first, second = sorted((root(group[0]), root(name)))
            parent[second] = first
    return {name: root(name) for name in parent}


def _read(
    cases: Sequence[Case], on_progress: Callable[[int, int], None] | None
) -> tuple[tuple[Fingerprint, ...], tuple[Unreadable, ...]]:
    images, unreadable = [], []
    for done, case in enumerate(cases, start=1):
        try:
            images.append(fingerprint(case))
        except RadiographError as error:
            reason = str(error).removeprefix(f"{case.path}: ")
            unreadable.append(Unreadable(case.name, case.label, _sha256_or_nothing(case), reason))
        if on_progress is not None:
            on_progress(done, len(cases))
    return tuple(images), tuple(unreadable)


def _sha256_or_nothing(case: Case) -> str:
    try:
        return sha256_file(case.path)
    except OSError:
        return ""


def _equal(images: Iterable[Fingerprint], key: str) -> list[Names]:
    """The groups of images that share a hash."""
    names = defaultdict(list)
    for image in images:
        names[getattr(image, key)].append(image.name)
    return [tuple(group) for group in names.values() if len(group) > 1]


def _near_pairs(images: Sequence[Fingerprint], exact: dict[str, str]) -> tuple[NearPair, ...]:
    """Pairs that look alike, of the images that stand for their exact copies."""
    compared = [image for image in images if image.hashes and exact[image.name] == image.name]
    return tuple(
        NearPair(compared[near.first].name, compared[near.second].name, near.distance, VARIANTS[near.variant])
        for near in find_near([image.hashes for image in compared])
    )


def _members(roots: dict[str, str]) -> tuple[Names, ...]:
    """The components of more than one image."""
    groups = defaultdict(list)
    for name, root in roots.items():
        groups[root].append(name)
    return tuple(tuple(sorted(group)) for _, group in sorted(groups.items()) if len(group) > 1)


def _by_patient(images: Iterable[Fingerprint]) -> dict[str, list[str]]:
    names = defaultdict(list)
    for image in images:
        if image.patient is not None:
            names[image.patient].append(image.name)
    return names


def _by_study(images: Iterable[Fingerprint], dataset: Dataset) -> dict[str, list[str]]:
    studies = {case.name: case.study for case in dataset.cases}
    names = defaultdict(list)
    for image in images:
        study = studies[image.name]
        if study is not None:
            names[study].append(image.name)
    return names


def _patients_with_two_labels(images: Sequence[Fingerprint]) -> Names:
    labels = defaultdict(set)
    for image in images:
        if image.patient is not None:
            labels[image.patient].add(image.label)
    return tuple(sorted(patient for patient, own in labels.items() if len(own) > 1))


def _with_confounders(found: Audit, dataset: Dataset) -> Audit:
    cases = {case.name: case for case in dataset.cases}
    excluded = found.exclusions
    usable = [image for image in found.images if image.name not in excluded]
    return replace(found, confounders=measure_confounders(usable, cases, found.groups))
