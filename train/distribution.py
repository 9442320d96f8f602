"""Train on several processors or machines at once, with TensorFlow's own strategies."""

import json
import os
from typing import Any, Literal

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.pipeline import Share

StrategyName = Literal["none", "mirrored", "multiworker"]


def open_strategy(name: StrategyName) -> Any:
    """The tf.distribute strategy: "mirrored" over all GPUs of this machine, "multiworker" over those in TF_CONFIG.

    Call it before any other TensorFlow work: "multiworker" waits here until every worker has come.
    """
    tensorflow, _ = load_tensorflow()
    if name == "mirrored":
        return tensorflow.distribute.MirroredStrategy()
    if name == "multiworker":
        _check_cluster()
        return tensorflow.distribute.MultiWorkerMirroredStrategy()
    return tensorflow.distribute.get_strategy()


def is_chief(strategy: Any) -> bool:
    """Whether this process writes the results: always, but for the workers after the first."""
    resolver = getattr(strategy, "cluster_resolver", None)
    if resolver is None or not resolver.task_type:
        return True
    has_chief = "chief" in resolver.cluster_spec().jobs
    return bool(resolver.task_type == "chief" or (not has_chief and resolver.task_id == 0))


def check_divides(config: TrainConfig, strategy: Any) -> None:
    """Raise `OsteoEdgeError` unless a batch divides evenly between the replicas."""
    replicas = strategy.num_replicas_in_sync
    if config.batch_size % replicas:
        raise OsteoEdgeError(
            f"a batch of {config.batch_size} does not divide between {replicas} replicas; "
            f"give a --batch-size that is a multiple of {replicas}"
        )


def share_of(context: Any) -> Share:
    """What the input pipeline of one worker reads: the parts of the replicas that lie on it."""
    local = context.num_replicas_in_sync // context.num_input_pipelines
    first = context.input_pipeline_id * local
    return Share(tuple(range(first, first + local)), context.num_replicas_in_sync)


def _check_cluster() -> None:
    try:
        cluster = json.loads(os.environ.get("TF_CONFIG", "{}")).get("cluster")
    except (ValueError, AttributeError) as error:
        raise OsteoEdgeError(f"TF_CONFIG: is no JSON object ({error}); see TensorFlow's guide on it") from error
    if not cluster:
        raise OsteoEdgeError(
            "TF_CONFIG: --strategy multiworker needs it, with the workers and the number of this one, for instance "
            '{"cluster": {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}, "task": {"type": "worker", "index": 0}}'
        )
