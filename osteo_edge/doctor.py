"""`osteo-edge doctor`: what is installed, what would be used, what is missing and how to get it."""

import importlib.util
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

import click

import osteo_edge
from osteo_edge.backends import BACKENDS, Backend, default_threads, installed_backends
from osteo_edge.console import show_json, show_table
from osteo_edge.device_checks import DeviceLine, check_device
from osteo_edge.version import VERSION

IMPORT_LIMIT_S = 60
WORKS = "works"
MISSING = "missing"
NOT_INSTALLED = "not installed"
NOT_TRIED = "not tried: {used} works"
RUNTIME_REMEDY = "pip install ai-edge-litert"
KIT_REMEDY = "install the kit or the .deb again"
INTERPRETERS = "Interpreters"


@dataclass(frozen=True)
class Requirement:
    """A package, what it is for, and how to get it.

    `needed` says that nothing runs without it, so that it is loaded as well; `on_device` that a kit brings it.
    """

    package: str
    module: str
    purpose: str
    remedy: str
    needed: bool = False
    on_device: bool = True


@dataclass(frozen=True)
class Finding:
    """What was found of a requirement; no version means that it is missing.

    `is_amiss` says that it ought to be there and work, and `state` how it is.
    """

    package: str
    version: str | None
    purpose: str
    remedy: str
    state: str = WORKS
    is_amiss: bool = False


TRAIN = "pip install 'osteo-edge[train]'"
REQUIREMENTS = (
    Requirement("opencv-python-headless", "cv2", "reading images", "pip install opencv-python-headless", needed=True),
    Requirement("pydicom", "pydicom", "reading DICOM", "pip install 'osteo-edge[dicom]'"),
    Requirement("python-gdcm", "gdcm", "compressed DICOM", "pip install 'osteo-edge[dicom]'"),
    Requirement("kivy", "kivy", "the app's window", "pip install 'osteo-edge[app]'"),
    Requirement("fpdf2", "fpdf", "the app's PDF reports", "pip install 'osteo-edge[app]'"),
    Requirement("cryptography", "cryptography", "signed models, encryption", "pip install 'osteo-edge[signed]'"),
    Requirement("sqlcipher3", "sqlcipher3", "encryption of the history", "pip install 'osteo-edge[app]'"),
    Requirement("tensorflow", "tensorflow", "training and conversion", TRAIN, on_device=False),
    Requirement("tf-keras", "tf_keras", "training and conversion", TRAIN, on_device=False),
    Requirement("ai-edge-quantizer", "ai_edge_quantizer", "conversion to integers", TRAIN, on_device=False),
    Requirement("scikit-learn", "sklearn", "audit of data sets", TRAIN, on_device=False),
)


