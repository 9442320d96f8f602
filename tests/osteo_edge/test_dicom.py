import logging
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osteo_edge.errors import MissingExtraError, RadiographError
from osteo_edge.radiograph import decode, read_radiograph

pytest.importorskip("pydicom")
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from osteo_edge import dicom
from tests.osteo_edge.dicom_ramp import (
    PATH,
    PATIENT,
    RAMP,
    named,
    pixels_of,
    problem_of,
    radiograph_of,
)
from tests.osteo_edge.drawn_dicom import dicom_bytes, lookup_table


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
    content = dicom_bytes(named(RAMP))
    with_meta, without_meta = content[132:], content[content.index(b"\x08\x00\x60\x00CS") :]
    for data in (with_meta, without_meta):
        np.testing.assert_array_equal(decode(data, PATH).pixels, pixels_of(RAMP))
        with pytest.raises(RadiographError, match="not a PNG, JPEG"):
            decode(data, Path("knee"))


def test_the_content_and_not_the_name_makes_a_dicom() -> None:
    assert decode(dicom_bytes(named(RAMP)), Path("knee.png")).source.format == "dicom"


def test_text_called_dcm_is_refused() -> None:
    assert "DICOM" in problem_of(b"hello, I am a radiograph, and not a short one either")


def test_several_frames_are_refused_by_number() -> None:
    assert "holds 3 frames" in problem_of(dicom_bytes(named(RAMP, NumberOfFrames=3)))


@pytest.mark.parametrize(("rows", "columns"), [(16, 16), (60_000, 60_000)])
def test_a_size_that_no_radiograph_has_is_refused_before_decoding(
    rows: int, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dicom, "samples_of", None)
    assert f"{columns} x {rows} pixels is too" in problem_of(dicom_bytes(named(RAMP, Rows=rows, Columns=columns)))


def test_a_deflated_file_that_would_fill_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicom, "MAX_FILE_BYTES", 1000)
    assert "inflates to more" in problem_of(dicom_bytes(named(RAMP, DeflatedExplicitVRLittleEndian)))


@pytest.mark.parametrize("keyword", ["PixelData", "Rows", "BitsAllocated", "PhotometricInterpretation"])
def test_a_missing_element_is_one_line(keyword: str) -> None:
    dataset = named(RAMP)
    delattr(dataset, keyword)
    assert "export" in problem_of(dicom_bytes(dataset))


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_a_cut_file_is_refused(syntax: str) -> None:
    data = dicom_bytes(named(RAMP, syntax))
    assert "export" in problem_of(data[:-20])
    assert "export" in problem_of(data[: len(data) // 2])


def test_a_value_that_is_no_number_is_not_quoted(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    data = dicom_bytes(named(RAMP, NumberOfFrames=1, WindowCenter=2048, WindowWidth=4096))
    assert "NumberOfFrames is missing or not a number" in problem_of(data.replace(b"IS\x02\x001 ", b"IS\x02\x00SE"))
    assert "damaged" in problem_of(data.replace(b"4096", b"SECR"))
    assert (capfd.readouterr().err, caplog.text) == ("", "")


def test_arbitrary_damage_gives_pixels_or_one_line_without_the_patient() -> None:
    rng = np.random.default_rng(2)
    data = dicom_bytes(named(RAMP, WindowCenter=2048, WindowWidth=4096))
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


def test_without_pydicom_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    data = dicom_bytes(named(RAMP))
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
