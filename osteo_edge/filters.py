"""Classical image filters as steps of a bundle's preprocessing: edges, sharpening, local contrast."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from osteo_edge.raster import edges

Pixels = npt.NDArray[np.float32]
Kind = Literal["sobel", "prewitt", "roberts", "canny", "sharpen", "clahe"]
KINDS: tuple[str, ...] = get_args(Kind)
DEFAULT_AMOUNTS = {"sobel": 1.0, "prewitt": 1.0, "roberts": 1.0, "canny": 0.3, "sharpen": 1.0, "clahe": 2.0}

PREWITT = np.array([[-1, 0, 1]] * 3, np.float32)
ROBERTS = np.array([[1, 0], [0, -1]], np.float32)
CLAHE_TILES = 8
CANNY_LOW = 0.4
"""The lower of Canny's two thresholds as a share of the upper one (Canny 1986 advises 1/3 to 1/2)."""


@dataclass(frozen=True)
class Filter:
    """One filter. What `amount` means depends on `kind`:

    - "sobel", "prewitt", "roberts": gradient magnitude times `amount`; 1 keeps a full black-white step at 1;
    - "canny": edges 1, the rest 0; `amount` is the upper threshold, as a share of the steepest step there can be;
    - "sharpen": the image less `amount` times its Laplacian;
    - "clahe": contrast-limited adaptive histogram equalization (Zuiderveld 1994) on 8 x 8 tiles, clip limit `amount`.
    """

    kind: Kind
    amount: float

    def __post_init__(self) -> None:
        if not 0.0 < self.amount <= 100.0:
            raise ValueError(f"amount must lie above 0 and up to 100, not {self.amount}")
        if self.kind == "canny" and self.amount > 1.0:
            raise ValueError(f"amount must not be above 1 for canny, not {self.amount}")


def apply_filters(image: Pixels, filters: Sequence[Filter]) -> Pixels:
    """Apply the filters one after the other to an image (height, width) in [0, 1]; the result is in [0, 1] again."""
    for step in filters:
        image = np.clip(_FILTERS[step.kind](image, step.amount), 0.0, 1.0).astype(np.float32)
    return image


def parse_filter(text: str) -> Filter:
    """A filter from a command line: its kind, or kind:amount. Raises ValueError.

    >>> parse_filter("clahe:3")
    Filter(kind='clahe', amount=3.0)
    """
    kind, _, amount = text.partition(":")
    if kind not in KINDS:
        raise ValueError(f"no filter is called {kind!r}; there are {', '.join(KINDS)}")
    try:
        number = float(amount) if amount else DEFAULT_AMOUNTS[kind]
    except ValueError:
        raise ValueError(
            f"{text!r}: {amount!r} is no number; write for instance {kind}:{DEFAULT_AMOUNTS[kind]}"
        ) from None
    return Filter(kind, number)  # type: ignore[arg-type]


def _sobel(image: Pixels, amount: float) -> Pixels:
    across, down = edges.sobel(image)
    return _magnitude(across / 4, down / 4, amount)


def _prewitt(image: Pixels, amount: float) -> Pixels:
    return _magnitude(edges.correlate(image, PREWITT), edges.correlate(image, PREWITT.T), amount / 3)


def _roberts(image: Pixels, amount: float) -> Pixels:
    other = np.ascontiguousarray(ROBERTS[:, ::-1])
    return _magnitude(edges.correlate(image, ROBERTS), edges.correlate(image, other), amount)


def _magnitude(across: npt.ArrayLike, down: npt.ArrayLike, amount: float) -> Pixels:
    return np.asarray(np.hypot(across, down) * amount, np.float32)


def _canny(image: Pixels, amount: float) -> Pixels:
    steepest = 4 * 255 * np.sqrt(2)
    upper = amount * steepest
    return np.asarray(edges.canny(_to_8_bit(image), CANNY_LOW * upper, upper), np.float32) / np.float32(255)


def _sharpen(image: Pixels, amount: float) -> Pixels:
    return np.asarray(image - amount * edges.laplacian(image), np.float32)


def _clahe(image: Pixels, amount: float) -> Pixels:
    # 256 levels: with 65,536 the limit, a share of a tile's pixels per level, would always round to one pixel
    return np.asarray(edges.even_out(_to_8_bit(image), amount, CLAHE_TILES), np.float32) / np.float32(255)


def _to_8_bit(image: Pixels) -> npt.NDArray[np.uint8]:
    return np.rint(image * 255).astype(np.uint8)


_FILTERS: dict[str, Callable[[Pixels, float], Pixels]] = {
    "sobel": _sobel,
    "prewitt": _prewitt,
    "roberts": _roberts,
    "canny": _canny,
    "sharpen": _sharpen,
    "clahe": _clahe,
}
