import logging
import sys
from importlib import import_module
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from osteo_edge.errors import MissingExtraError, RadiographError
from osteo_edge.radiograph import Pixels, Radiograph, decode, read_radiograph

pydicom = pytest.importorskip("pydicom")
from pydicom.dataset import Dataset, FileMetaDataset  # noqa: E402
from pydicom.encaps import encapsulate  # noqa: E402
from pydicom.uid import (  # noqa: E402
    MPEG2MPML,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from osteo_edge import dicom, dicom_frames  # noqa: E402
from tests.osteo_edge.raster.lossless import lossless_jpeg  # noqa: E402

PATH = Path("knee.dcm")
PATIENT = "SECRET^NAME"
RAMP = np.tile(np.linspace(0, 4095, 64).astype(np.uint16), (48, 1))


def dataset_of(stored: npt.NDArray[Any], syntax: str = ExplicitVRLittleEndian, **elements: Any) -> Any:
    """Make a small computed radiograph around the stored values: (rows, columns) or (rows, columns, 3)."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.PatientName = PATIENT
    dataset.Modality = "CR"
    dataset.Rows, dataset.Columns = stored.shape[:2]
    dataset.SamplesPerPixel = 1 if stored.ndim == 2 else 3
    if stored.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.PhotometricInterpretation = "MONOCHROME2" if stored.ndim == 2 else "RGB"
    dataset.BitsAllocated = stored.itemsize * 8
    dataset.BitsStored = 12 if stored.dtype == np.uint16 else dataset.BitsAllocated
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(stored.dtype.kind == "i")
    big_endian = syntax == ExplicitVRBigEndian
    dataset.PixelData = stored.astype(stored.dtype.newbyteorder(">" if big_endian else "<")).tobytes()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    dataset["PixelData"].VR = "OW" if stored.itemsize > 1 else "OB"
    return dataset


def bytes_of(dataset: Any) -> bytes:
    dataset.preamble = bytes(128)
    file = BytesIO()
    pydicom.dcmwrite(file, dataset)
    return file.getvalue()


def radiograph_of(stored: npt.NDArray[Any], syntax: str = ExplicitVRLittleEndian, **elements: Any) -> Radiograph:
    return decode(bytes_of(dataset_of(stored, syntax, **elements)), PATH)


def pixels_of(stored: npt.NDArray[Any], syntax: str = ExplicitVRLittleEndian, **elements: Any) -> Pixels:
    return radiograph_of(stored, syntax, **elements).pixels


def problem_of(data: bytes) -> str:
    with pytest.raises(RadiographError) as caught:
        decode(data, PATH)
    message = str(caught.value)
    assert message.startswith("knee.dcm: ")
    assert "\n" not in message
    assert "SECRET" not in message
    return message


def lookup_table(values: npt.NDArray[np.uint16], bits: int, first: int = 0, **elements: Any) -> Any:
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [len(values), first, bits])
    item.add_new("LUTData", "US", values.tolist())
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return pydicom.Sequence([item])


def test_without_a_window_the_full_range_becomes_0_to_1() -> None:
    radiograph = radiograph_of(RAMP[:, 10:50], BodyPartExamined="KNEE", ViewPosition="AP")
    assert (radiograph.pixels.min(), radiograph.pixels.max()) == (0, 1)
    assert (np.diff(radiograph.pixels, axis=1) > 0).all()
    source = radiograph.source
    assert (source.format, source.bits, source.height, source.width, source.chroma) == ("dicom", 12, 48, 40, 0)
    assert (source.modality, source.body_part, source.view_position) == ("CR", "KNEE", "AP")
    assert PATIENT not in repr(source)


@pytest.mark.parametrize(
    "elements",
    [
        {},
        {"WindowCenter": 2000, "WindowWidth": 1000},
        {"WindowCenter": 2000, "WindowWidth": 1000, "VOILUTFunction": "SIGMOID"},
        {"RescaleSlope": -0.5, "RescaleIntercept": 100},
    ],
)
def test_the_opposite_photometric_interpretation_gives_the_negative(elements: dict[str, Any]) -> None:
    positive = pixels_of(RAMP, PhotometricInterpretation="MONOCHROME2", **elements)
    negative = pixels_of(RAMP, PhotometricInterpretation="MONOCHROME1", **elements)
    np.testing.assert_allclose(positive, 1 - negative, atol=1e-6)
    assert positive.std() > 0.1


def test_the_first_window_is_applied() -> None:
    pixels = pixels_of(RAMP, WindowCenter=[2048, 1], WindowWidth=[1024, 2])
    np.testing.assert_allclose(pixels, np.clip((RAMP - 2047.5) / 1023 + 0.5, 0, 1), atol=1e-5)


def test_the_window_is_in_units_after_the_rescale() -> None:
    pixels = pixels_of(RAMP, RescaleSlope=2, RescaleIntercept=-1000, WindowCenter=3095, WindowWidth=8191)
    np.testing.assert_allclose(pixels, RAMP / 4095, atol=1e-3)


def test_the_other_window_functions_follow_the_standard() -> None:
    values = np.array([-100, 0, 100, 300], np.float32)
    exact = dicom.apply_window(values, 100, 400, "LINEAR_EXACT")
    np.testing.assert_allclose(exact, [0, 0.25, 0.5, 1])
    sigmoid = dicom.apply_window(values, 100, 200, "SIGMOID")
    np.testing.assert_allclose(sigmoid, [0.017986, 0.119203, 0.5, 0.982014], rtol=1e-4)


def test_a_window_of_width_1_is_a_threshold() -> None:
    pixels = pixels_of(RAMP, WindowCenter=2048, WindowWidth=1)
    np.testing.assert_array_equal(pixels, (RAMP > 2047.5).astype(np.float32))


@pytest.mark.parametrize("width", [0, -5, 0.5, None])
def test_a_window_that_the_standard_forbids_is_ignored(width: float | None) -> None:
    np.testing.assert_array_equal(pixels_of(RAMP, WindowCenter=2048, WindowWidth=width), pixels_of(RAMP))


def test_an_empty_slope_is_no_slope() -> None:
    np.testing.assert_array_equal(pixels_of(RAMP, RescaleSlope=None, RescaleIntercept=None), pixels_of(RAMP))


def test_signed_values_keep_their_order() -> None:
    np.testing.assert_allclose(pixels_of(RAMP.astype(np.int16) - 2000), pixels_of(RAMP), atol=1e-6)


def test_padding_does_not_widen_the_range_and_ends_black() -> None:
    stored = RAMP.astype(np.int16)
    stored[:5] = -30000
    stored[5:10] = -29000
    for photometric in ("MONOCHROME1", "MONOCHROME2"):
        padding: dict[str, Any] = {"PixelPaddingValue": -30000, "PixelPaddingRangeLimit": -29000}
        pixels = pixels_of(stored, PhotometricInterpretation=photometric, **padding)
        np.testing.assert_array_equal(pixels[:10], 0)
        np.testing.assert_array_equal(pixels[10:], pixels_of(RAMP, PhotometricInterpretation=photometric)[10:])


def test_a_constant_image_is_black() -> None:
    np.testing.assert_array_equal(pixels_of(np.full((48, 64), 700, np.uint16)), 0)


def test_lookup_tables_are_applied_in_order() -> None:
    modality = lookup_table(np.arange(4095, -1, -1, dtype=np.uint16), 16, ModalityLUTType="US")
    np.testing.assert_allclose(pixels_of(RAMP, ModalityLUTSequence=modality), 1 - pixels_of(RAMP), atol=1e-6)
    window = lookup_table((np.arange(4096) // 16).astype(np.uint16), 8)
    np.testing.assert_allclose(pixels_of(RAMP, VOILUTSequence=window), (RAMP // 16) / 255, atol=1e-6)


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_every_uncompressed_encoding_gives_the_same_pixels(syntax: str) -> None:
    np.testing.assert_array_equal(pixels_of(RAMP, syntax), pixels_of(RAMP))


def test_run_length_encoding_gives_the_same_pixels() -> None:
    dataset = dataset_of(RAMP)
    dataset.compress(RLELossless, generate_instance_uid=False)
    np.testing.assert_array_equal(decode(bytes_of(dataset), PATH).pixels, pixels_of(RAMP))


def jpeg_dataset(frame: bytes) -> Any:
    dataset = dataset_of(np.zeros((192, 256), np.uint8), JPEGBaseline8Bit)
    dataset.PixelData = encapsulate([frame + b"\0" * (len(frame) % 2)])
    dataset["PixelData"].is_undefined_length = True
    return dataset


def jpeg_frame() -> bytes:
    image = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (192, 256), np.uint8), (0, 0), 2)
    return cv2.imencode(".jpg", image)[1].tobytes()


def test_a_jpeg_frame_is_decoded_and_a_damaged_one_refused(capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("gdcm", reason="decodes JPEG")
    frame = jpeg_frame()
    assert decode(bytes_of(jpeg_dataset(frame)), PATH).pixels.std() > 0.1
    middle = len(frame) // 2
    assert "damaged" in problem_of(bytes_of(jpeg_dataset(frame[:middle])))
    assert "damaged" in problem_of(bytes_of(jpeg_dataset(frame[:middle] + bytes(512) + frame[middle + 512 :])))
    assert capfd.readouterr().err == ""


def test_colour_becomes_luminance() -> None:
    red = np.zeros((48, 64, 3), np.uint8)
    red[..., 0] = 255
    radiograph = radiograph_of(red)
    assert radiograph.pixels.mean() == pytest.approx(0.299, abs=0.002)
    assert radiograph.source.chroma == 1
    luma = np.full((48, 64, 3), 128, np.uint8)
    luma[..., 0] = 200
    ybr = radiograph_of(luma, PhotometricInterpretation="YBR_FULL")
    assert ybr.pixels.mean() == pytest.approx(200 / 255, abs=0.01)
    assert ybr.source.chroma == pytest.approx(0, abs=0.01)


def test_a_palette_is_looked_up() -> None:
    indices = np.tile(np.arange(64, dtype=np.uint8), (48, 1))
    names = [f"{channel}PaletteColorLookupTable" for channel in ("Red", "Green", "Blue")]
    tables: dict[str, Any] = {f"{name}Descriptor": [256, 0, 16] for name in names}
    tables |= {f"{name}Data": np.arange(0, 65536, 256, dtype=np.uint16).tobytes() for name in names}
    radiograph = radiograph_of(indices, PhotometricInterpretation="PALETTE COLOR", **tables)
    np.testing.assert_allclose(radiograph.pixels, indices.astype(np.uint16) * 256 / 65535, atol=1e-4)
    assert radiograph.source.chroma == 0


def test_a_file_without_preamble_is_read_by_its_name() -> None:
    content = bytes_of(dataset_of(RAMP))
    with_meta, without_meta = content[132:], content[content.index(b"\x08\x00\x60\x00CS") :]
    for data in (with_meta, without_meta):
        np.testing.assert_array_equal(decode(data, PATH).pixels, pixels_of(RAMP))
        with pytest.raises(RadiographError, match="not a PNG, JPEG"):
            decode(data, Path("knee"))


def test_the_content_and_not_the_name_makes_a_dicom() -> None:
    assert decode(bytes_of(dataset_of(RAMP)), Path("knee.png")).source.format == "dicom"


def test_text_called_dcm_is_refused() -> None:
    assert "DICOM" in problem_of(b"hello, I am a radiograph, and not a short one either")


def test_several_frames_are_refused_by_number() -> None:
    assert "holds 3 frames" in problem_of(bytes_of(dataset_of(RAMP, NumberOfFrames=3)))


@pytest.mark.parametrize(("rows", "columns"), [(16, 16), (60_000, 60_000)])
def test_a_size_that_no_radiograph_has_is_refused_before_decoding(
    rows: int, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dicom, "samples_of", None)
    assert f"{columns} x {rows} pixels is too" in problem_of(bytes_of(dataset_of(RAMP, Rows=rows, Columns=columns)))


def test_a_deflated_file_that_would_fill_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicom, "MAX_FILE_BYTES", 1000)
    assert "inflates to more" in problem_of(bytes_of(dataset_of(RAMP, DeflatedExplicitVRLittleEndian)))


@pytest.mark.parametrize("keyword", ["PixelData", "Rows", "BitsAllocated", "PhotometricInterpretation"])
def test_a_missing_element_is_one_line(keyword: str) -> None:
    dataset = dataset_of(RAMP)
    delattr(dataset, keyword)
    assert "export" in problem_of(bytes_of(dataset))


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_a_cut_file_is_refused(syntax: str) -> None:
    data = bytes_of(dataset_of(RAMP, syntax))
    assert "export" in problem_of(data[:-20])
    assert "export" in problem_of(data[: len(data) // 2])


def test_a_value_that_is_no_number_is_not_quoted(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    data = bytes_of(dataset_of(RAMP, NumberOfFrames=1, WindowCenter=2048, WindowWidth=4096))
    assert "NumberOfFrames is missing or not a number" in problem_of(data.replace(b"IS\x02\x001 ", b"IS\x02\x00SE"))
    assert "damaged" in problem_of(data.replace(b"4096", b"SECR"))
    assert (capfd.readouterr().err, caplog.text) == ("", "")


def test_arbitrary_damage_gives_pixels_or_one_line_without_the_patient() -> None:
    rng = np.random.default_rng(2)
    data = bytes_of(dataset_of(RAMP, WindowCenter=2048, WindowWidth=4096))
    for _ in range(150):
        damaged = bytearray(data)
        for at in rng.integers(132, 600, 4):
            damaged[at] = rng.integers(256)
        try:
            pixels = decode(bytes(damaged), PATH).pixels
        except RadiographError as error:
            message = str(error)
        else:
            message = "none"
            assert np.isfinite(pixels).all()
            assert 0 <= pixels.min() <= pixels.max() <= 1
        assert "\n" not in message
        assert "SECRET" not in message


def test_a_video_is_refused_by_the_name_of_its_compression() -> None:
    dataset = jpeg_dataset(jpeg_frame())
    dataset.file_meta.TransferSyntaxUID = MPEG2MPML
    assert "MPEG2" in problem_of(bytes_of(dataset))


def test_a_missing_decoder_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicom, "is_readable", lambda _: False)
    with pytest.raises(MissingExtraError, match=r"JPEG Baseline.*needs python-gdcm: pip install 'osteo-edge\[dicom\]'"):
        decode(bytes_of(jpeg_dataset(jpeg_frame())), PATH)


def test_without_pydicom_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytes_of(dataset_of(RAMP))
    monkeypatch.delitem(sys.modules, "osteo_edge.dicom")
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(MissingExtraError, match=r"reading DICOM needs pydicom: pip install 'osteo-edge\[dicom\]'"):
        decode(data, PATH)


def test_the_log_of_pydicom_is_left_as_it_was() -> None:
    logger = logging.getLogger("pydicom")
    before = logger.propagate
    pixels_of(RAMP)
    problem_of(b"no dicom")
    assert logger.propagate is before


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("CT_small", (128, 128)),
        ("ExplVR_BigEnd", (60, 80)),
        ("Fake_MONOHR1", (1024, 1024)),
        ("JPEG2000", (1024, 256)),
        ("MR_small_jpeg_ls_lossless", (64, 64)),
        ("RG3_J2KI", (1760, 1760)),
        ("RG3_J2KR", (1760, 1760)),
        ("SC_rgb_rle", (100, 100)),
        ("examples_palette", (350, 800)),
        ("image_dfl", (512, 512)),
    ],
)
def test_real_files_are_read(name: str, shape: tuple[int, int], shared_data: Path) -> None:
    pytest.importorskip("gdcm", reason="decodes JPEG, JPEG-LS and JPEG 2000")
    pixels = read_radiograph(shared_data / "dicom" / f"{name}.dcm").pixels
    assert pixels.shape == shape
    assert 0 <= pixels.min() < 0.5 < pixels.max() <= 1


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("MR_truncated", "damaged or incomplete"),
        ("badVR", "NumberOfFrames is missing or not a number"),
        ("no_meta", "without complete pixel data"),
        ("pydicom_CR_cspine_6154", "16 x 16 pixels is too small"),
        ("rtplan", "a treatment plan without complete pixel data"),
    ],
)
def test_real_files_that_are_no_radiograph_are_refused(name: str, problem: str, shared_data: Path) -> None:
    with pytest.raises(RadiographError, match=problem):
        read_radiograph(shared_data / "dicom" / f"{name}.dcm")


def test_the_leg_stored_with_white_low_has_bright_bone(shared_data: Path) -> None:
    pytest.importorskip("gdcm", reason="decodes JPEG 2000")
    rows = read_radiograph(shared_data / "dicom" / "RG3_J2KR.dcm").pixels[600:900].mean(axis=0)
    bone, air = rows[850:1150].max(), rows[500:800].min()
    assert bone > air + 0.3


def lossless_dataset(stored: npt.NDArray[Any], frame: bytes, **elements: Any) -> Any:
    dataset = dataset_of(stored, JPEGLosslessSV1, **elements)
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].VR = "OB"
    return dataset


@pytest.fixture
def without_decoders(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Android: no library beside Pillow, which cannot read lossless JPEG."""
    monkeypatch.setattr(dicom, "FORM", "plain")
    monkeypatch.setattr(
        dicom_frames,
        "get_decoder",
        lambda syntax: SimpleNamespace(is_available=not syntax.is_compressed, available_plugins=()),
    )


@pytest.mark.usefixtures("without_decoders")
def test_lossless_jpeg_is_read_without_a_library() -> None:
    dataset = lossless_dataset(RAMP, lossless_jpeg(RAMP, 12))
    np.testing.assert_array_equal(decode(bytes_of(dataset), PATH).pixels, pixels_of(RAMP))


def test_lossless_jpeg_is_read_as_a_library_reads_it() -> None:
    pytest.importorskip("gdcm", reason="decodes lossless JPEG")
    dataset = lossless_dataset(RAMP, lossless_jpeg(RAMP, 12))
    by_library = pydicom.pixels.pixel_array(dataset, decoding_plugin="gdcm")
    np.testing.assert_array_equal(dicom_frames.samples_of(dataset), by_library)


@pytest.mark.usefixtures("without_decoders")
def test_signed_and_8_bit_lossless_jpeg_is_read_without_a_library() -> None:
    signed = RAMP.astype(np.int16) - 2048
    dataset = lossless_dataset(signed, lossless_jpeg(RAMP ^ 2048, 12), BitsStored=12, HighBit=11)
    np.testing.assert_array_equal(decode(bytes_of(dataset), PATH).pixels, pixels_of(RAMP))
    grey = (RAMP >> 4).astype(np.uint8)
    dataset = lossless_dataset(grey, lossless_jpeg(grey, 8))
    np.testing.assert_array_equal(decode(bytes_of(dataset), PATH).pixels, pixels_of(grey))


@pytest.mark.usefixtures("without_decoders")
def test_lossless_jpeg_of_another_size_or_kind_is_refused_without_a_library() -> None:
    assert "damaged" in problem_of(bytes_of(lossless_dataset(RAMP, lossless_jpeg(RAMP[:40], 12))))
    assert "damaged" in problem_of(bytes_of(lossless_dataset(RAMP, lossless_jpeg(RAMP, 12)[:400])))
    other = lossless_dataset(RAMP, lossless_jpeg(RAMP, 12, predictor=6))
    assert "compressed as JPEG Lossless" in problem_of(bytes_of(other))


@pytest.mark.usefixtures("without_decoders")
def test_a_compression_that_a_phone_cannot_read_is_named_without_advice_to_install() -> None:
    dataset = jpeg_dataset(jpeg_frame())
    dataset.file_meta.TransferSyntaxUID = JPEGLSLossless
    assert problem_of(bytes_of(dataset)) == (
        "knee.dcm: compressed as JPEG-LS Lossless Image Compression; export it uncompressed"
    )


def test_a_damaged_jpeg_frame_is_refused_without_opencv(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("PIL", reason="decodes JPEG")
    monkeypatch.setattr("osteo_edge.raster.codec", import_module("osteo_edge.raster.plain.codec"))
    frame = jpeg_frame()
    assert decode(bytes_of(jpeg_dataset(frame)), PATH).pixels.std() > 0.1
    middle = len(frame) // 2
    assert "damaged" in problem_of(bytes_of(jpeg_dataset(frame[:middle] + bytes(512) + frame[middle + 512 :])))
