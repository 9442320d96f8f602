"""Cut the film out of a photo as if the camera had looked straight at it, with the film's own proportions."""

import math

import numpy as np
import numpy.typing as npt

from osteo_edge.edge_app.light_box.edges import Corners, is_usable
from osteo_edge.errors import RadiographError
from osteo_edge.lettering import Picture
from osteo_edge.raster import colour, outlines, perspective, smoothing, statistics, tones

MAX_SIDE_PX = 2048
QUANTILES = (0.01, 0.995)
WHITE = 0.9
"""The upper quantile in files: the median is 0.95 in phantoms and 0.87 in a public set of 199 knee films."""
MAX_GAIN = 3.0
SATURATED = 250
INSET = 0.004
"""The share of each side that is left out along it, where the light of the box shines into the film's edge."""
TYPICAL_FOCAL = 0.8
PLAUSIBLE_FOCALS = (0.55, 1.6)
MIN_CONVERGENCE = 0.08
"""Below it, the sides are too nearly parallel to tell the focal length by."""


def crop(photo: Picture, corners: Corners) -> Picture:
    """The film in a photo, (height, width, 3) in blue, green, red, with the brightness that a film's file has.

    `corners` are (4, 2), clockwise from the film's top left, as found or as the user put them: the first one becomes
    the picture's top left. At most `MAX_SIDE_PX` on a side. Exposure and light decide how bright a photo is, so the
    darkest hundredth is laid to black and the brightest, glare aside, to `WHITE`. Colours other than a cast over the
    whole stay, so that the model's gate can still tell a coloured picture. Raises `RadiographError` for corners that
    are none of a film.
    """
    if not is_usable(corners):
        raise RadiographError("the corners do not frame a film; put them on the film's four corners")
    width, height = crop_size(corners, (photo.shape[0], photo.shape[1]))
    size = np.array([width, height], np.float32)
    target = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32) * (1 + 2 * INSET) * size - INSET * size - 0.5
    matrix = perspective.homography(corners, target)
    shrink = outlines.area(corners) / (width * height)
    if shrink > 4:  # a warp takes single pixels, so what is between them is averaged first
        reach = round(math.sqrt(shrink))
        photo = smoothing.box_mean(photo, reach, reach)
    return _toned(_without_cast(perspective.warped(photo, matrix, width, height)))


def crop_size(corners: Corners, shape: tuple[int, int]) -> tuple[int, int]:
    """Width and height in pixels of the film cut out of a photo of `shape`: no side shorter than it is in the photo."""
    ratio = proportions(corners, shape)
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    width = max(sides[0], sides[2], ratio * max(sides[1], sides[3]))
    scale = min(1.0, MAX_SIDE_PX / max(width, width / ratio))
    return max(1, round(width * scale)), max(1, round(width / ratio * scale))


def turned(corners: Corners, quarter_turns: int) -> Corners:
    """The corners from another of them on, so that the crop is turned clockwise by as many quarters."""
    return np.roll(corners, quarter_turns, axis=0)


def proportions(corners: Corners, shape: tuple[int, int]) -> float:
    """Width over height of the rectangle that is seen as `corners` in a photo of `shape` (height, width).

    After Zhang and He 2007, Whiteboard scanning and image enhancement, Digital Signal Processing 17(2), equations 11
    to 21, with square pixels and the optical axis through the middle of the photo, so that it must not be trimmed.

    >>> square = np.array([[10.0, 10.0], [30.0, 10.0], [30.0, 50.0], [10.0, 50.0]])
    >>> proportions(square, (60, 40))
    0.5
    """
    across, down = _edges(corners, shape)
    focal = focal_length(corners, shape)
    weights = np.array([1 / focal**2, 1 / focal**2, 1.0])
    return math.sqrt(float(weights @ across**2) / float(weights @ down**2))


def focal_length(corners: Corners, shape: tuple[int, int]) -> float:
    """The focal length in pixels that makes the corners those of a rectangle, where they tell it plausibly.

    Otherwise that of a usual phone, tablet or Pi camera, 0.8 times the photo's longer side (a field of view of 64
    degrees): seen from straight ahead, the proportions hardly depend on it.
    """
    across, down = _edges(corners, shape)
    longest = max(shape)
    typical = TYPICAL_FOCAL * longest
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    convergence = [abs(math.log(sides[i] / sides[i + 2])) for i in (0, 1)]
    if min(convergence) < MIN_CONVERGENCE:
        return typical
    squared = -float(across[:2] @ down[:2]) / float(across[2] * down[2])
    low, high = (share * longest for share in PLAUSIBLE_FOCALS)
    return math.sqrt(squared) if low**2 <= squared <= high**2 else typical


def tilt(corners: Corners, shape: tuple[int, int]) -> float:
    """The angle in degrees between the film and a film that the camera sees from straight ahead."""
    focal = focal_length(corners, shape)
    across, down = (edge / np.array([focal, focal, 1.0]) for edge in _edges(corners, shape))
    normal = np.cross(across, down)
    return math.degrees(math.acos(min(1.0, abs(float(normal[2])) / float(np.linalg.norm(normal)))))


def _edges(corners: Corners, shape: tuple[int, int]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The directions of the film's width and height, homogeneous, in pixels from the photo's middle (n2, n3 there)."""
    middle = np.array([(shape[1] - 1) / 2, (shape[0] - 1) / 2])
    m1, m2, m4, m3 = np.column_stack([corners - middle, np.ones(4)])
    k2 = float(np.cross(m1, m4) @ m3) / float(np.cross(m2, m4) @ m3)
    k3 = float(np.cross(m1, m4) @ m2) / float(np.cross(m3, m4) @ m2)
    return k2 * m2 - m1, k3 * m3 - m1


def _without_cast(picture: Picture) -> Picture:
    """Scale the channels to one mean, as the light of the box and the camera's white balance leave a cast."""
    means = np.maximum(statistics.channel_means(picture), 1.0)
    tables = [np.clip(np.rint(np.arange(256) * means[1] / mean), 0, 255).astype(np.uint8) for mean in means]
    return tones.look_up(picture, np.stack(tables, axis=-1))


def _toned(picture: Picture) -> Picture:
    """Stretch the brightness, by `MAX_GAIN` at most so that a blank stays one, and average the noise of the colours."""
    channels = colour.to_ycrcb(picture)
    sample = channels[::2, ::2, 0]
    free_of_glare = sample[sample < SATURATED]
    low, high = np.quantile(free_of_glare if free_of_glare.size > sample.size / 2 else sample, QUANTILES)
    gain = min(MAX_GAIN, 255 * WHITE / max(1.0, float(high - low)))
    table = np.clip(np.rint((np.arange(256) - low) * gain), 0, 255).astype(np.uint8)
    channels[..., 0] = tones.look_up(np.ascontiguousarray(channels[..., 0]), table)
    for i in (1, 2):
        channels[..., i] = smoothing.box_mean(np.ascontiguousarray(channels[..., i]), 5, 5)
    return colour.from_ycrcb(channels)
