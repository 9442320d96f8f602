"""Small films that are drawn here, in every format and compression: where the corpus comes from."""

import struct
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image
from pydicom.uid import (
    JPEG2000,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    RLELossless,
)

from tests.osteo_edge.drawn_dicom import compressed, dicom_bytes, dicom_of, lookup_table
from tests.osteo_edge.raster.lossless import lossless_jpeg

Grey = npt.NDArray[np.uint8]
HEIGHT, WIDTH = 40, 36
ORIENTATION = 0x112


def film(height: int = HEIGHT, width: int = WIDTH) -> Grey:
    """Two bones and the joint between them."""
    drawn = np.full((height, width), 30, np.uint8)
    middle, thick = width // 2, width // 3
    cv2.line(drawn, (middle, 0), (middle, int(height * 0.4)), 180, thick)
    cv2.line(drawn, (middle, int(height * 0.6)), (middle, height), 220, thick)
    return np.asarray(cv2.GaussianBlur(drawn, (0, 0), 1.5), np.uint8)


def image_files() -> Iterator[bytes]:
    """PNG, JPEG, BMP and TIFF of each kind that is read."""
    grey = film()
    colour = np.stack([grey, grey[::-1], grey[:, ::-1]], axis=-1)
    deep = grey.astype(np.uint16) * 257
    for samples in (grey, colour, deep, np.stack([deep] * 3, axis=-1)):
        yield _png(samples)
        yield _encoded(samples, ".tif", cv2.IMWRITE_TIFF_COMPRESSION, 5)
    yield _png(np.dstack([colour, grey]))
    yield _by_pillow(Image.fromarray(grey).convert("P"), "PNG")
    yield _by_pillow(Image.fromarray(grey).convert("LA"), "PNG")
    yield _by_pillow(Image.fromarray(grey).convert("1"), "PNG")
    for samples in (grey, colour):
        yield _encoded(samples, ".bmp")
        yield _by_pillow(Image.fromarray(samples), "JPEG", quality=60)
        yield _by_pillow(Image.fromarray(samples), "JPEG", quality=60, progressive=True)
    turned = Image.Exif()
    turned[ORIENTATION] = 6
    yield _by_pillow(Image.fromarray(grey), "JPEG", quality=60, exif=turned)
    yield _by_pillow(Image.fromarray(grey), "JPEG", quality=60, restart_marker_rows=1)
    yield _by_pillow(Image.fromarray(colour).convert("CMYK"), "JPEG", quality=60)
    for compression in ("raw", "packbits", "tiff_adobe_deflate", "jpeg"):
        yield _by_pillow(Image.fromarray(grey), "TIFF", compression=compression)
    yield _by_pillow(Image.fromarray(colour), "TIFF", compression="tiff_lzw", tiffinfo={317: 2})
    yield tiff_of_tiles(grey)


