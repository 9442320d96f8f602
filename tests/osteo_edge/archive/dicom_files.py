"""DICOM films for tests, with the tags that they are to have."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
)

from osteo_edge.radiograph import read_radiograph

KNEE_FILM: dict[str, Any] = {"Modality": "DX", "BodyPartExamined": "KNEE", "ViewPosition": "AP"}


def coded(meaning: str) -> list[Dataset]:
    """A code sequence of one item."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "1", "99TEST", meaning
    return [item]


def write_dicom(path: Path, *, picture: Path | None = None, deflated: bool = False, **tags: Any) -> Path:
    """Write a film of 16 bits, that of an image file or an empty one."""
    pixels = np.zeros((40, 40), np.float32) if picture is None else read_radiograph(picture).pixels
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian if deflated else ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = DigitalXRayImageStorageForPresentation
    dataset.SOPInstanceUID = "1.2.826.0.1.3680043.8.498.1"
    dataset.PatientName = "Doe^Jane"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PixelRepresentation, dataset.PhotometricInterpretation = 1, 0, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.WindowCenter, dataset.WindowWidth = 2048, 4096
    with pydicom.config.disable_value_validation():
        for keyword, value in tags.items():
            setattr(dataset, keyword, value)
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.PixelData = np.rint(pixels * 4095).astype("<u2").tobytes()
        path.parent.mkdir(parents=True, exist_ok=True)
        dataset.save_as(path, enforce_file_format=True)
    return path


def write_dicomdir(path: Path, records: Iterable[tuple[str, str | None]]) -> Path:
    """Write a DICOMDIR with these records: the type of each, and the file that it names."""
    directory = Dataset()
    directory.file_meta = FileMetaDataset()
    directory.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    directory.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    directory.file_meta.MediaStorageSOPInstanceUID = "1.2.826.0.1.3680043.8.498.2"
    items = []
    for kind, name in records:
        item = Dataset()
        item.DirectoryRecordType = kind
        if name is not None:
            with pydicom.config.disable_value_validation():
                item.ReferencedFileID = name.split("/")
        items.append(item)
    directory.DirectoryRecordSequence = items
    directory.save_as(path, enforce_file_format=True)
    return path
