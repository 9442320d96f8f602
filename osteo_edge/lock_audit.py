"""Ask whether what the locks pin has known vulnerabilities: python -m osteo_edge.lock_audit

Every version in every lock is asked about with pip-audit, which comes with the dev extra; those for other versions of
Python too. Advisory where the service cannot be reached: that is said, and the exit code is 0. It is 1 for findings.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, zip_longest
from pathlib import Path
from typing import Any, Final

import click

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.extras import load_extra
from osteo_edge.lock_file import Pin, read_lock
from osteo_edge.locks import INSTALL_PATHS, lock_of
from osteo_edge.standalone import Standalone

UNREACHABLE: Final = re.compile(
    r"ConnectionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError|ServiceError|Could not connect"
)
"""What pip-audit ends with where the service does not answer, or not with a success."""
WAIT_S: Final = 15


class _UnreachableError(Exception):
    """No answer from the service that knows of vulnerabilities."""


@dataclass(frozen=True)
class Finding:
    """A known vulnerability of a pinned version, and the versions that are without it, where there are any."""

    package: str
    version: str
    vulnerability: str
    mended_in: tuple[str, ...]

    def __str__(self) -> str:
        way_out = f"mended in {', '.join(self.mended_in)}" if self.mended_in else "no version mends it yet"
        return f"{self.package} {self.version}: {self.vulnerability}, {way_out}"


@dataclass(frozen=True)
class Audit:
    """What the service said: how many versions it was asked about, those that it does not know, and the findings.

    `unreachable` is why it said nothing, if it did not answer.
    """

    asked: int = 0
    unknown: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    unreachable: str | None = None


def audit(pins: Iterable[Pin], osv: str | None = None) -> Audit:
    """Ask about each pinned version once, of PyPI, or of the OSV service at the address `osv`.

    `OsteoEdgeError` in pip-audit's words if that fails, though the service answers.
    """
    load_extra(["pip_audit"], feature="auditing the locks", package="pip-audit", extra="dev")
    try:
        found = [one for pins_of_round in rounds(pins) for one in _ask(pins_of_round, osv)]
    except _UnreachableError as error:
        return Audit(unreachable=str(error))
    return Audit(
        asked=len(found),
        unknown=tuple(one["name"] for one in found if "vulns" not in one),
        findings=tuple(
            Finding(one["name"], one["version"], about["id"], tuple(about["fix_versions"]))
            for one in found
            for about in one.get("vulns", [])
        ),
    )


def rounds(pins: Iterable[Pin]) -> list[list[Pin]]:
    """Every version once, in as few lists as it takes to have no package in one of them twice.

    pip-audit wants each package once, and would leave out what is for another Python than the one that it runs on.
    """
    versions = {(pin.name, pin.version): pin for pin in pins}
    by_package = [list(group) for _, group in groupby(sorted(versions.values(), key=_order), key=lambda pin: pin.name)]
    return [[pin for pin in column if pin is not None] for column in zip_longest(*by_package)]


def _order(pin: Pin) -> tuple[str, str]:
    return pin.name, pin.version


def _ask(pins: Sequence[Pin], osv: str | None) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="osteo-edge-audit-") as folder:
        asked = Path(folder, "asked.txt")
        asked.write_text("".join(_requirement(pin) for pin in pins), "utf-8")
        words = ["--requirement", str(asked), "--disable-pip", "--require-hashes", "--format=json"]
        words += [
            "--progress-spinner=off",
            f"--timeout={WAIT_S}",
            *([f"--osv-url={osv}", "--vulnerability-service=osv"] if osv else []),
        ]
        command = [sys.executable, "-m", "pip_audit", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        answered: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except ValueError as error:
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        if UNREACHABLE.search(done.stderr):
            raise _UnreachableError(reason) from error
        raise OsteoEdgeError(
            f"pip-audit failed ({reason[:300]}); run it by itself: pip-audit -r locks/app.txt"
        ) from error
    return answered


def _requirement(pin: Pin) -> str:
    return f"{pin.name}=={pin.version} {' '.join(f'--hash=sha256:{digest}' for digest in pin.sha256s)}\n"


@click.command(cls=Standalone, help=__doc__)
@click.argument("locks", nargs=-1, type=click.Path(path_type=Path))
@click.option("--osv", metavar="ADDRESS", help="Ask this OSV service, such as https://api.osv.dev/v1/query, not PyPI.")
def main(locks: tuple[Path, ...], osv: str | None) -> None:
    pins = [pin for path in locks or tuple(map(lock_of, INSTALL_PATHS)) for pin in read_lock(path)]
    told = audit(pins, osv)
    if told.unreachable is not None:
        click.echo(f"NOT AUDITED: the service that knows of vulnerabilities cannot be reached ({told.unreachable})")
        return
    if told.unknown:
        named = f"{', '.join(told.unknown[:3])}{', ...' if len(told.unknown) > 3 else ''}"
        click.echo(f"NOT AUDITED: the service knows nothing of {len(told.unknown)} of {told.asked} versions ({named})")
    if told.findings:
        raise OsteoEdgeError("\n".join(["known vulnerabilities in what the locks pin", *map(str, told.findings)]))
    if told.asked > len(told.unknown):
        click.echo(f"no known vulnerability in {told.asked - len(told.unknown)} versions")


if __name__ == "__main__":
    main()
