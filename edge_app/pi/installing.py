"""Install a kit beside what is there: unpacked and tried out, then switched to; what fails leaves all as it was."""

import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from osteo_edge.device import Device, missing_for_window, this_device
from osteo_edge.edge_app.pi.device import require_fit
from osteo_edge.edge_app.pi.kit import KIT_FILE, Kit, KitError, NewerKitError, Progress, read_kit, verify_kit
from osteo_edge.edge_app.pi.self_check import check_version, run_version
from osteo_edge.edge_app.pi.services import restart_services, services_in_use
from osteo_edge.edge_app.pi.unpacking import compile_packages, unpack_packages
from osteo_edge.edge_app.pi.versions import (
    Places,
    contents_of,
    free_name,
    link_command,
    new_version,
    prune,
    roll_back,
    same_kit,
    switch,
    undo_switch,
    version_of,
)
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.locking import sole_use

SPARE_BYTES: Final = 64 << 20
DEBIAN_LIST: Final = "var/lib/dpkg/info/osteo-edge.list"
BUSY: Final = "another installation is running; wait for it to end"
WRAPPER: Final = """\
#!/bin/sh
# osteo-edge with the packages that lie beside it, whatever else is installed.
here=$(dirname "$(dirname "$(readlink -f "$0")")")
python={python}
if [ ! -x "$python" ]; then
    echo "osteo-edge: $python is gone, which this was installed for; run install.sh of a kit again" >&2
    exit 1
fi
export PYTHONPATH="$here/lib" PYTHONNOUSERSITE=1 PYTHONSAFEPATH=1
exec "$python" -m osteo_edge "$@"
"""

Say = Callable[[str], None]


def install(
    path: Path,
    places: Places,
    *,
    force: bool = False,
    units: bool = False,
    device: Device | None = None,
    say: Say = lambda line: None,
    on_progress: Progress = lambda *_: None,
) -> Path:
    """Install the kit in a folder and switch to it; gives the folder of the version that is then in use.

    Nothing is switched before the new version has answered a known film as it should, and what was in use stays there
    as the previous version. Where services are in use, or `units` asks for them, they are started with the new version,
    and if they do not start the previous one is used again. `force` allows a kit older than what is in use.

    `OsteoEdgeError` if the kit is damaged, not for this device or too old, if there is no permission or no space, or if
    the new version does not work; what was in use then still is.
    """
    kit = read_kit(path)
    _require_no_debian_package(places)
    found = device or this_device()
    require_fit(kit.contents, found)
    _require_permission(places)
    with _umask(0o022), sole_use(places.home, BUSY, place="disk"):
        prune(places)
        now, before = version_of(places.current), version_of(places.previous)
        _require_newer(kit, now, force)
        if now is not None and same_kit(now, kit.name) and _works(now, kit, say):
            version = now
        else:
            _require_space(places, kit.contents.installed_bytes[found.python])
            verify_kit(kit, on_progress)
            version = _unpack(kit, places, found.python, say, on_progress)
            switch(places, version)
        try:
            _start(places, version, units, say)
        except OsteoEdgeError as error:
            if now is None or now == version:
                raise
            undo_switch(places, now, before)
            prune(places)
            if services_in_use(places):
                restart_services(places, now)
            raise KitError(f"{version.name} does not start ({error}); {now.name} is in use again") from error
        note = link_command(places)
        prune(places)
    if note is not None:
        say(note)
    if missing := missing_for_window():
        say(f"the app's window needs packages of the system that are missing: apt-get install {' '.join(missing)}")
    say(f"osteo-edge {version.name} is installed")
    return version


def go_back(places: Places, say: Say = lambda line: None) -> Path:
    """Use the version from before again, with its services; `OsteoEdgeError` if there is none."""
    _require_permission(places)
    with sole_use(places.home, BUSY, place="disk"):
        version = roll_back(places)
        if services_in_use(places):
            restart_services(places, version)
    say(f"osteo-edge {version.name} is in use again")
    return version


