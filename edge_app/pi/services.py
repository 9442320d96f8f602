"""The services of an installed version, which its own script sets up and starts."""

import os
import subprocess
from pathlib import Path
from typing import Final

from osteo_edge.edge_app.pi.versions import Places
from osteo_edge.errors import OsteoEdgeError

WANTED: Final = "etc/systemd/system/multi-user.target.wants"
WATCH: Final = "osteo-edge-watch.service"
KIOSK: Final = "osteo-edge-kiosk.service"
LIMIT_S: Final = 600


def services_in_use(places: Places) -> bool:
    """Whether the watcher or the kiosk is started at each boot."""
    return _is_wanted(places, WATCH) or _is_wanted(places, KIOSK)


def restart_services(places: Places, version: Path, *, watch: bool = False) -> None:
    """Set up the services of a version and start those again that are in use; `OsteoEdgeError` if one does not start.

    With `watch` the watcher is started whether it is in use or not, and so it is where neither is.
    """
    script = version / "units" / "enable.sh"
    if not script.is_file():
        raise OsteoEdgeError(f"{version.name} brings no services")
    command = ["/bin/sh", str(script)]
    if _is_wanted(places, KIOSK):
        command += ["--kiosk", *([] if watch or _is_wanted(places, WATCH) else ["--no-watch"])]
    root = "" if places.root == Path("/") else str(places.root)
    try:
        done = subprocess.run(
            command,
            env={**os.environ, "ROOT": root},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise OsteoEdgeError(f"the services do not start within {LIMIT_S} s") from error
    except OSError as error:
        raise OsteoEdgeError(f"{script}: cannot be started ({error.strerror or error})") from error
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        reason = said[-1].removeprefix("osteo-edge: ") if said else f"exit code {done.returncode}"
        raise OsteoEdgeError(f"the services do not start: {reason}")


def _is_wanted(places: Places, unit: str) -> bool:
    link = places.root / WANTED / unit
    return link.is_symlink() or link.exists()
