"""Small DICOM files around given values, of every transfer syntax: for tests, and for the fuzzer's corpus."""

from io import BytesIO
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian


def dicom_of(stored: npt.NDArray[Any], syntax: str = ExplicitVRLittleEndian, **elements: Any) -> Any:
    """A small computed radiograph around the stored values, (rows, columns) or (rows, columns, 3)."""
    dataset: Any = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1"
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    dataset.PatientName = "DRAWN^FILM"
    dataset.Modality, dataset.BodyPartExamined = "CR", "KNEE"
    dataset.Rows, dataset.Columns = stored.shape[:2]
    dataset.SamplesPerPixel = 1 if stored.ndim == 2 else 3
    if stored.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.PhotometricInterpretation = "MONOCHROME2" if stored.ndim == 2 else "RGB"
    dataset.BitsAllocated = stored.itemsize * 8
    dataset.BitsStored = 12 if stored.dtype == np.uint16 else dataset.BitsAllocated
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(stored.dtype.kind == "i")
    order: Literal["<", ">"] = ">" if syntax == ExplicitVRBigEndian else "<"
    dataset.PixelData = stored.astype(stored.dtype.newbyteorder(order)).tobytes()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    dataset["PixelData"].VR = "OW" if stored.itemsize > 1 else "OB"
    return dataset


def dicom_bytes(dataset: Any) -> bytes:
    """The data set as a file with an empty preamble."""
    dataset.preamble = bytes(128)
    file = BytesIO()
    pydicom.dcmwrite(file, dataset, enforce_file_format=True)
    return file.getvalue()


def compressed(stored: npt.NDArray[Any], syntax: str, frame: bytes, **elements: Any) -> Any:
    """A data set whose only frame is compressed."""
    dataset = dicom_of(stored, syntax, **elements)
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].VR = "OB"
    return dataset


def lookup_table(values: npt.NDArray[Any], bits: int, **elements: Any) -> Any:
    """A sequence of one lookup table, whose first entry is for 0 and whose entries have so many bits."""
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [len(values), 0, bits])
    item.add_new("LUTData", "US", values.tolist())
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return pydicom.Sequence([item])
