"""What the activation map costs: the model with it, without it, and with the usual head, in one process.

python -m osteo_edge.benchmarks.bundles.map_cost BUNDLE
"""

import importlib
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np

from osteo_edge.benchmarks.bundles.heads import with_pooled_head, without_map
from osteo_edge.benchmarks.measuring.command import finish
from osteo_edge.benchmarks.measuring.comparison import Check, interleave, median_ratio
from osteo_edge.benchmarks.measuring.environment import Environment, read_environment
from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.console import progress, show_table
from osteo_edge.errors import BundleError
from osteo_edge.preprocessing import InputSpec, Tensor, normalize
from osteo_edge.quiet import native_messages_held
from osteo_edge.runtime import BACKENDS, Floats, dequantize, quantize
from osteo_edge.standalone import Standalone

MAX_RATIO = 1.05
WARM_UP_RUNS = 20
WITH_MAP, WITHOUT_MAP, POOLED = "with the map", "without the map", "usual head"


@dataclass(frozen=True)
class MapCost:
    """Milliseconds of every run of each model; medians and ratios are derived.

    A run is inference and reading every output. `logit_differences` are the largest from the model with the map: 0
    without it, and what int8 rounding makes with the usual head.
    """

    environment: Environment
    bundle: str
    threads: int
    logit_differences: dict[str, float]
    runs_ms: dict[str, tuple[float, ...]]

    @property
    def checks(self) -> tuple[Check, ...]:
        rivals = [name for name in self.runs_ms if name != WITH_MAP]
        return tuple(Check(f"latency, {WITH_MAP} / {name}", self._ratio(name), "at most", MAX_RATIO) for name in rivals)

    def to_dict(self) -> dict[str, Any]:
        """The result for machines: raw values first, what is derived from them last."""
        medians = {name: median(values) for name, values in self.runs_ms.items()}
        return {**asdict(self), "medians_ms": medians, "checks": [check.to_dict() for check in self.checks]}

    def _ratio(self, rival: str) -> Any:
        return median_ratio(self.runs_ms[WITH_MAP], self.runs_ms[rival])


def measure_map_cost(
    bundle: Bundle,
    *,
    runs: int,
    threads: int = 1,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> MapCost:
    """Run the bundle's model, the one without the map and the one with the usual head in turns.

    `BundleError` if the bundle is not TFLite or its model has no map.
    """
    environment = read_environment()
    tensor = _tensor(bundle.manifest.input)
    models = {name: _Model(content, tensor, threads) for name, content in _variants(bundle).items()}
    place = bundle.manifest.outputs.logits
    logits = {name: _warm_up(model)[place if name == WITH_MAP else 0] for name, model in models.items()}
    differences = {name: float(np.abs(found - logits[WITH_MAP]).max()) for name, found in logits.items()}
    measures: Mapping[str, Callable[[], float]] = {name: model.timed_ms for name, model in models.items()}
    found = interleave(measures, runs, on_progress=on_progress)
    return MapCost(environment, str(bundle.path), threads, differences, found)


def _variants(bundle: Bundle) -> dict[str, bytes]:
    manifest = bundle.manifest
    if manifest.model.format != "tflite" or manifest.outputs.activation_map is None:
        raise BundleError(f"{bundle.path}: not a TFLite bundle with an activation map; convert a trained bundle first")
    content = bundle.model_path.read_bytes()
    return {
        WITH_MAP: content,
        WITHOUT_MAP: without_map(content, manifest.outputs),
        POOLED: with_pooled_head(content, manifest.outputs),
    }


class _Model:
    """A loaded model with its input set, without a bundle around it: the edited ones have none."""

    def __init__(self, content: bytes, tensor: Tensor, threads: int) -> None:
        module = importlib.import_module(BACKENDS[0].module)
        with native_messages_held():
            self._interpreter = module.Interpreter(model_content=content, num_threads=threads)
            self._interpreter.allocate_tensors()
        given = self._interpreter.get_input_details()[0]
        self._interpreter.set_tensor(given["index"], quantize(tensor, given))
        self._outputs = self._interpreter.get_output_details()

    def run(self) -> list[Floats]:
        self._interpreter.invoke()
        return [dequantize(self._interpreter.get_tensor(detail["index"]), detail) for detail in self._outputs]

    def timed_ms(self) -> float:
        start = time.perf_counter()
        self.run()
        return (time.perf_counter() - start) * 1000


def _warm_up(model: _Model) -> list[Floats]:
    for _ in range(WARM_UP_RUNS):
        answers = model.run()
    return answers


def _tensor(spec: InputSpec) -> Tensor:
    """Noise: the kernels take the same time for every image."""
    planes = np.random.default_rng(0).random((1, spec.height, spec.width), np.float32)
    return normalize(planes, spec)


@click.command(cls=Standalone, short_help="What the activation map adds to a model's latency.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option(
    "--runs", type=click.IntRange(3, 100_000), default=400, show_default=True, help="Inferences of each model."
)
@click.option("--threads", type=click.IntRange(1, 64), default=1, show_default=True, help="Threads of the interpreter.")
@click.option("--json", "as_json", is_flag=True, help="The result for machines, with every value measured.")
@click.pass_context
def map_cost(ctx: click.Context, bundle: Path, runs: int, threads: int, as_json: bool) -> None:
    """Measure a model's latency with its activation map, without it, and with the usual head.

    The models without map and with the usual head (global average pooling, then a dense layer) are made from the
    bundle's own, with its weights. The exit code is 1 if the map adds more than 5 % to either.

    \b
    Example:
      python -m osteo_edge.benchmarks.bundles.map_cost knee-int8
    """
    loaded = read_bundle(bundle)
    with progress("inference") as advance:
        result = measure_map_cost(loaded, runs=runs, threads=threads, on_progress=advance)
    if not as_json:
        _show(result)
    finish(ctx, result, as_json=as_json)


def _show(result: MapCost) -> None:
    rows = [
        (name, f"{median(values):.3f}", f"{min(values):.3f}", f"{result.logit_differences[name]:.4f}")
        for name, values in result.runs_ms.items()
    ]
    columns = ("Model", "Latency, median ms", "Latency, least ms", "Largest difference of a logit")
    show_table(f"{result.bundle}: {len(result.runs_ms[WITH_MAP])} runs of each, in turns", columns, rows)


if __name__ == "__main__":
    map_cost()
