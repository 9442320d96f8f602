import hashlib
import json
import time
import tracemalloc
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from osteo_edge.dataset import Case, Dataset, read_dataset
from osteo_edge.train.audit import audit, components
from osteo_edge.train.audit_report import show_audit, verdict
from osteo_edge.train.joining import write_joined


def _picture(seed: int, height: int = 96, width: int = 80) -> npt.NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    soft = cv2.resize(rng.uniform(60, 190, (9, 7)), (width, height), interpolation=cv2.INTER_CUBIC)
    picture: npt.NDArray[np.uint8] = np.clip(soft + rng.normal(0, 8, soft.shape), 0, 255).astype(np.uint8)
    return picture


def _save(root: Path, name: str, image: npt.NDArray[Any]) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(root / name), image)


def _with_patients(dataset: Dataset, patients: dict[str, str]) -> Dataset:
    cases = tuple(Case(case.path, case.name, case.label, patients.get(case.name)) for case in dataset.cases)
    return Dataset(dataset.name, dataset.root, cases)


def test_equal_bytes_and_equal_pixels_are_exact_copies(tmp_path: Path) -> None:
    for name in ("a/1.png", "a/2.png", "a/3.bmp"):
        _save(tmp_path, name, _picture(0))
    _save(tmp_path, "a/4.png", _picture(1))
    found = audit(read_dataset(tmp_path))
    assert found.exact == (("a/1.png", "a/2.png", "a/3.bmp"),)
    assert found.near == ()
    assert found.copies == {"a/2.png": "a/1.png", "a/3.bmp": "a/1.png"}
    assert found.groups == {"a/1.png": "a/1.png", "a/2.png": "a/1.png", "a/3.bmp": "a/1.png", "a/4.png": "a/4.png"}


def test_a_copy_saved_again_or_mirrored_is_a_near_copy(tmp_path: Path) -> None:
    _save(tmp_path, "a/1.png", _picture(0))
    _save(tmp_path, "a/2.jpg", _picture(0))
    _save(tmp_path, "b/3.jpg", _picture(0)[:, ::-1])
    _save(tmp_path, "b/4.png", _picture(1))
    found = audit(read_dataset(tmp_path))
    assert found.exact == ()
    assert {(pair.first, pair.second, pair.variant) for pair in found.near} == {
        ("a/1.png", "a/2.jpg", "as it is"),
        ("a/1.png", "b/3.jpg", "mirrored"),
        ("a/2.jpg", "b/3.jpg", "mirrored"),
    }
    assert found.conflicts == (("a/1.png", "a/2.jpg", "b/3.jpg"),)


def test_one_image_under_two_labels_is_a_conflict_that_excludes_all_its_copies(tmp_path: Path) -> None:
    for name in ("a/1.png", "a/2.png", "b/3.png"):
        _save(tmp_path, name, _picture(0))
    _save(tmp_path, "b/4.png", _picture(1))
    found = audit(read_dataset(tmp_path))
    assert found.conflicts == (("a/1.png", "a/2.png", "b/3.png"),)
    assert found.exclusions == {
        "a/1.png": "label conflict: a copy of b/3.png (b)",
        "a/2.png": "label conflict: a copy of b/3.png (b)",
        "b/3.png": "label conflict: a copy of a/1.png (a)",
    }


def test_a_patient_joins_images_and_two_labels_of_one_exclude_nothing(tmp_path: Path) -> None:
    for number in range(4):
        _save(tmp_path, f"{'ab'[number % 2]}/{number}.png", _picture(number))
    dataset = _with_patients(read_dataset(tmp_path), {"a/0.png": "P1", "b/1.png": "P1", "a/2.png": "P2"})
    found = audit(dataset)
    assert found.groups["b/1.png"] == found.groups["a/0.png"] == "a/0.png"
    assert found.groups["a/2.png"] == "a/2.png"
    assert found.patients_with_two_labels == ("P1",)
    assert found.conflicts == ()
    assert found.exclusions == {}


