from itertools import combinations

from osteo_edge.label_places import Box, place_labels

PANEL = Box(0, 0, 400, 300)


def test_labels_of_crowded_points_cover_neither_each_other_nor_a_point() -> None:
    points = [(200.0 + 3 * number, 150.0 - 2 * number, 6.0) for number in range(8)]
    labels = place_labels(points, [(80.0, 14.0)] * 8, PANEL)
    circles = [Box(x - radius, y - radius, x + radius, y + radius) for x, y, radius in points]
    assert not any(one.overlaps(other) for one, other in combinations(labels, 2))
    assert not any(label.overlaps(circle) for label in labels for circle in circles)
    assert all(PANEL.holds(label) for label in labels)


def test_a_point_at_the_right_edge_has_its_label_at_the_left() -> None:
    (label,) = place_labels([(390, 150, 5)], [(80, 14)], PANEL)
    assert label.right < 390


def test_what_is_reserved_stays_free() -> None:
    reserved = Box(205, 130, 400, 170)
    (label,) = place_labels([(200, 150, 5)], [(80, 14)], PANEL, [reserved])
    assert not label.overlaps(reserved)


def test_where_nothing_is_free_the_label_is_at_the_right() -> None:
    (label,) = place_labels([(5, 5, 2)], [(80, 14)], Box(0, 0, 10, 10))
    assert label.left > 5
