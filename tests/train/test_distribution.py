"""Training on several workers: what is refused, who writes, and that two workers do what one does."""

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from osteo_edge.dataset import Dataset
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.train.backbones import input_spec
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.distribution import check_divides, is_chief, open_strategy, share_of
from osteo_edge.train.fitting import fit
from osteo_edge.train.labelled import Labelled
from osteo_edge.train.models import build
from osteo_edge.train.pipeline import Share
from osteo_edge.train.prepared import prepare

WORKER = """
import json, sys
from pathlib import Path
from osteo_edge.train.distribution import is_chief, open_strategy
strategy = open_strategy(sys.argv[1])
from osteo_edge.dataset import read_dataset
from osteo_edge.train.backbones import input_spec
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.fitting import FitOptions, fit
from osteo_edge.train.labelled import Labelled
from osteo_edge.train.models import build
from osteo_edge.train.prepared import prepare

settings = json.loads(sys.argv[4])
config = TrainConfig(**{**settings, "labels": tuple(settings["labels"])})
spec = input_spec(config)
part = Labelled.of(prepare(read_dataset(Path(sys.argv[2])).cases[:24], spec), config.labels)
show = lambda *done, **stage: None
options = FitOptions(strategy, checkpoints=Path(sys.argv[3]))
fitted = fit(build(config, spec), config, spec, part, part, on_progress=show, options=options)
losses = [epoch.training_loss for epoch in fitted.epochs]
print(json.dumps({"chief": is_chief(strategy), "training": losses, "validation": fitted.validation_losses}))
"""
SMALL = TrainConfig(
    backbone="custom_cnn",
    side_px=64,
    epochs=3,
    batch_size=8,
    dropout=0.0,
    learning_rate=0.01,
    schedule="constant",
)


def _cluster(task_type: str | None, task_id: int | None, *jobs: str) -> Any:
    resolver = SimpleNamespace(
        task_type=task_type, task_id=task_id, cluster_spec=lambda: SimpleNamespace(jobs=list(jobs))
    )
    return SimpleNamespace(cluster_resolver=resolver)


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (SimpleNamespace(), True),
        (_cluster(None, None), True),
        (_cluster("worker", 0, "worker"), True),
        (_cluster("worker", 1, "worker"), False),
        (_cluster("worker", 0, "chief", "worker"), False),
        (_cluster("chief", 0, "chief", "worker"), True),
    ],
)
def test_one_process_writes_the_results(strategy: Any, expected: bool) -> None:
    assert is_chief(strategy) is expected


def test_a_batch_must_divide_between_the_replicas() -> None:
    check_divides(TrainConfig(batch_size=16), SimpleNamespace(num_replicas_in_sync=8))
    with pytest.raises(OsteoEdgeError, match="a --batch-size that is a multiple of 3"):
        check_divides(TrainConfig(batch_size=16), SimpleNamespace(num_replicas_in_sync=3))


def test_a_worker_reads_the_share_of_its_own_replicas() -> None:
    context = SimpleNamespace(num_replicas_in_sync=6, num_input_pipelines=3, input_pipeline_id=1)
    assert share_of(context) == Share((2, 3), 6)


@pytest.mark.tf
@pytest.mark.parametrize(
    ("text", "message"), [(None, "needs it, with the workers"), ("{", "is no JSON"), ("[]", "no JSON")]
)
def test_workers_that_are_not_told_of_each_other_are_refused(
    text: str | None, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if text is not None:
        monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(OsteoEdgeError, match=f"^TF_CONFIG: .*{message}"):
        open_strategy("multiworker")


@pytest.mark.tf
@pytest.mark.slow
def test_two_workers_have_the_losses_of_one(phantoms: Dataset, tmp_path: Path) -> None:
    """Batch normalization is frozen, as it is with given weights; in training each worker would have its own."""
    _write_weights(phantoms, tmp_path / "weights.h5")
    addresses = [f"127.0.0.1:{port}" for port in _free_ports(2)]
    alone = _finish(_start(phantoms, tmp_path, "none", "alone"))
    together = [_start(phantoms, tmp_path, "multiworker", "together", addresses, index) for index in range(2)]
    first, second = map(_finish, together)
    assert (first["chief"], second["chief"]) == (True, False)
    assert first["training"] == second["training"]
    np.testing.assert_allclose(first["training"], alone["training"], rtol=1e-3)
    np.testing.assert_allclose(first["validation"], alone["validation"], rtol=1e-3)
    assert np.ptp(alone["training"]) > 0.02


def _write_weights(phantoms: Dataset, path: Path) -> None:
    """A backbone after a short training, whose batch normalization fits its layers."""
    config = replace(SMALL, weights="none")
    spec = input_spec(config)
    part = Labelled.of(prepare(phantoms.cases[:16], spec), config.labels)
    network = build(config, spec)
    fit(network, config, spec, part, part, on_progress=lambda done, total, note="", stage=None: None)
    network.backbone.save_weights(path)


def _start(
    phantoms: Dataset, folder: Path, strategy: str, name: str, addresses: list[str] | None = None, index: int = 0
) -> "subprocess.Popen[str]":
    environment = {**os.environ, "OSTEO_EDGE_CACHE": str(folder / "cache")}
    if addresses is not None:
        cluster = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        environment["TF_CONFIG"] = json.dumps(cluster)
    names = ("labels", "backbone", "side_px", "epochs", "batch_size", "dropout", "learning_rate", "schedule")
    settings = {name: getattr(SMALL, name) for name in names} | {"weights": str(folder / "weights.h5")}
    words = [sys.executable, "-c", WORKER, strategy, str(phantoms.root), str(folder / name), json.dumps(settings)]
    return subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _finish(process: "subprocess.Popen[str]") -> dict[str, Any]:
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    return found


def _free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports
