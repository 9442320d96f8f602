"""Decode and resize the images of a data set once, with the code that the device runs."""

import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from osteo_edge.dataset import Case
from osteo_edge.errors import DatasetError, RadiographError
from osteo_edge.preprocessing import InputSpec, to_plane
from osteo_edge.radiograph import Pixels, read_radiograph

Skipped = tuple[str, ...]
Read = tuple[Pixels, str] | RadiographError

MOST_THREADS = 8
"""Each may hold a whole film, up to 400 MB of pixels; they take turns in decoding, so that more would only wait."""


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
    They are written to it one after the other: pages of a mapping would count as this process's memory until the
    kernel needs them for something else.
    """
    read: list[tuple[Case, str]] = []
    skipped: list[str] = []
    with tempfile.TemporaryFile() as file:
        for done, (case, result) in enumerate(_in_order(partial(_read, spec=spec), cases), start=1):
            if isinstance(result, RadiographError):
                skipped.append(str(result))
            else:
                plane, sha256 = result
                file.write(np.ascontiguousarray(plane, np.float32).data)
                read.append((case, sha256))
            on_progress(done, len(cases))
        _check_any(cases, read, skipped)
        file.flush()
        planes = np.memmap(file, np.float32, "r+", shape=(len(read), spec.height, spec.width))
    return Prepared(tuple(case for case, _ in read), planes, tuple(sha256 for _, sha256 in read), tuple(skipped))


def _read(case: Case, spec: InputSpec) -> Read:
    try:
        radiograph = read_radiograph(case.path)
    except RadiographError as error:
        return error
    return to_plane(radiograph.pixels, spec), radiograph.sha256


def _in_order(read: Callable[[Case], Read], cases: Iterable[Case]) -> Iterator[tuple[Case, Read]]:
    """Each case with what `read` makes of it, in order; threads read ahead, but only so far as memory stays small."""
    threads = min(len(os.sched_getaffinity(0)), MOST_THREADS)
    ahead: deque[tuple[Case, Future[Read]]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for case in cases:
            ahead.append((case, pool.submit(read, case)))
            if len(ahead) > 2 * threads:
                first, future = ahead.popleft()
                yield first, future.result()
        for case, future in ahead:
            yield case, future.result()


def _check_any(cases: Sequence[Case], read: Sequence[object], skipped: Sequence[str]) -> None:
    if not read:
        first = f", the first because {skipped[0]}" if skipped else ""
        raise DatasetError(f"none of {len(cases)} images can be read{first}")
