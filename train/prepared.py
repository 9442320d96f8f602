"""Decode and resize the images of a data set once, with the code that the device runs."""

import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from osteo_edge.dataset import Case
from osteo_edge.errors import DatasetError, RadiographError
from osteo_edge.preprocessing import InputSpec, Pixels, to_plane
from osteo_edge.radiograph import read_radiograph

Skipped = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Prepared:
    """Images ready for the network: `planes` is (n, height, width) in [0, 1], on disk, in the order of `cases`.

    `skipped` holds a line for each image that could not be read.
    """

    cases: tuple[Case, ...]
    planes: Pixels
    sha256s: tuple[str, ...]
    skipped: Skipped

    def classes(self, labels: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        """The number of each case's label."""
        return np.array([labels.index(case.label) for case in self.cases], np.intp)


def prepare(
    cases: Sequence[Case], spec: InputSpec, *, on_progress: Callable[[int, int], None] = lambda done, total: None
) -> Prepared:
    """Prepare every case; an unreadable image is left out and listed, all of them unreadable is a `DatasetError`.

    The planes lie in an unnamed temporary file, so memory does not grow with the data set and nothing stays behind.
    """
    planes = _scratch_array((len(cases), spec.height, spec.width))

    def fill(number: int) -> str | RadiographError:
        try:
            radiograph = read_radiograph(cases[number].path)
        except RadiographError as error:
            return error
        planes[number] = to_plane(radiograph.pixels, spec)
        return radiograph.sha256

    results: list[str | RadiographError] = []
    with ThreadPoolExecutor(2) as pool:
        for result in pool.map(fill, range(len(cases))):
            results.append(result)
            on_progress(len(results), len(cases))
    return _without_failures(cases, planes, results)


def _without_failures(cases: Sequence[Case], planes: Pixels, results: Sequence[str | RadiographError]) -> Prepared:
    good = [number for number, result in enumerate(results) if isinstance(result, str)]
    skipped = tuple(str(result) for result in results if isinstance(result, RadiographError))
    if not good:
        first = f", the first because {skipped[0]}" if skipped else ""
        raise DatasetError(f"none of {len(cases)} images can be read{first}")
    kept = planes if not skipped else planes[good]
    return Prepared(tuple(cases[i] for i in good), kept, tuple(str(results[i]) for i in good), skipped)


def _scratch_array(shape: tuple[int, ...]) -> Pixels:
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, np.float32, "w+", shape=shape)
