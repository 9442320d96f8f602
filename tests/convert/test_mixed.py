"""Mixed precision: what a name stands for, and which layers are chosen."""

from collections.abc import Mapping

import pytest

from osteo_edge.convert.mixed import Layers, Trial, Units, choose_units, find_named, find_units
from osteo_edge.convert.operators import Operators
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.placement import Node

LAYERS = ("image", "stem", "stem_bn", "block_1_expand", "block_1_project", "block_10_expand", "map", "mean")


def _node(position: int, name: str, reads: tuple[int, ...]) -> Node:
    return Node(position, "CONV_2D", reads, position + 10, name, (1, 4, 4, 8), True)


NODES = (
    _node(0, "stem_bn", (0,)),
    _node(1, "block_1_expand", (10,)),
    _node(2, "block_1_project", (11,)),
    _node(3, "put in for block_10", (12,)),
    _node(4, "block_10_expand", (13, 12)),
    _node(5, "output 1", (14,)),
    _node(6, "output 0", (15,)),
)


@pytest.fixture
def units() -> Units:
    """A row of layers; a normalization is folded into the stem, one operator was put in, the head is two."""
    own = {"block_1_expand": (NODES[1],), "block_1_project": (NODES[2],), "block_10_expand": (NODES[4],)}
    folded = {"stem": (NODES[0],), "stem_bn": (NODES[0],), "image": ()}
    operators = Operators(NODES, {**own, **folded, "map": (NODES[5],), "mean": (NODES[6],)})
    return find_units(operators, LAYERS, ["mean", "map"])


def test_layers_that_are_one_operator_are_one_unit_and_so_is_the_head(units: Units) -> None:
    assert units.by_layer["stem_bn"] == "stem"
    assert units.operators["map"] == NODES[5:]
    assert units.by_layer["mean"] == "map"


def test_what_conversion_put_in_goes_with_what_reads_it(units: Units) -> None:
    assert units.operators["block_10_expand"] == NODES[3:5]
    assert units.size(units.operators) == len(NODES)


def test_the_readers_of_a_unit_are_those_of_all_that_it_writes(units: Units) -> None:
    assert units.with_readers("block_1_project") == {"block_1_project", "block_10_expand"}
    assert units.with_readers("map") == {"map"}


def test_a_block_is_all_layers_whose_names_start_with_it(units: Units) -> None:
    assert find_named(units, ["block_1"]) == {"block_1_expand", "block_1_project"}
    assert find_named(units, ["block_1_expand", "mean"]) == {"block_1_expand", "map"}
    assert units.tensors(find_named(units, ["block_1"])) == {"block_1_expand", "block_1_project"}


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("block_1_expnad", r"no layer 'block_1_expnad'; the nearest is 'block_1_expand'"),
        ("blok_10", r"no layer 'blok_10'; the nearest is 'block_10'"),
        ("nosuch", r"no layer 'nosuch'; they run from 'image' to 'mean'"),
        ("image", r"nothing is left of layer 'image' in the converted network"),
    ],
)
def test_a_name_that_stands_for_nothing_is_one_clear_line(name: str, problem: str, units: Units) -> None:
    with pytest.raises(OsteoEdgeError, match=problem):
        find_named(units, ["stem", name])


ERRORS: Mapping[str, float] = {"stem": 0.1, "block_1_expand": 0.5, "block_1_project": 0.3, "block_10_expand": 0.05}


def _attempt(layers: Layers) -> Trial:
    """Errors that add up; a layer's is gone when it is in floating point."""
    left = sum(error for name, error in ERRORS.items() if name not in layers)
    return Trial(left, left / 10)


def test_what_lowers_the_error_most_for_an_operator_is_chosen_first(units: Units) -> None:
    assert choose_units(units, ERRORS, _attempt, share=0.3, difference=0.001) == {"block_1_expand", "block_1_project"}


def test_no_more_is_chosen_than_is_asked_for(units: Units) -> None:
    assert choose_units(units, ERRORS, _attempt, share=0.9, difference=0.2) == frozenset()
    chosen = choose_units(units, ERRORS, _attempt, share=0.9, difference=0.016)
    assert chosen == {"block_1_expand", "block_1_project"}


def test_what_gains_nothing_stays_int8(units: Units) -> None:
    assert choose_units(units, ERRORS, lambda layers: Trial(1.0, 1.0), share=0.9, difference=0.1) == frozenset()


def test_a_share_that_holds_no_layer_leaves_all_in_int8(units: Units) -> None:
    assert choose_units(units, ERRORS, _attempt, share=0.1, difference=0.001) == frozenset()