@click.command(short_help="Tell what is installed, used and missing.")
@click.option("--json", "as_json", is_flag=True, help="The same for machines.")
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Tell what is installed, which interpreter and how many threads would be used, and what is missing or amiss.

    Of the device itself: system, memory, space, disk, clock, power supply, cooling, and the services. Each line that is
    red says what to do; docs/doctor.md says more. Runtimes are loaded, best first until one works, each in a process
    of its own, so that one built for another processor is found out here. The exit code is 1 if nothing can run a
    model.

    \b
    Example:
      osteo-edge doctor
    """
    with ThreadPoolExecutor(max_workers=1) as beside:  # to load a package takes a small device seconds
        packages = beside.submit(lambda: [find(requirement) for requirement in REQUIREMENTS])
        runtimes = try_runtimes()
    findings = packages.result()
    used = next((title for title, state in runtimes.items() if state == WORKS), None)
    device = check_device()
    if as_json:
        machine = {"version": VERSION, "python": platform.python_version(), "machine": platform.machine()}
        show_json(
            {
                **machine,
                "interpreter": used,
                "threads": default_threads(),
                "runtimes": runtimes,
                "packages": [asdict(finding) for finding in findings],
                "device": [asdict(line) for line in device],
                "amiss": amiss(findings, runtimes, device),
            }
        )
    else:
        _show(findings, runtimes, used, device)
    if used is None:
        ctx.exit(1)


def find(requirement: Requirement) -> Finding:
    """Look a package up without importing it here; one that nothing runs without is loaded in a process of its own."""
    package, purpose, remedy = requirement.package, requirement.purpose, requirement.remedy
    ought_to_be_there = requirement.needed
    if is_from_kit():
        remedy = KIT_REMEDY if requirement.on_device else "not for a device"
        ought_to_be_there = requirement.on_device
    if importlib.util.find_spec(requirement.module) is None:
        return Finding(package, None, purpose, remedy, MISSING, ought_to_be_there)
    state = loads(requirement.module) if requirement.needed else WORKS
    return Finding(package, _version(package), purpose, remedy, state, state != WORKS)


def is_from_kit() -> bool:
    """Whether this program runs out of what a kit or a .deb has installed, where pip does not reach."""
    return Path(osteo_edge.__file__).parents[2].joinpath("kit.json").is_file()


def try_runtimes() -> dict[str, str]:
    """The state of each runtime by its title; those after the first that works are not loaded, which takes seconds."""
    states: dict[str, str] = {}
    installed, used = installed_backends(), None
    for backend in BACKENDS:
        if backend not in installed:
            states[backend.title] = NOT_INSTALLED
        elif used is not None:
            states[backend.title] = NOT_TRIED.format(used=used)
        else:
            states[backend.title] = load(backend)
            used = backend.title if states[backend.title] == WORKS else None
    return states


def load(backend: Backend) -> str:
    """Import a runtime in a process of its own: "works", or why it cannot be used."""
    return loads(backend.module)


def loads(module: str) -> str:
    """Import a module in a process of its own: "works", or why it cannot be used."""
    command = [sys.executable, "-c", f"import {module}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=IMPORT_LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        return f"does not load within {IMPORT_LIMIT_S} s"
    except OSError as error:
        return f"cannot be tried ({error.strerror or error})"
    if done.returncode < 0:
        return f"killed by signal {-done.returncode} when loaded: built for another processor?"
    return WORKS if done.returncode == 0 else (done.stderr.strip().splitlines() or ["does not load"])[-1]


def amiss(findings: Iterable[Finding], runtimes: Mapping[str, str], device: Iterable[DeviceLine]) -> list[str]:
    """The lines that are red, by the names that they have in `docs/doctor.md`."""
    return [
        *([INTERPRETERS] if WORKS not in runtimes.values() else []),
        *(title for title, state in runtimes.items() if _is_broken(state)),
        *(finding.package for finding in findings if finding.is_amiss),
        *(line.line for line in device if line.remedy),
    ]


def _show(findings: list[Finding], runtimes: dict[str, str], used: str | None, device: Sequence[DeviceLine]) -> None:
    cores = len(os.sched_getaffinity(0))
    click.echo(
        f"osteo-edge {VERSION}, Python {platform.python_version()}, "
        f"{platform.system()} {platform.machine()}, {cores} cores"
    )
    remedy = KIT_REMEDY if is_from_kit() else RUNTIME_REMEDY
    if used is None:
        click.echo(f"No interpreter works here: screening needs one. {remedy}")
    else:
        click.echo(f"Screening would use {used} with {default_threads()} threads")
    red = amiss(findings, runtimes, device)
    states = [(title, state, remedy if _is_broken(state) else "") for title, state in runtimes.items()]
    show_table("Interpreters, best first", ("Runtime", "State", "What to do"), states, red=red)
    packages = [
        (
            finding.package,
            finding.version or MISSING,
            finding.purpose,
            "" if finding.state == WORKS else f"{finding.state}: {finding.remedy}".removeprefix(f"{MISSING}: "),
        )
        for finding in findings
    ]
    show_table("Packages", ("Package", "Version", "For", "How to get it"), packages, red=red)
    lines = [(line.line, line.found, line.remedy) for line in device]
    show_table("This device", ("What", "How it is", "What to do"), lines, red=red)
    click.echo(f"To see to: {', '.join(red)}" if red else "Nothing is amiss.")


def _is_broken(state: str) -> bool:
    """Whether a runtime is there and does not work: one that is left out, or not needed, is none."""
    return state not in (WORKS, NOT_INSTALLED) and not state.startswith("not tried")


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "of unknown version"
