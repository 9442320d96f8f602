import numpy as np
import pytest

from osteo_edge.edge_app.light_box.edges import in_order, is_usable


def test_corners_are_put_in_order() -> None:
    corners = np.array([[100.0, 90], [10, 100], [8, 5], [95, 3]])
    assert in_order(corners).tolist() == [[8, 5], [95, 3], [100, 90], [10, 100]]


@pytest.mark.parametrize(
    ("corners", "usable"),
    [
        ([[0, 0], [10, 0], [10, 20], [0, 20]], True),
        ([[0, 0], [10, 0], [9, 20], [1, 20]], True),
        ([[0, 0], [10, 20], [10, 0], [0, 20]], False),
        ([[0, 0], [10, 0], [10, 20], [9, 1]], False),
        ([[0, 0], [0, 0], [10, 20], [0, 20]], False),
        ([[0, 0], [90, 0], [100, 20], [40, 20]], False),
    ],
    ids=["rectangle", "trapezium", "crossed", "dented", "doubled", "sharp angle"],
)
def test_only_corners_that_a_rectangle_can_have_are_usable(corners: list[list[float]], usable: bool) -> None:
    assert is_usable(np.array(corners, np.float64)) is usable
