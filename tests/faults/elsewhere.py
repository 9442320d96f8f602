"""What is interrupted outside of the app: the record, bundles, the watched folder, the versions on a Raspberry Pi."""

import compileall
import csv
import json
import platform
import shutil
import sys
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from osteo_edge import audit_log
from osteo_edge.audit_log import AuditLog, verify_log
from osteo_edge.bundle import Bundle, read_bundle, write_bundle
from osteo_edge.edge_app.ledger import read_lines
from osteo_edge.edge_app.pi import installing
from osteo_edge.edge_app.pi.installing import go_back, install
from osteo_edge.edge_app.pi.kit import KIT_FILE, SUMS_FILE, Contents, KitFile, KnownAnswer, sums_of
from osteo_edge.edge_app.pi.versions import Places, contents_of, link_command, prune, version_of
from osteo_edge.edge_app.watching import Answered, Station, open_station, watch
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.hashing import sha256_bytes, sha256_file
from osteo_edge.manifest import Manifest
from osteo_edge.runtime import Prediction
from tests.faults.actions import Action
from tests.faults.clinics import DATA
from tests.faults.finding import Found

LOG: Final = (r"audit\.jsonl", r"audit-head\.json", r"\.audit\.lock")
RESULTS: Final = (
    *(r"films/[ab]\.png", r"out/ledger\.jsonl", r"out/results\.csv", r"out/\.lock", r"out/\.attempts"),
    *(rf"out/{name}" for name in LOG),
    r"out/20\d\d-\d\d-\d\d/[ab]-[0-9a-f]{8}(\.overlay\.png|\.json)",
)
OLD: Final = "1.0.0"
NEW: Final = "1.1.0"
MODULES: Final = ("osteo_edge/__init__.py", "osteo_edge/__main__.py", "filler.py")
TEXT: Final = "WORDS = 'what a module holds'\n" * 300
VERSIONS: Final = (
    r"usr/local/bin/osteo-edge",
    r"opt/osteo-edge/(\.lock|current|previous)",
    r"opt/osteo-edge/versions/[^.][^/]*/.*",
)


def other_actions() -> tuple[Action, ...]:
    """What is done without the app."""
    return (
        Action("first event", _empty, AuditLog, _append, _nothing, _find_log, LOG, told="screened"),
        Action("event", _log, AuditLog, _append, _nothing, _find_log, LOG, ("audit.jsonl",), "screened"),
        Action("bundle written", _empty, _same, _write_first_bundle, _nothing, _find_bundle, (r"models/knee/.*",)),
        Action(
            "film in the watched folder",
            _watched,
            _open_watch,
            _next_film,
            _close,
            _find_results,
            RESULTS,
            ("out/audit.jsonl", "out/ledger.jsonl"),
        ),
    )


def pi_actions() -> tuple[Action, ...]:
    """Updates and the way back; the kits are small, and what they are tried out by is left out."""

    def act(name: str, before: tuple[str, ...], do: Callable[[Places], object]) -> Action:
        def prepare(root: Path) -> None:
            root.mkdir()
            for version in (OLD, NEW):
                if not (root.parent / f"kit-{version}").exists():
                    _make_kit(root.parent / f"kit-{version}", version)
            for version in before:
                _install(version, Places(root))

        def done(places: Places) -> None:
            do(places)

        return Action(name, prepare, Places, done, _nothing, _find_versions, VERSIONS)

    return (
        act("first installation on a Pi", (), lambda places: _install(OLD, places)),
        act("update of a Pi", (OLD,), lambda places: _install(NEW, places)),
        act("way back on a Pi", (OLD, NEW), lambda places: go_back(places)),
    )


def _nothing(_: object) -> None:
    pass


def _same(root: Path) -> Path:
    return root


def _empty(root: Path) -> None:
    root.mkdir()


def _log(root: Path) -> None:
    for number in range(3):
        AuditLog(root).append("started", who="PIN", number=number)


def _append(log: AuditLog) -> None:
    log.append("screened", who="PIN", image="a" * 64)


def _find_log(root: Path) -> Found:
    """The events but for what a start adds itself."""
    try:
        AuditLog(root).append("found", who="test")
        events = [event for event in audit_log.read_events(root) if event.what in ("started", "screened")]
        wrong = [f"audit log: {finding}" for finding in verify_log(root).findings]
    except OsteoEdgeError as error:
        return Found({}, (f"does not start: {error}",))
    return Found({f"event {event.what} {event.about.get('number')}": event.who for event in events}, tuple(wrong))


def _write_bundle(root: Path, name: str = "knee") -> Path:
    manifest = Manifest.from_dict(json.loads((DATA / "manifest.json").read_text("utf-8")))
    model = (DATA / "golden-int8.tflite").read_bytes()
    return write_bundle(root / "models" / name, manifest, {manifest.model.file: model}).path


def _write_first_bundle(root: Path) -> None:
    _write_bundle(root)


def _find_bundle(root: Path) -> Found:
    path = root / "models" / "knee"
    shutil.rmtree(_write_bundle(root, "next"))
    if not path.exists():
        return Found({})
    try:
        return Found({"bundle": read_bundle(path).manifest.model.sha256})
    except OsteoEdgeError as error:
        return Found({}, (f"half: {error}",))


@dataclass(frozen=True)
class FixedAnswer:
    """An interpreter without a runtime: what is looked at is the disk."""

    name: str = "fixed"

    def run(self, tensor: object) -> Prediction:
        return Prediction(np.asarray([0.2, 0.5, 0.3], np.float32), None)


@dataclass
class Watching:
    """An open station, on a folder of films."""

    folder: Path
    station: Station
    stack: ExitStack


