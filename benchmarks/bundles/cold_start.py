"""The cold start of `osteo-edge screen` beside the shortest script that answers the same: whole processes, compared.

python -m osteo_edge.benchmarks.bundles.cold_start BUNDLE IMAGE
"""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import click

from osteo_edge.benchmarks.measuring.cold_process import TIMEOUT_S, ColdRun, run_cold
from osteo_edge.benchmarks.measuring.command import finish
from osteo_edge.benchmarks.measuring.comparison import Check, interleave, median_ratio
from osteo_edge.benchmarks.measuring.environment import Environment, read_environment
from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.console import progress, show_table
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.standalone import Standalone
from osteo_edge.wording import Outcome

MAX_TIME_RATIO = 2.0
MAX_MEMORY_RATIO = 1.3

PRODUCT, REFERENCE, BARE = "osteo-edge screen", "reference script", "Python and numpy"
REFERENCE_SCRIPT = """
import sys, cv2, numpy as np
from ai_edge_litert.interpreter import Interpreter
model = Interpreter(model_path=sys.argv[1])
model.allocate_tensors()
given, answer = model.get_input_details()[0], model.get_output_details()[0]
_, height, width, _ = map(int, given["shape"])
values = cv2.resize(cv2.imread(sys.argv[2]), (width, height), interpolation=cv2.INTER_AREA) / np.float32(127.5) - 1
scale, zero_point = given["quantization"]
if scale:
    values = np.clip(np.rint(values / scale) + zero_point, -128, 127).astype(given["dtype"])
model.set_tensor(given["index"], values[np.newaxis])
model.invoke()
print(model.get_tensor(answer["index"]))
"""


@dataclass(frozen=True)
class ColdStart:
    """Every run of each program, in the order of the rounds; the medians and ratios are derived.

    `outcome` is what `osteo-edge screen` answered: a rejected image would be no screening.
    """

    environment: Environment
    bundle: str
    image: str
    outcome: Outcome
    runs: dict[str, tuple[ColdRun, ...]]

    def median(self, program: str, quantity: str) -> float:
        """The median of one of `ColdRun`'s quantities over a program's runs."""
        return median(self._values(program, quantity))

    @property
    def checks(self) -> tuple[Check, ...]:
        return (
            Check(f"time, {PRODUCT} / {REFERENCE}", self._ratio("wall_ms"), "at most", MAX_TIME_RATIO),
            Check(f"peak memory, {PRODUCT} / {REFERENCE}", self._ratio("peak_mib"), "at most", MAX_MEMORY_RATIO),
        )

    def to_dict(self) -> dict[str, Any]:
        """The result for machines: raw values first, what is derived from them last."""
        medians = {
            name: {quantity: self.median(name, quantity) for quantity in ("wall_ms", "cpu_ms", "peak_mib")}
            for name in self.runs
        }
        return {**asdict(self), "medians": medians, "checks": [check.to_dict() for check in self.checks]}

    def _values(self, program: str, quantity: str) -> list[float]:
        return [getattr(run, quantity) for run in self.runs[program]]

    def _ratio(self, quantity: str) -> Any:
        return median_ratio(self._values(PRODUCT, quantity), self._values(REFERENCE, quantity))


def measure_cold_start(
    bundle: Bundle,
    image: Path,
    *,
    runs: int,
    bare: bool = True,
    measure: Callable[[list[str]], ColdRun] | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> ColdStart:
    """Run each program `runs` times, interleaved; `bare` adds an empty Python with numpy, for orientation.

    Cold is the process, not the disk: each program runs once before, uncounted, which also compiles its modules, as an
    installation does. Raises `OsteoEdgeError` if a program fails or the image is rejected. `measure` takes the place of
    `run_cold`.
    """
    environment = read_environment()
    outcome = _outcome(bundle, image)
    commands = {
        PRODUCT: [*screening_program(), "screen", str(bundle.path), str(image), "--json", "--any-film"],
        REFERENCE: [sys.executable, "-c", REFERENCE_SCRIPT, str(bundle.model_path), str(image)],
    }
    if bare:
        commands[BARE] = [sys.executable, "-c", "import numpy"]
    with TemporaryDirectory() as folder:
        run = measure or partial(run_cold, bytecode=Path(folder))
        for command in commands.values():
            run(command)
        measures = {name: partial(run, command) for name, command in commands.items()}
        found = interleave(measures, runs, on_progress=on_progress)
    return ColdStart(environment, str(bundle.path), str(image), outcome, found)


def screening_program() -> list[str]:
    """The installed command beside this Python, or the module where no scripts were installed."""
    script = Path(sys.executable).parent / "osteo-edge"
    return [str(script)] if script.is_file() else [sys.executable, "-m", "osteo_edge"]


def _outcome(bundle: Bundle, image: Path) -> Outcome:
    command = [*screening_program(), "screen", str(bundle.path), str(image), "--json", "--any-film"]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if finished.returncode != 0:
        raise OsteoEdgeError(finished.stderr.strip().removeprefix("osteo-edge: "))
    outcome: Outcome = json.loads(finished.stdout)["outcome"]
    if outcome == "rejected":
        raise OsteoEdgeError(f"{image}: is rejected by the bundle's gate, so nothing is inferred; give a radiograph")
    return outcome


@click.command(cls=Standalone, short_help="Time and memory of a cold start, beside a ten-line script.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("image", type=click.Path(path_type=Path))
@click.option("--runs", type=click.IntRange(3, 1000), default=15, show_default=True, help="Processes of each program.")
@click.option("--bare/--no-bare", default=True, show_default=True, help="Measure a Python with numpy only, too.")
@click.option("--json", "as_json", is_flag=True, help="The result for machines, with every value measured.")
@click.pass_context
def cold_start(ctx: click.Context, bundle: Path, image: Path, runs: int, bare: bool, as_json: bool) -> None:
    """Measure whole processes of `osteo-edge screen` beside a ten-line script that runs the same model.

    The programs take turns in random order, their modules compiled before. The exit code is 1 if the command takes
    more than 2.0 times the time or 1.3 times the memory of the script, by their medians.

    \b
    Example:
      python -m osteo_edge.benchmarks.bundles.cold_start knee-int8 film.jpg
    """
    loaded = read_bundle(bundle)
    with progress("cold starts") as advance:
        result = measure_cold_start(loaded, image, runs=runs, bare=bare, on_progress=advance)
    if not as_json:
        _show(result)
    finish(ctx, result, as_json=as_json)


def _show(result: ColdStart) -> None:
    rows = [
        (
            name,
            f"{result.median(name, 'wall_ms'):.0f}",
            f"{min(run.wall_ms for run in runs):.0f}",
            f"{result.median(name, 'cpu_ms'):.0f}",
            f"{result.median(name, 'peak_mib'):.1f}",
        )
        for name, runs in result.runs.items()
    ]
    columns = ("Program", "Time, median ms", "Time, least ms", "CPU time, median ms", "Peak memory, median MiB")
    show_table(f"{result.bundle} on {result.image}: {len(result.runs[PRODUCT])} cold processes of each", columns, rows)


if __name__ == "__main__":
    cold_start()
