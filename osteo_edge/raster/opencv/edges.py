"""Filters that bring out edges, and the contrast of small areas."""

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.float32]
Grey = npt.NDArray[np.uint8]


def correlate(pixels: Pixels, kernel: Pixels) -> Pixels:
    """The sum of products of the kernel and what lies around each sample; mirrored about the outermost samples.

    Of a kernel (rows, columns), (rows // 2, columns // 2) lies on the sample.
    """
    return np.asarray(cv2.filter2D(pixels, cv2.CV_32F, kernel), np.float32)


def sobel(pixels: Pixels) -> tuple[Pixels, Pixels]:
    """Sobel's gradient of 3 x 3, across and down: 4 for a step of 1; mirrored about the outermost samples."""
    across, down = (cv2.Sobel(pixels, cv2.CV_32F, *axes) for axes in ((1, 0), (0, 1)))
    return np.asarray(across, np.float32), np.asarray(down, np.float32)


def laplacian(pixels: Pixels) -> Pixels:
    """The sum of the four neighbours less four times the sample; mirrored about the outermost samples."""
    return np.asarray(cv2.Laplacian(pixels, cv2.CV_32F), np.float32)


def canny(grey: Grey, low: float, high: float) -> Grey:
    """255 on edges as thin as one sample, else 0 (Canny 1986): from steps above `high`, along those above `low`.

    A step is the length of Sobel's gradient of 3 x 3, so that black beside white has 4 * 255.
    """
    return np.asarray(cv2.Canny(grey, low, high, L2gradient=True), np.uint8)


def even_out(grey: Grey, clip: float, tiles: int) -> Grey:
    """Contrast-limited adaptive histogram equalization (Zuiderveld 1994) on `tiles` x `tiles` areas."""
    return np.asarray(cv2.createCLAHE(clip, (tiles, tiles)).apply(grey), np.uint8)
