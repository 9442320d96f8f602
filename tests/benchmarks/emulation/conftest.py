"""Fixtures of emulation: a cache of its own, and the emulator itself for what runs on it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from osteo_edge.benchmarks.emulation.host import available
from osteo_edge.benchmarks.measuring.results import Instructions


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "osteo-edge"


@pytest.fixture(scope="session")
def emulator() -> None:
    """Skip where no emulator can be; fail where only packages are missing, so that nobody leaves these out unawares."""
    problem = available()
    if problem is not None and "apt-get install" in problem:
        pytest.fail(f"{problem} (make emulator)")
    if problem is not None:
        pytest.skip(problem)


@pytest.fixture
def counted() -> Callable[..., Instructions]:
    """Make instruction counts of a given total."""

    def make(total: int = 1_000_000, cpu: str = "cortex-a76", runtime: str = "LiteRT 2.3.0") -> Instructions:
        other = total - 4 * (total // 5)
        kinds = (total // 5,) * 4
        return Instructions(cpu, "QEMU 7.2", runtime, total, *kinds, other, uses_xnnpack=True)

    return make
