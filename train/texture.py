"""Grey-level features of a radiograph, as used before networks: histogram, co-occurrence and local binary patterns."""

import numpy as np
import numpy.typing as npt

from osteo_edge.preprocessing import Pixels

Features = npt.NDArray[np.float32]

BINS = 32
GREYS = 32
DISTANCES_PX = (1, 2, 4, 8)
ANGLES = (0.0, np.pi / 4, np.pi / 2, 3 * np.pi / 4)
PROPERTIES = ("contrast", "dissimilarity", "homogeneity", "energy", "correlation")
RADII_PX = (1, 2, 3)
NEIGHBOURS_A_PIXEL = 8


def texture(plane: Pixels) -> Features:
    """Every feature of one prepared image, (height, width) in [0, 1]; the black of the letterbox is left out.

    So that the film's aspect, which differs by class in public sets, is not among them.
    """
    film = _film(plane)
    return np.concatenate([histogram(film), cooccurrence(film), binary_patterns(film)]).astype(np.float32)


def histogram(film: Pixels) -> Features:
    """The share of pixels in each of `BINS` bins of brightness."""
    counts, _ = np.histogram(film, BINS, (0.0, 1.0))
    return np.asarray(counts / film.size, np.float32)


def cooccurrence(film: Pixels) -> Features:
    """Mean and range over four directions of co-occurrence properties at each distance (Haralick et al. 1973)."""
    from skimage.feature import graycomatrix, graycoprops

    greys = np.minimum(film * GREYS, GREYS - 1).astype(np.uint8)
    matrices = graycomatrix(greys, DISTANCES_PX, ANGLES, GREYS, symmetric=True, normed=True)
    values = np.stack([graycoprops(matrices, name) for name in PROPERTIES])
    return np.concatenate([values.mean(axis=-1).ravel(), np.ptp(values, axis=-1).ravel()]).astype(np.float32)


def binary_patterns(film: Pixels) -> Features:
    """Histograms of uniform local binary patterns, which stay the same when the film is turned (Ojala et al. 2002)."""
    from skimage.feature import local_binary_pattern

    greys = np.rint(film * 255).astype(np.uint8)
    shares = []
    for radius in RADII_PX:
        points = NEIGHBOURS_A_PIXEL * radius
        codes = local_binary_pattern(greys, points, radius, "uniform").astype(np.intp)
        shares.append(np.bincount(codes.ravel(), minlength=points + 2) / codes.size)
    return np.concatenate(shares).astype(np.float32)


def _film(plane: Pixels) -> Pixels:
    """The smallest rectangle that holds every pixel above 0; all of a black image."""
    rows, columns = (np.flatnonzero(plane.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return plane
    return plane[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
