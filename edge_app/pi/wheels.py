"""The wheels that a Raspberry Pi needs: found and fetched by pip for its processor, held to a lock, and kept."""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from osteo_edge.edge_app.pi.kit import Progress
from osteo_edge.edge_app.pi.own_wheel import required
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.hashing import sha256_file
from osteo_edge.lock_file import Pin, plain, read_lock
from osteo_edge.strict import FieldError, from_dict, to_dict
from osteo_edge.writing import write_whole

LOCK: Final = Path(__file__).resolve().parents[2] / "locks" / "pi.txt"
"""That of a source tree; an installed program has none."""
MACHINE: Final = "aarch64"
EXTRAS: Final = ("app", "dicom", "signed")
NEWEST_GLIBC: Final = {"3.11": 36, "3.13": 41}
"""Minor version of Python to that of the GNU C library 2.x in the system that has it: Raspberry Pi OS 12, and 13."""
LEFT_OUT: Final = frozenset(
    {"docutils", "kivy-garden", "requests", "charset-normalizer", "idna", "urllib3", "certifi"}
    | {"pygments", "markdown-it-py", "mdurl"}
)
"""What others ask for and need only for what the app has not.

Kivy for RST texts and for fetching from the web, rich for highlighted code and Markdown.
"""


@dataclass(frozen=True)
class Wheel:
    """One wheel by its file name, as the package index has it."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Chosen:
    """The wheels for one version of Python, and what was required when they were chosen."""

    required: tuple[str, ...]
    wheels: tuple[Wheel, ...]


def source_lock() -> Path | None:
    """The lock of the source tree that this program runs from; None where it is installed."""
    return LOCK if LOCK.is_file() else None


def fetch_wheels(
    own: Path,
    pythons: Sequence[str],
    cache: Path,
    on_progress: Progress = lambda *_: None,
    *,
    lock: Path | None = None,
) -> dict[str, tuple[Path, ...]]:
    """The wheels that our own wheel `own` needs, for aarch64 and by version of Python, kept in the folder `cache`.

    Where they are there from before, and the same is required, nothing is fetched and no network is needed. They are
    the files that `lock` pins; without one all versions of Python get the same version of a package where that can be.
    `OsteoEdgeError` with pip's own words if they cannot be found or fetched, and for one that the lock does not pin.
    """
    pins = () if lock is None else read_lock(lock)
    chosen: dict[str, Chosen] = {}
    for number, python in enumerate(pythons):
        on_progress(f"wheels for Python {python}", number, len(pythons))
        kept = _kept(cache, python)
        if kept is None or (lock is not None and _not_pinned(kept, pins)):
            like = next(iter(chosen.values()), None)
            kept = _choose(own, python, like) if lock is None else _choose_pinned(own, python, pins, lock)
            _fetch(kept, python, cache)
            data = (json.dumps(to_dict(kept), indent=1) + "\n").encode()
            write_whole(_list_of(cache, python), data, "the list of wheels")
        chosen[python] = kept
    on_progress("wheels", len(pythons), len(pythons))
    return {python: tuple(cache / wheel.name for wheel in found.wheels) for python, found in chosen.items()}


def oldest_glibc(wheel: str) -> tuple[int, int] | None:
    """The oldest C library that a wheel runs on, by its name (PEP 600); None for one that needs none.

    >>> oldest_glibc("numpy-2.4.6-cp311-cp311-manylinux_2_27_aarch64.manylinux_2_28_aarch64.whl")
    (2, 27)
    """
    platforms = wheel.removesuffix(".whl").rpartition("-")[2].replace("manylinux2014", "manylinux_2_17")
    found = [(int(major), int(minor)) for major, minor in re.findall(r"manylinux_(\d+)_(\d+)_", platforms)]
    return min(found, default=None)


def _list_of(cache: Path, python: str) -> Path:
    return cache / f"python{python}-{MACHINE}.json"


def _kept(cache: Path, python: str) -> Chosen | None:
    """What the cache holds for that Python; None where it is not all there, or something else is required by now."""
    try:
        kept = from_dict(Chosen, json.loads(_list_of(cache, python).read_text("utf-8")))
        whole = all(sha256_file(cache / wheel.name) == wheel.sha256 for wheel in kept.wheels)
    except (OSError, ValueError, FieldError):
        return None
    return kept if whole and kept.required == required(EXTRAS) else None


def _choose_pinned(own: Path, python: str, pins: Sequence[Pin], lock: Path) -> Chosen:
    """Let pip choose among the versions of a lock, and hold what it has chosen to the lock's hashes."""
    names = [pin.name for pin in pins]
    chosen = _ask_pip(own, python, [f"{pin.name}=={pin.version}" for pin in pins if names.count(pin.name) == 1])
    refused = _not_pinned(chosen, pins)
    if refused:
        raise OsteoEdgeError(f"{refused[0]}: is not what {lock} pins; make the lock again, or see to the package index")
    return chosen


