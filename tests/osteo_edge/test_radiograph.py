import hashlib
import struct
import subprocess
import sys
import threading
import zlib
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from osteo_edge import radiograph as reading
from osteo_edge.errors import RadiographError
from osteo_edge.radiograph import MAX_SIDE_PX, SNIFFED_BYTES, Pixels, decode, read_radiograph, sniff_format

Image = npt.NDArray[Any]


@pytest.fixture(params=["opencv", "plain"], autouse=True)
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every test is of both forms of the decoders: where OpenCV is, and where it is not, as on Android."""
    if request.param == "plain":
        pytest.importorskip("PIL", reason="decodes where OpenCV is not")
    for topic in ("codec", "colour"):
        monkeypatch.setattr(reading, topic, import_module(f"osteo_edge.raster.{request.param}.{topic}"))
    return str(request.param)


RAMP = np.tile(np.arange(0, 256, 2, dtype=np.uint8), (96, 1))  # (96, 128), 0..254
RAMP_12_BIT = np.tile(np.linspace(0, 4095, 128).astype(np.uint16), (96, 1))
TEXTURE = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (192, 256), np.uint8), (0, 0), 2)


def encode(image: Image, suffix: str) -> bytes:
    return cv2.imencode(suffix, image)[1].tobytes()


def pixels_of(data: bytes) -> Pixels:
    return decode(data, Path("knee.bin")).pixels


def problem_of(data: bytes, name: str = "knee.bin") -> str:
    with pytest.raises(RadiographError) as caught:
        decode(data, Path(name))
    message = str(caught.value)
    assert message.startswith(f"{name}: ")
    assert "\n" not in message
    return message


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, bits: int, colour_type: int, rows: bytes, before: bytes = b"") -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0))
    content = png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + before + content


def exif(orientation: int) -> bytes:
    return b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x112, 3, 1, orientation, 0, 0)


def tiff(samples: Image, photometric: int, order: str = "<", pages: int = 1, **tags: int) -> bytes:
    """Write an uncompressed grey TIFF (TIFF 6.0) with `pages` directories of the same image."""
    height, width = samples.shape
    raw = samples.astype(samples.dtype.newbyteorder("<" if order == "<" else ">")).tobytes()
    values = {256: width, 257: height, 258: samples.itemsize * 8, 259: 1, 262: photometric, 273: 8, 277: 1}
    values |= {278: height, 279: len(raw)} | {int(tag.removeprefix("tag_")): value for tag, value in tags.items()}
    data = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8 + len(raw)) + raw
    for page in range(pages):
        data += struct.pack(f"{order}H", len(values))
        for tag in sorted(values):
            long = tag in (273, 279)
            value = struct.pack(f"{order}I", values[tag]) if long else struct.pack(f"{order}HH", values[tag], 0)
            data += struct.pack(f"{order}HHI", tag, 4 if long else 3, 1) + value
        data += struct.pack(f"{order}I", len(data) + 4 if page + 1 < pages else 0)
    return data


def bmp(width: int, height: int, bits: int, palette: bytes, rows: bytes, compression: int = 0) -> bytes:
    start = 54 + len(palette)
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(rows), 0, 0, len(palette) // 4, 0)
    return b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + header + palette + rows


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif"])
def test_lossless_8_bit_files_keep_every_value(suffix: str) -> None:
    np.testing.assert_array_equal(pixels_of(encode(RAMP, suffix)), RAMP / np.float32(255))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tiff"])
def test_the_first_bytes_tell_the_format(suffix: str) -> None:
    data = encode(TEXTURE, suffix)
    assert sniff_format(data[:SNIFFED_BYTES], Path("knee.bin")) == decode(data, Path("knee.bin")).source.format
    assert sniff_format(bytes(SNIFFED_BYTES - 4) + b"DICM", Path("knee.bin")) == "dicom"


def test_a_jpeg_is_read_as_opencv_reads_it() -> None:
    data = encode(TEXTURE, ".jpg")
    expected = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    np.testing.assert_array_equal(pixels_of(data), np.asarray(expected) / np.float32(255))


def test_pixels_are_contiguous_float32_and_the_file_is_described(tmp_path: Path) -> None:
    path = tmp_path / "knee.jpeg"
    path.write_bytes(encode(RAMP, ".png"))
    radiograph = read_radiograph(path)
    source = radiograph.source
    assert radiograph.pixels.dtype == np.float32
    assert radiograph.pixels.flags.c_contiguous
    assert radiograph.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (source.path, source.format, source.bits, source.chroma) == (path, "png", 8, 0)
    assert (source.height, source.width) == radiograph.pixels.shape == (96, 128)
    assert (source.modality, source.body_part, source.view_position) == (None, None, None)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_16_bit_files_keep_their_range_and_their_steps(suffix: str) -> None:
    image = np.linspace(0, 65535, 96 * 128).astype(np.uint16).reshape(96, 128)
    np.testing.assert_array_equal(pixels_of(encode(image, suffix)), image / np.float32(65535))


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_12_bit_data_in_a_16_bit_file_is_not_dark(suffix: str) -> None:
    np.testing.assert_array_equal(pixels_of(encode(RAMP_12_BIT, suffix)), RAMP_12_BIT / np.float32(4095))


def test_a_black_16_bit_file_stays_black() -> None:
    assert not pixels_of(encode(np.zeros((64, 64), np.uint16), ".png")).any()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey_stored_as_colour_is_the_same_grey_without_chroma(dtype: type) -> None:
    grey: Image = RAMP.astype(dtype) * (257 if dtype == np.uint16 else 1)
    radiograph = decode(encode(cv2.merge([grey] * 3), ".png"), Path("knee.png"))
    np.testing.assert_array_equal(radiograph.pixels, pixels_of(encode(grey, ".png")))
    assert radiograph.source.chroma == 0


def test_colour_becomes_luminance_and_its_chroma_is_reported() -> None:
    red = np.zeros((64, 64, 3), np.uint8)
    red[..., 2] = 255
    radiograph = decode(encode(red, ".png"), Path("red.png"))
    assert radiograph.pixels.mean() == pytest.approx(0.299, abs=0.002)
    assert radiograph.source.chroma == 1


@pytest.mark.parametrize("channels", [2, 4])
def test_an_alpha_channel_is_dropped(channels: int) -> None:
    rows = b"".join(b"\0" + bytes([100] * (channels - 1) + [0]) * 64 for _ in range(64))
    pixels = pixels_of(png(64, 64, 8, {2: 4, 4: 6}[channels], rows))
    np.testing.assert_array_equal(pixels, np.full((64, 64), np.float32(100) / np.float32(255)))


def test_palettes_are_looked_up() -> None:
    palette = png_chunk(b"PLTE", b"\xc8\xc8\xc8\x64\x64\x64")
    pixels = pixels_of(png(64, 64, 8, 3, (b"\0" + b"\0\1" * 32) * 64, palette))
    np.testing.assert_array_equal(pixels[0, :2], np.array([200, 100], np.float32) / np.float32(255))
    inverted = b"".join(bytes([255 - value] * 3 + [0]) for value in range(256))
    np.testing.assert_array_equal(pixels_of(bmp(64, 64, 8, inverted, b"\xff" * 4096)), 0)


def test_exif_orientation_turns_a_jpeg() -> None:
    plain = encode(TEXTURE, ".jpg")
    segment = b"Exif\0\0" + exif(6)
    turned = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + plain[2:]
    radiograph = decode(turned, Path("turned.jpg"))
    np.testing.assert_array_equal(radiograph.pixels, np.rot90(pixels_of(plain), -1))
    assert (radiograph.source.height, radiograph.source.width) == (256, 192)


def test_exif_orientation_turns_a_png() -> None:
    rows = b"".join(b"\0" + row.tobytes() for row in RAMP)
    turned = pixels_of(png(128, 96, 8, 0, rows, png_chunk(b"eXIf", exif(6))))
    np.testing.assert_array_equal(turned, np.rot90(RAMP, -1) / np.float32(255))


@pytest.mark.parametrize("image", [RAMP, RAMP_12_BIT])
def test_orientation_turns_a_tiff(image: Image) -> None:
    turned = pixels_of(tiff(image, 1, tag_274=6))
    np.testing.assert_array_equal(turned, np.rot90(pixels_of(tiff(image, 1)), -1))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("image", [RAMP, RAMP_12_BIT, RAMP_12_BIT * 16])
def test_a_tiff_whose_zero_is_white_is_inverted(image: Image, order: str) -> None:
    black_is_zero, white_is_zero = pixels_of(tiff(image, 1, order)), pixels_of(tiff(image, 0, order))
    np.testing.assert_array_equal(white_is_zero, 1 - black_is_zero)
    assert black_is_zero.max() > 0.99


def test_a_reduced_copy_beside_the_tiff_page_is_ignored_but_a_second_page_is_refused() -> None:
    assert "2 pages" in problem_of(tiff(RAMP, 1, pages=2))
    with_copy = bytearray(tiff(RAMP, 1, pages=2, tag_254=0))
    second_page = len(with_copy) - (2 + 10 * 12 + 4)
    with_copy[second_page + 2 + 8] = 1
    np.testing.assert_array_equal(pixels_of(bytes(with_copy)), RAMP / np.float32(255))


@pytest.mark.parametrize(
    ("image", "sample_format"), [(np.ones((64, 64), np.float32), 3), (np.ones((64, 64), np.int16), 2)]
)
def test_float_and_signed_tiff_samples_are_refused(image: Image, sample_format: int) -> None:
    assert f"format {sample_format}; export 8 or 16 bits" in problem_of(tiff(image, 1, tag_339=sample_format))


def test_bmp_rows_from_the_top_are_read_in_order() -> None:
    grey = b"".join(bytes([value] * 3 + [0]) for value in range(256))
    rows = b"".join(bytes([row]) * 64 for row in range(64))
    pixels = pixels_of(bmp(64, -64, 8, grey, rows))
    np.testing.assert_array_equal(pixels[:, 0], np.arange(64, dtype=np.float32) / np.float32(255))
    assert "compressed" in problem_of(bmp(64, 64, 8, grey, rows, compression=1))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tif"])
@pytest.mark.parametrize("kept", [0.001, 0.1, 0.5, 0.9, 0.99])
def test_a_cut_file_is_refused_and_never_filled_with_grey(
    suffix: str, kept: float, capfd: pytest.CaptureFixture[str]
) -> None:
    data = encode(TEXTURE, suffix)
    assert "again" in problem_of(data[: max(4, int(len(data) * kept))])
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("replacement", [b"", bytes(512)])
@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_lost_or_empty_disk_sector_is_noticed(
    suffix: str, replacement: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    data = encode(TEXTURE, suffix)
    middle = len(data) // 2
    assert "damaged or incomplete" in problem_of(data[:middle] + replacement + data[middle + 512 :])
    assert capfd.readouterr().err == ""


def test_a_jpeg_cut_and_then_closed_with_an_end_marker_is_noticed() -> None:
    data = encode(TEXTURE, ".jpg")
    assert "damaged or incomplete" in problem_of(data[: len(data) // 2] + b"\xff\xd9")


def test_a_progressive_jpeg_and_bytes_after_the_end_are_fine() -> None:
    data = cv2.imencode(".jpg", TEXTURE, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    assert pixels_of(data + b"\0" * 100).shape == TEXTURE.shape
    assert "damaged" in problem_of(data[: len(data) // 2])


def test_a_12_bit_jpeg_is_named_as_such() -> None:
    data = bytearray(encode(TEXTURE, ".jpg"))
    data[data.index(b"\xff\xc0") + 4] = 12
    assert "12-bit JPEG" in problem_of(bytes(data))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (31, 400), (100, MAX_SIDE_PX + 1), (30_000, 40)])
def test_sides_that_no_radiograph_has_are_refused(height: int, width: int) -> None:
    message = problem_of(encode(np.zeros((height, width), np.uint8), ".png"))
    assert f"{width} x {height} pixels is too" in message


@pytest.mark.parametrize("file_format", ["png", "jpeg", "bmp", "tiff"])
def test_a_claimed_size_is_refused_before_anything_is_decoded(
    file_format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("decoded")

    jpeg = bytearray(encode(TEXTURE, ".jpg"))
    struct.pack_into(">HH", jpeg, jpeg.index(b"\xff\xc0") + 5, 60_000, 60_000)
    data = {
        "png": png(60_000, 60_000, 8, 0, b""),
        "jpeg": bytes(jpeg),
        "bmp": bmp(60_000, 60_000, 8, b"", b""),
        "tiff": tiff(RAMP, 1, tag_256=60_000, tag_257=60_000),
    }[file_format]
    monkeypatch.setattr("osteo_edge.radiograph.codec.decode", forbidden)
    assert "60000 x 60000 pixels is too large" in problem_of(data)


def test_many_pixels_are_refused_though_each_side_is_short_enough() -> None:
    assert "100 megapixels" in problem_of(png(16_000, 16_000, 8, 0, b""))


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"GIF89a" + b"\0" * 200, "GIF"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "WebP"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
        (b"\0\0\0\x18ftypavif\0\0\0\0", "AVIF"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"PK\x03\x04....", "ZIP"),
        (b"II+\0\x08\0\0\0", "BigTIFF"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    ],
)
def test_other_formats_are_named(data: bytes, name: str) -> None:
    assert problem_of(data, "knee.png") == (
        f"knee.png: {name} files are not supported; export the radiograph as PNG or DICOM"
    )


def test_a_kind_of_file_that_is_not_read_everywhere_is_named(form: str) -> None:
    data = bmp(64, 64, 16, b"", bytes(64 * 64 * 2))
    if form == "plain":
        assert problem_of(data) == "knee.bin: 16-bit BMP files are not supported; export the radiograph as PNG or DICOM"
    else:
        assert not pixels_of(data).any()


def test_text_and_nothing_are_no_images() -> None:
    assert "not a PNG, JPEG, BMP, TIFF or DICOM file" in problem_of(b"hello, I am a radiograph", "knee.png")
    assert "empty" in problem_of(b"", "knee.png")


def test_what_cannot_be_opened_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RadiographError, match=r"missing\.png: cannot be read \(No such file or directory\)"):
        read_radiograph(tmp_path / "missing.png")
    with pytest.raises(RadiographError, match="is a folder"):
        read_radiograph(tmp_path)
    with pytest.raises(RadiographError, match="not a file of at most"):
        read_radiograph(Path("/dev/null"))

    def denied(_: Path) -> bytes:
        raise PermissionError

    locked = tmp_path / "locked.png"
    locked.write_bytes(encode(RAMP, ".png"))
    monkeypatch.setattr(Path, "read_bytes", denied)
    with pytest.raises(RadiographError, match=r"locked\.png: may not be read"):
        read_radiograph(locked)


def test_arbitrary_damage_gives_pixels_or_one_line() -> None:
    rng = np.random.default_rng(1)
    files = [encode(RAMP, suffix) for suffix in (".png", ".jpg", ".bmp", ".tif")] + [tiff(RAMP, 0, ">")]
    for data in files:
        for _ in range(60):
            damaged = bytearray(data)
            for at in rng.integers(4, min(len(data), 400), 3):
                damaged[at] = rng.integers(256)
            try:
                pixels = pixels_of(bytes(damaged))
            except RadiographError as error:
                message = str(error)
            else:
                message = "none"
                assert pixels.dtype == np.float32
                assert 0 <= pixels.min() <= pixels.max() <= 1
            assert "\n" not in message


def test_threads_can_decode_at_the_same_time() -> None:
    data, results = encode(TEXTURE, ".jpg"), []
    threads = [threading.Thread(target=lambda: results.append(pixels_of(data))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8
    assert all((result == results[0]).all() for result in results)


def test_reading_a_png_loads_no_pydicom(tmp_path: Path) -> None:
    (tmp_path / "knee.png").write_bytes(encode(RAMP, ".png"))
    code = (
        "import sys, pathlib; from osteo_edge.radiograph import read_radiograph;"
        "read_radiograph(pathlib.Path(sys.argv[1])); sys.exit('pydicom' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "knee.png")], check=True)


def test_16_bit_wrists_are_neither_white_nor_black(shared_data: Path) -> None:
    for path in sorted(shared_data.glob("ood/wrist_16bit_png/*.png")):
        radiograph = read_radiograph(path)
        assert radiograph.source.bits == 16
        assert 0.2 < radiograph.pixels.mean() < 0.5
        assert len(np.unique(radiograph.pixels)) > 256


def test_every_shared_knee_can_be_read(shared_data: Path) -> None:
    paths = sorted(shared_data.glob("knees/images/*/*.jpg"))
    assert len(paths) == 199
    for path in paths[::10]:
        assert read_radiograph(path).source.chroma < 0.01
