"""Who computes a bundle's model: the operators that the delegate took, those left in floating point, the slowest."""

from collections import Counter
from collections.abc import Sequence

from osteo_edge.benchmarks.facets.graph_work import GraphWork, count_work
from osteo_edge.benchmarks.facets.operator_times import measure_operator_times
from osteo_edge.benchmarks.measuring.results import OperatorTime, Placement
from osteo_edge.benchmarks.runtimes.runners import XNNPACK
from osteo_edge.bundle import Bundle
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.placement import Node, has_delegate, load_graph, read_nodes, undelegated_nodes

TOP = 10


def measure_placement(bundle: Bundle, *, threads: int, work: GraphWork | None = None) -> Placement:
    """Read the placement of a TFLite bundle's model in the best runtime that is installed, and time its operators.

    `work` is `count_work` of the model, where that is known already. Operators can only be timed with LiteRT; where
    they cannot, `slowest` is empty and `slowest_missing` says why. `BundleError` if the model cannot be loaded.
    """
    work = work or count_work(bundle.model_path)
    interpreter = load_graph(bundle.model_path)
    nodes, left = read_nodes(interpreter), undelegated_nodes(interpreter)
    macs, left_macs = work.total_macs, sum(work.macs[node.tensor] for node in left)
    slowest, missing = _slowest(bundle, nodes, threads)
    return Placement(
        delegate=XNNPACK if has_delegate(interpreter) else None,
        operators=len(nodes),
        delegated_operators=len(nodes) - len(left),
        macs=macs,
        delegated_macs=macs - left_macs,
        in_float=dict(Counter(node.operator for node in nodes if node.is_float)),
        undelegated=dict(Counter(node.operator for node in left)),
        slowest=slowest,
        slowest_missing=missing,
    )


def _slowest(bundle: Bundle, nodes: Sequence[Node], threads: int) -> tuple[tuple[OperatorTime, ...], str | None]:
    try:
        return measure_operator_times(bundle.model_path, nodes, threads=threads)[:TOP], None
    except OsteoEdgeError as error:
        return (), str(error)
