"""What the app keeps of a film: the picture, and nobody's name, date or place with it."""

import os
from pathlib import Path
from typing import Final

from osteo_edge.durable import write_durably
from osteo_edge.edge_app.history.images import Picture
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.metadata import MetadataError, without_metadata
from osteo_edge.radiograph import sniff_format

KEY_BYTES: Final = 32
SUFFIXES: Final = {"dicom": ".dcm", "jpeg": ".jpg", "png": ".png", "tiff": ".tif", "bmp": ".bmp"}


def kept_film(picture: Picture, path: Path, key_file: Path) -> Picture:
    """The file that is kept of a film that could be read; its pixels are the same.

    A DICOM file is de-identified, with UIDs of this device's own in place of its own: the key that they are made with
    is in `key_file`. What a photo or a picture file says beside its pixels is left out. `path` names the film in
    errors: `OsteoEdgeError` for a file of which the picture cannot be taken out.
    """
    file_format = sniff_format(picture.data, path)
    if file_format == "dicom":
        from osteo_edge.deidentify import without_identity

        return Picture(without_identity(picture.data, path, own_key(key_file)), SUFFIXES[file_format])
    try:
        return Picture(without_metadata(picture.data, file_format), SUFFIXES[file_format])
    except MetadataError as error:
        raise OsteoEdgeError(f"{path}: {error}; export the radiograph as PNG or DICOM") from error


def own_key(file: Path) -> bytes:
    """The random key of this device, made at the first call; `OsteoEdgeError` if the disk does not take it."""
    for _ in range(2):
        try:
            key = file.read_bytes()
        except FileNotFoundError:
            key = b""
        except OSError as error:
            raise OsteoEdgeError(f"{file}: cannot be read ({error.strerror or error}); check the disk") from error
        if len(key) == KEY_BYTES:
            return key
        write_durably(file, os.urandom(KEY_BYTES), "the key of this device")
    raise OsteoEdgeError(f"{file}: is not what was written; check the disk")
