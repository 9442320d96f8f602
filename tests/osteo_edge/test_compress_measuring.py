"""Compressed models: asked of the split's own images, timed by the calling thread, each right after an untimed run."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from osteo_edge import compress_measuring
from osteo_edge.bundle import Bundle
from osteo_edge.compress_measuring import ROUNDS, WARM_UP, ask, read_images, time_together
from osteo_edge.compress_record import Latency
from osteo_edge.errors import DatasetError
from osteo_edge.preprocessing import Tensor
from osteo_edge.runtime import Prediction


@dataclass
class Model:
    """Stands in for a runtime: computes for `cpu_ms` of a clock of its own, twice that right after another model."""

    name: str
    cpu_ms: float
    clock: dict[str, float]
    ran: list[str] = field(default_factory=list)

    def run(self, tensor: Tensor) -> Prediction:
        cold = bool(self.ran) and self.ran[-1] != self.name
        self.clock["cpu"] += self.cpu_ms * (2 if cold else 1) / 1000
        self.ran.append(self.name)
        return Prediction(np.zeros(3, np.float32), None)


@pytest.fixture
def timed(
    monkeypatch: pytest.MonkeyPatch, source: Bundle, films: tuple[Path, Path]
) -> Callable[..., dict[str, Latency]]:
    """Time models that compute for so many milliseconds each."""

    def start(**cpu_ms: float) -> dict[str, Latency]:
        clock, ran = {"cpu": 0.0}, list[str]()
        models = [Model(name, each, clock, ran) for name, each in cpu_ms.items()]
        monkeypatch.setattr(compress_measuring, "open_interpreter", lambda bundle, threads: models.pop(0))
        monkeypatch.setattr(time, "thread_time", lambda: clock["cpu"])
        bundles = dict.fromkeys(cpu_ms, source)
        found = time_together(bundles, next(iter(cpu_ms)), read_images(source, *films, "validation"))
        assert len(ran) == len(cpu_ms) * (WARM_UP + 2 * ROUNDS)
        return found

    return start


def test_a_model_is_not_charged_for_what_another_left_in_the_caches(
    timed: Callable[..., dict[str, Latency]],
) -> None:
    found = timed(float32=4.0, int8=1.0)
    assert found["float32"].median_ms == pytest.approx(4.0)
    assert found["int8"].median_ms == pytest.approx(1.0)
    ratio = found["int8"].ratio
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((0.25, 0.25, 0.25))


def test_images_that_have_changed_since_the_split_are_refused(
    source: Bundle, bundle: Bundle, films: tuple[Path, Path], draw_film: Callable[..., Path]
) -> None:
    images = read_images(source, *films, "validation")
    assert ask(bundle, images).truth.size == 6
    draw_film("knees/normal/validation-1.png", brightness=0.8)
    with pytest.raises(DatasetError, match=r"1 of 6 films have changed since the split was made, the first of them no"):
        ask(bundle, images)
