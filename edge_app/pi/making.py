"""Make a kit for the Raspberry Pi: what is needed to install this program and a model there, without a network."""

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from osteo_edge.bundle import Bundle, require_free
from osteo_edge.cache import made_once
from osteo_edge.edge_app.models.trial import try_out
from osteo_edge.edge_app.pi.kit import (
    KIT_FILE,
    SCHEMA,
    SUMS_FILE,
    Contents,
    Kit,
    KitFile,
    KnownAnswer,
    Progress,
    read_kit,
    sums_of,
)
from osteo_edge.edge_app.pi.own_wheel import write_own_wheel
from osteo_edge.edge_app.pi.packs import EFFORT, NOT_NEEDED, SHARED, Effort, make_packs, pack_name, tag_of
from osteo_edge.edge_app.pi.wheels import MACHINE, NEWEST_GLIBC, fetch_wheels, oldest_glibc
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.hashing import sha256_bytes, sha256_file
from osteo_edge.new_folder import new_folder
from osteo_edge.screening import Screening
from osteo_edge.source_date import made_at
from osteo_edge.version import VERSION

PYTHONS: Final = tuple(NEWEST_GLIBC)
HERE: Final = Path(__file__).parent
SCRIPTS: Final = ("install.sh", "uninstall.sh")
OWN_SHARE: Final = 6
"""Bytes of our own modules, compiled too, to those of the wheel that has them."""
PACKS_EDITION: Final = 3
"""Counted up when the archives of the same wheels are to be made in another way."""
TOLERANCE: Final = {"float32": 0.005, "float16": 0.005}
INTEGER_TOLERANCE: Final = 0.12
"""An EfficientNet-B0 in int8 was once seen to differ by 27/255 between processors. Those that `convert` makes do not
differ (`tests/edge_app/pi/test_emulated_efficientnet.py`), but for how a film is reduced."""


def make_kit(
    bundle: Path,
    out: Path,
    *,
    pythons: Sequence[str] = PYTHONS,
    wheels: Path,
    lock: Path | None = None,
    effort: Effort = EFFORT,
    on_progress: Progress = lambda *_: None,
) -> Kit:
    """Make the kit `out/osteo-edge-pi-VERSION` with the bundle in a folder, whole or not at all.

    `wheels` is where wheels are kept: what is there is not fetched again; `lock` pins which these are. `effort` is
    how hard the packages are compressed: a kit to try out is made in seconds with 0, and is larger than one to hand
    out. `BundleError` if the bundle is damaged, no TFLite or failed its check; `OsteoEdgeError` if wheels cannot be
    fetched, or the kit cannot be written.
    """
    target = out / f"osteo-edge-pi-{VERSION}"
    require_free(target)
    tried, answer = try_out(bundle)
    with new_folder(target, "the kit") as folder:
        (folder / "wheels").mkdir()
        own = write_own_wheel(folder / "wheels")
        found = fetch_wheels(own, pythons, wheels, on_progress, lock=lock)
        packs, unpacked_bytes = _packs(found, effort, on_progress)
        for pack in packs:
            shutil.copyfile(pack, folder / "wheels" / pack.name)
        _copy_rest(tried, folder)
        contents = _contents(folder, tried, answer, found, unpacked_bytes)
        (folder / KIT_FILE).write_bytes(contents.to_bytes())
        (folder / SUMS_FILE).write_bytes(sums_of(contents, sha256_bytes(contents.to_bytes())))
    return read_kit(target)


def size_bytes(kit: Kit) -> int:
    """The size of a kit's files, its own lists left out."""
    return sum(file.size_bytes for file in kit.contents.files.values())


