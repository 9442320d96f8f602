"""What is no picture goes, and no sample changes."""

import struct
import zlib
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, PngImagePlugin, TiffImagePlugin

from osteo_edge.metadata import MetadataError, without_metadata
from osteo_edge.radiograph import decode, sniff_format
from osteo_edge.raster.plain import codec as plain

MARKER = b"LOPEZ-4711"
WIDE = MARKER.decode().encode("utf-16-le")
GREY = np.random.default_rng(3).integers(0, 256, (48, 64), np.uint8)
COLOUR = np.random.default_rng(4).integers(0, 256, (48, 64, 3), np.uint8)
TURNED = range(1, 9)


def notes(orientation: int) -> Image.Exif:
    """Camera notes with a name, a place and a small copy."""
    exif = Image.Exif()
    exif[0x112] = orientation
    exif[0x13B] = MARKER.decode()
    exif[0x9C9D] = WIDE
    exif.get_ifd(0x8825)[1] = MARKER.decode()
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0" + MARKER
    return exif


def jpeg(orientation: int = 1, *, colour: bool = False, progressive: bool = False) -> bytes:
    file = BytesIO()
    picture = Image.fromarray(COLOUR if colour else GREY)
    picture.save(file, "JPEG", exif=notes(orientation), comment=MARKER, icc_profile=MARKER, progressive=progressive)
    data = file.getvalue()
    xmp = b"http://ns.adobe.com/xap/1.0/\0" + MARKER
    return data[:2] + b"\xff\xe1" + struct.pack(">H", 2 + len(xmp)) + xmp + data[2:] + MARKER


def png(orientation: int = 1, *, bits: int = 8) -> bytes:
    file, texts = BytesIO(), PngImagePlugin.PngInfo()
    texts.add_text("Patient", MARKER.decode())
    texts.add_itxt("Comment", MARKER.decode())
    texts.add(b"prVt", MARKER)
    picture = Image.fromarray(GREY if bits == 8 else GREY.astype(np.uint16) * 257)
    picture.save(file, "PNG", pnginfo=texts, exif=notes(orientation))
    return file.getvalue() + MARKER


def tiff(compression: str, *, wide: bool = False, bits: int = 8) -> bytes:
    file, tags = BytesIO(), TiffImagePlugin.ImageFileDirectory_v2()
    for tag in (269, 270, 305, 315, 316):
        tags[tag] = MARKER.decode()
    tags[700] = MARKER
    tags.tagtype[700] = 1
    picture = Image.fromarray(GREY if bits == 8 else GREY.astype(np.uint16) * 257)
    picture.save(file, "TIFF", compression=compression, tiffinfo=tags, big_tiff=wide)
    return file.getvalue() + MARKER


def bmp() -> bytes:
    """A BMP of the fifth version, with a name in the gap, in the profile and behind the pixels."""
    rows = COLOUR[::-1].tobytes()
    said = struct.pack("<IiiHHIIiiII", 124, 64, 48, 1, 24, 0, len(rows), 0, 0, 0, 0)
    header = said.ljust(110, b"\0") + MARKER + bytes(4)
    gap = MARKER + bytes(6)
    at = 14 + len(header) + len(gap)
    return struct.pack("<2sIHHI", b"BM", at + len(rows), 0x4F4C, 0x4550, at) + header + gap + rows + MARKER


FILES = {
    **{f"jpeg {turned}": jpeg(turned) for turned in TURNED},
    **{f"png {turned}": png(turned) for turned in TURNED},
    "colour jpeg": jpeg(6, colour=True),
    "progressive jpeg": jpeg(3, colour=True, progressive=True),
    "png of 16 bits": png(8, bits=16),
    **{f"tiff {how}": tiff(how) for how in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")},
    "tiff of 16 bits": tiff("tiff_lzw", bits=16),
    "bmp": bmp(),
}


@pytest.mark.parametrize("name", FILES)
def test_the_picture_stays_to_the_last_bit_and_nothing_else(name: str) -> None:
    data = FILES[name]
    assert MARKER in data
    path = Path(name)
    cleaned = without_metadata(data, sniff_format(data, path))
    assert MARKER not in cleaned
    assert WIDE not in cleaned
    before, after = decode(data, path), decode(cleaned, path)
    np.testing.assert_array_equal(after.pixels, before.pixels)
    assert after.source == before.source
    assert without_metadata(cleaned, sniff_format(cleaned, path)) == cleaned
    if name != "tiff jpeg":  # which a phone does not read
        np.testing.assert_array_equal(plain.decode(cleaned), plain.decode(data))


def test_a_jpeg_keeps_what_its_colours_are_made_with() -> None:
    """CMYK and RGB are told by Adobe's segment alone."""
    file = BytesIO()
    Image.fromarray(COLOUR).save(file, "JPEG", keep_rgb=True)
    data = file.getvalue()
    assert b"Adobe" in data
    cleaned = without_metadata(data, "jpeg")
    np.testing.assert_array_equal(
        cv2.imdecode(np.frombuffer(cleaned, np.uint8), 1), cv2.imdecode(np.frombuffer(data, np.uint8), 1)
    )


def test_a_small_copy_in_a_jpegs_header_goes() -> None:
    data = jpeg()
    at = data.index(b"\xff\xe0") if b"\xff\xe0" in data else None
    thumbnail = b"\xff\xe0" + struct.pack(">H", 16 + 30) + b"JFIF\0\1\2\0\0\1\0\1\1\x0a" + MARKER + bytes(20)
    data = data[:2] + thumbnail + (data[2:] if at is None else data[2:at] + data[at + 18 :])
    cleaned = without_metadata(data, "jpeg")
    assert MARKER not in cleaned
    np.testing.assert_array_equal(decode(cleaned, Path()).pixels, decode(data, Path()).pixels)


def test_only_the_first_page_of_a_tiff_is_kept() -> None:
    file = BytesIO()
    small = Image.fromarray(GREY[::2, ::2])
    small.encoderinfo = {"tiffinfo": {254: 1, 270: MARKER.decode()}}
    Image.fromarray(GREY).save(file, "TIFF", save_all=True, append_images=[small])
    data = file.getvalue()
    cleaned = without_metadata(data, "tiff")
    with Image.open(BytesIO(cleaned)) as image:
        assert getattr(image, "n_frames", 1) == 1
    np.testing.assert_array_equal(decode(cleaned, Path()).pixels, decode(data, Path()).pixels)


def test_a_chunk_of_private_pixels_goes_with_its_checksum() -> None:
    data = png()
    chunk = b"zTXt" + b"Name\0\0" + zlib.compress(MARKER)
    at = data.index(b"IDAT") - 4
    data = data[:at] + struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) + data[at:]
    assert b"zTXt" not in without_metadata(data, "png")


@pytest.mark.parametrize("name", FILES)
def test_a_cut_or_altered_file_ends_in_one_error(name: str) -> None:
    data = FILES[name]
    draw = np.random.default_rng(1)
    file_format = sniff_format(data, Path(name))
    for _ in range(60):
        altered = bytearray(data[: draw.integers(8, len(data))])
        altered[draw.integers(0, min(len(altered), 400))] = draw.integers(0, 256)
        with suppress(MetadataError):
            assert len(without_metadata(bytes(altered), file_format)) <= len(altered) + 400


@pytest.mark.parametrize("data", [b"II*\0\x08\0\0\0\0\0\0\0\0\0", b"MM\0*\0\0\0\x08\0\0\0\0\0\0", b"II*\0"])
def test_a_tiff_without_samples_is_refused(data: bytes) -> None:
    with pytest.raises(MetadataError):
        without_metadata(data, "tiff")
