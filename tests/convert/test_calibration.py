"""Calibration images: taken from the training part of the split that the bundle was trained with, or refused."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.convert.calibration import (
    MIN_CALIBRATION,
    Calibration,
    carried,
    read_calibration,
    require_enough,
    spread_cases,
)
from osteo_edge.dataset import Case, read_dataset
from osteo_edge.errors import DatasetError, OsteoEdgeError
from osteo_edge.split import read_split, select

pytestmark = pytest.mark.tf


@pytest.fixture
def films(keras_bundle: Bundle) -> Path:
    """What the small bundle was trained on, and the split file that it carries."""
    return keras_bundle.path.parent / "stripes"


def test_images_are_those_of_the_training_part_and_as_many_as_asked_for(keras_bundle: Bundle, films: Path) -> None:
    found = read_calibration(keras_bundle, films, keras_bundle.path / "split.csv", 24)
    assert found.planes.shape == (24, 96, 96)
    assert found.source == "training images of stripes"
    everything = read_calibration(keras_bundle, films, keras_bundle.path / "split.csv", 10_000)
    split = read_split(keras_bundle.path / "split.csv")
    assert len(everything.planes) == len(select(read_dataset(films), split, "train"))
    own = carried(keras_bundle).planes[0].astype(np.float16)
    assert any(np.array_equal(plane.astype(np.float16), own) for plane in everything.planes)


def test_another_split_is_refused(keras_bundle: Bundle, films: Path, tmp_path: Path) -> None:
    other = tmp_path / "split.csv"
    other.write_text((keras_bundle.path / "split.csv").read_text("utf-8") + "\n", "utf-8")
    with pytest.raises(DatasetError, match=r"not the split that .* was trained with"):
        read_calibration(keras_bundle, films, other, 24)


def test_an_image_that_is_not_the_one_trained_with_is_refused(
    keras_bundle: Bundle, films: Path, tmp_path: Path
) -> None:
    data = tmp_path / "stripes"
    shutil.copytree(films, data)
    split = read_split(keras_bundle.path / "split.csv")
    changed = data / next(row.name for row in split.rows if row.part == "train")
    cv2.imwrite(str(changed), np.full((96, 96), 128, np.uint8))
    with pytest.raises(DatasetError, match="not the training image that the split file means"):
        read_calibration(keras_bundle, data, keras_bundle.path / "split.csv", 10_000)


def test_a_data_set_without_the_images_of_the_split_is_refused(
    keras_bundle: Bundle, films: Path, tmp_path: Path
) -> None:
    for label in keras_bundle.manifest.labels:
        (tmp_path / "part" / label).mkdir(parents=True)
        shutil.copy(films / label / "0.png", tmp_path / "part" / label)
    with pytest.raises(DatasetError, match="are not in the data set"):
        read_calibration(keras_bundle, tmp_path / "part", keras_bundle.path / "split.csv", 24)


def test_too_few_images_are_one_clear_line() -> None:
    few = Calibration(np.zeros((MIN_CALIBRATION - 1, 8, 8), np.float32), "training images that the bundle carries")
    with pytest.raises(OsteoEdgeError, match=r"15 training images .* are too few to calibrate int8 on \(16 at least\)"):
        require_enough(few, "int8")
    require_enough(Calibration(np.zeros((MIN_CALIBRATION, 8, 8), np.float32), "images"), "int8")


def test_every_label_is_among_the_images() -> None:
    cases = tuple(Case(Path(f"{number}.png"), f"{number}.png", "abc"[number % 3]) for number in range(99))
    assert [sum(case.label == label for case in spread_cases(cases, 9)) for label in "abc"] == [3, 3, 3]
    assert len(spread_cases(cases, 1000)) == 99
