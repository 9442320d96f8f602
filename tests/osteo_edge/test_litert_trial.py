from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.litert_trial import difference, open_fastest
from osteo_edge.runtime import Prediction


def prediction(logits: Sequence[float], **others: Any) -> Prediction:
    given = {name: np.array(values, np.float32) for name, values in others.items()}
    return Prediction(np.array(logits, np.float32), given.pop("activation_map", None), **given)


@pytest.mark.parametrize(
    ("expected", "found", "said"),
    [
        (prediction([0.0, 1.0]), prediction([0.02, 1.0]), None),
        (prediction([0.0, 1.0]), prediction([0.03, 1.0]), "logits off by 0.03"),
        (prediction([0.0, 10.0]), prediction([0.1, 10.0]), None),
        (prediction([1.0, 1.01]), prediction([1.01, 1.0]), "the labels come in another order"),
        (prediction([0.0], embedding=[1.0]), prediction([0.0], embedding=[2.0]), "embedding off by 1"),
        (prediction([0.0], severity=[1.0]), prediction([0.0], severity=[np.inf]), "severity without a number"),
    ],
)
def test_answers_are_the_same_within_two_hundredths_and_in_the_same_order(
    expected: Prediction, found: Prediction, said: str | None
) -> None:
    assert difference(expected, found) == said


def test_without_a_film_there_is_nothing_to_trust_a_gpu_by(bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing to try the GPU with"):
        open_fastest(bundle, (), mark=tmp_path / "mark")
