"""The time of each operator of a model, delegate and all, as LiteRT's own profiler takes it in a process of its own."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from osteo_edge.benchmarks.measuring.isolated import run_isolated
from osteo_edge.benchmarks.measuring.results import OperatorTime
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.placement import Node

RUNS = 25
SECONDS = 10.0
TIMEOUT_S = 300.0
DELEGATED = "Delegate/"
ROW = re.compile(
    r"^\s*(?P<operator>\S.*?)\s+[\d.]+\s+[\d.]+\s+(?P<average_ms>[\d.]+)\s+[\d.]+%\s+[\d.]+%"
    r"\s+-?[\d.]+\s+(?P<calls>\d+)\s+(?P<place>\[\w+\]:\d+)\s*$"
)
"""A row of the first table: node type, start, first, avg ms, %, cdf %, mem KB, times called, name."""
KERNELS = (
    ("DWConv", ("DEPTHWISE_CONV_2D",)),
    ("Convolution", ("CONV_2D", "DEPTHWISE_CONV_2D")),
    ("Fully Connected", ("CONV_2D", "FULLY_CONNECTED")),
    ("Add", ("ADD",)),
    ("Subtract", ("SUB",)),
    ("Multiply", ("MUL",)),
    ("Mean", ("MEAN",)),
    ("Average Pooling", ("AVERAGE_POOL_2D",)),
    ("Max Pooling", ("MAX_POOL_2D",)),
    ("Softmax", ("SOFTMAX",)),
    ("Sigmoid", ("LOGISTIC",)),
    ("Unary", ("LOGISTIC", "HARD_SWISH", "RELU", "RELU6")),
)
"""What XNNPACK calls its kernels, by a word of the name, and the operators of the model that they compute."""
COMPUTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


@dataclass(frozen=True)
class ProfiledOperator:
    """One row of a profile: `ms` is the time of all its calls in one run, `place` which of its kind it is."""

    operator: str
    place: str
    ms: float
    calls: int


def measure_operator_times(model: Path, nodes: Sequence[Node], *, threads: int) -> tuple[OperatorTime, ...]:
    """The median time of every operator over up to 25 runs, the slowest first.

    `nodes` are the model's own, in the order of execution: an operator is named by the tensor that it writes where it
    can be told which node it computes. A delegate fuses nodes and splits them, so its operators are not the model's;
    where it took several parts of the graph, LiteRT adds up operators of the same place in these. Times are taken with
    the profiler on, in whole microseconds, so their sum is not the latency. `OsteoEdgeError` where there is no profile.
    """
    profiles = [read_profile(text) for text in _run_profiler(model, threads)]
    rows = profiles[0]
    if not rows or any(len(profile) != len(rows) for profile in profiles):
        raise OsteoEdgeError("LiteRT's profile is not as expected; operators are timed with LiteRT 2.3")
    medians = [median(profile[place].ms for profile in profiles) for place in range(len(rows))]
    total = sum(medians) or 1.0
    names = name_operators(rows, nodes)
    found = [
        OperatorTime(row.operator, name, ms, ms / total) for row, name, ms in zip(rows, names, medians, strict=True)
    ]
    return tuple(sorted(found, key=lambda time: -time.median_ms))


def read_profile(summary: str) -> tuple[ProfiledOperator, ...]:
    """The operators in a summary of LiteRT's profiler of one run, in the order of execution."""
    run_order = summary.partition("Top by Computation Time")[0]
    return tuple(_operators(run_order))


def name_operators(rows: Sequence[ProfiledOperator], nodes: Sequence[Node]) -> tuple[str, ...]:
    """The tensor that each profiled operator writes, or its place if the profile cannot be laid along the nodes.

    Both are in the order of execution, so each row is given the next node that its kernel could compute; the nodes in
    between were fused. Unless every row finds one and all convolutions are found, nothing is told.
    """
    found: list[Node] = []
    remaining = iter(nodes)
    for row in rows:
        node = next((node for node in remaining if node.operator in _computed_by(row.operator)), None)
        if node is None or row.calls != 1:
            return tuple(row.place for row in rows)
        found.append(node)
    if _convolutions(found) != _convolutions(nodes):
        return tuple(row.place for row in rows)
    return tuple(node.name.partition(";")[0] for node in found)


def _operators(run_order: str) -> Iterator[ProfiledOperator]:
    for line in run_order.splitlines():
        row = ROW.match(line)
        if row is not None:
            calls = int(row["calls"])
            operator = row["operator"].removeprefix(DELEGATED)
            yield ProfiledOperator(operator, row["place"], float(row["average_ms"]) * calls, calls)


def _computed_by(operator: str) -> tuple[str, ...]:
    return next((nodes for word, nodes in KERNELS if word in operator), (operator,))


def _convolutions(nodes: Sequence[Node]) -> int:
    return sum(node.operator in COMPUTED for node in nodes)


def _run_profiler(model: Path, threads: int) -> list[str]:
    """The summaries of single runs, from a process that may die of a LiteRT that it does not know."""
    job = {"model": str(model), "threads": threads, "runs": RUNS, "seconds": SECONDS}
    try:
        summaries: list[str] = run_isolated("osteo_edge.benchmarks.facets.litert_profiler", job, timeout_s=TIMEOUT_S)
    except OsteoEdgeError as error:
        raise OsteoEdgeError(f"LiteRT gives no profile: {error}; operators are timed with LiteRT 2.3") from error
    return summaries
