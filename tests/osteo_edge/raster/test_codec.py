"""Image files are read alike by both forms, and what one refuses the other one does, too."""

import io
import struct
import zlib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from osteo_edge.image_header import read_header
from osteo_edge.radiograph import sniff_format
from osteo_edge.raster.damage import DamagedImageError, UnsupportedImageError

Image = pytest.importorskip("PIL.Image")

opencv, plain = (import_module(f"osteo_edge.raster.{form}.codec") for form in ("opencv", "plain"))
RANDOM = np.random.default_rng(0)
GREY = cv2.GaussianBlur(RANDOM.integers(0, 256, (192, 256), np.uint8), (0, 0), 2)
COLOUR = np.stack([GREY, GREY[::-1], np.roll(GREY, 30, axis=1)], axis=-1)
GREY_16 = GREY.astype(np.uint16) * 257 + RANDOM.integers(0, 99, GREY.shape, np.uint16)
COLOUR_16 = np.stack([GREY_16, GREY_16[::-1], np.roll(GREY_16, 5, axis=1)], axis=-1)
Samples = npt.NDArray[Any]
Decode = Callable[..., Samples]


def by_opencv(samples: Samples, suffix: str, *options: int) -> bytes:
    return cv2.imencode(suffix, samples, options)[1].tobytes()


def by_pillow(picture: Any, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    (Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture).save(file, kind, **options)
    return file.getvalue()


def both(data: bytes) -> tuple[Samples, Samples]:
    """What both forms make of the file."""
    header = read_header(data, Path("knee"), sniff_format(data, Path("knee")))
    first, second = (form.decode(data, white_is_zero_at=header.white_is_zero_at) for form in (opencv, plain))
    return first, second


def as_colour(samples: Samples) -> Samples:
    return samples if samples.ndim == 3 else np.stack([samples] * 3, axis=-1)


def assert_alike(data: bytes) -> None:
    """The samples are equal; a grey picture may come in grey or in three equal channels."""
    first, second = both(data)
    assert first.dtype == second.dtype
    np.testing.assert_array_equal(as_colour(first), as_colour(second))


@pytest.mark.parametrize("samples", [GREY, COLOUR, np.dstack([COLOUR, GREY])], ids=["grey", "colour", "alpha"])
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tif"])
def test_files_of_8_bits(samples: Samples, suffix: str) -> None:
    assert_alike(by_opencv(samples, suffix))


@pytest.mark.parametrize("samples", [GREY_16, COLOUR_16, np.dstack([COLOUR_16, GREY_16])], ids=["g", "c", "a"])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_files_of_16_bits_keep_them(samples: Samples, suffix: str) -> None:
    data = by_opencv(samples, suffix)
    assert_alike(data)
    np.testing.assert_array_equal(plain.decode(data), samples[..., :3] if samples.ndim == 3 else samples)


def png_of(bits: int, kind: int, way: int, extra: bytes = b"") -> bytes:
    """A PNG file of random samples, all of whose rows are stored by one filter."""
    channels, width, height = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind], 53, 40
    rows = np.random.default_rng(bits).integers(0, 256, (height, (width * bits * channels + 7) // 8), np.uint8)

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0))
    palette = chunk(b"PLTE", bytes(range(3, 3 + 3 * 2**bits if bits < 8 else 255))) if kind == 3 else b""
    content = chunk(b"IDAT", zlib.compress(b"".join(bytes([way]) + row.tobytes() for row in rows)))
    return b"\x89PNG\r\n\x1a\n" + header + palette + extra + content + chunk(b"IEND", b"")


@pytest.mark.parametrize("way", range(5))
@pytest.mark.parametrize(
    ("bits", "kind"),
    [
        (1, 0),
        (2, 0),
        (4, 0),
        (8, 0),
        (16, 0),
        (8, 2),
        (16, 2),
        (1, 3),
        (2, 3),
        (4, 3),
        (8, 4),
        (16, 4),
        (8, 6),
        (16, 6),
    ],
)
def test_every_kind_of_png(bits: int, kind: int, way: int) -> None:
    assert_alike(png_of(bits, kind, way))


@pytest.mark.parametrize("options", [{}, {"transparency": 3}], ids=["opaque", "with a transparent colour"])
def test_a_palette_of_few_colours(options: dict[str, int]) -> None:
    assert_alike(by_pillow(Image.fromarray(COLOUR).quantize(37), "PNG", **options))


@pytest.mark.parametrize(
    "options",
    [
        {"subsampling": 0},
        {"subsampling": 1},
        {"subsampling": 2},
        {"progressive": True},
        {"restart_marker_blocks": 3},
        {"restart_marker_rows": 2},
        {"restart_marker_blocks": 1, "subsampling": 0},
        {"optimize": True, "quality": 20},
        {"keep_rgb": True},
    ],
    ids=str,
)
def test_every_kind_of_jpeg(options: dict[str, Any]) -> None:
    for picture in (COLOUR, COLOUR[:97, :83], GREY[:41, :59]):
        if picture.ndim == 3 or "keep_rgb" not in options:
            assert_alike(by_pillow(picture.copy(), "JPEG", **options))


