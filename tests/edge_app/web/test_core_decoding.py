"""The page's decoders against Python's: the same pixels of every kind of file, and the same line for a refused one."""

import base64
import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, features
from pydicom.encaps import encapsulate
from pydicom.uid import (
    MPEG2MPML,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    RLELossless,
)

from osteo_edge.errors import RadiographError
from osteo_edge.radiograph import decode
from tests.edge_app.web.parity_core import Core, CoreError, packed, text_of, unpacked
from tests.osteo_edge.dicom_ramp import RAMP
from tests.osteo_edge.drawn_dicom import dicom_bytes, dicom_of, lookup_table
from tests.osteo_edge.raster.lossless import lossless_jpeg

RNG = np.random.default_rng(7)
HEIGHT, WIDTH = 57, 45


def check_same(core: Core, data: bytes, name: str) -> None:
    """The page has the same pixels and the same said of them as Python, or refuses the file in the same words."""
    path = Path(name)
    problem = ""
    try:
        expected = decode(data, path)
    except RadiographError as error:
        problem = str(error).removeprefix(f"{path}: ")
    if problem:
        with pytest.raises(CoreError) as raised:
            core.ask("decode", text_of(data), name)
        assert (str(raised.value), raised.value.is_for_user) == (problem, True)
        return
    found = core.ask("decode", text_of(data), name)
    np.testing.assert_allclose(unpacked(found["pixels"]), expected.pixels, atol=2e-7, err_msg=name)
    assert found["sha256"] == expected.sha256
    assert found["format"] == expected.source.format
    assert found["chroma"] == pytest.approx(expected.source.chroma, abs=1e-9)
    assert found["modality"] == expected.source.modality


def smooth(channels: int = 1) -> npt.NDArray[np.uint8]:
    picture = RNG.integers(0, 256, (HEIGHT // 8, WIDTH // 8, channels), np.uint8)
    return np.asarray(cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(bits: int, kind: int, *chunks: bytes, filtering: int = 0) -> bytes:
    """A PNG of random samples, in each row of which the filter is the same."""
    row_bytes = (WIDTH * bits * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind] + 7) // 8
    rows = b"".join(bytes([filtering]) + RNG.bytes(row_bytes) for _ in range(HEIGHT))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, bits, kind, 0, 0, 0)
    body = (chunk(b"IHDR", header), *chunks, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


@pytest.mark.parametrize(
    ("bits", "kind"),
    [(1, 0), (2, 0), (4, 0), (8, 0), (16, 0), (8, 2), (16, 2), (8, 4), (8, 6), (16, 6)],
)
def test_every_kind_of_png_gives_the_same_pixels(core: Core, bits: int, kind: int) -> None:
    check_same(core, png(bits, kind, filtering=2), "knee.png")


def test_palettes_and_turned_pngs_give_the_same_pixels(core: Core) -> None:
    palette = chunk(b"PLTE", RNG.bytes(3 * 256))
    turned = chunk(b"eXIf", b"II*\0" + struct.pack("<IHHHIHH", 8, 1, 0x112, 3, 1, 6, 0) + bytes(4))
    for data in (png(8, 3, palette), png(4, 3, palette), png(8, 0, turned, filtering=4)):
        check_same(core, data, "knee.png")


def test_sixteen_bits_that_are_not_all_in_use_are_as_bright(core: Core) -> None:
    twelve = (RNG.random((HEIGHT, WIDTH)) * 4095).astype(np.uint16)
    check_same(core, cv2.imencode(".png", twelve)[1].tobytes(), "knee.png")


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:-30] + b"\0\0\0" + whole[-27:],
        lambda whole: whole[:16] + struct.pack(">I", 9_000) + whole[20:],
        lambda whole: b"\x89PNG\r\n\x1a\n",
        lambda whole: whole[:16] + struct.pack(">I", 5) + whole[20:],
    ],
)
def test_damaged_pngs_are_refused_in_the_same_words(core: Core, damage: Any) -> None:
    check_same(core, damage(png(8, 0)), "knee.png")


def test_a_png_that_swells_is_refused_before_it_is_large(core: Core) -> None:
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(30 * 2**20))) + chunk(b"IEND", b"")
    with pytest.raises(CoreError, match="PNG data are damaged"):
        core.ask("decode", text_of(b"\x89PNG\r\n\x1a\n" + body), "knee.png")


