import ctypes
import platform

import pytest

from osteo_edge.device import missing_for_window, this_device


def test_this_device_is_described() -> None:
    found = this_device()
    assert (found.machine, found.bits) == (platform.machine(), 64)
    assert found.glibc is not None
    assert found.glibc.startswith("2.")


def test_what_the_window_needs_of_the_system_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: str) -> None:
        if name == "libmtdev.so.1":
            raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", load)
    assert missing_for_window() == ("libmtdev1",)
