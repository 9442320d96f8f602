"""`osteo-edge doctor`: what is installed, what would be used, what is missing and how to get it."""

import importlib.util
import os
import platform
import subprocess
import sys
from dataclasses import asdict, dataclass
from importlib import metadata

import click

from osteo_edge.console import show_json, show_table
from osteo_edge.runtime import BACKENDS, Backend, default_threads, installed_backends
from osteo_edge.version import VERSION

IMPORT_LIMIT_S = 60
WORKS = "works"


@dataclass(frozen=True)
class Requirement:
    """A package, what it is for, and how to get it."""

    package: str
    module: str
    purpose: str
    remedy: str


@dataclass(frozen=True)
class Finding:
    """What was found of a requirement; no version means that it is missing."""

    package: str
    version: str | None
    purpose: str
    remedy: str


REQUIREMENTS = (
    Requirement("opencv-python-headless", "cv2", "reading and resizing images", "pip install opencv-python-headless"),
    Requirement("pydicom", "pydicom", "reading DICOM", "pip install 'osteo-edge[dicom]'"),
    Requirement("python-gdcm", "gdcm", "compressed DICOM", "pip install 'osteo-edge[dicom]'"),
    Requirement("tensorflow", "tensorflow", "training and conversion", "pip install 'osteo-edge[train]'"),
    Requirement("tf-keras", "tf_keras", "training and conversion", "pip install 'osteo-edge[train]'"),
    Requirement("ai-edge-quantizer", "ai_edge_quantizer", "conversion to integers", "pip install 'osteo-edge[train]'"),
    Requirement("scikit-learn", "sklearn", "audit of data sets", "pip install 'osteo-edge[train]'"),
)


@click.command(short_help="Tell what is installed, used and missing.")
@click.option("--json", "as_json", is_flag=True, help="The same for machines.")
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Tell what is installed, which interpreter and how many threads would be used, and what is missing.

    Runtimes are loaded, best first until one works, each in a process of its own, so that one built for another
    processor is found out here. The exit code is 1 if nothing can run a model.

    \b
    Example:
      osteo-edge doctor
    """
    findings = [find(requirement) for requirement in REQUIREMENTS]
    runtimes = try_runtimes()
    used = next((title for title, state in runtimes.items() if state == WORKS), None)
    if as_json:
        machine = {"version": VERSION, "python": platform.python_version(), "machine": platform.machine()}
        packages = [asdict(finding) for finding in findings]
        show_json(
            {**machine, "interpreter": used, "threads": default_threads(), "runtimes": runtimes, "packages": packages}
        )
    else:
        _show(findings, runtimes, used)
    if used is None:
        ctx.exit(1)


def find(requirement: Requirement) -> Finding:
    """Look a package up without importing it."""
    version = None
    if importlib.util.find_spec(requirement.module) is not None:
        version = _version(requirement.package)
    return Finding(requirement.package, version, requirement.purpose, requirement.remedy)


def try_runtimes() -> dict[str, str]:
    """The state of each runtime by its title; those after the first that works are not loaded, which takes seconds."""
    states: dict[str, str] = {}
    installed, used = installed_backends(), None
    for backend in BACKENDS:
        if backend not in installed:
            states[backend.title] = "not installed"
        elif used is not None:
            states[backend.title] = f"not tried: {used} works"
        else:
            states[backend.title] = load(backend)
            used = backend.title if states[backend.title] == WORKS else None
    return states


def load(backend: Backend) -> str:
    """Import a runtime in a process of its own: "works", or why it cannot be used."""
    command = [sys.executable, "-c", f"import {backend.module}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=IMPORT_LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        return f"does not load within {IMPORT_LIMIT_S} s"
    if done.returncode < 0:
        return f"killed by signal {-done.returncode} when loaded: built for another processor?"
    return WORKS if done.returncode == 0 else (done.stderr.strip().splitlines() or ["does not load"])[-1]


def _show(findings: list[Finding], runtimes: dict[str, str], used: str | None) -> None:
    cores = len(os.sched_getaffinity(0))
    click.echo(
        f"osteo-edge {VERSION}, Python {platform.python_version()}, "
        f"{platform.system()} {platform.machine()}, {cores} cores"
    )
    if used is None:
        click.echo("No interpreter works here: screening needs one. pip install ai-edge-litert")
    else:
        click.echo(f"Screening would use {used} with {default_threads()} threads")
    show_table("Interpreters, best first", ("Runtime", "State"), list(runtimes.items()))
    packages = [
        (finding.package, finding.version or "missing", finding.purpose, "" if finding.version else finding.remedy)
        for finding in findings
    ]
    show_table("Packages", ("Package", "Version", "For", "How to get it"), packages)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "of unknown version"
