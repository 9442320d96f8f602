"""The value ranges that a network was trained to be quantized with, in a file of its Keras bundle.

Quantization-aware training writes them, conversion to int8 gives them to the tensors that the layers write.
"""

import json
import math
from dataclasses import dataclass
from typing import Final, Literal

from osteo_edge.bundle import Bundle
from osteo_edge.errors import BundleError
from osteo_edge.strict import FieldError, from_dict

RANGES_FILE = "ranges.json"
FORMAT: Final = 1


@dataclass(frozen=True)
class ActivationRanges:
    """The lowest and the highest value of each layer's output, by the name of the Keras layer.

    The output is that after the layer's own activation, if it has one. `FieldError` unless low < high, both finite.
    """

    ranges: dict[str, tuple[float, float]]

    def __post_init__(self) -> None:
        for name, (low, high) in self.ranges.items():
            if not (math.isfinite(low) and math.isfinite(high) and low < high):
                raise FieldError(f"activations.{name} must be two finite numbers, the lower first, not {low}, {high}")

    def pack(self) -> bytes:
        """The file's content."""
        activations = {name: list(ends) for name, ends in self.ranges.items()}
        return (json.dumps({"format": FORMAT, "activations": activations}, indent=1, allow_nan=False) + "\n").encode()


def read_ranges(bundle: Bundle) -> ActivationRanges | None:
    """The ranges in a bundle, None if it holds none; `BundleError` names the file and the field that is wrong."""
    if RANGES_FILE not in bundle.manifest.files:
        return None
    path = bundle.path / RANGES_FILE
    try:
        content = from_dict(_Content, json.loads(path.read_bytes()))
        return ActivationRanges({name: _pair(name, ends) for name, ends in content.activations.items()})
    except FieldError as error:
        raise BundleError(f"{path}: {error}") from error
    except (ValueError, RecursionError, OSError) as error:
        raise BundleError(f"{path}: cannot be read ({error}); make the bundle again with `osteo-edge qat`") from error


@dataclass(frozen=True)
class _Content:
    """The file as it is written."""

    format: Literal[1]
    activations: dict[str, tuple[float, ...]]


def _pair(name: str, ends: tuple[float, ...]) -> tuple[float, float]:
    if len(ends) != 2:
        raise FieldError(f"activations.{name} must be two numbers, not {len(ends)}")
    return ends[0], ends[1]