def tiff_of_tiles(grey: Grey) -> bytes:
    """A big-endian TIFF of 16 x 16 tiles whose 0 is white."""
    side = 16
    height, width = grey.shape
    down, across = -(-height // side), -(-width // side)
    padded = np.pad(grey, ((0, down * side - height), (0, across * side - width)))
    tiles = [
        padded[top : top + side, left : left + side].tobytes()
        for top in range(0, down * side, side)
        for left in range(0, across * side, side)
    ]
    tags: list[tuple[int, int, tuple[int, ...]]] = [
        (256, 3, (width,)),
        (257, 3, (height,)),
        (258, 3, (8,)),
        (259, 3, (1,)),
        (262, 3, (0,)),
        (277, 3, (1,)),
        (322, 3, (side,)),
        (323, 3, (side,)),
        (324, 4, ()),
        (325, 4, (side * side,) * len(tiles)),
    ]
    body = 8 + 2 + 12 * len(tags) + 4
    first_tile = body + 2 * 4 * len(tiles)
    places = tuple(first_tile + side * side * number for number in range(len(tiles)))
    entries, extra = b"", b""
    for tag, kind, values in tags:
        values = values or places
        packed = struct.pack(f">{len(values)}{'H' if kind == 3 else 'I'}", *values)
        if len(packed) > 4:
            place = struct.pack(">I", body + len(extra))
            extra += packed
        else:
            place = packed.ljust(4, b"\0")
        entries += struct.pack(">HHI", tag, kind, len(values)) + place
    return b"MM\0*" + struct.pack(">IH", 8, len(tags)) + entries + bytes(4) + extra + b"".join(tiles)


def dicom_files() -> Iterator[bytes]:
    """DICOM in each transfer syntax that is read, grey, in colour and with tables."""
    grey = film()
    deep = grey.astype(np.uint16) * 16
    colour = np.stack([grey, grey[::-1], grey[:, ::-1]], axis=-1)
    window = {"WindowCenter": "2048", "WindowWidth": "4000", "RescaleSlope": "1", "RescaleIntercept": "-5"}
    for syntax in (
        ImplicitVRLittleEndian,
        ExplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
    ):
        yield dicom_bytes(dicom_of(deep, syntax, **window))
    yield dicom_bytes(dicom_of(deep, ImplicitVRLittleEndian, **window))[132:]
    yield dicom_bytes(dicom_of(deep, PhotometricInterpretation="MONOCHROME1", PixelPaddingValue=480))
    yield dicom_bytes(dicom_of((deep.astype(np.int16) - 900), VOILUTFunction="SIGMOID", **window))
    yield dicom_bytes(dicom_of(colour))
    yield dicom_bytes(dicom_of(deep, VOILUTSequence=table(4096, 8), ModalityLUTSequence=table(4096, 12)))
    yield dicom_bytes(_palette(grey))
    yield dicom_bytes(_palette(grey, segmented=True))
    yield dicom_bytes(_overlaid(deep))
    rle = dicom_of(deep)
    rle.compress(RLELossless)
    yield dicom_bytes(rle)
    yield dicom_bytes(compressed(grey, JPEGBaseline8Bit, _by_pillow(Image.fromarray(grey), "JPEG")))
    yield dicom_bytes(compressed(deep, JPEGLosslessSV1, lossless_jpeg(deep, 12)))
    for syntax, options in ((JPEG2000Lossless, {}), (JPEG2000, {"irreversible": True, "quality_layers": [20]})):
        frame = _by_pillow(Image.fromarray(grey), "JPEG2000", no_jp2=True, **options)
        yield dicom_bytes(compressed(grey, syntax, frame))


def table(entries: int, bits: int) -> Any:
    """A lookup table that leads from 0 to the largest value."""
    return lookup_table(np.linspace(0, 2**bits - 1, entries).astype(int), bits)


def _palette(grey: Grey, *, segmented: bool = False) -> Any:
    dataset = dicom_of(grey, PhotometricInterpretation="PALETTE COLOR")
    values = struct.pack("<6H", 0, 1, 0, 1, 255, 65535) if segmented else np.arange(256, dtype="<u2").tobytes()
    kind = "Segmented" if segmented else ""
    for name in ("Red", "Green", "Blue"):
        setattr(dataset, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(dataset, f"{kind}{name}PaletteColorLookupTableData", values)
    return dataset


def _overlaid(deep: npt.NDArray[np.uint16]) -> Any:
    dataset = dicom_of(deep)
    for element, kind, value in ((0x10, "US", HEIGHT), (0x11, "US", WIDTH), (0x100, "US", 1), (0x102, "US", 0)):
        dataset.add_new(0x60000000 | element, kind, value)
    dataset.add_new(0x60003000, "OW", bytes(HEIGHT * WIDTH // 8))
    return dataset


def _encoded(samples: npt.NDArray[Any], suffix: str, *options: int) -> bytes:
    return bytes(cv2.imencode(suffix, samples, options)[1].tobytes())


def _png(samples: npt.NDArray[Any]) -> bytes:
    return _encoded(samples, ".png")


def _by_pillow(picture: Image.Image, kind: str, **options: Any) -> bytes:
    file = BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()
