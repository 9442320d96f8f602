"""Where a machine is asked about itself: the root of its files, and its commands; a test has others."""

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_S = 5.0


def output_of(command: Sequence[str]) -> str | None:
    """What a command prints; None where it is not there, fails, or takes longer than 5 s."""
    try:
        finished = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return finished.stdout.strip() if finished.returncode == 0 else None


@dataclass(frozen=True)
class Host:
    """A machine: its files below `root`, and a way to run its commands, as `output_of` does."""

    root: Path = Path("/")
    run: Callable[[Sequence[str]], str | None] = output_of

    def read(self, path: str) -> str | None:
        """A small text file, by its path below the root; None where it is not there or not readable."""
        try:
            return (self.root / path).read_text("utf-8", "replace").strip("\0\n ")
        except OSError:
            return None

    def read_number(self, path: str) -> int | None:
        """A file that holds one whole number; None where there is none."""
        text = self.read(path)
        try:
            return None if text is None else int(text)
        except ValueError:
            return None

    def find(self, pattern: str) -> tuple[str, ...]:
        """The paths below the root that match, in order."""
        return tuple(sorted(str(path.relative_to(self.root)) for path in self.root.glob(pattern)))


THIS_MACHINE = Host()
