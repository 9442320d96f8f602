import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from osteo_edge.edge_app.pi.notify import Notifier, open_notifier


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """A service manager that listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.setblocking(False)
        yield listener


def heard(manager: socket.socket) -> list[str]:
    told = []
    while True:
        try:
            told.append(manager.recv(4096).decode())
        except BlockingIOError:
            return told


def environment(manager: socket.socket, **more: str) -> dict[str, str]:
    return {"NOTIFY_SOCKET": manager.getsockname(), **more}


def test_a_service_tells_when_it_is_ready_and_when_it_ends(manager: socket.socket) -> None:
    notifier = open_notifier(environment(manager))
    notifier.ready("waiting\nfor films")
    notifier.status("one")
    notifier.stopping()
    assert heard(manager) == ["READY=1\nSTATUS=waiting for films", "STATUS=one", "STOPPING=1"]


def test_it_is_told_alive_at_most_twice_in_the_time_of_the_watchdog(manager: socket.socket) -> None:
    times = iter([0.0, 1.0, 4.9, 5.0, 9.0, 10.1])
    notifier = Notifier(manager.getsockname(), 10.0, clock=times.__next__)
    for _ in range(6):
        notifier.alive()
    assert heard(manager) == ["WATCHDOG=1"] * 3


@pytest.mark.parametrize(
    ("said", "watched"),
    [
        ({"WATCHDOG_USEC": "180000000"}, True),
        ({"WATCHDOG_USEC": "180000000", "WATCHDOG_PID": str(os.getpid())}, True),
        ({"WATCHDOG_USEC": "180000000", "WATCHDOG_PID": str(os.getpid() + 1)}, False),
        ({"WATCHDOG_USEC": "soon"}, False),
        ({"WATCHDOG_USEC": "0"}, False),
        ({}, False),
    ],
)
def test_only_a_watchdog_that_watches_this_process_is_told(
    manager: socket.socket, said: dict[str, str], watched: bool
) -> None:
    open_notifier(environment(manager, **said)).alive()
    assert heard(manager) == (["WATCHDOG=1"] if watched else [])


def test_an_abstract_socket_is_understood() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0osteo-edge-test-{os.getpid()}")
        listener.setblocking(False)
        open_notifier({"NOTIFY_SOCKET": f"@osteo-edge-test-{os.getpid()}"}).stopping()
        assert heard(listener) == ["STOPPING=1"]


def test_without_a_manager_nothing_is_told_and_nothing_fails(tmp_path: Path) -> None:
    for address in (None, str(tmp_path / "nobody")):
        notifier = Notifier(address, 0.001)
        notifier.ready("waiting")
        notifier.alive()
