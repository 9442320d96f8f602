"""Prepared images with their class numbers, and parts of them that copy nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from osteo_edge.dataset import Case
from osteo_edge.preprocessing import Pixels
from osteo_edge.train.prepared import Prepared

Classes = npt.NDArray[np.intp]
Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Labelled:
    """Some of the prepared images, each with the number of its label; a view, whose planes stay on disk."""

    prepared: Prepared
    labels: tuple[str, ...]
    places: Indices
    """Which of the prepared images, in order."""
    classes: Classes
    groups: npt.NDArray[np.str_]
    """Copies and patients: images of one group are never to be on both sides of a split."""

    @classmethod
    def of(cls, prepared: Prepared, labels: tuple[str, ...], groups: Mapping[str, str] | None = None) -> "Labelled":
        """All of them; every case's label must be one of `labels`. `groups` are by image name, else each its own."""
        names = [case.name if groups is None else groups[case.name] for case in prepared.cases]
        return cls(prepared, labels, np.arange(len(prepared.cases)), prepared.classes(labels), np.array(names, np.str_))

    def __len__(self) -> int:
        return int(self.places.size)

    def part(self, numbers: Indices) -> "Labelled":
        """Those with the given numbers, 0 to len - 1, in their order."""
        return replace(self, places=self.places[numbers], classes=self.classes[numbers], groups=self.groups[numbers])

    def planes(self, numbers: Indices | slice = slice(None)) -> Pixels:
        """The planes with the given numbers, read from disk: (n, height, width) in [0, 1]."""
        return np.asarray(self.prepared.planes[self.places[numbers]])

    def plane(self, number: int) -> Pixels:
        """One plane, (height, width)."""
        return np.asarray(self.prepared.planes[self.places[number]])

    @property
    def cases(self) -> tuple[Case, ...]:
        return tuple(self.prepared.cases[place] for place in self.places)

    @property
    def sha256s(self) -> tuple[str, ...]:
        return tuple(self.prepared.sha256s[place] for place in self.places)


def join(parts: Sequence[Labelled]) -> Labelled:
    """Parts of the same images, one after the other."""
    first = parts[0]
    return replace(
        first,
        places=np.concatenate([part.places for part in parts]),
        classes=np.concatenate([part.classes for part in parts]),
        groups=np.concatenate([part.groups for part in parts]),
    )
