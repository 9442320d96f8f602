"""Bounds of instruction counts that a machine watches: what each kind of model took when the file was recorded."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from osteo_edge.benchmarks.results import Instructions
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.strict import FieldError, from_dict, to_dict
from osteo_edge.writing import write_whole

SCHEMA: Literal[1] = 1
TOLERANCE = 0.02
"""Counts repeat to within 0.1 %: the rest is for another patch release of the guest's Debian."""

Verdict = Literal["PASS", "FAIL", "no bound"]


@dataclass(frozen=True)
class Bound:
    """What an inference of such a model may take on that processor; how the weights were trained does not matter."""

    model: str
    cpu: str
    runtime: str
    total: int

    def __post_init__(self) -> None:
        if self.total <= 0:
            raise ValueError(f"total must be positive, not {self.total}")


@dataclass(frozen=True)
class Gate:
    """All bounds of a gate file, and by which share a count may lie above its bound."""

    schema: Literal[1]
    tolerance: float
    bounds: tuple[Bound, ...]

    def __post_init__(self) -> None:
        if not 0 <= self.tolerance < 1:
            raise ValueError(f"tolerance must be a share from 0 to below 1, not {self.tolerance}")

    def find(self, model: str, counted: Instructions) -> Bound | None:
        """The bound for such a model on that processor and runtime, if there is one.

        `OsteoEdgeError` if there are bounds for it, but of another version of the runtime.
        """
        same = [bound for bound in self.bounds if (bound.model, bound.cpu) == (model, counted.cpu)]
        for bound in same:
            if bound.runtime == counted.runtime:
                return bound
        for bound in same:
            if bound.runtime.partition(" ")[0] == counted.runtime.partition(" ")[0]:
                raise OsteoEdgeError(
                    f"the gate's bound of {model} on {counted.cpu} is of {bound.runtime}, and this is "
                    f"{counted.runtime}: record the gate again"
                )
        return None

    def verdict(self, bound: Bound | None, counted: Instructions) -> Verdict:
        """PASS up to the tolerance above the bound, and for everything below it."""
        if bound is None:
            return "no bound"
        return "PASS" if counted.total <= bound.total * (1 + self.tolerance) else "FAIL"


def read_gate(path: Path) -> Gate:
    """Read a gate file strictly; `OsteoEdgeError` if it cannot be read or is none."""
    try:
        return from_dict(Gate, json.loads(path.read_text("utf-8")))
    except OSError as error:
        raise OsteoEdgeError(f"{path}: cannot be read ({error.strerror})") from error
    except FieldError as error:
        raise OsteoEdgeError(f"{path}: {error}; record the gate again") from error
    except (ValueError, RecursionError) as error:
        raise OsteoEdgeError(f"{path}: not readable as JSON ({error}); record the gate again") from error


def write_gate(path: Path, counted: Sequence[tuple[str, Instructions]]) -> Path:
    """Record what was counted, by model, as the bounds from now on; of models of one kind the dearest."""
    bounds: dict[tuple[str, str, str], Bound] = {}
    for model, found in sorted(counted, key=lambda one: one[1].total):
        bounds[model, found.cpu, found.runtime] = Bound(model, found.cpu, found.runtime, found.total)
    gate = Gate(SCHEMA, TOLERANCE, tuple(bounds[key] for key in sorted(bounds)))
    text = json.dumps(to_dict(gate), indent=2) + "\n"
    return write_whole(path, text.encode(), "the gate")
