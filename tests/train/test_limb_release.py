import csv
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from osteo_edge.dataset import read_dataset
from osteo_edge.errors import DatasetError
from osteo_edge.split import PARTS, read_split
from osteo_edge.train.data_commands import data
from osteo_edge.train.limb_phantoms import draw_limb
from osteo_edge.train.limb_release import plan_studies, write_limbs
from osteo_edge.train.mura import read_mura
from osteo_edge.train.mura_folder import BONES


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn") / "limbs"
    write_limbs(folder, per_class=3, size=64, seed=2)
    return folder


def _rows(release: Path) -> list[dict[str, str]]:
    with (release / "phantoms.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_bone_and_label_has_as_many_studies_as_asked_for_a_fifth_of_them_to_test() -> None:
    counts = Counter((study.part, study.bone, study.mura.label) for study in plan_studies(20, 0))
    assert counts == {
        (part, bone, label): number
        for bone in BONES for label in ("normal", "abnormal") for part, number in (("train", 16), ("valid", 4))
    }  # fmt: skip


def test_a_patient_is_in_one_part_and_may_have_studies_of_several_bones_and_labels() -> None:
    studies = plan_studies(30, 1)
    by_patient = {patient: [study for study in studies if study.patient == patient]
                  for patient in {study.patient for study in studies}}  # fmt: skip
    assert all(len({study.part for study in own}) == 1 for own in by_patient.values())
    assert {len(own) for own in by_patient.values()} == {1, 2, 3}
    assert any(len({study.bone for study in own}) > 1 for own in by_patient.values())
    assert any(len({study.mura.label for study in own}) > 1 for own in by_patient.values())
    names = [study.mura.name for study in studies]
    assert len(set(names)) == len(names)


def test_two_seeds_share_no_patient_and_no_study() -> None:
    first, second = (plan_studies(10, seed) for seed in (0, 1))
    assert not {study.patient for study in first} & {study.patient for study in second}
    assert not {study.seed for study in first} & {study.seed for study in second}
    assert plan_studies(10, 1) == second


def test_how_many_films_a_study_has_and_which_views_do_not_tell_its_label() -> None:
    studies = plan_studies(300, 4)
    means = {
        label: np.mean([len(study.takes) for study in studies if study.mura.label == label])
        for label in ("normal", "abnormal")
    }
    assert abs(means["normal"] - means["abnormal"]) < 0.1
    assert {len(study.takes) for study in studies} == {1, 2, 3, 4}
    assert all(len(set(study.takes)) == len(study.takes) for study in studies)


def test_it_is_read_back_as_a_release_of_mura(release: Path) -> None:
    mura, table = read_mura(release), read_dataset(release)
    assert mura.label_source == table.label_source == "phantom"
    columns = ("name", "label", "bone", "patient", "study", "published_part")
    listed, drawn = ([[getattr(case, name) for name in columns] for case in of.cases] for of in (mura, table))
    assert listed == drawn
    assert mura.broken == ()


def test_a_file_on_disk_is_the_film_that_its_row_describes(release: Path) -> None:
    study = next(study for study in plan_studies(3, 2) if len(study.takes) == 4)
    for path, (view, take) in zip(study.mura.images, study.takes, strict=True):
        seeds = {"seed": study.seed, "patient": study.patient}
        drawn = draw_limb(study.bone, study.finding, view=view, size=64, take=take, **seeds)
        row = next(row for row in _rows(release) if row["path"] == path)
        pixels = cv2.imread(str(release / path), cv2.IMREAD_UNCHANGED)
        assert pixels is not None
        assert np.array_equal(pixels, drawn.pixels)
        assert (row["view"], row["finding"], row["label"]) == (view, study.finding, drawn.label)


def test_the_contact_sheet_shows_every_bone(release: Path) -> None:
    sheet = cv2.imread(str(release / "contact_sheet.png"), cv2.IMREAD_UNCHANGED)
    assert sheet is not None
    assert sheet.shape == (len(BONES) * (224 + 18), 9 * 224)


def test_limbs_can_be_drawn_listed_and_split_by_the_commands(tmp_path: Path) -> None:
    def run(*arguments: object) -> str:
        result = CliRunner().invoke(data, [str(argument) for argument in arguments], catch_exceptions=False)
        assert result.exit_code == 0
        return result.stdout

    assert "phantoms.csv" in run("limbs", tmp_path / "drawn", "--per-class", 3, "--size", 96)
    assert "elbow" in run("mura", tmp_path / "drawn", "--out", tmp_path / "limbs.csv")
    assert "Images by bone and part" in run("split", tmp_path / "limbs.csv", "--out", tmp_path / "split.csv")
    cases = {case.name: case for case in read_dataset(tmp_path / "limbs.csv").cases}
    rows = [row for row in read_split(tmp_path / "split.csv").rows if row.part in PARTS]
    assert all((row.part == "test") == (cases[row.name].published_part == "test") for row in rows)
    assert len({(cases[row.name].patient, row.part) for row in rows}) == len({cases[row.name].patient for row in rows})
    assert len(rows) > 0.95 * len(cases)


@pytest.mark.parametrize(
    ("change", "says"),
    [({"per_class": 1}, "ask for 2 to 7000"), ({"size": 63}, "64 to 2048"), ({"seed": -1}, "choose 0 or more")],
)
def test_an_argument_out_of_range_is_refused(tmp_path: Path, change: dict[str, int], says: str) -> None:
    asked: dict[str, Any] = {"per_class": 2, "size": 64, "seed": 0} | change
    with pytest.raises(DatasetError, match=says):
        write_limbs(tmp_path / "out", **asked)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("kept")
    with pytest.raises(DatasetError, match="exists and is not an empty folder"):
        write_limbs(tmp_path, per_class=2, size=64)
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]


def test_an_interrupted_run_leaves_nothing_behind(tmp_path: Path) -> None:
    def interrupt(done: int, of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_limbs(tmp_path / "out", per_class=2, size=64, on_progress=interrupt)
    assert not list(tmp_path.iterdir())
