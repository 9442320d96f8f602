"""What a process keeps of the memory that it has let go."""

import ctypes
import sys
from typing import Final

M_MMAP_THRESHOLD: Final = -3
M_ARENA_MAX: Final = -8
LARGE_BYTES: Final = 2**20
ARENAS: Final = 2


def keep_little_memory() -> bool:
    """Have the C library give every large block back to the system once it is free; whether it could be told to.

    glibc raises the size above which it does so whenever a large block is freed, and keeps a heap for each thread
    (mallopt(3)): after a few films of tens of megabytes it would hold all of them, several times. Other C libraries are
    left as they are. To be called before threads are started.
    """
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(
        mallopt(option, value) == 1 for option, value in ((M_MMAP_THRESHOLD, LARGE_BYTES), (M_ARENA_MAX, ARENAS))
    )


def give_back() -> bool:
    """Have the C library give the small blocks that are free back too, those between others; whether it did any of it.

    It takes about a millisecond (malloc_trim(3)), and is worth that after something large of many parts was let go.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    return trim is not None and trim(0) == 1
