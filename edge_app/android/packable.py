"""Whether a bundle can go into an app for Android: usable here, small enough, and of operators that are there."""

import importlib
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from osteo_edge.bundle import Bundle
from osteo_edge.edge_app.models.trial import read_usable
from osteo_edge.errors import BundleError, OsteoEdgeError

MAX_MB: Final = 20.0
"""More than any network that `train` makes in int8 has; one of 14 million parameters in float32 is 57 MB."""
IDENTIFIER: Final = b"TFL3"
FLEX: Final = "Flex"
"""What the names of TensorFlow's own operators begin with in a TFLite file."""


def read_packable(path: Path, *, max_mb: float = MAX_MB) -> Bundle:
    """Read and verify the bundle in `path`; `BundleError` that says why it cannot go into the app."""
    bundle = read_usable(path)
    size_mb = sum(file.stat().st_size for file in bundle.path.iterdir()) / 1e6
    if size_mb > max_mb:
        raise BundleError(
            f"{path}: {size_mb:.1f} MB, more than {max_mb:g}; convert it to int8, or allow it with --max-bundle-mb"
        )
    foreign = sorted(set(foreign_operators(bundle.model_path.read_bytes())))
    if foreign:
        names = ", ".join(foreign)
        raise BundleError(f"{path}: uses {names}, which LiteRT for Android has not; convert it to built-in operators")
    return bundle


def foreign_operators(model: bytes) -> Iterable[str]:
    """The names of the operators in a TFLite file that are not LiteRT's own: custom ones, and TensorFlow's.

    `BundleError` if it is no TFLite file; `OsteoEdgeError` where LiteRT, which knows the format, is not installed.
    """
    try:
        schema = importlib.import_module("ai_edge_litert.schema_py_generated")
    except ImportError as error:
        raise OsteoEdgeError("reading a model's operators needs LiteRT: pip install ai-edge-litert") from error
    try:
        if model[4:8] != IDENTIFIER:
            raise ValueError("it does not begin like one")
        read = schema.Model.GetRootAs(model, 0)
        codes = [read.OperatorCodes(number).CustomCode() for number in range(read.OperatorCodesLength())]
    except (IndexError, TypeError, ValueError, OverflowError, struct.error) as error:
        raise BundleError(f"the model is no TFLite file ({error}); copy the bundle again") from error
    return [code.decode("utf-8", "replace").removeprefix(FLEX) for code in codes if code]
