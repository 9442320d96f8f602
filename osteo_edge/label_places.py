"""Put labels beside the points of a picture so that none covers another or a point."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

DISTANCES = (4, 16, 30, 46, 64, 84, 106)
ANGLES = (0, 180, -45, 45, -135, 135, -90, 90, -20, 20, -160, 160)
"""Degrees, clockwise from the right: beside a point a label reads best."""


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels, from the upper left."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: "Box") -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def holds(self, other: "Box") -> bool:
        across = self.left <= other.left and other.right <= self.right
        return across and self.top <= other.top and other.bottom <= self.bottom


def place_labels(
    points: Sequence[tuple[float, float, float]],
    sizes: Sequence[tuple[float, float]],
    inside: Box,
    reserved: Sequence[Box] = (),
) -> list[Box]:
    """A place for each point's label: the nearest free one, or, where there is none, the one at the right.

    `points` are (x, y, radius), `sizes` (width, height), all in pixels; what is `reserved` stays free. Earlier points
    choose first.

    >>> place_labels([(50, 50, 5)], [(20, 10)], Box(0, 0, 100, 100))
    [Box(left=59.0, top=45.0, right=79.0, bottom=55.0)]
    """
    taken = [*reserved, *(Box(x - radius, y - radius, x + radius, y + radius) for x, y, radius in points)]
    found: list[Box] = []
    for point, size in zip(points, sizes, strict=True):
        tried = list(_tried(point, size))
        free = (box for box in tried if inside.holds(box) and not any(box.overlaps(other) for other in taken))
        found.append(next(free, tried[0]))
        taken.append(found[-1])
    return found


def _tried(point: tuple[float, float, float], size: tuple[float, float]) -> Iterator[Box]:
    """Places around a point, nearest first: the side of the label that faces the point is that far away."""
    x, y, radius = point
    width, height = size
    for distance in DISTANCES:
        for angle in ANGLES:
            across, down = math.cos(math.radians(angle)), math.sin(math.radians(angle))
            middle_x = x + across * (radius + distance + width / 2)
            middle_y = y + down * (radius + distance + height / 2)
            yield Box(middle_x - width / 2, middle_y - height / 2, middle_x + width / 2, middle_y + height / 2)
