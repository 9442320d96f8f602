"""An archive that no program of ours writes, and Python's `zipfile` takes up all the same."""

import io
import zipfile


def damaged_lzma(member: str) -> bytes:
    """A ZIP file whose member is said to be packed by LZMA, with options that there are none of."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr(member, bytes(1000))
    data = bytearray(file.getvalue())
    data[data.index(member.encode()) + len(member) + 4] = 0xFF
    return bytes(data)
