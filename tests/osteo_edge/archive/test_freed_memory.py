import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource
import numpy as np
from osteo_edge.archive.freed_memory import keep_freed_memory

{call}
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(200):
        films = [np.ones(131072) for _ in range(4)]
        del films
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
print(faults())
"""


def faults(call: str) -> int:
    """How often the system had to give memory to a process that takes and frees 4 MiB, two hundred times."""
    script = FAULTS.format(call=call)
    return int(subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library is left as it is")
def test_the_memory_of_a_film_is_kept_for_the_next_one() -> None:
    usually, kept = faults(""), faults("assert keep_freed_memory()")
    assert usually > 10_000
    assert kept < usually / 20
