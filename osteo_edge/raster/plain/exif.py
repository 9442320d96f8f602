"""How a picture is turned, as its camera noted (Exif 2.32, 4.6.4): read here, since Pillow warns of damaged notes."""

import struct
from typing import Final

UPRIGHT: Final = 1
ORIENTATION: Final = 0x112
ORDERS: Final = {b"II*\0": "<", b"MM\0*": ">"}


def orientation_of(notes: bytes) -> int:
    """The orientation, 1 to 8, in the notes, which begin as a TIFF file; 1 where they are damaged or say nothing of it.

    >>> orientation_of(b"II*" + bytes([0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0]))
    6
    """
    order = ORDERS.get(notes[:4])
    if order is None:
        return UPRIGHT
    try:
        (at,) = struct.unpack_from(f"{order}I", notes, 4)
        (count,) = struct.unpack_from(f"{order}H", notes, at)
        for entry in range(at + 2, at + 2 + 12 * count, 12):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", notes, entry)
            if tag == ORIENTATION:
                return value if 1 <= value <= 8 else UPRIGHT
    except struct.error:
        pass
    return UPRIGHT
