"""Connected areas of a mask by OpenCV; pixels that meet at a corner are connected."""

import cv2
import numpy as np
import numpy.typing as npt

from osteo_edge.raster.opencv import outlines

Mask = npt.NDArray[np.uint8]
"""(height, width); what is not 0 counts."""
Labels = npt.NDArray[np.int32]
Points = npt.NDArray[np.float64]


def labels(mask: Mask) -> Labels:
    """The area of each pixel, (height, width): 0 where `mask` is 0, else a number from 1 on, in no certain order."""
    return np.asarray(cv2.connectedComponents(mask)[1], np.int32)


def sizes_and_boxes(mask: Mask) -> Labels:
    """Left, top, width, height and number of pixels of each connected area, (n, 5), in no certain order."""
    return np.asarray(cv2.connectedComponentsWithStats(mask)[2][1:], np.int32)


def largest_hulls(mask: Mask, count: int, least: float) -> list[Points]:
    """The convex hulls of the connected areas, the `count` largest first, that enclose at least `least` each.

    A hull is (n, 2), x and y of pixels, and what it encloses is measured between their centres. An area that lies in
    the hole of another does not count.
    """
    contours = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    hulls = [cv2.convexHull(contour).reshape(-1, 2).astype(np.float64) for contour in contours]
    largest = sorted(hulls, key=outlines.area, reverse=True)[:count]
    return [hull for hull in largest if outlines.area(hull) >= least]
