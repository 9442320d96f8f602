"""Outlines, polygons and lines by OpenCV. Points are (n, 2), x and y in pixels; a polygon closes by itself."""

import cv2
import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
Mask = npt.NDArray[np.uint8]


def area(polygon: Points) -> float:
    """The area that a polygon encloses, whichever way round it goes."""
    return float(cv2.contourArea(polygon.astype(np.float32)))


def is_convex(polygon: Points) -> bool:
    """Whether a polygon turns the same way at all of its corners, so that one of four is convex."""
    return bool(cv2.isContourConvex(polygon.astype(np.float32)))


def distance_inside(polygon: Points, x: float, y: float) -> float:
    """How far within a polygon a point lies: the distance to its nearest side, negative outside."""
    return float(cv2.pointPolygonTest(polygon.astype(np.float32), (x, y), True))


def simplified(polygon: Points, share: float) -> Points:
    """A polygon of some of its points, from which the others lie at most `share` of its length around away.

    After Douglas and Peucker 1973, Algorithms for the reduction of the number of points, Cartographica 10(2).
    """
    closed = polygon.astype(np.float32)
    return cv2.approxPolyDP(closed, share * cv2.arcLength(closed, True), True).reshape(-1, 2).astype(np.float64)


def fitted_line(points: Points) -> npt.NDArray[np.float64]:
    """The line (x, y, dx, dy) through points, of which those far off count for next to nothing (Welsch's weights)."""
    line = cv2.fitLine(points.astype(np.float32), cv2.DIST_WELSCH, 0, 0.01, 0.01).reshape(4).astype(np.float64)
    return np.asarray(line[[2, 3, 0, 1]])


def filled(shape: tuple[int, int], polygon: Points) -> Mask:
    """A mask (height, width) of ones on a convex polygon and on the pixels that its sides run through."""
    mask = np.zeros(shape, np.uint8)
    return np.asarray(cv2.fillConvexPoly(mask, np.rint(polygon).astype(np.int32), 1), np.uint8)
