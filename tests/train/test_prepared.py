"""Training prepares an image exactly as the device does."""

import resource
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from osteo_edge.dataset import Case, Dataset
from osteo_edge.errors import DatasetError
from osteo_edge.preprocessing import InputSpec, normalize, to_tensor
from osteo_edge.radiograph import Radiograph, read_radiograph
from osteo_edge.train import prepared as train_prepared
from osteo_edge.train.prepared import prepare

SPEC = InputSpec(64, 64)


@pytest.mark.parametrize("spec", [SPEC, InputSpec(48, 96, resize="knees")])
def test_training_and_device_get_the_same_tensor_bit_by_bit(spec: InputSpec, phantoms: Dataset) -> None:
    prepared = prepare(phantoms.cases, spec)
    for case, plane in zip(prepared.cases, prepared.planes, strict=True):
        on_device = to_tensor(read_radiograph(case.path).pixels, spec)
        np.testing.assert_array_equal(normalize(plane[np.newaxis], spec), on_device)


@pytest.mark.parametrize("spec", [InputSpec(224, 224), InputSpec(224, 448, resize="knees")])
def test_real_films_give_the_same_tensor_bit_by_bit_too(spec: InputSpec, shared_data: Path) -> None:
    films = sorted((shared_data / "knees" / "full_size").rglob("*.jpg"))
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


def test_neither_planes_nor_a_gap_among_them_are_held_in_memory(
    phantoms: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_prepared, "MOST_THREADS", 1)
    bad = tmp_path / "bad.png"
    bad.write_text("no picture")
    cases = (replace(phantoms.cases[0], path=bad), *phantoms.cases[1:])
    before = resident_bytes()
    tracemalloc.start()
    prepared = prepare(cases, InputSpec(768, 768))
    highest = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(prepared.planes) == len(cases) - 1
    assert highest < prepared.planes.nbytes / 2
    assert resident_bytes() - before < prepared.planes.nbytes / 2


def test_threads_read_only_a_few_images_ahead(phantoms: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_prepared, "MOST_THREADS", 2)
    begun: list[Path] = []
    ahead: list[int] = []

    def reading(path: Path) -> Radiograph:
        begun.append(path)
        return read_radiograph(path)

    def advance(done: int, total: int) -> None:
        time.sleep(0.01)
        ahead.append(len(begun) - done)

    monkeypatch.setattr(train_prepared, "read_radiograph", reading)
    prepare(phantoms.cases, SPEC, on_progress=advance)
    assert len(ahead) == len(phantoms.cases)
    assert max(ahead) <= 4


def resident_bytes() -> int:
    """What of this process's memory, mapped files included, is in RAM (proc(5), statm)."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize()


def test_no_readable_image_at_all_is_an_error(tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_text("no picture")
    with pytest.raises(DatasetError, match=r"none of 1 images .*bad\.png"):
        prepare([Case(bad, "bad.png", "normal")], SPEC)
