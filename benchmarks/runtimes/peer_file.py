"""What is kept beside a model that was prepared for a peer: the number types at its ends, and how faithful it is."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from osteo_edge import strict
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.writing import write_whole

SUFFIX = ".peer.json"


@dataclass(frozen=True)
class ModelEnd:
    """An input or output: its number type, and value = (stored - zero_point) * scale, where `scale` is not 0."""

    dtype: str
    scale: float
    zero_point: int

    @property
    def detail(self) -> dict[str, Any]:
        """The same in the words of the TFLite API, as `osteo_edge.runtime` takes them."""
        return {"dtype": np.dtype(self.dtype).type, "quantization": (self.scale, self.zero_point)}


@dataclass(frozen=True)
class ModelEnds:
    """Those of a whole model, its outputs in its order."""

    input: ModelEnd
    outputs: tuple[ModelEnd, ...]


@dataclass(frozen=True)
class PeerFile:
    """A prepared model. `difference` is that of its answers from those of `reference`, the TFLite runtime.

    It is the root mean square of the difference over that of the answers, on `images` images.
    """

    runtime: str
    version: str
    reference: str
    ends: ModelEnds
    difference: float
    images: int


def read_peer_file(model: Path) -> PeerFile:
    """What stands beside the prepared `model`; `OsteoEdgeError` if nothing readable does."""
    path = model.with_name(model.name + SUFFIX)
    try:
        return strict.from_dict(PeerFile, json.loads(path.read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise OsteoEdgeError(f"{model}: not prepared for a peer ({error}); run the benchmark again") from error


def write_peer_file(model: Path, file: PeerFile) -> Path:
    """Write it beside the prepared `model`."""
    data = json.dumps(strict.to_dict(file), indent=2, allow_nan=False).encode()
    return write_whole(model.with_name(model.name + SUFFIX), data, "the peer's description")