def _watched(root: Path) -> None:
    """One film that was answered, and one that has just arrived."""
    films = root / "films"
    films.mkdir(parents=True)
    write_bundle_beside(root)
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        pixels = rng.integers(60, 200, (120, 90)).astype(np.uint8)
        cv2.imwrite(str(films / f"{name}.png"), cv2.GaussianBlur(pixels, (0, 0), 9))
        if name == "a":
            watching = _open_watch(root)
            _next_film(watching)
            _close(watching)


def write_bundle_beside(root: Path) -> Bundle:
    """The golden bundle beside a folder."""
    manifest = Manifest.from_dict(json.loads((DATA / "manifest.json").read_text("utf-8")))
    files = {manifest.model.file: (DATA / "golden-int8.tflite").read_bytes()}
    path = root.with_name("watch-bundle")
    shutil.rmtree(path, ignore_errors=True)
    return write_bundle(path, manifest, files)


def _open_watch(root: Path) -> Watching:
    stack = ExitStack()
    bundle = read_bundle(root.with_name("watch-bundle"))
    station = stack.enter_context(open_station(bundle, FixedAnswer(), root / "out", overlay=True, force=True))
    return Watching(root / "films", station, stack)


def _next_film(watching: Watching) -> None:
    """Watch until a film is answered."""
    for event in watch(watching.folder, watching.station, lambda seconds: True, every_s=0.0, once=True):
        if isinstance(event, Answered):
            return


def _close(watching: Watching) -> None:
    watching.stack.close()


def _find_results(root: Path) -> Found:
    """What the next run has before it looks for films: results, lines and rows."""
    things: dict[str, str] = {}
    wrong: list[str] = []
    try:
        _close(_open_watch(root))
        out = root / "out"
        wrong += [f"audit log: {finding}" for finding in verify_log(out).findings]
        for line in read_lines(out / "ledger.jsonl"):
            things[f"film {line.sha256}"] = line.outcome
            result = json.loads((out / str(line.result)).read_bytes())
            wrong += [] if result["image_sha256"] == line.sha256 else [f"half: {line.result} is of another film"]
            wrong += [] if cv2.imread(str(out / str(line.overlay))) is not None else [f"half: {line.overlay}"]
        with (out / "results.csv").open(encoding="utf-8-sig", newline="") as file:
            rows = sorted(f"film {row['image_sha256']}" for row in csv.DictReader(file))
        wrong += [] if rows == sorted(things) else ["half: the table has other films than the ledger"]
    except FileNotFoundError as error:
        wrong.append(f"lost: {error}")
    except OsteoEdgeError as error:
        wrong.append(f"does not start: {error}")
    return Found(things, tuple(wrong))


def _install(version: str, places: Places) -> None:
    """Install a kit; the two runs of the program in it, and the several processes that compile, are left out."""
    with ExitStack() as stack:
        for name, value in (
            ("check_version", lambda *_: 0.75),
            ("run_version", lambda *_: ""),
            ("compile_packages", lambda folder, final: compileall.compile_dir(folder, quiet=2, workers=1)),
            ("missing_for_window", lambda: ()),
        ):
            stack.callback(setattr, installing, name, getattr(installing, name))
            setattr(installing, name, value)
        install(places.root.parent / f"kit-{version}", places)


def _make_kit(folder: Path, version: str) -> None:
    """A kit whose one wheel holds a few modules."""
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    wheel = folder / "wheels" / f"osteo_edge-{version}-py3-none-any.whl"
    wheel.parent.mkdir(parents=True)
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in MODULES:
            archive.writestr(name, TEXT)
    (folder / "uninstall.sh").write_text("#!/bin/sh\n", "utf-8")
    files = {name: folder / name for name in (f"wheels/{wheel.name}", "uninstall.sh")}
    contents = Contents(
        schema=1,
        version=version,
        made_at=f"2026-11-2{version[2]}T10:00:00+00:00",
        made_by="osteo-edge",
        bundle="knee 1",
        model_sha256="0" * 64,
        machine=platform.machine(),
        glibc="2.17",
        packages={python: (f"wheels/{wheel.name}",)},
        installed_bytes={python: 100_000},
        known_answer=KnownAnswer(0.75, 0.01, "LiteRT"),
        files={name: KitFile(sha256_file(path), path.stat().st_size) for name, path in files.items()},
    )
    (folder / KIT_FILE).write_bytes(contents.to_bytes())
    (folder / SUMS_FILE).write_bytes(sums_of(contents, sha256_bytes(contents.to_bytes())))


def _find_versions(root: Path) -> Found:
    """The versions that `current` and `previous` lead to, each with all its files."""
    places = Places(root)
    current, previous = version_of(places.current), version_of(places.previous)
    wrong = [
        f"half: {link.name} leads nowhere"
        for link, version in ((places.current, current), (places.previous, previous))
        if version is None and link.is_symlink()
    ]
    for version in filter(None, (current, previous)):
        wrong += [f"half: {path} of {version.name}" for path in _lacking(version)]
    if places.versions.is_dir():
        prune(places)  # as the next update does
    if current is not None:
        link_command(places)
    return Found({} if current is None else {"current": current.name}, tuple(wrong))


def _lacking(version: Path) -> list[str]:
    """The files that a version should have and lacks, or has in part."""
    try:
        contents_of(version)
    except OsteoEdgeError as error:
        return [str(error)]
    modules = [version / "lib" / name for name in MODULES]
    lacking = [path.name for path in modules if not path.is_file() or path.read_text("utf-8") != TEXT]
    others = (version / "bin" / "osteo-edge", version / "uninstall.sh")
    return lacking + [path.name for path in others if not path.is_file() or not path.stat().st_size]
