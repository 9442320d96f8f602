"""Find out, once for a model and a machine, which runtime runs it and with how many threads.

A wheel may use instructions that an older processor lacks; the process that loads it is then killed, without an error.
So each runtime runs the model in a process of its own first, best runtime first. What was found is kept in the user's
cache, until the model, the runtimes or the processor are others.
"""

import importlib.util
import json
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from osteo_edge.backends import ANDROID
from osteo_edge.bundle import Bundle
from osteo_edge.cache import cache_folder
from osteo_edge.durable import write_durably
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.hashing import sha256_bytes
from osteo_edge.host import THIS_MACHINE, Host
from osteo_edge.runtime import BACKENDS, Backend, Interpreter, default_threads, installed_backends, open_interpreter
from osteo_edge.strict import FieldError, from_dict, to_dict

SCHEMA = 1
LIMIT_S = 180
CLEARLY_FASTER = 0.9
"""More threads are taken only if they take less than this share of the time: the others are for the window."""
SWITCH = "OSTEO_EDGE_PREFLIGHT"
ARM = ("aarch64", "arm64", "armv7l", "armv8l")
PROCESSOR_LINES = ("Features", "flags", "model name", "CPU implementer", "CPU part", "CPU variant", "Model")


@dataclass(frozen=True)
class PassedOver:
    """A runtime that does not run the model here, and why."""

    runtime: str
    reason: str


@dataclass(frozen=True)
class Choice:
    """The runtime by its title, the number of threads, and the times that they were chosen by.

    `median_ms` has the median time of an inference by the number of threads; `passed_over` are better runtimes that do
    not run the model here.
    """

    runtime: str
    threads: int
    median_ms: dict[str, float]
    passed_over: tuple[PassedOver, ...]
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        if self.schema != SCHEMA:
            raise ValueError(f"schema must be {SCHEMA}")
        if str(self.threads) not in self.median_ms:
            raise ValueError("threads must be among those measured")

    @property
    def warning(self) -> str | None:
        """One line about runtimes that were passed over; None if the best one is used."""
        if not self.passed_over:
            return None
        return f"{_told(self.passed_over)}; {self.runtime} is used instead, which may be slower"


def open_checked(
    bundle: Bundle, *, threads: int | None = None, tell: Callable[[str], None] = lambda line: None
) -> Interpreter:
    """As `open_interpreter`, with the runtime and the threads of the pre-flight where there is one.

    There is one on ARM, where a wheel and a processor may not fit; OSTEO_EDGE_PREFLIGHT=1 asks for it anywhere and 0
    does without. `threads` are taken as given. `tell` hears of a runtime that was passed over. `OsteoEdgeError` if
    every runtime was killed.
    """
    choice = find_choice(bundle) if is_wanted() else None
    if choice is None:
        return open_interpreter(bundle, threads=threads)
    if choice.warning is not None:
        tell(choice.warning)
    backend = next(backend for backend in BACKENDS if backend.title == choice.runtime)
    return open_interpreter(bundle, threads=threads or choice.threads, backend=backend)


