"""Bounds of instruction counts that a machine watches: what each kind of model took when the file was recorded."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from osteo_edge.benchmarks.measuring.results import Instructions
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.strict import FieldError, from_dict, to_dict
from osteo_edge.writing import write_whole

SCHEMA: Literal[1] = 1
TOLERANCE = 0.02
"""Counts repeat to within 0.1 %: the rest is for another patch release of the guest's Debian."""
SCREENING_TOLERANCE = 0.05
"""Of whole screenings: most of their instructions are Python's and its packages', which change with every module."""

Verdict = Literal["PASS", "FAIL", "no bound"]


@dataclass(frozen=True)
class Bound:
    """What an inference of such a model may take on that processor; how the weights were trained does not matter.

    Or a whole screening by such a model, as `model` then says. A `tolerance` of its own goes before the gate's.
    """

    model: str
    cpu: str
    runtime: str
    total: int
    tolerance: float | None = None

    def __post_init__(self) -> None:
        if self.total <= 0:
            raise ValueError(f"total must be positive, not {self.total}")
        if self.tolerance is not None:
            _check_share(self.tolerance)


@dataclass(frozen=True)
class Gate:
    """All bounds of a gate file, and by which share a count may lie above its bound."""

    schema: Literal[1]
    tolerance: float
    bounds: tuple[Bound, ...]

    def __post_init__(self) -> None:
        _check_share(self.tolerance)

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
        tolerance = self.tolerance if bound.tolerance is None else bound.tolerance
        return "PASS" if counted.total <= bound.total * (1 + tolerance) else "FAIL"


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


def write_gate(path: Path, counted: Iterable[Bound], kept: Sequence[Bound] = ()) -> Path:
    """Record what was counted as the bounds from now on; of models of one kind the dearest.

    Of the bounds in `kept`, from before, those stay that are not replaced: of other models or processors.
    """
    bounds: dict[tuple[str, str, str], Bound] = {}
    for bound in sorted(counted, key=lambda one: one.total):
        bounds[bound.model, bound.cpu, bound.runtime] = bound
    replaced = {(model, cpu) for model, cpu, _ in bounds}
    for bound in kept:
        if (bound.model, bound.cpu) not in replaced:
            bounds[bound.model, bound.cpu, bound.runtime] = bound
    document = to_dict(Gate(SCHEMA, TOLERANCE, tuple(bounds[key] for key in sorted(bounds))))
    for described in document["bounds"]:
        if described["tolerance"] is None:
            del described["tolerance"]
    return write_whole(path, (json.dumps(document, indent=2) + "\n").encode(), "the gate")


def _check_share(tolerance: float) -> None:
    if not 0 <= tolerance < 1:
        raise ValueError(f"tolerance must be a share from 0 to below 1, not {tolerance}")
