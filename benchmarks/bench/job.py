"""What one call of `osteo-edge bench` is to measure."""

from dataclasses import dataclass
from pathlib import Path

from osteo_edge.benchmarks.measuring.results import Settings

FULL = Settings("full", 1024, 60.0, None, 0)
QUICK = Settings("quick", 128, 5.0, None, 0)


@dataclass(frozen=True)
class Labelled:
    """Images with labels to ask the bundles about, and the part of their split that is asked."""

    data: Path
    split: Path
    part: str


@dataclass(frozen=True)
class Job:
    """What to measure. `image` None has a film drawn. `peers` are runtimes, `cpus` processors to emulate."""

    bundles: tuple[Path, ...]
    threads: tuple[int, ...]
    settings: Settings
    peers: tuple[str, ...] = ()
    cpus: tuple[str, ...] = ()
    labelled: Labelled | None = None
    baseline: Path | None = None
    image: Path | None = None
    tunes: bool = False

    @property
    def is_quick(self) -> bool:
        return self.settings.mode == "quick"
