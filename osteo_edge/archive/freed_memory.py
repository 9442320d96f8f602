"""What a process that screens film after film does with the memory of the last one."""

import ctypes
import sys
from typing import Final

M_TRIM_THRESHOLD: Final = -1
M_MMAP_THRESHOLD: Final = -3
HEAP_BLOCK_BYTES: Final = 32 * 2**20
"""The largest that glibc takes. A larger block is mapped for itself, and given back as soon as it is free."""
KEPT_BYTES: Final = 128 * 2**20


def keep_freed_memory() -> bool:
    """Have the C library keep up to 128 MiB that are free for the next film; whether it could be told to.

    glibc gives the end of its heap back to the system whenever enough of it is free (mallopt(3)), and takes it again
    for the next film, page by page: a quarter of the computing time of a film of a megapixel. Other C libraries are
    left as they are.
    """
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    wanted = ((M_MMAP_THRESHOLD, HEAP_BLOCK_BYTES), (M_TRIM_THRESHOLD, KEPT_BYTES))
    return mallopt is not None and all(mallopt(option, value) == 1 for option, value in wanted)