def test_a_study_joins_images_whose_patient_is_not_known(tmp_path: Path) -> None:
    for number in range(3):
        _save(tmp_path, f"a/{number}.png", _picture(number))
    dataset = read_dataset(tmp_path)
    cases = tuple(replace(case, study="s" if case.name < "a/2" else None) for case in dataset.cases)
    groups = audit(replace(dataset, cases=cases)).groups
    assert groups == {"a/0.png": "a/0.png", "a/1.png": "a/0.png", "a/2.png": "a/2.png"}


def test_blank_images_are_no_copies_of_each_other(tmp_path: Path) -> None:
    for label, brightness in (("a", 0), ("b", 0), ("b2", 90)):
        _save(tmp_path, f"{label}/blank.png", np.full((96, 80), brightness, np.uint8))
    _save(tmp_path, "a/1.png", _picture(0))
    found = audit(read_dataset(tmp_path))
    assert found.blank == ("a/blank.png", "b/blank.png", "b2/blank.png")
    assert (found.exact, found.near, found.conflicts) == ((), (), ())
    assert found.exclusions["b/blank.png"].startswith("blank")
    assert len(set(found.groups.values())) == 4


def test_images_with_little_structure_are_no_near_copies_but_may_be_exact_ones(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    ramp = np.tile(np.linspace(10, 200, 400), (400, 1)).astype(np.uint8)
    _save(tmp_path, "a/ramp.png", ramp)
    _save(tmp_path, "a/again.png", ramp)
    for number in range(4):
        _save(tmp_path, f"b/noise{number}.png", rng.integers(120, 136, (1000, 1000), dtype=np.uint8))
    found = audit(read_dataset(tmp_path))
    assert len(found.featureless) == 6
    assert found.near == ()
    assert found.exact == (("a/again.png", "a/ramp.png"),)
    assert set(found.exclusions) == {"a/ramp.png"}


def test_a_broken_file_is_listed_with_its_reason_and_stops_nothing(tmp_path: Path) -> None:
    _save(tmp_path, "a/1.png", _picture(0))
    (tmp_path / "a" / "0.jpg").write_bytes(b"no picture")
    found = audit(read_dataset(tmp_path))
    (broken,) = found.unreadable
    assert broken.name == "a/0.jpg"
    assert broken.sha256 == hashlib.sha256(b"no picture").hexdigest()
    assert str(tmp_path) not in broken.reason
    assert [image.name for image in found.images] == ["a/1.png"]
    assert found.exclusions == {"a/0.jpg": f"unreadable: {broken.reason}"}


def test_a_file_that_vanished_is_listed_without_a_hash(tmp_path: Path) -> None:
    _save(tmp_path, "a/1.png", _picture(0))
    dataset = read_dataset(tmp_path)
    (tmp_path / "a" / "1.png").unlink()
    assert audit(dataset).unreadable[0].sha256 == ""


def test_progress_is_reported_for_each_file(tmp_path: Path) -> None:
    for number in range(3):
        _save(tmp_path, f"a/{number}.png", _picture(number))
    seen: list[tuple[int, int]] = []
    audit(read_dataset(tmp_path), on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_memory_does_not_grow_with_the_pixels(tmp_path: Path) -> None:
    for number in range(12):
        _save(tmp_path, f"a/{number}.png", _picture(number, 700, 700))
    dataset = read_dataset(tmp_path)

    def peak(cases: tuple[Case, ...]) -> int:
        tracemalloc.start()
        audit(Dataset("d", tmp_path, cases), confounders=False)
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    peak(dataset.cases[:1])
    assert peak(dataset.cases) < peak(dataset.cases[:2]) + 700 * 700


def test_a_label_conflict_among_thousands_of_copies_is_told_at_once(tmp_path: Path) -> None:
    _save(tmp_path, "a/1.png", _picture(0))
    found = audit(read_dataset(tmp_path), confounders=False)
    (image,) = found.images
    names = [f"{'ab'[number >= 5000]}/{number}.png" for number in range(10_000)]
    images = tuple(replace(image, name=name, label=name[0]) for name in names)
    start = time.process_time()
    reasons = replace(found, images=images, exact=(), conflicts=(tuple(names),)).exclusions
    assert time.process_time() - start < 0.5
    assert reasons["a/17.png"] == "label conflict: a copy of b/5000.png (b)"
    assert reasons["b/6000.png"] == "label conflict: a copy of a/0.png (a)"


def test_auditing_twice_gives_the_same_and_json_can_hold_it(tmp_path: Path) -> None:
    for number in range(24):
        _save(tmp_path, f"{'abc'[number % 3]}/{number}.png", _picture(number // 2, 96, 80 + number))
    (tmp_path / "a" / "broken.png").write_bytes(b"")
    dataset = read_dataset(tmp_path)
    first, second = (json.dumps(audit(dataset).to_dict(), allow_nan=False) for _ in range(2))
    assert first == second
    assert set(json.loads(first)) == {
        "dataset", "images", "unreadable", "exact", "near", "conflicts", "patients_with_two_labels", "blank",
        "featureless", "confounders",
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_components_are_what_a_walk_along_the_edges_reaches(seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = [f"{number:02}" for number in range(40)]
    edges = [tuple(rng.choice(names, int(rng.integers(1, 4))).tolist()) for _ in range(25)]
    neighbours: dict[str, set[str]] = defaultdict(set)
    for edge in edges:
        for name in edge:
            neighbours[name] |= set(edge)
    for name, root in components(names, edges).items():
        reached = {name}
        while (wider := reached.union(*(neighbours[other] for other in reached))) != reached:
            reached = wider
        assert root == min(reached)


def test_the_report_tells_what_predicts_the_label(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(60):
        side = 64 if number % 2 else 128
        _save(tmp_path, f"{'ab'[number % 2]}/{number}.png", _picture(number, side, side))
    found = audit(read_dataset(tmp_path))
    size = found.confounders[0]
    assert verdict(size) == "image size alone predicts the label: AUROC 1.00"
    show_audit(found)
    assert "image size alone" in capsys.readouterr().out


def test_a_long_list_is_cut_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(25):
        (tmp_path / "a").mkdir(exist_ok=True)
        (tmp_path / "a" / f"{number}.png").write_bytes(b"")
    show_audit(audit(read_dataset(tmp_path)))
    assert "... and 5 more; --json lists all" in capsys.readouterr().out


def test_the_knees_hold_the_copies_and_conflicts_that_their_bytes_say(shared_data: Path) -> None:
    folder = shared_data / "knees" / "images"
    by_bytes = defaultdict(list)
    for path in sorted(folder.glob("*/*.jpg")):
        by_bytes[hashlib.sha256(path.read_bytes()).hexdigest()].append(path.relative_to(folder).as_posix())
    copies = sorted(tuple(sorted(names)) for names in by_bytes.values() if len(names) > 1)
    conflicts = [names for names in copies if len({name.split("/")[0] for name in names}) > 1]
    found = audit(read_dataset(folder))
    assert list(found.exact) == copies
    assert list(found.conflicts) == conflicts
    assert (len(found.images), len(by_bytes), len(copies), sum(map(len, copies))) == (199, 177, 21, 43)
    assert (len(conflicts), sum(map(len, conflicts))) == (7, 15)
    assert len(found.images) - len(found.exclusions) == 170
    assert (found.near, found.unreadable, found.blank, found.featureless) == ((), (), (), ())


def test_on_the_knees_age_predicts_the_label_and_size_and_format_do_not(shared_data: Path, tmp_path: Path) -> None:
    knees = shared_data / "knees"
    write_joined(knees / "images", knees / "patients.csv", tmp_path / "data.csv")
    found = {each.name: each for each in audit(read_dataset(tmp_path / "data.csv")).confounders}
    assert {name for name, each in found.items() if each.flagged} == {"age", "OST"}
    values = {name: each.auroc.value for name, each in found.items() if each.auroc}
    assert values.pop("age") == pytest.approx(0.89, abs=0.03)
    assert values.pop("OST") == pytest.approx(0.75, abs=0.05)
    assert sorted(values) == ["brightness", "file", "image size", "sex", "weight"]
    assert all(0.35 < value < 0.65 for value in values.values()), "folds differ between versions of scikit-learn"
    assert all(each.auroc is not None and each.auroc.n == 170 for each in found.values())
