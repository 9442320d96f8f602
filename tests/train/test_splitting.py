from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from osteo_edge.dataset import Case, Dataset
from osteo_edge.errors import DatasetError
from osteo_edge.hashing import sha256_bytes
from osteo_edge.split import EXCLUDED, PARTS, Split
from osteo_edge.train.audit import Audit, Unreadable, components
from osteo_edge.train.fingerprint import Fingerprint
from osteo_edge.train.splitting import make_split

Joined = tuple[tuple[str, ...], ...]


def _audit(
    labels: dict[str, str], *, exact: Joined = (), patients: Joined = (), conflicts: Joined = (),
    unreadable: tuple[Unreadable, ...] = (),
) -> tuple[Audit, Dataset]:  # fmt: skip
    """What an audit would say of images that are known by name and label only."""
    images = tuple(
        Fingerprint(name, label, None, sha256_bytes(name.encode()), "", 64, 64, "png", 8, 1, 0.5, 0.1, b"")
        for name, label in sorted(labels.items())
    )
    groups = components(labels, (*exact, *patients, *conflicts))
    found = Audit("d", images, unreadable, exact, (), conflicts, (), groups)
    cases = [Case(Path(name), name, label) for name, label in labels.items()]
    cases += [Case(Path(file.name), file.name, file.label) for file in unreadable]
    return found, Dataset("d", Path("data"), tuple(cases))


def _labels(**counts: int) -> dict[str, str]:
    return {f"{label}/{number:03}.png": label for label, count in counts.items() for number in range(count)}


def _parts(split: Split) -> dict[str, str]:
    return {row.name: row.part for row in split.rows}


def test_each_label_is_divided_by_the_fractions() -> None:
    split = make_split(*_audit(_labels(a=100, b=20, c=5)))
    assert {part: split.counts(part) for part in PARTS} == {
        "train": {"a": 60, "b": 12, "c": 3},
        "validation": {"a": 20, "b": 4, "c": 1},
        "test": {"a": 20, "b": 4, "c": 1},
    }


def test_the_seed_alone_decides() -> None:
    data = _audit(_labels(a=30, b=30))
    assert make_split(*data, seed=1) == make_split(*data, seed=1)
    assert make_split(*data, seed=1) != make_split(*data, seed=2)


def test_one_of_each_exact_copy_is_kept_and_the_others_are_excluded() -> None:
    split = make_split(*_audit(_labels(a=9, b=9), exact=(("a/000.png", "a/003.png", "a/007.png"),)))
    rows = {row.name: row for row in split.rows}
    assert rows["a/000.png"].part in PARTS
    assert (rows["a/003.png"].part, rows["a/003.png"].reason) == (EXCLUDED, "exact copy of a/000.png")
    assert rows["a/007.png"].group == "a/000.png"


def test_conflicts_and_unreadable_files_are_excluded_with_the_reason() -> None:
    group = ("a/000.png", "b/000.png")
    broken = Unreadable("b/broken.png", "b", "1" * 64, "the file is empty")
    split = make_split(*_audit(_labels(a=9, b=9), exact=(group,), conflicts=(group,), unreadable=(broken,)))
    reasons = {row.name: row.reason for row in split.rows if row.part == EXCLUDED}
    assert reasons == {
        "a/000.png": "label conflict: a copy of b/000.png (b)",
        "b/000.png": "label conflict: a copy of a/000.png (a)",
        "b/broken.png": "unreadable: the file is empty",
    }


def test_the_smallest_possible_class_is_in_every_part() -> None:
    split = make_split(*_audit(_labels(a=200, b=3)))
    assert [split.counts(part)["b"] for part in PARTS] == [1, 1, 1]


