"""Runs inside the guest: count the instructions of inferences of one model, and print them as one line of JSON.

    guest_count.py MODULE MODEL COUNTERS KINDS RUNS

It needs nothing but numpy and the runtime's MODULE. COUNTERS is the file where the emulator's plugin counts, KINDS how
many counters there are.
"""

import gc
import importlib
import json
import mmap
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

WARM_UP_RUNS = 2
EMPTY_RUNS = 5


def main(module: str, model: str, counters: str, kinds: str, runs: str) -> None:
    """Print the counts of empty runs and of inferences after the warm-up, and who computes the graph."""
    with Path(counters).open("rb") as file:
        view = memoryview(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)).cast("Q")[: int(kinds)]
    interpreter = importlib.import_module(module).Interpreter(model_path=model, num_threads=1)
    interpreter.allocate_tensors()
    for detail in interpreter.get_input_details():
        interpreter.set_tensor(detail["index"], _noise(detail["shape"], detail["dtype"]))
    gc.disable()
    empty, inferences = [], []
    for _ in range(EMPTY_RUNS):
        before = view.tolist()
        after = view.tolist()
        empty.append([end - start for start, end in zip(before, after, strict=True)])
    for _ in range(WARM_UP_RUNS + int(runs)):
        before = view.tolist()
        interpreter.invoke()
        after = view.tolist()
        inferences.append([end - start for start, end in zip(before, after, strict=True)])
    operators = [operator["op_name"] for operator in interpreter._get_ops_details()]
    version = getattr(sys.modules[module.partition(".")[0]], "__version__", "of unknown version")
    found = {
        "version": version,
        "delegated": "DELEGATE" in operators,
        "empty": empty,
        "inferences": inferences[WARM_UP_RUNS:],
    }
    sys.stdout.write(json.dumps(found) + "\n")


def _noise(shape: npt.NDArray[np.int32], dtype: type[Any]) -> npt.NDArray[Any]:
    """The same for every model of that input; how many instructions dense kernels take does not depend on values."""
    values = np.random.default_rng(0).uniform(-1, 1, shape)
    if issubclass(dtype, np.integer):
        limits = np.iinfo(dtype)
        values = np.rint((values + 1) / 2 * (limits.max - limits.min) + limits.min)
    return values.astype(dtype)


if __name__ == "__main__":
    main(*sys.argv[1:6])
