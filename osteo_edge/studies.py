"""Several films of one study give one answer: the mean of what each film gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.answers import Bools, Floats, Groups, Indices
from osteo_edge.dataset import SHARED_BY_STUDY, Case


@dataclass(frozen=True, eq=False)
class Studies:
    """Films sorted into studies: `cases` are the first film of each study, in the order in which the studies come.

    `study_of` is the number of each film's study, (films,). A film that is of no study is one by itself.
    """

    cases: tuple[Case, ...]
    study_of: Indices

    def __len__(self) -> int:
        return len(self.cases)

    @cached_property
    def films(self) -> Indices:
        """How many films each study has, (studies,)."""
        return np.bincount(self.study_of, minlength=len(self))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the studies; that of the film where it is of no study."""
        return tuple(case.study or case.name for case in self.cases)

    @property
    def bones(self) -> npt.NDArray[np.str_]:
        """The bone of each study, (studies,), "" where it is not known."""
        return np.array([case.bone or "" for case in self.cases], np.str_)

    @property
    def groups(self) -> Groups:
        """What a bootstrap must not tear apart, (studies,): the patient, or the study where no patient is known."""
        return np.array([case.patient or name for case, name in zip(self.cases, self.names, strict=True)], np.str_)

    def having(self, labels: Sequence[str]) -> Bools:
        """Which studies have one of the labels, (studies,)."""
        return np.array([case.label in labels for case in self.cases], bool)

    def mean(self, values: npt.NDArray[np.floating[Any]]) -> Floats:
        """The mean over each study's films: (films, ...) becomes (studies, ...).

        For probabilities of abnormality this is the published way (Rajpurkar et al. 2018). A value that is not known
        for one film, NaN, is not known for its study.
        """
        if len(values) != self.study_of.size:
            raise ValueError(f"{len(values)} values for {self.study_of.size} films")
        sums = np.zeros((len(self), *values.shape[1:]))
        np.add.at(sums, self.study_of, values)
        return np.asarray(sums / self.films.reshape(-1, *[1] * (values.ndim - 1)), np.float64)


def group_studies(cases: Sequence[Case]) -> Studies:
    """Sort films into studies; raises ValueError where those of one study differ in what a study shares.

    >>> from pathlib import Path
    >>> films = [Case(Path(name), name, "normal", study=study) for name, study in (("a", "s"), ("b", None), ("c", "s"))]
    >>> group_studies(films).mean(np.array([0.2, 0.9, 0.4]))
    array([0.3, 0.9])
    """
    numbers: dict[str, int] = {}
    first: list[Case] = []
    study_of = np.empty(len(cases), np.intp)
    for place, case in enumerate(cases):
        key = f"study {case.study}" if case.study is not None else f"film {case.name}"
        number = study_of[place] = numbers.setdefault(key, len(numbers))
        if number == len(first):
            first.append(case)
        differing = [name for name in SHARED_BY_STUDY if getattr(case, name) != getattr(first[number], name)]
        if differing:
            raise ValueError(f"the films of {key} differ in {' and '.join(differing)}")
    return Studies(tuple(first), study_of)