@pytest.mark.parametrize("seed", range(40))
def test_no_group_is_ever_in_two_parts(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = _labels(a=int(rng.integers(20, 80)), b=int(rng.integers(15, 40)), c=int(rng.integers(15, 30)))
    names = np.array(list(labels))

    def some(count: int, size: int) -> Joined:
        return tuple(tuple(sorted(set(rng.choice(names, size).tolist()))) for _ in range(count))

    exact = tuple(group for group in some(6, 3) if len(group) > 1 and len({labels[name] for name in group}) == 1)
    exact = tuple(
        group for number, group in enumerate(exact) if not set(group) & {n for g in exact[:number] for n in g}
    )
    found, dataset = _audit(labels, exact=exact, patients=some(12, 4))
    split = make_split(found, dataset, seed=seed)
    parts_of = defaultdict(set)
    for row in split.rows:
        if row.part != EXCLUDED:
            parts_of[found.groups[row.name]].add(row.part)
        assert row.group == found.groups[row.name]
    assert all(len(parts) == 1 for parts in parts_of.values())
    assert sorted(_parts(split)) == sorted(labels)
    assert all(min(split.counts(part).values()) > 0 for part in PARTS)
    shares = [sum(split.counts(part).values()) for part in PARTS]
    assert 0.45 < shares[0] / sum(shares) < 0.75


def test_too_few_images_of_a_class_are_an_error_that_says_which_and_how_many() -> None:
    with pytest.raises(DatasetError, match=r"data: b has 2 independent usable images and a split needs at least 3"):
        make_split(*_audit(_labels(a=20, b=2)))


def test_images_of_one_patient_count_once() -> None:
    patients = (("b/000.png", "b/001.png", "b/002.png"),)
    with pytest.raises(DatasetError, match="b has 2 independent"):
        make_split(*_audit(_labels(a=20, b=4), patients=patients))


def test_a_class_that_is_all_in_conflict_is_an_error() -> None:
    conflicts = tuple((f"a/00{number}.png", f"b/00{number}.png") for number in range(3))
    with pytest.raises(DatasetError, match="b has 0 independent"):
        make_split(*_audit(_labels(a=20, b=3), exact=conflicts, conflicts=conflicts))


def test_one_class_alone_is_an_error() -> None:
    with pytest.raises(DatasetError, match="data: all images are a; add images of another class"):
        make_split(*_audit(_labels(a=20)))


def test_classes_joined_by_patients_reach_every_part_where_they_can() -> None:
    patients = (("a/000.png", "b/000.png"), ("a/001.png", "c/000.png"))
    for seed in range(10):
        split = make_split(*_audit(_labels(a=3, b=3, c=3), patients=patients), seed=seed)
        assert all(min(split.counts(part).values()) > 0 for part in PARTS)


def test_classes_joined_by_patients_so_that_no_split_has_all_of_them_are_an_error() -> None:
    """Classes a and b force the patients of a/002 and b/002 into one part, and class c would need them apart."""
    patients = (("a/000.png", "b/000.png"), ("a/001.png", "b/001.png"), ("a/002.png", "c/000.png"),
                ("b/002.png", "c/001.png"))  # fmt: skip
    with pytest.raises(DatasetError, match="cannot be in every part, because its patients or copies are joined"):
        make_split(*_audit(_labels(a=3, b=3, c=3), patients=patients))


def test_fractions_that_do_not_add_up_are_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="add up to 1"):
        make_split(*_audit(_labels(a=9, b=9)), fractions=(0.5, 0.2, 0.2))


def test_the_split_does_not_depend_on_where_the_files_lie() -> None:
    labels = {f"{label}/{number}.png": label for label in ("normal", "low") for number in range(20)}
    found, dataset = _audit(labels)
    here = _parts(make_split(found, dataset))
    moved = replace(
        found,
        images=tuple(replace(image, name=f"../there/{image.name}") for image in found.images),
        groups={f"../there/{name}": f"../there/{group}" for name, group in found.groups.items()},
    )
    cases = tuple(replace(case, name=f"../there/{case.name}") for case in dataset.cases)
    there = _parts(make_split(moved, replace(dataset, cases=cases)))
    assert there == {f"../there/{name}": part for name, part in here.items()}
