"""A ramp of grey as a DICOM file, read as a radiograph or refused, as the tests of reading DICOM need it."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from pydicom.uid import ExplicitVRLittleEndian

from osteo_edge.errors import RadiographError
from osteo_edge.radiograph import Pixels, Radiograph, decode
from tests.osteo_edge.drawn_dicom import dicom_bytes, dicom_of

PATH = Path("knee.dcm")
PATIENT = "SECRET^NAME"
RAMP = np.tile(np.linspace(0, 4095, 64).astype(np.uint16), (48, 1))


def named(stored: npt.NDArray[Any], syntax: str = ExplicitVRLittleEndian, **elements: Any) -> Any:
    """A data set around the stored values that names `PATIENT`."""
    return dicom_of(stored, syntax, PatientName=PATIENT, **elements)


def radiograph_of(stored: npt.NDArray[Any], syntax: str = ExplicitVRLittleEndian, **elements: Any) -> Radiograph:
    return decode(dicom_bytes(named(stored, syntax, **elements)), PATH)


def pixels_of(stored: npt.NDArray[Any], syntax: str = ExplicitVRLittleEndian, **elements: Any) -> Pixels:
    return radiograph_of(stored, syntax, **elements).pixels


def problem_of(data: bytes) -> str:
    """The one line by which a file is refused; it does not tell of the patient."""
    with pytest.raises(RadiographError) as caught:
        decode(data, PATH)
    message = str(caught.value)
    assert message.startswith("knee.dcm: ")
    assert "\n" not in message
    assert "SECRET" not in message
    return message
