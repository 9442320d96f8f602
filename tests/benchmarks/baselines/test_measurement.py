import importlib.util
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from osteo_edge import strict
from osteo_edge.benchmarks.baselines import measurement
from osteo_edge.benchmarks.baselines.answers import PreparedImages
from osteo_edge.benchmarks.baselines.file import Device
from osteo_edge.benchmarks.baselines.measurement import (
    TURNS,
    Plan,
    choose_framework,
    from_bundle,
    from_name,
    record_baseline,
)
from osteo_edge.benchmarks.baselines.worker import Done, Job
from osteo_edge.bundle import Bundle
from osteo_edge.errors import BundleError, OsteoEdgeError

CPU = Device("cpu", "", 0, None, None, "JAX", "0.10", "XLA")
PLAN = Plan("jax", ("float32", "float16"), (1, 4), runs=100, seconds=3.0, processes=2)


class Accelerator:
    """Stands in for worker processes: 2 ms an image in float32, 1 ms else; `failing` batches do not fit."""

    def __init__(self, failing: tuple[int, ...] = ()) -> None:
        self.failing, self.jobs = failing, list[Job]()

    def run(self, module: str, job: dict[str, Any], **_: object) -> Any:
        if module.endswith("baselines.probe"):
            return strict.to_dict(replace(CPU, kind="gpu") if job["framework"] == "torch" else CPU)
        asked = strict.from_dict(Job, job)
        self.jobs.append(asked)
        if asked.batch in self.failing:
            raise OsteoEdgeError("RESOURCE_EXHAUSTED: out of memory")
        milliseconds = asked.batch * (2.0 if asked.precision == "float32" else 1.0)
        logits = (
            None if asked.images is None else tuple((0.0, 0.0, float(n)) for n in range(len(np.load(asked.images))))
        )
        turns = tuple((milliseconds,) * asked.turn.runs for _ in range(asked.turns))
        at_s = tuple(map(float, range(asked.turns)))
        return strict.to_dict(Done(CPU, 107, 428, 900.0, 0.5, (9.0,), at_s, turns, None, 1 << 28, logits))


@pytest.fixture
def accelerator(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Accelerator]:
    def install(**options: Any) -> Accelerator:
        made = Accelerator(**options)
        monkeypatch.setattr(measurement, "run_isolated", made.run)
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
        return made

    return install


@pytest.fixture
def images() -> PreparedImages:
    return PreparedImages(("a" * 64, "b" * 64), np.zeros((2, 32, 32, 3), np.float32))


def test_every_row_is_measured_in_each_round_in_random_order(accelerator: Callable[..., Accelerator]) -> None:
    made, seen = accelerator(), list[tuple[int, int, str]]()
    found = record_baseline([from_name("mobilenet_v2")], PLAN, on_progress=lambda *at: seen.append(at))
    cells = [(job.precision, job.batch) for job in made.jobs]
    assert set(Counter(cells).values()) == {2}
    assert len(set(cells[:4])) == len(set(cells[4:])) == 4
    assert cells[:4] != cells[4:]
    (network,) = found.networks
    assert [(row.precision, row.batch) for row in network.rows] == [
        ("float32", 1),
        ("float32", 4),
        ("float16", 1),
        ("float16", 4),
    ]
    assert [row.images_per_second for row in network.rows] == [500, 500, 1000, 1000]
    assert {turn.process for turn in network.rows[0].latency.turns} == {0, 1}
    assert len(network.rows[0].latency.turns) == 2 * TURNS
    assert (seen[0], seen[-1]) == ((0, 8, "mobilenet_v2"), (8, 8, ""))


def test_the_whole_of_runs_and_seconds_is_shared_out(accelerator: Callable[..., Accelerator]) -> None:
    made = accelerator()
    record_baseline([from_name("mobilenet_v2")], PLAN)
    assert made.jobs[0].turn.runs * 2 * TURNS >= PLAN.runs
    assert made.jobs[0].turn.seconds * 2 * TURNS == pytest.approx(PLAN.seconds)


def test_a_batch_that_does_not_fit_is_missing_and_tried_once(accelerator: Callable[..., Accelerator]) -> None:
    made = accelerator(failing=(4,))
    found = record_baseline([from_name("efficientnet_b0")], PLAN)
    assert [row.batch for row in found.networks[0].rows] == [1, 1]
    assert [(one.of, one.what) for one in found.missing] == [
        ("efficientnet_b0", "float32, batch 4"),
        ("efficientnet_b0", "float16, batch 4"),
    ]
    assert sum(job.batch == 4 for job in made.jobs) == 2


def test_nothing_measured_is_an_error_with_the_reason(accelerator: Callable[..., Accelerator]) -> None:
    accelerator(failing=(1, 4))
    with pytest.raises(OsteoEdgeError, match="nothing could be measured: RESOURCE_EXHAUSTED"):
        record_baseline([from_name("mobilenet_v2")], PLAN)


def test_answers_are_asked_once_a_precision_and_stand_in_each_row(
    accelerator: Callable[..., Accelerator], keras_bundle: Bundle, images: PreparedImages
) -> None:
    made = accelerator()
    found = record_baseline([from_bundle(keras_bundle, images)], PLAN)
    assert sum(job.images is not None for job in made.jobs) == 2
    for row in found.networks[0].rows:
        assert row.answers is not None
        assert [answer.sha256[0] for answer in row.answers] == ["a", "b"]
        assert row.answers[0].probabilities == pytest.approx((1 / 3, 1 / 3, 1 / 3))
        assert [answer.is_positive for answer in row.answers] == [True, True]
    assert found.networks[0].weights == keras_bundle.manifest.model.sha256


def test_a_baseline_of_random_weights_says_so_and_has_no_answers(accelerator: Callable[..., Accelerator]) -> None:
    accelerator()
    (network,) = record_baseline([from_name("mobilenet_v2")], PLAN).networks
    assert network.has_random_weights
    assert {row.answers for row in network.rows} == {None}


def test_a_cpu_gets_its_name_from_the_machine(accelerator: Callable[..., Accelerator]) -> None:
    accelerator()
    found = record_baseline([from_name("mobilenet_v2")], PLAN)
    assert found.device.name == found.machine.cpu != ""


def test_auto_takes_the_framework_that_sees_an_accelerator(accelerator: Callable[..., Accelerator]) -> None:
    accelerator()
    assert choose_framework("auto") == "torch"
    assert choose_framework("jax") == "jax"


@pytest.mark.parametrize(
    ("asked", "packages"),
    [
        ("tensorflow", "'osteo-edge[train]'"),
        ("jax", "'osteo-edge[baseline]'"),
        ("torch", "torch 'osteo-edge[baseline]'"),
        ("auto", "'osteo-edge[baseline]'"),
    ],
)
def test_a_framework_that_is_not_installed_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, asked: str, packages: str
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(OsteoEdgeError, match=re.escape(f"pip install {packages}")):
        choose_framework(asked)


def test_a_tflite_bundle_is_refused(bundle: Bundle) -> None:
    with pytest.raises(BundleError, match="a TFLite bundle, and a baseline is of the float model before conversion"):
        from_bundle(bundle)


def test_an_unknown_network_is_refused_with_the_choice() -> None:
    with pytest.raises(OsteoEdgeError, match="'vgg16': not known; choose from mobilenet_v2, efficientnet_b0"):
        from_name("vgg16")