def test_a_jpeg_in_four_inks() -> None:
    assert_alike(by_pillow(Image.fromarray(COLOUR).convert("CMYK"), "JPEG"))


@pytest.mark.parametrize("orientation", [*range(1, 9), 77])
def test_pictures_are_turned_alike(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x112] = orientation
    assert_alike(by_pillow(COLOUR, "PNG", exif=exif))
    assert_alike(by_pillow(COLOUR, "JPEG", exif=exif))
    if orientation <= 8:
        assert_alike(by_pillow(COLOUR, "TIFF", tiffinfo={274: orientation}))


def test_damaged_notes_of_a_camera_are_no_damage_to_the_picture() -> None:
    exif = Image.Exif()
    exif[0x112], exif[0x10F] = 6, "a maker's name"
    data = by_pillow(GREY, "JPEG", exif=exif)
    at, random = data.index(b"Exif\0\0") + 6, np.random.default_rng(0)
    for _ in range(100):
        damaged = bytearray(data)
        for place in random.integers(at, at + 50, 2):
            damaged[place] = random.integers(256)
        shape = plain.decode(bytes(damaged)).shape
        assert shape in (GREY.shape, GREY.shape[::-1])


@pytest.mark.parametrize("compression", ["raw", "packbits", "tiff_lzw", "tiff_adobe_deflate"])
@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_compression_of_tiff(compression: str, mode: str) -> None:
    picture = Image.fromarray(GREY_16) if mode == "I;16" else Image.fromarray(COLOUR)
    if mode == "P":
        picture = picture.quantize()
    elif mode == "RGBA":
        picture.putalpha(Image.fromarray(GREY))
    elif mode != "I;16":
        picture = picture.convert(mode)
    assert_alike(by_pillow(picture, "TIFF", compression=compression))


@pytest.mark.parametrize("compression", [1, 5, 8, 32773, 32946])
@pytest.mark.parametrize("samples", [GREY, COLOUR, GREY_16, COLOUR_16], ids=["8", "3 x 8", "16", "3 x 16"])
def test_the_differences_that_opencv_stores_in_a_tiff(compression: int, samples: Samples) -> None:
    assert_alike(by_opencv(samples, ".tif", cv2.IMWRITE_TIFF_COMPRESSION, compression))


def test_tiles_of_a_tiff() -> None:
    """Of 64 x 64 pixels, the last ones partly beyond the picture."""
    tiles = [np.zeros((64, 64), np.uint8) for _ in range(12)]
    shown = GREY[:150, :250]
    for number, tile in enumerate(tiles):
        top, left = number // 4 * 64, number % 4 * 64
        part = shown[top : top + 64, left : left + 64]
        tile[: part.shape[0], : part.shape[1]] = part
    body = b"".join(tile.tobytes() for tile in tiles)
    start = 8 + len(body)
    lists = struct.pack("<12I12I", *(8 + 4096 * number for number in range(12)), *[4096] * 12)
    values = {256: 250, 257: 150, 258: 8, 259: 1, 262: 1, 277: 1, 322: 64, 323: 64}
    data = b"II*\0" + struct.pack("<I", start + len(lists)) + body + lists + struct.pack("<H", len(values) + 2)
    data += b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in values.items())
    data += (
        struct.pack("<HHII", 324, 4, 12, start) + struct.pack("<HHII", 325, 4, 12, start + 48) + struct.pack("<I", 0)
    )
    assert_alike(data)
    np.testing.assert_array_equal(plain.decode(data), shown)


def test_a_tiff_without_its_last_strip_is_damaged() -> None:
    body = GREY[:40, :64].tobytes()
    values = {256: 64, 257: 80, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 40, 279: len(body)}
    data = b"II*\0" + struct.pack("<I", 8 + len(body)) + body + struct.pack("<H", len(values))
    data += b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in values.items()) + struct.pack("<I", 0)
    for form in (opencv, plain):
        with pytest.raises(DamagedImageError):
            form.decode(data)