@pytest.mark.parametrize(
    "options",
    [[], [cv2.IMWRITE_JPEG_PROGRESSIVE, 1], [cv2.IMWRITE_JPEG_QUALITY, 30], [cv2.IMWRITE_JPEG_RST_INTERVAL, 3]],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_jpegs_give_the_same_pixels(core: Core, channels: int, options: list[int]) -> None:
    check_same(core, cv2.imencode(".jpg", smooth(channels), options)[1].tobytes(), "knee.jpg")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_are_turned_alike(core: Core, orientation: int) -> None:
    notes = b"Exif\0\0MM\0*" + struct.pack(">IHHHIHH", 8, 1, 0x112, 3, 1, orientation, 0) + bytes(4)
    whole = cv2.imencode(".jpg", smooth(3))[1].tobytes()
    check_same(core, whole[:2] + b"\xff\xe1" + struct.pack(">H", len(notes) + 2) + notes + whole[2:], "photo.jpg")


def test_damaged_jpegs_are_refused_in_the_same_words(core: Core) -> None:
    whole = cv2.imencode(".jpg", smooth())[1].tobytes()
    middle = len(whole) // 2
    for data in (whole[:middle], whole[:middle] + b"\xff\xd9", whole[:middle] + bytes(60) + whole[middle + 60 :]):
        check_same(core, data, "knee.jpg")


def test_bmps_give_the_same_pixels(core: Core) -> None:
    for channels in (1, 3):
        check_same(core, cv2.imencode(".bmp", smooth(channels))[1].tobytes(), "knee.bmp")


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", b"GIF89a", b"\0\0\0\x20ftypheic", b"%PDF-1.7", b"RIFF\0\0\0\0WEBPVP8 ", b"PK\3\4"],
)
def test_what_is_no_radiograph_is_refused_in_the_same_words(core: Core, data: bytes) -> None:
    check_same(core, data, "knee.png")


def test_tiff_is_refused_by_name(core: Core) -> None:
    with pytest.raises(CoreError, match=r"^TIFF files are not supported; export the radiograph as PNG or DICOM$"):
        core.ask("decode", text_of(cv2.imencode(".tiff", smooth())[1].tobytes()), "knee.tiff")


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian])
def test_every_uncompressed_dicom_gives_the_same_pixels(core: Core, syntax: str) -> None:
    check_same(core, dicom_bytes(dicom_of(RAMP, syntax)), "knee.dcm")


def test_run_lengths_in_dicom_give_the_same_pixels(core: Core) -> None:
    dataset = dicom_of(RAMP)
    dataset.compress(RLELossless, generate_instance_uid=False)
    check_same(core, dicom_bytes(dataset), "knee.dcm")


def encapsulated(stored: npt.NDArray[Any], syntax: str, frame: bytes) -> bytes:
    dataset = dicom_of(stored, syntax)
    dataset.PixelData = encapsulate([frame + b"\0" * (len(frame) % 2)])
    dataset["PixelData"].is_undefined_length = True
    return dicom_bytes(dataset)


