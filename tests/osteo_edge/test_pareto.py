import pytest

from osteo_edge.pareto import Bounds, Point, broken_by, dominates, front_of, nearest_to, smallest_within

FLOAT = Point("float32", 1_600_000, 1.0, 0.0)
HALF = Point("float16", 840_000, 0.97, 0.0002)
DYNAMIC = Point("dynamic", 530_000, 9.5, 0.0006)
INT8 = Point("int8", 620_000, 0.8, 0.004)
WORSE = Point("worse", 630_000, 0.9, 0.005)
TINY = Point("tiny", 300_000, 0.5, 0.08)
ALL = (FLOAT, HALF, DYNAMIC, INT8, WORSE, TINY)


def test_a_point_that_another_beats_in_all_three_is_off_the_front_and_no_other() -> None:
    assert [point.name for point in front_of(ALL)] == ["tiny", "dynamic", "int8", "float16", "float32"]


def test_equal_points_do_not_dominate_each_other() -> None:
    twin = Point("twin", *INT8.costs)  # type: ignore[arg-type]
    assert not dominates(INT8, twin)
    assert {point.name for point in front_of((INT8, twin))} == {"int8", "twin"}


def test_being_better_in_one_respect_is_not_to_dominate() -> None:
    assert not dominates(TINY, INT8)
    assert dominates(INT8, WORSE)
    assert not dominates(WORSE, INT8)


def test_a_latency_that_is_shorter_by_chance_alone_earns_no_place_on_the_front() -> None:
    near = Point("near", 625_000, 0.99 * INT8.latency, INT8.auroc_drop)
    assert dominates(INT8, near)
    clearly = Point("clearly", 625_000, 0.9 * INT8.latency, INT8.auroc_drop)
    assert {point.name for point in front_of((INT8, near, clearly))} == {"int8", "clearly"}


def test_the_front_of_nothing_is_empty() -> None:
    assert front_of(()) == ()


@pytest.mark.parametrize(
    ("bounds", "name"),
    [
        (Bounds(1_500_000, 0.01), "dynamic"),
        (Bounds(1_500_000, 0.01, latency=1.0), "int8"),
        (Bounds(1_500_000, 0.001, latency=1.0), "float16"),
        (Bounds(1_500_000, 0.1), "tiny"),
        (Bounds(2_000_000, 0.0), "float32"),
        (Bounds(530_000, 0.01), "dynamic"),
    ],
)
def test_the_smallest_within_the_bounds_is_chosen(bounds: Bounds, name: str) -> None:
    found = smallest_within(ALL, bounds)
    assert found is not None
    assert found.name == name


def test_of_two_as_small_the_faster_is_chosen() -> None:
    slow = Point("slow", INT8.size_bytes, 2.0, 0.0)
    assert smallest_within((slow, INT8), Bounds(1_000_000, 0.01)) == INT8


def test_a_drop_that_is_the_bound_but_for_rounding_is_within_it() -> None:
    point = Point("edge", 1, 1.0, 0.95 - 0.94)
    assert point.auroc_drop > 0.01
    assert broken_by(point, Bounds(1, 0.01)) == frozenset()


def test_what_is_nearest_breaks_one_bound_alone() -> None:
    bounds = Bounds(500_000, 0.001, latency=1.0)
    assert smallest_within(ALL, bounds) is None
    nearest = nearest_to(ALL, bounds)
    assert (nearest.if_larger, nearest.if_less_accurate, nearest.if_slower) == (HALF, TINY, None)
    assert nearest_to(ALL, Bounds(600_000, 0.001, latency=1.0)).if_slower == DYNAMIC