def is_wanted(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether to run one: on ARM, unless the environment says otherwise, and never in an Android app.

    What an app has was built for its processor, and there is no Python that could be started to try it out.
    """
    if ANDROID in installed_backends():
        return False
    said = environment.get(SWITCH, "")
    return said == "1" or (said != "0" and sys.platform == "linux" and platform.machine() in ARM)


def find_choice(bundle: Bundle, *, host: Host = THIS_MACHINE) -> Choice | None:
    """What was found before, or is found now; None if no runtime could be tried."""
    path = kept_choices() / f"{_key(bundle, host)}.json"
    choice = _read(path)
    if choice is None:
        choice = run_preflight(bundle)
        if choice is not None:
            _keep(path, choice)
    return choice


def run_preflight(bundle: Bundle, *, backends: Sequence[Backend] | None = None) -> Choice | None:
    """Try the runtimes that are installed, or `backends`, until one runs the bundle's model.

    None where none of them could be tried, or the model itself is at fault: opening it tells that better.
    `OsteoEdgeError` if what stands in the way is the machine: every runtime was killed.
    """
    passed_over: list[PassedOver] = []
    was_killed = False
    if bundle.manifest.model.format != "tflite":
        return None
    for backend in installed_backends() if backends is None else backends:
        try:
            done = _probe(backend, bundle.model_path)
        except subprocess.TimeoutExpired:
            passed_over.append(PassedOver(backend.title, f"does not run the model within {LIMIT_S} s"))
            continue
        except OSError:
            return None
        if done.returncode == 0:
            times: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
            return Choice(backend.title, _threads(times), times, tuple(passed_over))
        was_killed |= done.returncode < 0
        passed_over.append(PassedOver(backend.title, _why(done)))
    if was_killed:
        raise OsteoEdgeError(
            f"{_told(passed_over)}: nothing here can run {bundle.path}; install a runtime built for this processor, "
            "`osteo-edge doctor` tells what there is"
        )
    return None


def kept_choices() -> Path:
    """The folder of the choices in the user's cache, a file each."""
    return cache_folder() / "preflight"


def _probe(backend: Backend, model: Path) -> "subprocess.CompletedProcess[str]":
    cores = default_threads()
    counts = sorted({1, 2, cores} & set(range(1, cores + 1)))
    command = [sys.executable, "-m", "osteo_edge.preflight_probe", backend.module, str(model), *map(str, counts)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False, env=environment)


def _threads(median_ms: Mapping[str, float]) -> int:
    """The smallest number of threads, unless more are clearly faster.

    >>> _threads({"1": 20.0, "2": 11.0, "4": 10.5})
    2
    """
    best, *more = sorted(map(int, median_ms))
    for count in more:
        if median_ms[str(count)] < CLEARLY_FASTER * median_ms[str(best)]:
            best = count
    return best


def _why(done: "subprocess.CompletedProcess[str]") -> str:
    if done.returncode >= 0:
        return f"does not run the model ({(done.stderr.strip().splitlines() or ['it ends without a word'])[-1]})"
    if done.returncode == -signal.SIGILL:
        return "is built for another processor (illegal instruction)"
    return f"is killed by signal {-done.returncode} ({signal.strsignal(-done.returncode)}) when it runs the model"


def _told(passed_over: Sequence[PassedOver]) -> str:
    return "; ".join(f"{each.runtime} {each.reason}" for each in passed_over)


def _key(bundle: Bundle, host: Host) -> str:
    """A name for all that the choice depends on: the model, the runtimes' files, Python, and the processor."""
    processor = (host.read("proc/cpuinfo") or "").splitlines()
    parts = [
        bundle.manifest.model.sha256,
        platform.python_version(),
        platform.machine(),
        str(default_threads()),
        *(f"{backend.title} {_stamp(backend)}" for backend in installed_backends()),
        *sorted({line for line in processor if line.startswith(PROCESSOR_LINES)}),
    ]
    return sha256_bytes("\n".join(parts).encode())[:16]


def _stamp(backend: Backend) -> str:
    """Where a runtime's package lies and when it was put there; its version would take long to ask for."""
    spec = importlib.util.find_spec(backend.package)
    if spec is None or spec.origin is None:
        return "nowhere"
    try:
        return f"{spec.origin} {Path(spec.origin).stat().st_mtime_ns}"
    except OSError:
        return spec.origin


def _read(path: Path) -> Choice | None:
    """The choice that was kept; None for none, or one that cannot be used any more."""
    try:
        choice = from_dict(Choice, json.loads(path.read_bytes()))
    except (OSError, ValueError, FieldError):
        return None
    installed = [backend.title for backend in installed_backends()]
    return choice if choice.runtime in installed and choice.threads >= 1 else None


def _keep(path: Path, choice: Choice) -> None:
    """A cache that cannot be written costs the next start its second, and no more."""
    try:
        write_durably(path, json.dumps(to_dict(choice)).encode(), "the pre-flight")
    except OsteoEdgeError:
        return
