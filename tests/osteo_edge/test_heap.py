import subprocess
import sys

import pytest

FILMS = """
import sys
import threading
import numpy as np
from osteo_edge.heap import keep_little_memory

def resident_mb():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024

def films():
    for size in (4_000_000, 30_000_000, 24_000_000):
        small = [bytearray(3000) for _ in range(50)]
        film = np.ones(size, np.uint8)
        kept.append(bytearray(2000))
        del film, small

kept = []
if sys.argv[1] == "little" and not keep_little_memory():
    print(-1)
    raise SystemExit
before = resident_mb()
for _ in range(4):
    threads = [threading.Thread(target=films) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
print(resident_mb() - before)
"""


PARTS = """
from osteo_edge.heap import give_back

def resident_mb():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024

parts = [bytearray(5000) for _ in range(10_000)]
kept = parts[::100]
before = resident_mb()
del parts
left = resident_mb()
print(before - left, left - resident_mb() if give_back() else "none")
"""


def growth_mb(how: str) -> float:
    finished = subprocess.run([sys.executable, "-c", FILMS, how], capture_output=True, text=True, check=True)
    return float(finished.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="of glibc")
def test_what_films_took_is_given_back() -> None:
    little = growth_mb("little")
    if little < 0:
        pytest.skip("no glibc")
    assert little < 10


@pytest.mark.skipif(sys.platform != "linux", reason="of glibc")
def test_what_lay_between_is_given_back_when_it_is_asked_for() -> None:
    finished = subprocess.run([sys.executable, "-c", PARTS], capture_output=True, text=True, check=True)
    if "none" in finished.stdout:
        pytest.skip("no glibc")
    by_itself, asked_for = map(float, finished.stdout.split())
    assert by_itself < 10
    assert asked_for > 25