def _not_pinned(chosen: Chosen, pins: Sequence[Pin]) -> list[str]:
    """The wheels that no pin has the hash of."""
    hashes = {(pin.name, sha256) for pin in pins for sha256 in pin.sha256s}
    return [wheel.name for wheel in chosen.wheels if (plain(wheel.name.split("-")[0]), wheel.sha256) not in hashes]


def _choose(own: Path, python: str, like: Chosen | None) -> Chosen:
    """Let pip choose, with the versions of another choice if that works out."""
    if like is not None:
        try:
            return _ask_pip(own, python, ["==".join(wheel.name.split("-")[:2]) for wheel in like.wheels])
        except OsteoEdgeError:
            pass
    return _ask_pip(own, python, [])


def _ask_pip(own: Path, python: str, constraints: Sequence[str]) -> Chosen:
    wanted = f"{own}[{','.join(EXTRAS)}]"
    with tempfile.TemporaryDirectory(prefix="osteo-edge-wheels-") as folder:
        report, limits = Path(folder, "report.json"), Path(folder, "constraints.txt")
        limits.write_text("\n".join(constraints), "utf-8")
        words = [f"--report={report}", *([f"--constraint={limits}"] if constraints else [])]
        _pip(["install", "--dry-run", "--ignore-installed", *words, *_target(python), wanted])
        found = json.loads(report.read_text("utf-8"))["install"]
    wheels = [_wheel(one) for one in found if plain(one["metadata"]["name"]) not in LEFT_OUT and _is_fetched(one)]
    return Chosen(required(EXTRAS), tuple(sorted(wheels, key=lambda wheel: wheel.name)))


def _is_fetched(found: dict[str, Any]) -> bool:
    return plain(found["metadata"]["name"]) != "osteo-edge"


def _wheel(found: dict[str, Any]) -> Wheel:
    about = found["download_info"]
    return Wheel(about["url"].rpartition("/")[2], about["archive_info"]["hashes"]["sha256"])


def _fetch(chosen: Chosen, python: str, cache: Path) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    missing = [wheel for wheel in chosen.wheels if not (cache / wheel.name).is_file()]
    if missing:
        pins = ["==".join(wheel.name.split("-")[:2]) for wheel in missing]
        _pip(["download", "--no-deps", f"--dest={cache}", *_target(python), *pins])
    for wheel in chosen.wheels:
        path = cache / wheel.name
        if not path.is_file() or sha256_file(path) != wheel.sha256:
            raise OsteoEdgeError(f"{path}: not what the package index has; remove it and try again")


def _target(python: str) -> list[str]:
    platforms = ("manylinux2014", *(f"manylinux_2_{minor}" for minor in range(17, NEWEST_GLIBC[python] + 1)))
    return [
        "--only-binary=:all:",
        "--implementation=cp",
        f"--python-version={python}",
        *(f"--platform={platform}_{MACHINE}" for platform in platforms),
    ]


def _pip(words: Sequence[str]) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        reason = errors[0].removeprefix("ERROR: ") if errors else f"exit code {done.returncode}"
        raise OsteoEdgeError(
            f"pip finds no wheels for {MACHINE} ({reason}); see that there is a network, or name a folder "
            "with --wheels that an earlier run has filled"
        )