def _packs(
    wheels: dict[str, tuple[Path, ...]], effort: Effort, on_progress: Progress
) -> tuple[list[Path], dict[str, int]]:
    """The archives, made once for the same wheels, and the bytes that they unpack to; two minutes the first time."""
    digest = hashlib.sha256(f"{PACKS_EDITION} {effort} {NOT_NEEDED.pattern}".encode())
    for python, paths in wheels.items():
        digest.update("\n".join([python, *(path.name for path in paths)]).encode())
    name = f"pi-packs-{digest.hexdigest()[:12]}"
    folder = made_once(name, lambda partial: _make_packs(wheels, partial, effort, on_progress))
    sizes = {python: int((folder / f"{tag_of(python)}.bytes").read_text("ascii")) for python in wheels}
    return sorted(folder.glob("*.tar.xz")), sizes


def _make_packs(wheels: dict[str, tuple[Path, ...]], folder: Path, effort: Effort, on_progress: Progress) -> None:
    for python, size in make_packs(wheels, folder, on_progress, effort=effort).items():
        (folder / f"{tag_of(python)}.bytes").write_text(str(size), "ascii")


def _copy_rest(bundle: Bundle, folder: Path) -> None:
    shutil.copytree(bundle.path, folder / "bundle")
    shutil.copytree(HERE / "units", folder / "units", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    for name in SCRIPTS:
        shutil.copyfile(HERE / name, folder / name)
        (folder / name).chmod(0o755)
    (folder / "README.md").write_text(README.format(version=VERSION, bundle=bundle.manifest.name), "utf-8")


def _contents(
    folder: Path,
    bundle: Bundle,
    answer: Screening,
    wheels: dict[str, tuple[Path, ...]],
    unpacked_bytes: dict[str, int],
) -> Contents:
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    files = {name: KitFile(sha256_file(folder / name), (folder / name).stat().st_size) for name in names}
    own = next(name for name in names if name.endswith(".whl"))
    glibc = max((oldest_glibc(path.name) or (2, 17) for paths in wheels.values() for path in paths), default=(2, 17))
    manifest = bundle.manifest
    if answer.score is None:
        raise OsteoEdgeError(f"{bundle.path}: gives no number for a drawn film; choose another model")
    files_bytes = sum(file.size_bytes for name, file in files.items() if not name.startswith("wheels/"))
    return Contents(
        schema=SCHEMA,
        version=VERSION,
        made_at=made_at().isoformat(timespec="seconds"),
        made_by=f"osteo-edge {VERSION}",
        bundle=f"{manifest.name} {manifest.version}",
        model_sha256=manifest.model.sha256,
        machine=MACHINE,
        glibc=".".join(map(str, glibc)),
        packages={python: _archives(python, names, own) for python in wheels},
        installed_bytes={
            python: size + round(OWN_SHARE * files[own].size_bytes) + files_bytes
            for python, size in unpacked_bytes.items()
        },
        known_answer=KnownAnswer(
            score=answer.score,
            tolerance=TOLERANCE.get(manifest.model.precision, INTEGER_TOLERANCE),
            runtime=answer.runtime,
        ),
        files=files,
    )


def _archives(python: str, names: list[str], own: str) -> tuple[str, ...]:
    wanted = [f"wheels/{pack_name(tag)}" for tag in (SHARED, tag_of(python))]
    return (*(name for name in wanted if name in names), own)


README: Final = """\
# osteo-edge {version} for the Raspberry Pi

With the model {bundle}. A referral aid, never a diagnosis and never a rule-out.

On a Raspberry Pi 3, 4, 5 or Zero 2 W with the 64-bit Raspberry Pi OS 12 or 13, with or without a network:

    sudo sh install.sh            # or with --units: also the watched folder as a service
    osteo-edge app                # the app; osteo-edge --help for everything else
    sudo sh /opt/osteo-edge/current/units/enable.sh --kiosk
                                  # the app over the whole screen at every start, and the watched folder
                                  # (without that: --kiosk --no-watch; --no-kiosk brings the desktop back)

    sudo osteo-edge update FOLDER # a newer kit; osteo-edge update --rollback goes back
    sudo sh uninstall.sh          # patients' data stay; --purge-data removes them too

`install.sh` may be run again at any time, and be interrupted at any time. `sha256sum --check SHA256SUMS` tells whether
the kit is whole.
"""
