"""Frames of DICOM files in each compression, with the libraries that decode them and without."""

from importlib import import_module
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from osteo_edge.errors import MissingExtraError
from osteo_edge.radiograph import decode

pydicom = pytest.importorskip("pydicom")
from pydicom.uid import (  # noqa: E402
    MPEG2MPML,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from osteo_edge import dicom, dicom_frames  # noqa: E402
from tests.osteo_edge.dicom_ramp import PATH, PATIENT, RAMP, named, pixels_of, problem_of  # noqa: E402
from tests.osteo_edge.drawn_dicom import compressed, dicom_bytes  # noqa: E402
from tests.osteo_edge.raster.lossless import lossless_jpeg  # noqa: E402


def test_run_length_encoding_gives_the_same_pixels() -> None:
    dataset = named(RAMP)
    dataset.compress(RLELossless, generate_instance_uid=False)
    np.testing.assert_array_equal(decode(dicom_bytes(dataset), PATH).pixels, pixels_of(RAMP))


def jpeg_dataset(frame: bytes) -> Any:
    return compressed(np.zeros((192, 256), np.uint8), JPEGBaseline8Bit, frame, PatientName=PATIENT)


def jpeg_frame() -> bytes:
    image = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (192, 256), np.uint8), (0, 0), 2)
    return cv2.imencode(".jpg", image)[1].tobytes()


def test_a_jpeg_frame_is_decoded_and_a_damaged_one_refused(capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("gdcm", reason="decodes JPEG")
    frame = jpeg_frame()
    assert decode(dicom_bytes(jpeg_dataset(frame)), PATH).pixels.std() > 0.1
    middle = len(frame) // 2
    assert "damaged" in problem_of(dicom_bytes(jpeg_dataset(frame[:middle])))
    assert "damaged" in problem_of(dicom_bytes(jpeg_dataset(frame[:middle] + bytes(512) + frame[middle + 512 :])))
    assert capfd.readouterr().err == ""


def test_a_damaged_jpeg_frame_is_refused_without_opencv(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("PIL", reason="decodes JPEG")
    monkeypatch.setattr("osteo_edge.raster.codec", import_module("osteo_edge.raster.plain.codec"))
    frame = jpeg_frame()
    assert decode(dicom_bytes(jpeg_dataset(frame)), PATH).pixels.std() > 0.1
    middle = len(frame) // 2
    assert "damaged" in problem_of(dicom_bytes(jpeg_dataset(frame[:middle] + bytes(512) + frame[middle + 512 :])))


def test_a_video_is_refused_by_the_name_of_its_compression() -> None:
    dataset = jpeg_dataset(jpeg_frame())
    dataset.file_meta.TransferSyntaxUID = MPEG2MPML
    assert "MPEG2" in problem_of(dicom_bytes(dataset))


def test_a_missing_decoder_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicom, "is_readable", lambda _: False)
    with pytest.raises(MissingExtraError, match=r"JPEG Baseline.*needs python-gdcm: pip install 'osteo-edge\[dicom\]'"):
        decode(dicom_bytes(jpeg_dataset(jpeg_frame())), PATH)


def lossless_dataset(stored: npt.NDArray[Any], frame: bytes, **elements: Any) -> Any:
    return compressed(stored, JPEGLosslessSV1, frame, PatientName=PATIENT, **elements)


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
    np.testing.assert_array_equal(decode(dicom_bytes(dataset), PATH).pixels, pixels_of(RAMP))


def test_lossless_jpeg_is_read_as_a_library_reads_it() -> None:
    pytest.importorskip("gdcm", reason="decodes lossless JPEG")
    dataset = lossless_dataset(RAMP, lossless_jpeg(RAMP, 12))
    by_library = pydicom.pixels.pixel_array(dataset, decoding_plugin="gdcm")
    np.testing.assert_array_equal(dicom_frames.samples_of(dataset), by_library)


@pytest.mark.usefixtures("without_decoders")
def test_signed_and_8_bit_lossless_jpeg_is_read_without_a_library() -> None:
    signed = RAMP.astype(np.int16) - 2048
    dataset = lossless_dataset(signed, lossless_jpeg(RAMP ^ 2048, 12), BitsStored=12, HighBit=11)
    np.testing.assert_array_equal(decode(dicom_bytes(dataset), PATH).pixels, pixels_of(RAMP))
    grey = (RAMP >> 4).astype(np.uint8)
    dataset = lossless_dataset(grey, lossless_jpeg(grey, 8))
    np.testing.assert_array_equal(decode(dicom_bytes(dataset), PATH).pixels, pixels_of(grey))


@pytest.mark.usefixtures("without_decoders")
def test_lossless_jpeg_of_another_size_or_kind_is_refused_without_a_library() -> None:
    assert "damaged" in problem_of(dicom_bytes(lossless_dataset(RAMP, lossless_jpeg(RAMP[:40], 12))))
    assert "damaged" in problem_of(dicom_bytes(lossless_dataset(RAMP, lossless_jpeg(RAMP, 12)[:400])))
    other = lossless_dataset(RAMP, lossless_jpeg(RAMP, 12, predictor=6))
    assert "compressed as JPEG Lossless" in problem_of(dicom_bytes(other))


@pytest.mark.usefixtures("without_decoders")
def test_a_compression_that_a_phone_cannot_read_is_named_without_advice_to_install() -> None:
    dataset = jpeg_dataset(jpeg_frame())
    dataset.file_meta.TransferSyntaxUID = JPEGLSLossless
    assert problem_of(dicom_bytes(dataset)) == (
        "knee.dcm: compressed as JPEG-LS Lossless Image Compression; export it uncompressed"
    )