def test_jpeg_in_dicom_gives_the_same_pixels(core: Core) -> None:
    frame = cv2.imencode(".jpg", smooth())[1].tobytes()
    check_same(core, encapsulated(smooth(), JPEGBaseline8Bit, frame), "knee.dcm")
    check_same(core, encapsulated(RAMP, JPEGLosslessSV1, lossless_jpeg(RAMP, bits=12)), "knee.dcm")
    check_same(core, encapsulated(smooth()[:40], JPEGBaseline8Bit, frame), "knee.dcm")
    check_same(core, encapsulated(smooth(), JPEGBaseline8Bit, frame[: len(frame) // 2]), "knee.dcm")


def test_jpeg_2000_in_dicom_gives_the_same_pixels(core: Core) -> None:
    if not features.check("jpg_2000"):
        pytest.skip("this Pillow writes no JPEG 2000")
    stored, frame = smooth(), BytesIO()
    Image.fromarray(stored).save(frame, "JPEG2000", no_jp2=True)
    check_same(core, encapsulated(stored, JPEG2000Lossless, frame.getvalue()), "knee.dcm")


@pytest.mark.parametrize(("brightest", "step"), [(1.0, 1 / 65535), (0.3, 1 / 255)])
def test_a_film_is_as_bright_again_when_its_kept_picture_is_read(core: Core, brightest: float, step: float) -> None:
    film = brightest * RNG.random((HEIGHT, WIDTH), np.float32)
    kept = base64.b64decode(core.ask("grey", packed(film)))
    np.testing.assert_allclose(decode(kept, Path("film.png")).pixels, film, atol=0.51 * step)
    check_same(core, kept, "film.png")


def dicoms() -> Iterator[tuple[str, bytes]]:
    signed = RAMP.astype(np.int16) - 2000
    modality = lookup_table(np.arange(4095, -1, -1, dtype=np.uint16), 16, ModalityLUTType="US")
    voi = lookup_table((np.arange(4096) // 16).astype(np.uint16), 8)
    colours = RNG.integers(0, 256, (48, 64, 3), np.uint8)
    names = [f"{channel}PaletteColorLookupTable" for channel in ("Red", "Green", "Blue")]
    tables: dict[str, Any] = {f"{name}Descriptor": [256, 0, 16] for name in names}
    tables |= {f"{name}Data": RNG.integers(0, 65536, 256, np.uint16).tobytes() for name in names}
    windows: dict[str, Any] = {"WindowCenter": [1000, 5], "WindowWidth": [2000, 5]}
    yield "white is low", dicom_bytes(dicom_of(RAMP, PhotometricInterpretation="MONOCHROME1"))
    yield "signed", dicom_bytes(dicom_of(signed))
    yield "rescaled", dicom_bytes(dicom_of(RAMP, RescaleSlope="2.5", RescaleIntercept="-1000", **windows))
    for function in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        yield function, dicom_bytes(dicom_of(RAMP, VOILUTFunction=function, **windows))
    yield "a threshold", dicom_bytes(dicom_of(RAMP, WindowCenter=900, WindowWidth=1))
    yield "no window", dicom_bytes(dicom_of(RAMP, WindowCenter=900, WindowWidth=0))
    yield "padding", dicom_bytes(dicom_of(RAMP, PixelPaddingValue=0, PixelPaddingRangeLimit=600))
    yield "tables", dicom_bytes(dicom_of(RAMP, ModalityLUTSequence=modality, VOILUTSequence=voi))
    yield "constant", dicom_bytes(dicom_of(np.full((40, 40), 9, np.uint16)))
    yield "colour", dicom_bytes(dicom_of(colours))
    yield "planes", dicom_bytes(dicom_of(colours, PlanarConfiguration=1))
    indices = dicom_of(colours[..., 0].copy(), PhotometricInterpretation="PALETTE COLOR", **tables)
    yield "a palette", dicom_bytes(indices)
    yield "frames", dicom_bytes(dicom_of(RAMP, NumberOfFrames=3))
    yield "too small", dicom_bytes(dicom_of(RAMP[:20]))
    yield "too large", dicom_bytes(dicom_of(RAMP, Rows=60_000, Columns=60_000))
    yield "cut", dicom_bytes(dicom_of(RAMP))[:-900]
    yield "no pixels", dicom_bytes(without(dicom_of(RAMP), "PixelData"))
    yield "no rows", dicom_bytes(without(dicom_of(RAMP), "Rows"))
    yield "a program too", b"MZ" + dicom_bytes(dicom_of(RAMP))[2:]
    for modality_said in ("MR", "ROE JANE", "DX\\CR"):
        yield modality_said, dicom_bytes(dicom_of(RAMP, Modality=modality_said))
    yield "no preamble", dicom_bytes(dicom_of(RAMP))[132:]
    yield "a video", encapsulated(RAMP, MPEG2MPML, bytes(64))


def without(dataset: Any, keyword: str) -> Any:
    del dataset[keyword]
    return dataset


def test_dicom_gives_the_same_grey_or_the_same_words(core: Core) -> None:
    for name, data in dicoms():
        try:
            check_same(core, data, "knee.dcm")
        except AssertionError as error:
            raise AssertionError(name) from error
