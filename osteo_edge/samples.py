"""Prepared training and validation images that travel in a Keras bundle, so that conversion needs no data set."""

import io
import lzma
import tokenize
import zipfile
import zlib
from collections.abc import Mapping

import numpy as np

from osteo_edge.bundle import Bundle
from osteo_edge.errors import BundleError
from osteo_edge.preprocessing import Pixels

SAMPLES_FILE = "samples.npz"
DAMAGE = (
    KeyError,
    ValueError,
    OSError,
    EOFError,
    RuntimeError,
    SyntaxError,
    lzma.LZMAError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What numpy and `zipfile` raise of a file that is none, or no longer one."""
CALIBRATION = "calibration"
"""Training images: what value ranges are read off."""
PARITY = "parity"
"""Validation images: what the converted model is compared on."""


def pack_samples(samples: Mapping[str, Pixels]) -> bytes:
    """Planes (n, height, width) in [0, 1] by use; stored as float16, which is ample for them."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{use: planes.astype(np.float16) for use, planes in samples.items()})  # type: ignore[arg-type]
    return buffer.getvalue()


def read_samples(bundle: Bundle, use: str) -> Pixels:
    """The planes for one use, float32 (n, height, width); `BundleError` if the bundle does not hold them."""
    path = bundle.path / SAMPLES_FILE
    if SAMPLES_FILE not in bundle.manifest.files:
        raise BundleError(f"{bundle.path}: holds no {SAMPLES_FILE}; train it again")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            planes = np.asarray(archive[use], np.float32)
    except DAMAGE as error:
        raise BundleError(f"{path}: holds no readable samples for {use} ({error}); train it again") from error
    expected = (bundle.manifest.input.height, bundle.manifest.input.width)
    if planes.ndim != 3 or planes.shape[1:] != expected or not len(planes):
        raise BundleError(f"{path}: the samples for {use} are {planes.shape}, not (n, {expected[0]}, {expected[1]})")
    return planes
