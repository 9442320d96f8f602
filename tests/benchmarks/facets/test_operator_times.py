import textwrap
from pathlib import Path

import pytest

from osteo_edge.benchmarks.facets.operator_times import (
    ProfiledOperator,
    measure_operator_times,
    name_operators,
    read_profile,
)
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.placement import Node, load_graph, read_nodes

GOLDEN = Path(__file__).resolve().parents[2] / "data"
SUMMARY = textwrap.dedent(
    """
    ===================================== Run Order =====================================
                                 [node type]  [start]  [first]  [avg ms]     [%]   [cdf%] [mem KB] [times called] [Name]
      Delegate/Convolution (NHWC, F32) IGEMM    0.000    0.114     0.114  0.665%   0.665%    0.000              1 [Delegate]:0
                           DEPTHWISE_CONV_2D    2.078    1.854     1.854 10.822%  11.487%    0.000              1 [Builtin]:7
                           Delegate/Add (ND)    0.000    0.004     0.002  0.117%  11.604%    0.000             10 [Delegate]:1

    ============================== Top by Computation Time ==============================
                                 [node type]  [start]  [first]  [avg ms]     [%]   [cdf%] [mem KB] [times called] [Name]
                           DEPTHWISE_CONV_2D    2.078    1.854     1.854 10.822%  11.487%    0.000              1 [Builtin]:7
    """  # noqa: E501 - as LiteRT prints it
)


def node(position: int, operator: str) -> Node:
    return Node(position, operator, (), position, f"net/{operator.lower()}_{position};more", (1,), True)


def row(operator: str, place: int, calls: int = 1) -> ProfiledOperator:
    return ProfiledOperator(operator, f"[Delegate]:{place}", 1.0, calls)


def test_a_profile_is_read_in_the_order_of_execution_each_operator_once() -> None:
    assert read_profile(SUMMARY) == (
        ProfiledOperator("Convolution (NHWC, F32) IGEMM", "[Delegate]:0", 0.114, 1),
        ProfiledOperator("DEPTHWISE_CONV_2D", "[Builtin]:7", 1.854, 1),
        ProfiledOperator("Add (ND)", "[Delegate]:1", 0.02, 10),
    )


def test_an_operator_is_named_by_what_it_writes_though_others_were_fused_into_it() -> None:
    """A swish is a sigmoid and a product in the model, and one table look-up in XNNPACK."""
    nodes = [node(0, "CONV_2D"), node(1, "LOGISTIC"), node(2, "MUL"), node(3, "DEPTHWISE_CONV_2D"), node(4, "ADD")]
    rows = [
        row("Convolution (NHWC, QC8) IGEMM", 0),
        row("Invalid Unary Op", 1),
        row("Convolution (NHWC, QC8) DWConv", 2),
        row("Add (ND)", 3),
    ]
    assert name_operators(rows, nodes) == ("net/conv_2d_0", "net/logistic_1", "net/depthwise_conv_2d_3", "net/add_4")


@pytest.mark.parametrize(
    "rows",
    [
        [row("Add (ND)", 0), row("Fully Connected (NC, F32) GEMM", 1)],  # in another order than the nodes
        [row("Fully Connected (NC, F32) GEMM", 0), row("Add (ND)", 1, calls=3)],  # of three parts of the graph
        [row("Fully Connected (NC, F32) GEMM", 0), row("Copy (NC)", 1)],  # a kernel that no node is known for
        [row("Add (ND)", 0)],  # a convolution is missing
    ],
)
def test_what_cannot_be_told_for_sure_is_named_by_its_place(rows: list[ProfiledOperator]) -> None:
    found = name_operators(rows, [node(0, "CONV_2D"), node(1, "ADD")])
    assert found == tuple(row.place for row in rows)


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_the_golden_model_s_operators_are_timed_with_the_delegate(precision: str) -> None:
    model = GOLDEN / f"golden-{precision}.tflite"
    nodes = read_nodes(load_graph(model))
    found = measure_operator_times(model, nodes, threads=1)
    assert {time.name for time in found} == {node.name.partition(";")[0] for node in nodes}
    assert sum("Mean" in time.operator for time in found) == 1
    assert [time.median_ms for time in found] == sorted((time.median_ms for time in found), reverse=True)
    assert sum(time.share for time in found) == pytest.approx(1) or not any(time.median_ms for time in found)


def test_a_file_that_is_no_model_gives_no_profile_and_one_line(tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(b"no model")
    with pytest.raises(OsteoEdgeError, match=r"^LiteRT gives no profile: .*; operators are timed with LiteRT 2\.3$"):
        measure_operator_times(tmp_path / "model.tflite", [], threads=1)