@pytest.mark.parametrize("bits", [1, 4, 8, 24, 32])
@pytest.mark.parametrize("from_the_top", [False, True])
def test_every_depth_of_bmp(bits: int, from_the_top: bool) -> None:
    palette = np.random.default_rng(bits).integers(0, 256, 4 << bits if bits <= 8 else 0, np.uint8).tobytes()
    rows = np.random.default_rng(9).integers(0, 256, (45 * bits + 31) // 32 * 4 * 40, np.uint8).tobytes()
    start, height = 54 + len(palette), -40 if from_the_top else 40
    header = struct.pack("<IiiHHIIiiII", 40, 45, height, 1, bits, 0, len(rows), 0, 0, len(palette) // 4, 0)
    assert_alike(b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + header + palette + rows)


def test_what_the_plain_form_cannot_read_is_refused_and_named() -> None:
    five_bits = struct.pack("<IiiHHIIiiII", 40, 40, 40, 1, 16, 0, 3200, 0, 0, 0, 0)
    bmp = b"BM" + struct.pack("<IHHI", 54 + 3200, 0, 0, 54) + five_bits + bytes(3200)
    inks, in_jpeg = Image.fromarray(COLOUR).convert("CMYK"), {"compression": "jpeg"}
    for data, what in (
        (bmp, "16-bit BMP"),
        (by_pillow(inks, "TIFF"), "TIFF (photometric interpretation 5)"),
        (by_pillow(GREY, "TIFF", **in_jpeg), "TIFF (compression 7)"),
    ):
        with pytest.raises(UnsupportedImageError) as caught:
            plain.decode(data)
        assert str(caught.value) == what


def spoilt(data: bytes, random: np.random.Generator) -> bytes:
    """The file with a lost, an emptied or a cut part, somewhere after its header."""
    at, length = int(random.integers(700, len(data) - 40)), int(random.integers(16, 600))
    way = random.integers(3)
    if way == 0:
        return data[:at] + data[at + length :]
    if way == 1:
        return data[:at] + bytes(len(data[at : at + length])) + data[at + length :]
    return data[:at]


def is_refused(form: Any, data: bytes) -> bool:
    try:
        form.decode(data)
    except DamagedImageError:
        return True
    return False


@pytest.mark.parametrize(
    ("data", "least"),
    [
        (by_opencv(GREY, ".png"), 1),
        (by_opencv(COLOUR, ".png"), 1),
        (by_opencv(GREY, ".tif"), 1),
        (by_opencv(GREY, ".jpg"), 0.95),
        (by_opencv(COLOUR, ".jpg"), 0.95),
        (by_pillow(GREY, "JPEG", quality=90, restart_marker_rows=3), 0.95),
        (by_pillow(COLOUR, "JPEG", quality=90, restart_marker_blocks=7), 0.95),
        (by_pillow(GREY, "JPEG", quality=90, progressive=True), 0.6),
    ],
    ids=[
        "grey png",
        "colour png",
        "tiff",
        "grey jpeg",
        "colour jpeg",
        "grey restarts",
        "colour restarts",
        "progressive",
    ],
)
def test_damage_that_opencv_notices_is_noticed_without_it(data: bytes, least: float) -> None:
    """In a JPEG file all but some, and none that it does not notice."""
    random = np.random.default_rng(6)
    files = [spoilt(data, random) for _ in range(60)]
    refused = [file for file in files if is_refused(opencv, file)]
    assert len(refused) > 30
    assert sum(is_refused(plain, file) for file in refused) >= least * len(refused)
    assert all(is_refused(opencv, file) for file in files if is_refused(plain, file))


@pytest.mark.parametrize("shrunk_by", [1, 2, 4, 8])
@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_photos_are_shrunk_as_they_are_read(shrunk_by: int, suffix: str) -> None:
    data = by_opencv(COLOUR, suffix)
    first, second = (form.decode_photo(data, shrunk_by) for form in (opencv, plain))
    assert first.shape == second.shape
    if suffix == ".jpg" or shrunk_by == 1:  # of other files OpenCV takes single pixels
        assert np.abs(first.astype(int) - second).mean() < 1.5
    else:
        assert np.abs(second.mean(axis=(0, 1)) - COLOUR.mean(axis=(0, 1))).max() < 1


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 3}], ids=str)
def test_a_jpeg_that_was_cut_and_closed_again_is_always_refused(options: dict[str, Any]) -> None:
    data = by_pillow(COLOUR, "JPEG", quality=90, **options)
    for share in np.linspace(0.1, 0.97, 20):
        with pytest.raises(DamagedImageError):
            plain.decode(data[: int(share * len(data))] + b"\xff\xd9")


def test_grey_photos_come_in_three_channels_and_16_bits_in_8() -> None:
    for samples in (GREY, GREY_16, COLOUR_16):
        photo = plain.decode_photo(by_opencv(samples, ".png"))
        np.testing.assert_array_equal(photo, opencv.decode_photo(by_opencv(samples, ".png")))


@pytest.mark.parametrize("data", [b"", b"no photo", by_opencv(GREY, ".png")[:99]])
def test_what_is_no_photo_is_refused(data: bytes) -> None:
    for form in (opencv, plain):
        with pytest.raises(DamagedImageError):
            form.decode_photo(data)


def test_what_one_form_writes_the_other_one_reads() -> None:
    for samples in (GREY, COLOUR):
        for writer, reader in ((opencv, plain), (plain, opencv)):
            np.testing.assert_array_equal(reader.decode(writer.encode_png(samples)), samples)
        lossy = [form.decode(form.encode_jpeg(samples, 90)).astype(int) for form in (opencv, plain)]
        assert np.abs(lossy[0] - lossy[1]).max() <= 8
    for form in (opencv, plain):
        np.testing.assert_array_equal(form.decode_grey_png(form.encode_png(GREY)), GREY)
        for other in (
            b"",
            b"text",
            form.encode_png(COLOUR),
            by_opencv(GREY_16, ".png"),
            form.encode_jpeg(GREY, 90)[:9],
        ):
            assert form.decode_grey_png(other) is None
