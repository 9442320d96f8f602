import time

import pytest

from osteo_edge.edge_app.idle import Idle, boot_clock


def test_the_time_counts_from_the_last_use() -> None:
    now = [0.0]
    idle = Idle(clock=lambda: now[0])
    now[0] = 59.9
    assert not idle.is_over(1)
    now[0] = 60.0
    assert idle.is_over(1)
    idle.used()
    assert not idle.is_over(1)
    now[0] = 120.0
    assert idle.is_over(1)


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="this system has no such clock")
def test_the_time_that_the_device_sleeps_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 0.0)  # it stands still in the meantime
    boot = [0.0]
    monkeypatch.setattr(time, "clock_gettime", lambda clock: boot[0] if clock == time.CLOCK_BOOTTIME else 0.0)
    idle = Idle()
    boot[0] = 301.0
    assert idle.is_over(5)


def test_the_clock_does_not_go_back() -> None:
    assert boot_clock() <= boot_clock()
