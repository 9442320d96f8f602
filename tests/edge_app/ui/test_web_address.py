"""The address of the web app in the settings: there while it is served, and a camera reads its code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import cv2
import pytest

from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.served_address import ServedAddress, noted

if TYPE_CHECKING:
    from tests.edge_app.ui.robot import Robot

pytestmark = pytest.mark.kivy

ESCAPE: Final = 27
ADDRESS: Final = "https://192.168.107.125:8443/"
SECURE: Final = ServedAddress(ADDRESS, f"{ADDRESS}ca.crt", ":".join(["A7"] * 32))
PLAIN: Final = ServedAddress("http://clinic-of-the-district.local:8443/")
SMALLEST: Final = (320, 240)


@pytest.fixture
def serve(folders: Folders) -> Any:
    """Note an address as a server does, until the test ends or what it gives is closed."""
    with ExitStack() as stack:

        def serve(served: ServedAddress) -> ExitStack:
            server = stack.enter_context(ExitStack())
            assert server.enter_context(noted(folders.root, served)) is None
            return server

        yield serve


def settings_of(robot: Robot) -> Any:
    """The settings of a started app; what they show of phones."""
    robot.shell.go("settings")
    robot.until(lambda: robot.shell.model)
    robot.frames(3)
    return robot.screen.ids.web_address


def decoded(picture: Path) -> str:
    """What a camera reads in a picture of the window; empty where it reads nothing."""
    read = cv2.imread(str(picture))
    assert read is not None
    return str(cv2.QRCodeDetector().detectAndDecode(read)[0])


@pytest.mark.parametrize(
    ("size", "theme", "served"),
    [
        (SMALLEST, "light", SECURE),
        (SMALLEST, "dark", PLAIN),
        ((800, 480), "dark", SECURE),
        ((360, 740), "light", PLAIN),
    ],
)
def test_a_camera_reads_the_address_from_the_screen(
    start: Callable[..., Robot],
    serve: Callable[[ServedAddress], ExitStack],
    tmp_path: Path,
    size: tuple[int, int],
    theme: str,
    served: ServedAddress,
) -> None:
    serve(served)
    robot = start(size, theme=theme)
    code = settings_of(robot).ids.code
    robot.scroll_to(code)
    picture = robot.shot(tmp_path / "settings.png")
    assert decoded(picture) == served.address
    modules = code.texture.width
    assert code.side % modules == 0
    assert code.side / modules >= 4
    left, foot = code.to_window(code.center_x - code.side / 2, code.y)
    read = cv2.imread(str(picture), cv2.IMREAD_GRAYSCALE)
    assert read is not None
    assert read[size[1] - round(foot) - 3, round(left) + 2] == 255, "white around it in every theme"


@pytest.mark.parametrize(
    ("served", "percent", "language"),
    [(PLAIN, 150, "en"), (SECURE, 150, "fr"), (SECURE, 150, "es"), (SECURE, 150, "sw")],
)
def test_it_fits(
    start: Callable[..., Robot],
    serve: Callable[[ServedAddress], ExitStack],
    tmp_path: Path,
    served: ServedAddress,
    percent: int,
    language: str,
) -> None:
    from tests.edge_app.ui.fit import flaws
    from tests.edge_app.ui.picture import not_drawn

    serve(served)
    robot = start((360, 740), text_percent=percent, language=language)
    part = settings_of(robot)
    robot.scroll_to(part.children[0])
    assert flaws(part) == []
    assert not_drawn(part, robot.shot(tmp_path / "settings.png")) == []


def test_it_comes_and_goes_with_the_server(
    start: Callable[..., Robot], serve: Callable[[ServedAddress], ExitStack], monkeypatch: pytest.MonkeyPatch
) -> None:
    from osteo_edge.edge_app.ui import web_address

    monkeypatch.setattr(web_address, "LOOK_EVERY_S", 0.02)
    robot = start()
    part = settings_of(robot)
    assert not robot.sees("Screen on a phone")
    assert part.height == 0
    server = serve(SECURE)
    robot.see("Screen on a phone")
    robot.see(ADDRESS)
    robot.see("in the same network")
    robot.see(f"open {SECURE.authority}, and install it")
    robot.see(str(SECURE.authority_sha256))
    server.close()
    robot.until(lambda: not robot.sees("Screen on a phone"))
    serve(PLAIN)
    robot.see(PLAIN.address)
    robot.see("Without https the phone keeps nothing")
    assert not robot.sees("CA certificate")


def test_nobody_looks_when_the_settings_are_left(
    start: Callable[..., Robot], serve: Callable[[ServedAddress], ExitStack], monkeypatch: pytest.MonkeyPatch
) -> None:
    from osteo_edge.edge_app.ui import web_address

    monkeypatch.setattr(web_address, "LOOK_EVERY_S", 0.02)
    robot = start()
    part = settings_of(robot)
    looks = list[Path]()
    monkeypatch.setattr(web_address, "served_address", looks.append)
    robot.until(lambda: looks)
    robot.key(ESCAPE)
    robot.see("New screening")
    looks.clear()
    robot.frames(20)
    assert looks == []
    assert not part.is_on


def test_without_segno_the_address_stands_alone(
    start: Callable[..., Robot], serve: Callable[[ServedAddress], ExitStack], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "segno", None)
    serve(SECURE)
    robot = start()
    part = settings_of(robot)
    robot.see(ADDRESS)
    assert part.ids.code.height == 0


def test_a_phone_shows_none(phone: Callable[..., Robot], serve: Callable[[ServedAddress], ExitStack]) -> None:
    serve(SECURE)
    robot = phone()
    settings_of(robot)
    assert not robot.sees("Screen on a phone")
