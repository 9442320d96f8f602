import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.benchmarks.emulation import host
from osteo_edge.benchmarks.emulation.host import available, run_tool
from osteo_edge.errors import OsteoEdgeError


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Say what machine this is, what is installed on it, and what its programs print."""

    def make(
        system: tuple[str, str] = ("Linux", "x86_64"),
        without: Sequence[str] = (),
        qemu: str = "7.2.22",
        headers: int = 0,
        keys: str = "/",
    ) -> None:
        def run(command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
            if command[0] == "gcc":
                return subprocess.CompletedProcess(command, headers, "", "fatal error: stdio.h: No such file\n")
            return subprocess.CompletedProcess(command, 0, f"qemu-aarch64 version {qemu} (Debian)\n", "")

        monkeypatch.setattr(host, "KEYRING", Path(keys))
        monkeypatch.setattr("platform.system", lambda: system[0])
        monkeypatch.setattr("platform.machine", lambda: system[1])
        monkeypatch.setattr("shutil.which", lambda program: None if program in without else f"/usr/bin/{program}")
        monkeypatch.setattr("subprocess.run", run)

    return make


@pytest.mark.parametrize("qemu", ["7.1.0", "7.2.22", "8.2.2"])
def test_a_machine_with_everything_will_do(machine: Any, qemu: str) -> None:
    machine(qemu=qemu)
    assert available() is None


@pytest.mark.parametrize(
    ("about", "line"),
    [
        ({"system": ("Darwin", "arm64")}, "emulation needs Linux on x86-64 (Debian or Ubuntu)"),
        (
            {"without": ["apt-get", "mmdebstrap"]},
            "emulation needs Debian or Ubuntu: the guest's packages are fetched by apt",
        ),
        (
            {"without": ["qemu-aarch64", "gcc"]},
            "emulation needs qemu-aarch64, gcc: sudo apt-get install qemu-user gcc libc6-dev",
        ),
        (
            {"keys": "/nowhere"},
            "emulation needs the keys of Debian's packages: sudo apt-get install debian-archive-keyring",
        ),
        ({"headers": 1}, "emulation needs the headers of the C library: sudo apt-get install libc6-dev"),
        (
            {"qemu": "10.0.2"},
            "emulation needs QEMU 7.1 to 8.2, and this is 10.0.2: use Debian 12 or Ubuntu 24.04 (a container will do)",
        ),
        (
            {"qemu": "6.2.0"},
            "emulation needs QEMU 7.1 to 8.2, and this is 6.2.0: use Debian 12 or Ubuntu 24.04 (a container will do)",
        ),
        (
            {"qemu": "unknown"},
            "qemu-aarch64 --version tells no version: is it QEMU? sudo apt-get install qemu-user",
        ),
    ],
)
def test_what_is_missing_is_one_line(machine: Any, about: dict[str, Any], line: str) -> None:
    machine(**about)
    assert available() == line


def test_a_program_that_fails_is_told_by_its_first_error() -> None:
    with pytest.raises(OsteoEdgeError, match=r"^unpacking: sh failed \(E: no such suite\)$"):
        run_tool(
            ["sh", "-c", "echo begun >&2; echo 'E: no such suite' >&2; echo 'E: gave up' >&2; exit 3"], "unpacking"
        )
    with pytest.raises(OsteoEdgeError, match=r"^unpacking: sh failed \(exit code 3\)$"):
        run_tool(["sh", "-c", "exit 3"], "unpacking")
    with pytest.raises(OsteoEdgeError, match=r"^unpacking: no-such-program cannot be started"):
        run_tool(["no-such-program"], "unpacking")
