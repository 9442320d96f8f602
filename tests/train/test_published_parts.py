from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.dataset import Case, Dataset
from osteo_edge.errors import DatasetError
from osteo_edge.hashing import sha256_bytes
from osteo_edge.split import EXCLUDED, PARTS, Split, read_split, select, write_split
from osteo_edge.train.audit import Audit, Unreadable, components
from osteo_edge.train.fingerprint import Fingerprint
from osteo_edge.train.splitting import make_split

BONES = ("elbow", "hand", "wrist")
Joined = tuple[tuple[str, ...], ...]


def _released(
    patients: int = 40, tested: int = 12, *, copies: Joined = (), conflicts: Joined = (), broken: tuple[str, ...] = ()
) -> tuple[Audit, Dataset]:
    """Patients with two studies of two films each, of different bones and labels; the last of them for testing."""
    cases = []
    for number in range(patients):
        for study in range(2):
            bone, label = BONES[(number + study) % 3], ("normal", "abnormal")[(number // 3 + study) % 2]
            part = "test" if number >= patients - tested else "train"
            for film in "ab":
                name = f"{part}/p{number:03}/s{study}/{film}.png"
                about: dict[str, Any] = {"bone": bone, "study": f"p{number:03}/s{study}", "published_part": part}
                cases.append(Case(Path(name), name, label, f"p{number:03}", **about))
    images = tuple(
        Fingerprint(case.name, case.label, case.patient, sha256_bytes(case.name.encode()), "", 64, 64, "png", 8, 1, 0.5,
                    0.1, b"")
        for case in sorted(cases, key=lambda case: case.name) if case.name not in broken
    )  # fmt: skip
    unreadable = tuple(Unreadable(case.name, case.label, "1" * 64, "empty") for case in cases if case.name in broken)
    by_patient = [tuple(case.name for case in cases if case.patient == f"p{number:03}") for number in range(patients)]
    groups = components([image.name for image in images], [
        *[tuple(name for name in group if name not in broken) for group in by_patient], *copies, *conflicts
    ])  # fmt: skip
    return Audit("d", images, unreadable, copies, (), conflicts, (), groups), Dataset("d", Path("data"), tuple(cases))


def _parts(split: Split) -> dict[str, str]:
    return {row.name: row.part for row in split.rows}


def test_the_published_test_part_is_the_test_part_and_a_fifth_of_the_rest_validates() -> None:
    split = make_split(*_released())
    assert all((part == "test") == name.startswith("test/") for name, part in _parts(split).items())
    sizes = {part: sum(split.counts(part).values()) for part in PARTS}
    assert sizes["test"] == 48
    assert sizes["validation"] / (sizes["train"] + sizes["validation"]) == pytest.approx(0.2, abs=0.04)


@pytest.mark.parametrize("seed", range(5))
def test_no_patient_and_no_study_is_in_two_parts_and_every_bone_and_label_is_in_each(seed: int) -> None:
    audit, dataset = _released()
    parts = _parts(make_split(audit, dataset, seed=seed))
    for kind in ("patient", "study"):
        pairs = {(getattr(case, kind), parts[case.name]) for case in dataset.cases}
        assert len(pairs) == len({name for name, _ in pairs})
    strata = {(case.bone, case.label, parts[case.name]) for case in dataset.cases}
    assert len(strata) == len(BONES) * 2 * len(PARTS)


def test_where_nothing_is_published_for_testing_a_test_part_is_drawn() -> None:
    split = make_split(*_released(40, 0))
    sizes = {part: sum(split.counts(part).values()) for part in PARTS}
    assert sizes["test"] / 160 == pytest.approx(0.2, abs=0.04)
    assert sizes["validation"] / 160 == pytest.approx(0.2, abs=0.04)


def test_bones_are_divided_as_evenly_as_labels() -> None:
    audit, dataset = _released(120, 30)
    parts = _parts(make_split(audit, dataset))
    for bone in BONES:
        own = [parts[case.name] for case in dataset.cases if case.bone == bone and parts[case.name] != "test"]
        assert own.count("validation") / len(own) == pytest.approx(0.2, abs=0.05)


def test_what_is_joined_with_a_tested_patient_is_not_trained_on() -> None:
    copies = (("test/p030/s0/a.png", "train/p001/s0/b.png"),)
    split = make_split(*_released(copies=copies))
    rows = {row.name: row for row in split.rows}
    assert rows["test/p030/s0/a.png"].part == "test"
    assert {row.part for row in split.rows if "/p001/" in row.name} == {EXCLUDED}
    reason = "published for train, but a copy or the patient of test/p030/s0/a.png (test)"
    assert rows["train/p001/s1/a.png"].reason == reason


def test_copies_and_contradictions_within_the_tested_films_stay_and_broken_ones_do_not() -> None:
    copies = (("test/p030/s0/a.png", "test/p031/s0/a.png"),)
    conflicts = (("test/p032/s0/a.png", "test/p035/s0/a.png"),)
    split = make_split(*_released(copies=copies, conflicts=conflicts, broken=("test/p033/s0/a.png",)))
    excluded = {row.name: row.reason for row in split.rows if row.part == EXCLUDED}
    assert excluded == {"test/p033/s0/a.png": "unreadable: empty"}


def test_copies_within_the_published_training_part_are_still_excluded() -> None:
    split = make_split(*_released(copies=(("train/p000/s0/a.png", "train/p001/s0/a.png"),)))
    assert [row.name for row in split.rows if row.part == EXCLUDED] == ["train/p001/s0/a.png"]


def test_published_validation_images_leave_the_training_part_whole() -> None:
    audit, dataset = _released()
    cases = tuple(
        replace(case, published_part="validation") if case.patient in ("p025", "p026", "p027") else case
        for case in dataset.cases
    )
    parts = _parts(make_split(audit, replace(dataset, cases=cases)))
    assert {case.name for case in cases if case.published_part == "validation"} == {
        name for name, part in parts.items() if part == "validation"
    }


def test_the_split_file_reads_back_and_selects(tmp_path: Path) -> None:
    audit, dataset = _released()
    split = make_split(audit, dataset)
    write_split(split, tmp_path / "split.csv")
    assert read_split(tmp_path / "split.csv") == split
    assert len(select(dataset, split, "test")) == 48


def test_a_published_part_for_some_images_only_is_an_error() -> None:
    audit, dataset = _released()
    cases = (replace(dataset.cases[0], published_part=None), *dataset.cases[1:])
    with pytest.raises(DatasetError, match=r"1 of 160 images have no published_part, the first of them train/p000"):
        make_split(audit, replace(dataset, cases=cases))


def test_a_published_test_part_of_one_label_is_an_error() -> None:
    audit, dataset = _released()
    relabelled = {case.name for case in dataset.cases if case.published_part == "test" and case.label == "normal"}
    keep = tuple(case for case in dataset.cases if case.name not in relabelled)
    images = tuple(image for image in audit.images if image.name not in relabelled)
    with pytest.raises(DatasetError, match="the published test part has no usable image of normal"):
        make_split(replace(audit, images=images), replace(dataset, cases=keep))


def test_too_few_patients_to_train_and_validate_are_an_error() -> None:
    with pytest.raises(DatasetError, match=r"independent usable images and a split needs at least 2"):
        make_split(*_released(2, 1))