def write_wrapper(version: Path, python: str) -> None:
    """Write the command `bin/osteo-edge` of a version, which runs with the interpreter `python`."""
    wrapper = version / "bin" / "osteo-edge"
    wrapper.parent.mkdir()
    wrapper.write_text(WRAPPER.format(python=shlex.quote(python)), "utf-8")
    wrapper.chmod(0o755)


def _unpack(kit: Kit, places: Places, python: str, say: Say, on_progress: Progress) -> Path:
    name = free_name(places, kit.name)
    final = places.versions / name
    with _writing(places.home), new_version(places, name) as folder:
        unpack_packages(kit, python, folder / "lib", on_progress)
        write_wrapper(folder, os.path.realpath(sys.executable))
        for part in ("bundle", "units"):
            if (kit.path / part).is_dir():
                shutil.copytree(kit.path / part, folder / part)
        shutil.copyfile(kit.path / "uninstall.sh", folder / "uninstall.sh")
        shutil.copyfile(kit.path / KIT_FILE, folder / KIT_FILE)
        say("compiling")
        compile_packages(folder / "lib", final / "lib")
        say("trying it out on a drawn film")
        try:
            score = check_version(folder, kit.contents.known_answer)
        except OsteoEdgeError as error:
            raise KitError(
                f"{kit.path}: {kit.name} does not work on this device: {error}; what was in use still is"
            ) from error
        say(f"the drawn film scores {score:.4f}, as it should")
    return final


def _works(version: Path, kit: Kit, say: Say) -> bool:
    """Whether what is installed already still works: a card that forgets does not."""
    try:
        check_version(version, kit.contents.known_answer)
    except OsteoEdgeError as error:
        say(f"{version.name} is installed, but damaged ({error}); it is installed again")
        return False
    say(f"{version.name} is installed already, and works")
    return True


def _start(places: Places, version: Path, units: bool, say: Say) -> None:
    """See that the version starts where it now lies, and its services with it."""
    run_version(places.current, ["--version"])
    if units or services_in_use(places):
        say("starting the services")
        restart_services(places, version, watch=units)


def _require_newer(kit: Kit, now: Path | None, force: bool) -> None:
    if now is None or force:
        return
    try:
        installed = contents_of(now)
        is_older = kit.contents.age < installed.age
    except NewerKitError:
        is_older = True
    except KitError:  # damaged: any kit may mend it
        is_older = False
    if not is_older:
        return
    raise KitError(
        f"{kit.path}: {kit.name} is older than {now.name}, which is installed; add --force to install it all the same"
    )


def _require_no_debian_package(places: Places) -> None:
    if (places.root / DEBIAN_LIST).exists():
        raise OsteoEdgeError(
            "osteo-edge is installed as a Debian package here: apt-get install the newer .deb, or remove it first"
        )


def _require_permission(places: Places) -> None:
    try:
        places.versions.mkdir(parents=True, exist_ok=True)
        allowed = os.access(places.versions, os.W_OK)
    except PermissionError:
        allowed = False
    except OSError as error:
        raise OsteoEdgeError(f"{places.versions}: cannot be made ({error.strerror or error})") from error
    if not allowed:
        raise OsteoEdgeError(f"{places.home}: no permission to write there; run it as root: sudo")


def _require_space(places: Places, needed_bytes: int) -> None:
    free_bytes = shutil.disk_usage(places.home).free
    if needed_bytes + SPARE_BYTES > free_bytes:
        raise OsteoEdgeError(
            f"{places.home}: not enough space ({(needed_bytes + SPARE_BYTES) / 2**20:.0f} MiB are needed, "
            f"{free_bytes / 2**20:.0f} MiB are free); free some"
        )


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OsteoEdgeError(
            f"{error.filename or folder}: cannot be written or read ({error.strerror or error}); "
            "what was in use still is"
        ) from error


@contextmanager
def _umask(mask: int) -> Iterator[None]:
    """Files that everybody can read, whatever root's own mask is."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)
