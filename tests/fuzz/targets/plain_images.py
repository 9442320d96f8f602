"""PNG, JPEG, BMP and TIFF as they are read on a phone: by Pillow and numpy."""

from collections.abc import Iterator
from pathlib import Path

from osteo_edge.errors import RadiographError
from osteo_edge.image_header import check_fits, read_header
from osteo_edge.radiograph import check_size, sniff_format
from osteo_edge.raster.damage import DamagedImageError, UnsupportedImageError
from osteo_edge.raster.plain import codec
from tests.fuzz.drawn import image_files
from tests.fuzz.repaired import with_png_checksums

PATH = Path("film")


def read(data: bytes) -> codec.Samples:
    """As `radiograph.decode` does it, with the other form of the decoders."""
    data = with_png_checksums(data)
    file_format = sniff_format(data, PATH)
    if file_format == "dicom":
        raise RadiographError("of another target")
    header = read_header(data, PATH, file_format)
    check_size(header.height, header.width, PATH)
    check_fits(header, data, PATH, file_format)
    try:
        samples = codec.decode(data, white_is_zero_at=header.white_is_zero_at)
    except (DamagedImageError, UnsupportedImageError) as error:
        raise RadiographError("refused") from error
    assert samples.ndim in (2, 3), samples.shape
    assert samples.dtype in ("uint8", "uint16"), samples.dtype
    return samples


def seeds() -> Iterator[bytes]:
    yield from image_files()
