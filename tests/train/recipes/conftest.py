"""A fold of drawn planes: stripes of three widths, one width a label, under the knees' labels."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from osteo_edge.dataset import Case
from osteo_edge.train.config import KNEE_LABELS
from osteo_edge.train.labelled import Labelled
from osteo_edge.train.prepared import Prepared
from osteo_edge.train.recipe import Fold

PERIODS_PX = (5, 9, 16)
SIDE = 64
Draw = Callable[..., Labelled]


@pytest.fixture(scope="session")
def stripes() -> Draw:
    """Draw `each` planes of every label, (64, 64) in [0, 1], two of them of one patient."""

    def draw(each: int, *, labels: tuple[str, ...] = KNEE_LABELS, seed: int = 0) -> Labelled:
        rng = np.random.default_rng(seed)
        cases, planes = [], []
        for label, period in zip(KNEE_LABELS, PERIODS_PX, strict=True):
            for number in range(each if label in labels else 0):
                rows = np.arange(SIDE)[:, np.newaxis] + rng.uniform(0, period)
                planes.append(0.5 + 0.2 * np.sin(2 * np.pi * rows / period) + rng.normal(0, 0.1, (SIDE, SIDE)))
                cases.append(Case(Path(f"{label}{number}.png"), f"{label}{number}.png", label))
        prepared = Prepared(
            tuple(cases),
            np.clip(planes, 0, 1).astype(np.float32),
            tuple(f"{seed:02d}{number:062x}" for number in range(len(cases))),
            (),
        )
        groups = {case.name: f"{case.label}{int(case.path.stem[len(case.label) :]) // 2}" for case in cases}
        return Labelled.of(prepared, labels, groups)

    return draw


def divide(every: Labelled, *, seed: int = 0) -> Fold:
    """Half to fit on, a quarter to choose on and a quarter to answer for; groups stay together."""
    number = np.array([int(case.path.stem[len(case.label) :]) // 2 for case in every.cases])
    train, validation, test = (np.flatnonzero(np.isin(number % 4, parts)) for parts in ((0, 1), (2,), (3,)))
    return Fold(every.part(train), every.part(validation), every.part(test), seed)


@pytest.fixture(scope="session")
def fold(stripes: Draw) -> Fold:
    """24 planes of each label: 12 to fit on, 6 to choose on, 6 to answer for."""
    return divide(stripes(24))


@pytest.fixture(scope="session")
def divided() -> Callable[..., Fold]:
    return divide
