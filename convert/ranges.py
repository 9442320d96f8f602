"""The value ranges that the integers of a quantized network span, read off training images.

Widest is not best: a single value far out takes steps from all others. Ranges are chosen for each tensor by what it
holds: the extremes (Jacob et al. 2018, arXiv 1712.05877), percentiles (Wu et al. 2020, arXiv 2004.09602) or the least
mean squared error (Banner et al. 2019, arXiv 1810.05723).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from osteo_edge.convert.operators import open_graph
from osteo_edge.placement import read_nodes
from osteo_edge.preprocessing import InputSpec, Pixels, normalize

Floats = npt.NDArray[np.float32]
Ends = tuple[float, float]
RangeMethod = Literal["min-max", "percentile", "mse"]

VALUES = 1 << 18
"""About how many values of a tensor are kept, over all images."""
SHARES = 0.5 ** np.arange(0.0, 5.0, 0.1)
"""Shares of an extreme at which the mean squared error is tried."""
SMALLEST_WIDTH = 1e-6


@dataclass(frozen=True, eq=False)
class Activation:
    """What a tensor holds over many images: its extremes, and (places, channels) of places drawn evenly from all."""

    low: float
    high: float
    rows: Floats


def observe(
    model: bytes,
    planes: Pixels,
    spec: InputSpec,
    *,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Activation]:
    """What each float tensor of a float TFLite model holds, input and outputs among them, by its name.

    `planes` are prepared training images, (n, height, width) in [0, 1].
    """
    interpreter = open_graph(model)
    entry = interpreter.get_input_details()[0]
    names = {int(entry["index"]): entry["name"]} | {node.tensor: node.name for node in read_nodes(interpreter)}
    rng = np.random.default_rng(0)
    rows: dict[int, list[Floats]] = {}
    extremes: dict[int, list[Ends]] = {}
    for number in range(len(planes)):
        interpreter.set_tensor(entry["index"], normalize(np.asarray(planes[number : number + 1]), spec))
        interpreter.invoke()
        for tensor in names:
            values = interpreter.get_tensor(tensor)
            if values.dtype == np.float32:
                extremes.setdefault(tensor, []).append((float(values.min()), float(values.max())))
                rows.setdefault(tensor, []).append(_drawn(values, len(planes), rng))
        on_progress(number + 1, len(planes))
    return {names[tensor]: _activation(extremes[tensor], found) for tensor, found in rows.items()}


def choose(values: Activation, method: RangeMethod, percentile: float, steps: int) -> Ends:
    """The range for one tensor; it holds 0, which integers must hit exactly (padding), and is never empty.

    `percentile`, in (50, 100), is where the method of that name cuts at both ends. `steps` is the number of steps that
    the range is divided into, which the mean squared error depends on.

    >>> choose(Activation(-1.0, 3.0, np.zeros((1, 1), np.float32)), "min-max", 99.99, 255)
    (-1.0, 3.0)
    """
    if method == "min-max":
        low, high = values.low, values.high
    elif method == "percentile":
        low, high = (float(end) for end in np.percentile(values.rows, [100 - percentile, percentile]))
    else:
        low, high = _least_squares(values, steps)
    low, high = min(low, 0.0), max(high, 0.0)
    return low, max(high, low + SMALLEST_WIDTH)


def choose_all(
    activations: Mapping[str, Activation], method: RangeMethod, percentile: float, steps: int
) -> dict[str, Ends]:
    """The range of every tensor, by its name."""
    return {name: choose(values, method, percentile, steps) for name, values in activations.items()}


def _drawn(values: Floats, images: int, rng: np.random.Generator) -> Floats:
    """Some places of one image, all channels of each."""
    rows = values.reshape(-1, values.shape[-1])
    number = min(len(rows), max(1, VALUES // (images * rows.shape[1])))
    return rows[rng.choice(len(rows), number, replace=False)]


def _activation(extremes: list[Ends], rows: list[Floats]) -> Activation:
    lows, highs = zip(*extremes, strict=True)
    return Activation(min(lows), max(highs), np.concatenate(rows))


def _least_squares(values: Activation, steps: int) -> Ends:
    """The range with the least squared error: what is cut off, and a twelfth of a squared step for what is not.

    Values of 0 lose nothing, since they are hit exactly.
    """
    lows, highs = (_tail(side * values.rows, side * end) for side, end in ((-1, values.low), (1, values.high)))
    inside = float(np.count_nonzero(values.rows))
    width = highs.ends[np.newaxis, :] + lows.ends[:, np.newaxis]
    kept = inside - highs.number[np.newaxis, :] - lows.number[:, np.newaxis]
    loss = lows.loss[:, np.newaxis] + highs.loss[np.newaxis, :] + kept * np.square(width / steps) / 12
    low, high = np.unravel_index(np.argmin(loss), loss.shape)
    return -float(lows.ends[low]), float(highs.ends[high])


@dataclass(frozen=True, eq=False)
class _Tail:
    """One side of a distribution: where it may be cut, how many values lie beyond, and their squared distances."""

    ends: npt.NDArray[np.float64]
    number: npt.NDArray[np.float64]
    loss: npt.NDArray[np.float64]


def _tail(values: Floats, extreme: float) -> _Tail:
    """The upper side, from its `extreme` down to a small share of it; the single end 0 where nothing is above."""
    if extreme <= 0:
        return _Tail(np.zeros(1), np.zeros(1), np.zeros(1))
    above = np.sort(values[values > 0]).astype(np.float64)[::-1]
    ends = extreme * SHARES
    number = np.searchsorted(-above, -ends)
    sums, squares = (np.concatenate([[0.0], np.cumsum(above**power)])[number] for power in (1, 2))
    return _Tail(ends, number.astype(np.float64), squares - 2 * ends * sums + number * ends**2)
