"""Features from inside a backbone: outputs of several layers side by side, with their squares and by region."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.train.keras import load_tensorflow

PATTERN = re.compile(r"(?P<layer>\w+)(?P<squared>\^2)?(@(?P<rows>[1-9])x(?P<columns>[1-9]))?")


@dataclass(frozen=True)
class Tap:
    """The output of a layer, squared or not, whole or divided into `rows` x `columns` regions of each square crop."""

    layer: str
    squared: bool
    rows: int
    columns: int


def parse_tap(text: str) -> Tap:
    """A tap as a configuration writes it: LAYER, LAYER^2, LAYER@ROWSxCOLUMNS. Raises `OsteoEdgeError`.

    >>> parse_tap("block_13_expand_relu@3x2")
    Tap(layer='block_13_expand_relu', squared=False, rows=3, columns=2)
    """
    found = PATTERN.fullmatch(text)
    if found is None:
        raise OsteoEdgeError(f"tap {text!r}: write LAYER, LAYER^2 for its square, or LAYER@3x2 for regions of it")
    rows, columns = (int(found[name] or 1) for name in ("rows", "columns"))
    return Tap(found["layer"], found["squared"] is not None, rows, columns)


def tap_features(backbone: Any, taps: tuple[str, ...]) -> Any:
    """A model that gives the taps side by side, by channel, on the grid of the coarsest layer among them.

    Finer grids are averaged down, which leaves the mean over the image what it was. Pooled, a layer and its square
    tell the mean of a feature and how much it varies; a region is the layer with zeros outside it. All are sums over
    places, so that an activation map over them is exact. `OsteoEdgeError` for a layer that the backbone lacks.
    """
    _, keras = load_tensorflow()
    wanted = [parse_tap(text) for text in taps]
    outputs = {tap.layer: _output(backbone, tap.layer) for tap in wanted}
    coarsest = min(output.shape[1] for output in outputs.values())
    maps = [_averaged(part, coarsest) for tap in wanted for part in _parts(outputs[tap.layer], tap)]
    features = keras.layers.Concatenate(name="taps")(maps) if len(maps) > 1 else maps[0]
    return keras.Model(backbone.input, features, name=backbone.name)


def region_mask(height: int, width: int, tap: Tap, row: int, column: int) -> npt.NDArray[np.float32]:
    """1 in one region of each square crop that stands on a grid, else 0; (height, width, 1).

    >>> region_mask(2, 4, Tap("a", False, 1, 2), 0, 1)[0, :, 0]
    array([0., 1., 0., 1.], dtype=float32)
    """
    crops = max(1, width // height)
    side = width // crops
    rows = np.arange(height) * tap.rows // height == row
    columns = np.tile(np.arange(side) * tap.columns // side == column, crops)
    return np.outer(rows, columns)[..., np.newaxis].astype(np.float32)


def _parts(output: Any, tap: Tap) -> list[Any]:
    _, keras = load_tensorflow()
    raised = keras.layers.Multiply()([output, output]) if tap.squared else output
    if tap.rows * tap.columns == 1:
        return [raised]
    height, width = output.shape[1:3]
    places = [(row, column) for row in range(tap.rows) for column in range(tap.columns)]
    return [_masked(raised, region_mask(height, width, tap, *place)) for place in places]


def _masked(output: Any, mask: npt.NDArray[np.float32]) -> Any:
    _, keras = load_tensorflow()
    return keras.layers.Rescaling(mask.tolist())(output)  # an array would be saved and not be read again


def _averaged(output: Any, rows: int) -> Any:
    _, keras = load_tensorflow()
    step = output.shape[1] // rows
    return keras.layers.AveragePooling2D(step)(output) if step > 1 else output


def _output(backbone: Any, name: str) -> Any:
    try:
        return backbone.get_layer(name).output
    except ValueError:
        raise OsteoEdgeError(f"{backbone.name}: has no layer called {name!r}; leave it out of taps") from None
