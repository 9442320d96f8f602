"""Write lossless JPEG files, since no library at hand does."""

import struct
from typing import Any

import numpy as np
import numpy.typing as npt

LENGTHS = (0, 1, 3, 3, 2, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0, 0)
CATEGORIES = (4, 3, 5, 6, 2, 7, 1, 0, 8, 9, 10, 11, 12, 13, 14, 15, 16)


def lossless_jpeg(
    samples: npt.NDArray[Any], bits: int, *, shift: int = 0, predictor: int = 1, segment: bytes = b""
) -> bytes:
    """A grey lossless JPEG (ITU-T T.81, process 14) by the left neighbour, whatever predictor it says it used.

    `segment` is put before the scan.
    """
    stored = samples.astype(np.int64) >> shift
    predicted = np.empty_like(stored)
    predicted[:, 1:], predicted[1:, 0], predicted[0, 0] = stored[:, :-1], stored[:-1, 0], 1 << (bits - shift - 1)
    differences = ((stored - predicted + 32768) & 0xFFFF) - 32768
    differences[differences == -32768] = 32768
    stream = "".join(_code(int(difference)) for difference in differences.ravel())
    stream += "1" * (-len(stream) % 8)
    body = int(stream, 2).to_bytes(len(stream) // 8, "big").replace(b"\xff", b"\xff\0")
    frame = _segment(0xC3, struct.pack(">BHHB", bits, *samples.shape, 1) + b"\1\x11\0")
    tables = _segment(0xC4, b"\0" + bytes(LENGTHS) + bytes(CATEGORIES))
    scan = _segment(0xDA, b"\1\1\0" + bytes([predictor, 0, shift]))
    return b"\xff\xd8" + frame + tables + segment + scan + body + b"\xff\xd9"


def _segment(marker: int, content: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(content) + 2) + content


def _code(difference: int) -> str:
    category = abs(difference).bit_length()
    if not category or category == 16:
        return _CODES[category]
    value = difference if difference > 0 else difference + (1 << category) - 1
    return f"{_CODES[category]}{value:0{category}b}"


def _codes() -> dict[int, str]:
    code, left, codes = 0, iter(CATEGORIES), {}
    for length, count in enumerate(LENGTHS, 1):
        for _ in range(count):
            codes[next(left)] = f"{code:0{length}b}"
            code += 1
        code <<= 1
    return codes


_CODES = _codes()
