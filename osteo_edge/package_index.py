"""What the package index says of the files that a lock pins: for which versions of Python they are."""

import json
import urllib.request
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, Final

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.extras import load_extra
from osteo_edge.lock_file import Pin

INDEX: Final = "https://pypi.org/simple"
AT_ONCE: Final = 8
WAIT_S: Final = 60
MAX_BYTES: Final = 64 << 20


def refused_by_pip(pins: Iterable[Pin], pythons: Sequence[str]) -> list[str]:
    """Constraints that rule out what pip refuses: pins with no file whose Requires-Python (PEP 345) has that Python."""
    parts = load_extra(
        ["packaging.requirements", "packaging.specifiers"], feature="making locks", package="packaging", extra="dev"
    )
    requirement, specifiers = parts[0].Requirement, parts[1].SpecifierSet
    wanted = list(pins)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        known = dict(zip(wanted, pool.map(lambda pin: _files(pin.name), wanted), strict=True))
    found = []
    for pin, files in known.items():
        limits = [limit for digest, limit in files.items() if digest in pin.sha256s]
        if not limits:
            raise OsteoEdgeError(
                f"{INDEX}/{pin.name}/: has none of the files of {pin.version} that uv found; try again"
            )
        marker = requirement(f"{pin.name}; {pin.marker}").marker if pin.marker else None
        for python in pythons:
            full = f"{python}.9"
            concerned = marker is None or _may_hold(marker, python, full)
            if concerned and not any(specifiers(limit).contains(full) for limit in limits):
                found.append(f"{pin.name}!={pin.version}; python_version == '{python}'")
    return found


def _may_hold(marker: Any, python: str, full: str) -> bool:
    """Whether a pin concerns a Python, on one of the two machines."""
    about = {"python_version": python, "python_full_version": full, "implementation_name": "cpython"}
    about |= {"platform_python_implementation": "CPython", "sys_platform": "linux", "platform_system": "Linux"}
    return any(marker.evaluate(about | {"platform_machine": machine}) for machine in ("x86_64", "aarch64"))


@cache
def _files(name: str) -> dict[str, str]:
    """The Requires-Python of each file of a package, by its SHA-256 (PEP 691)."""
    address = f"{INDEX}/{name}/"
    request = urllib.request.Request(address, headers={"Accept": "application/vnd.pypi.simple.v1+json"})
    try:
        with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
            listed: list[dict[str, Any]] = json.loads(answer.read(MAX_BYTES))["files"]
    except (OSError, ValueError, KeyError) as error:
        raise OsteoEdgeError(f"{address}: cannot be asked ({error}); see to the network") from error
    return {one["hashes"]["sha256"]: one.get("requires-python") or "" for one in listed}
