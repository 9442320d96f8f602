"""Run a Python program on an emulated board: an arm64 Debian, a runtime for TFLite models, and QEMU's user mode."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from osteo_edge.benchmarks.emulation.boards import Board, write_board
from osteo_edge.benchmarks.emulation.guest_root import debian_root, python_packages
from osteo_edge.benchmarks.emulation.host import EMULATOR, last_line
from osteo_edge.errors import OsteoEdgeError

SUITE = "bookworm"
PYTHON = "3.11"
DEBIAN_PACKAGES = ("python3-minimal", f"libpython{PYTHON}-stdlib", "libstdc++6")
TIMEOUT_S = 1200


@dataclass(frozen=True)
class GuestRuntime:
    """A runtime for TFLite models: its module, and the exact packages, for counts that can be compared.

    `always_opens_xnnpack` tells whether it does so even for a model that XNNPACK takes no part of. LiteRT stands beside
    what `osteo-edge screen` needs as well, so that whole screenings can be counted.
    """

    title: str
    module: str
    requirements: tuple[str, ...]
    always_opens_xnnpack: bool


RUNTIMES: Mapping[str, GuestRuntime] = MappingProxyType(
    {
        runtime.title: runtime
        for runtime in (
            GuestRuntime(
                "LiteRT",
                "ai_edge_litert.interpreter",
                ("ai-edge-litert==2.3.0", "numpy==2.4.6", "opencv-python-headless==5.0.0.93", "click==8.5.1"),
                True,
            ),
            GuestRuntime(
                "tflite-runtime", "tflite_runtime.interpreter", ("tflite-runtime==2.14.0", "numpy==1.26.4"), False
            ),
        )
    }
)


@dataclass(frozen=True)
class Guest:
    """What is installed in the guest: the folder of its Debian, and that of its Python packages."""

    root: Path
    packages: Path


@dataclass(frozen=True)
class Finished:
    """What a program in the guest printed."""

    output: str
    messages: str


def prepare_guest(runtime: GuestRuntime, on_progress: Callable[[str], None]) -> Guest:
    """The guest with that runtime, made on first use: some 30 s, and 250 MB in the cache."""
    on_progress("the guest's Debian")
    root = debian_root(SUITE, DEBIAN_PACKAGES)
    on_progress(f"the guest's {runtime.title}")
    return Guest(root, python_packages(SUITE, PYTHON, runtime.requirements))


def run_in_guest(
    guest: Guest,
    board: Board,
    words: Sequence[str],
    *,
    plugin: str,
    what: str,
    programs: Path | None = None,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Finished:
    """Run Python on that board as `python WORDS`, with a plugin of the emulator.

    The guest sees files of this machine at the same path; paths among the words are to be absolute. `programs` is a
    folder of modules beside the guest's packages. The environment holds `settings` and where programs are, and nothing
    else, so that a run does not depend on who starts it. `OsteoEdgeError` about `what`, with the last line that was
    printed, if it fails or takes more than 20 minutes.
    """
    with tempfile.TemporaryDirectory(prefix="osteo-edge-board-") as folder:
        write_board(board, guest.root, Path(folder))
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": folder,
            "LANG": "C.UTF-8",
            "PYTHONHOME": str(guest.root / "usr"),
            "PYTHONPATH": os.pathsep.join(str(place) for place in (programs, guest.packages) if place is not None),
            "PYTHONHASHSEED": "0",
            "OPENBLAS_NUM_THREADS": "1",
            **settings,
        }
        python = guest.root / "usr" / "bin" / f"python{PYTHON}"
        emulator = [EMULATOR, "-cpu", board.cpu, "-L", folder, "-plugin", plugin]
        command = [*emulator, str(python), "-P", "-s", *words]
        try:
            finished = subprocess.run(
                command, env=environment, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise OsteoEdgeError(
                f"{what}: took more than {TIMEOUT_S // 60} minutes on the emulated {board.cpu}"
            ) from error
        except OSError as error:
            raise OsteoEdgeError(f"{EMULATOR} cannot be started ({error.strerror})") from error
    if finished.returncode != 0:
        reason = last_line(finished.stderr) or f"exit code {finished.returncode}"
        raise OsteoEdgeError(f"{what}: does not run on the emulated {board.cpu} ({reason})")
    return Finished(finished.stdout, finished.stderr)
