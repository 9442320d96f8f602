from collections.abc import Sequence
from pathlib import Path

import pytest

from osteo_edge.benchmarks.emulation import guest_root
from osteo_edge.benchmarks.emulation.guest_root import debian_mirror, debian_root, python_packages

MIRRORED = """\
|Docker|stable|https://docker.example/debian/
Debian|Debian-Security|main|http://mirror.example/debian-security/
Debian|Debian|contrib|http://mirror.example/debian/
Debian|Debian|main|http://mirror.example/debian/
"""


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch, cache: Path) -> list[list[str]]:
    """What was run, instead of running it; apt tells of a mirror."""
    run: list[list[str]] = []

    def record(command: Sequence[str | Path], doing: str) -> str:
        run.append([str(word) for word in command])
        return MIRRORED if command[0] == "apt-get" else ""

    monkeypatch.setattr(guest_root, "run_tool", record)
    return run


def test_the_mirror_is_the_one_that_apt_uses(commands: list[list[str]]) -> None:
    assert debian_mirror() == "http://mirror.example/debian/"


def test_a_machine_of_another_distribution_has_no_debian_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    told = "Ubuntu|Ubuntu|main|http://mirror.example/ubuntu/\n"
    monkeypatch.setattr(guest_root, "run_tool", lambda command, doing: told)
    assert debian_mirror() is None


def test_a_root_is_made_once_without_privileges(commands: list[list[str]], cache: Path) -> None:
    root = debian_root("bookworm", ("python3-minimal", "libstdc++6"))
    assert root == debian_root("bookworm", ("python3-minimal", "libstdc++6"))
    assert root.is_relative_to(cache)
    assert [command[0] for command in commands] == ["apt-get", "mmdebstrap", "tar"]
    made = commands[1]
    assert {"--mode=chrootless", "--arch=arm64", "--include=python3-minimal,libstdc++6"} <= set(made)
    assert made[-1] == "deb http://mirror.example/debian/ bookworm main"
    assert debian_root("bookworm", ("python3-minimal",)) != root


def test_wheels_are_for_the_guest_and_not_for_this_machine(commands: list[list[str]]) -> None:
    folder = python_packages("bookworm", "3.11", ("numpy==2.4.6",))
    assert folder.name.startswith("python3.11-bookworm-arm64-")
    (command,) = commands
    assert {"--platform=manylinux2014_aarch64", "--platform=manylinux_2_36_aarch64"} <= set(command)
    assert "--platform=manylinux_2_37_aarch64" not in command
    assert {"--only-binary=:all:", "--python-version=3.11", "numpy==2.4.6"} <= set(command)
