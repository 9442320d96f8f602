import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from osteo_edge.edge_app.pi import blanking

PATIENCE_S = 10.0


@pytest.fixture
def panel(tmp_path: Path) -> Path:
    """The switch of the only panel below `tmp_path / "lights"`; 0 is on."""
    power = tmp_path / "lights" / "rpi_backlight" / "bl_power"
    power.parent.mkdir(parents=True)
    power.write_text("0")
    return power


@pytest.fixture
def touch(tmp_path: Path) -> Path:
    """A device that says what is written into it."""
    device = tmp_path / "input" / "event0"
    device.parent.mkdir()
    os.mkfifo(device)
    return device


def wait_for(power: Path, state: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while power.read_text() != state:
        assert time.monotonic() < until, f"the panel's power stayed {power.read_text()}"
        time.sleep(0.01)


def test_dark_when_unused_lit_by_a_touch_and_lit_in_the_end(panel: Path, touch: Path) -> None:
    holder = os.open(touch, os.O_RDWR)
    command = [sys.executable, "-P", blanking.__file__, "0.005", str(touch.parent), str(panel.parent.parent)]
    with subprocess.Popen(command) as process:
        try:
            wait_for(panel, blanking.OFF)
            os.write(holder, b"\0" * 24)
            wait_for(panel, blanking.ON)
            wait_for(panel, blanking.OFF)
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 0
            assert panel.read_text() == blanking.ON
        finally:
            process.kill()
            os.close(holder)


def test_a_device_that_was_unplugged_is_let_go(touch: Path) -> None:
    devices = blanking.Devices(touch.parent)
    assert not devices.used_within(0.01)
    assert not devices.used_within(0.01)
    other = touch.with_name("event1")
    os.mkfifo(other)
    holder = os.open(other, os.O_RDWR)
    os.write(holder, b"\0" * 24)
    assert devices.used_within(0.2)
    os.close(holder)
    devices.close()


def test_a_panel_that_may_not_be_switched_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "panel" / "bl_power").mkdir(parents=True)
    blanking.switch(blanking.OFF, tmp_path)
