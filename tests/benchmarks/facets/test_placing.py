from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.benchmarks.facets import placing
from osteo_edge.benchmarks.facets.placing import measure_placement
from osteo_edge.benchmarks.measuring.results import OperatorTime
from osteo_edge.bundle import Bundle
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.placement import Node, load_graph

ALL = {"CONV_2D": 2, "MEAN": 1}


@pytest.fixture
def untimed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(model: Path, nodes: Sequence[Node], *, threads: int) -> tuple[OperatorTime, ...]:
        raise OsteoEdgeError("LiteRT gives no profile")

    monkeypatch.setattr(placing, "measure_operator_times", refuse)


def test_the_delegate_takes_the_whole_golden_model(golden_bundle: Callable[..., Bundle]) -> None:
    found = measure_placement(golden_bundle(precision="float32"), threads=1)
    assert (found.delegate, found.operators, found.delegated_operators) == ("XNNPACK", 3, 3)
    assert found.macs == found.delegated_macs == 6528
    assert (found.in_float, found.undelegated) == (ALL, {})
    assert len(found.slowest) == 3
    assert found.slowest_missing is None


@pytest.mark.usefixtures("untimed")
def test_without_a_profile_the_placement_is_told_and_why_there_are_no_times(bundle: Bundle) -> None:
    found = measure_placement(bundle, threads=1)
    assert (found.operators, found.in_float, found.slowest) == (3, {}, ())
    assert found.slowest_missing == "LiteRT gives no profile"


@pytest.mark.usefixtures("untimed")
def test_what_no_delegate_takes_is_named_with_its_work(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    def load_plain(model: Path) -> Any:
        return load_graph(model, delegate=False)

    monkeypatch.setattr(placing, "load_graph", load_plain)
    found = measure_placement(bundle, threads=1)
    assert (found.delegate, found.delegated_operators, found.delegated_macs) == (None, 0, 0)
    assert found.undelegated == ALL
