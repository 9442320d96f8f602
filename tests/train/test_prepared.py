"""Training prepares an image exactly as the device does."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from osteo_edge.dataset import Case, Dataset
from osteo_edge.errors import DatasetError
from osteo_edge.preprocessing import InputSpec, normalize, to_tensor
from osteo_edge.radiograph import read_radiograph
from osteo_edge.train.prepared import prepare

SPEC = InputSpec(64, 64)


def test_training_and_device_get_the_same_tensor_bit_by_bit(phantoms: Dataset) -> None:
    prepared = prepare(phantoms.cases, SPEC)
    for case, plane in zip(prepared.cases, prepared.planes, strict=True):
        on_device = to_tensor(read_radiograph(case.path).pixels, SPEC)
        np.testing.assert_array_equal(normalize(plane[np.newaxis], SPEC), on_device)


def test_real_films_give_the_same_tensor_bit_by_bit_too(shared_data: Path) -> None:
    films = sorted((shared_data / "knees" / "full_size").rglob("*.jpg"))
    spec = InputSpec(224, 224)
    prepared = prepare([Case(film, film.name, film.parent.name) for film in films], spec)
    assert len(films) == 9
    for film, plane in zip(films, prepared.planes, strict=True):
        np.testing.assert_array_equal(normalize(plane[np.newaxis], spec), to_tensor(read_radiograph(film).pixels, spec))


def test_an_unreadable_image_is_left_out_and_listed(phantoms: Dataset, tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_text("no picture")
    cases = (phantoms.cases[0], replace(phantoms.cases[1], path=bad), phantoms.cases[2])
    prepared = prepare(cases, SPEC)
    assert prepared.cases == (cases[0], cases[2])
    assert len(prepared.planes) == len(prepared.sha256s) == 2
    assert [str(bad) in line for line in prepared.skipped] == [True]
    np.testing.assert_array_equal(prepared.planes[1], prepare(cases[2:], SPEC).planes[0])


def test_no_readable_image_at_all_is_an_error(tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_text("no picture")
    with pytest.raises(DatasetError, match=r"none of 1 images .*bad\.png"):
        prepare([Case(bad, "bad.png", "normal")], SPEC)
