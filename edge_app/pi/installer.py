"""What `install.sh` runs, out of the kit's own wheel: needs Python's own library and nothing else."""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from osteo_edge.edge_app.pi.installing import install
from osteo_edge.edge_app.pi.versions import default_places
from osteo_edge.errors import OsteoEdgeError


def main(arguments: Sequence[str]) -> int:
    """Install a kit and show what `osteo-edge doctor` says; gives the exit code, as `osteo_edge.cli.run` does."""
    parser = argparse.ArgumentParser(prog="install.sh", description="Install osteo-edge from this kit. Asks nothing.")
    parser.add_argument("kit", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--force", action="store_true", help="also if the kit is older than what is installed")
    parser.add_argument("--units", action="store_true", help="also the watched folder as a service")
    given = parser.parse_args(arguments)
    try:
        version = install(given.kit, default_places(), force=given.force, units=given.units, say=_say)
    except OsteoEdgeError as error:
        print(f"osteo-edge: {error}", file=sys.stderr)  # noqa: T201 - click is not there yet
        return 1
    except KeyboardInterrupt:
        print("osteo-edge: interrupted; what was in use still is", file=sys.stderr)  # noqa: T201
        return 130
    return subprocess.run([version / "bin" / "osteo-edge", "doctor"], check=False).returncode


def _say(line: str) -> None:
    print(f"osteo-edge: {line}", flush=True)  # noqa: T201
