"""What of a DICOM file's compressed frame is decoded here, because Pillow and pydicom alone cannot, or say too little.

python-gdcm ends the whole program over some damaged frames: X-ray machines' lossless JPEG, grey JPEG of 8 bits and grey
JPEG 2000 are therefore read without it. Where it is not, as on Android, they would not be read otherwise, or damage to
them not be noticed. JPEG-LS and what is in colour are left to it.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pydicom.encaps import get_frame
from pydicom.pixels import get_decoder, pixel_array
from pydicom.uid import (
    UID,
    JPEG2000TransferSyntaxes,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
)

from osteo_edge.frame_header import Claim, check_frame
from osteo_edge.raster.damage import DamagedImageError, UnsupportedImageError
from osteo_edge.raster.plain.lossless_jpeg import decode_lossless_jpeg

Samples = npt.NDArray[Any]

LOSSLESS: Final = (JPEGLossless, JPEGLosslessSV1)


def is_readable(dataset: Any) -> bool:
    """Whether the frame's compression is decoded, here or by what pydicom finds installed.

    Raises NotImplementedError for a compression that pydicom has never heard of a decoder for.
    """
    syntax = dataset.file_meta.TransferSyntaxUID
    decoder = get_decoder(syntax)
    if syntax == JPEGExtended12Bit and int(dataset.BitsStored) > 8 and decoder.available_plugins == ("pillow",):
        return False  # whatever Pillow says
    return decoder.is_available or syntax in LOSSLESS


def samples_of(dataset: Any) -> Samples:
    """The stored values (rows, columns), or (rows, columns, 3) in colour.

    Raises DamagedImageError, UnsupportedImageError for a kind of lossless JPEG that is not read here, and nearly
    anything that pydicom makes of a damaged file.
    """
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax.is_compressed and not syntax.is_deflated:
        check_frame(_frame(dataset), syntax, _size(dataset), int(dataset.BitsAllocated) // 8)
    if syntax in LOSSLESS:
        try:
            return _lossless(dataset)
        except UnsupportedImageError:
            if not get_decoder(syntax).is_available:
                raise
    if syntax == JPEGBaseline8Bit:
        from osteo_edge.raster import codec

        samples = codec.decode(_frame(dataset))
        if samples.ndim == 2 and (dataset.BitsAllocated, dataset.PixelRepresentation) == (8, 0):
            return samples
    if syntax in JPEG2000TransferSyntaxes and _size(dataset).samples == 1 and _has_pillow(syntax):
        return np.asarray(pixel_array(dataset, decoding_plugin="pillow"))
    return np.asarray(pixel_array(dataset))


def _has_pillow(syntax: UID) -> bool:
    return "pillow" in get_decoder(syntax).available_plugins


def _lossless(dataset: Any) -> Samples:
    samples: Samples = decode_lossless_jpeg(_frame(dataset))
    if samples.shape != (dataset.Rows, dataset.Columns):
        raise DamagedImageError
    if dataset.PixelRepresentation:
        unused = 16 - int(dataset.BitsStored)
        samples = (samples << unused).view(np.int16) >> unused
    return samples.astype(f"{samples.dtype.kind}{dataset.BitsAllocated // 8}", copy=False)


def _size(dataset: Any) -> Claim:
    return Claim(int(dataset.Rows), int(dataset.Columns), int(dataset.get("SamplesPerPixel") or 1))


def _frame(dataset: Any) -> bytes:
    return bytes(get_frame(dataset.PixelData, 0, number_of_frames=1))
