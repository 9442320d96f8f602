"""Make and check the locks, one for each way of installing: python -m osteo_edge.locks

It asks uv for the newest versions that setup.cfg allows, or for those that the lock has already where they still do,
and writes them with the hashes of their files to locks/. uv takes versions that say they are for older Pythons alone,
which pip refuses: those are ruled out, and uv is asked again. `--check` needs no network: it says where a lock and
setup.cfg disagree. Both need what comes with the dev extra, and a source tree.
"""

import configparser
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.extras import load_extra
from osteo_edge.lock_file import AGAIN, Pin, parse_lock, plain, read_lock
from osteo_edge.package_index import INDEX, refused_by_pip
from osteo_edge.standalone import Standalone
from osteo_edge.writing import write_whole

ROOT: Final = Path(__file__).resolve().parent.parent
EVERY_PYTHON: Final = ("3.10", "3.11", "3.12", "3.13")
TIMEOUT_S: Final = 600
HEADER: Final = """\
# osteo-edge, {what}: {extras}; Python {first} to {last} on Linux, {machines}.
# Made by `make locks`. Install with: pip install --require-hashes --requirement locks/{name}.txt
"""


@dataclass(frozen=True)
class InstallPath:
    """A way of installing: what it is for, the extras of setup.cfg, and the Pythons and machines that it is for.

    `one_version` asks for the same version of a package on each Python. `builds` adds what the package is built with.
    """

    name: str
    what: str
    extras: tuple[str, ...]
    pythons: tuple[str, ...]
    machines: tuple[str, ...]
    one_version: bool = False
    builds: bool = False


INSTALL_PATHS: Final = (
    InstallPath("pi", "the Raspberry Pi", ("app", "dicom", "signed"), EVERY_PYTHON[1:], ("aarch64",), one_version=True),
    InstallPath("app", "the app on a desktop", ("app", "dicom", "signed"), EVERY_PYTHON, ("x86_64", "aarch64")),
    InstallPath("training", "a workstation", ("dicom", "train", "signing", "report"), EVERY_PYTHON, ("x86_64",)),
    InstallPath("archive", "an archive's films", ("dicom", "archive", "cluster"), EVERY_PYTHON, ("x86_64",)),
    InstallPath(
        "development",
        "`make install`",
        (
            *("dicom", "train", "signing", "report", "peers", "baseline"),
            *("app", "android", "web", "archive", "cluster", "dev"),
        ),
        EVERY_PYTHON,
        ("x86_64",),
        builds=True,
    ),
)


def lock_of(path: InstallPath, root: Path = ROOT) -> Path:
    """Where the lock of a way of installing is kept."""
    return root / "locks" / f"{path.name}.txt"


def wanted(path: InstallPath, root: Path = ROOT) -> tuple[str, ...]:
    """What setup.cfg requires for a way of installing, each line once; `OsteoEdgeError` outside a source tree."""
    setup = configparser.ConfigParser()
    if not setup.read(root / "setup.cfg", "utf-8"):
        raise OsteoEdgeError(f"{root}: holds no setup.cfg; the locks are made and checked in a source tree")
    lines = setup["options"]["install_requires"].strip().splitlines()
    for extra in path.extras:
        lines += setup["options.extras_require"][extra].strip().splitlines()
    return tuple(dict.fromkeys([*lines, *(_build_requirements(root) if path.builds else ())]))


def make_lock(path: InstallPath, root: Path = ROOT, *, upgrade: bool = False) -> Path:
    """Write the lock of a way of installing; `OsteoEdgeError` in uv's words if it finds no versions that fit."""
    target = lock_of(path, root)
    kept = target.read_text("utf-8") if target.exists() and not upgrade else ""
    ruled_out: set[str] = set()
    while True:
        text = _resolved(path, wanted(path, root), kept, ruled_out)
        refused = set(refused_by_pip(parse_lock(target, text), path.pythons))
        if not refused:
            return write_whole(target, text.encode(), "the lock")
        if refused <= ruled_out:
            raise OsteoEdgeError(f"{target}: pip would refuse {min(refused)}; mend setup.cfg")
        ruled_out |= refused


def _resolved(path: InstallPath, requirements: Sequence[str], kept: str, ruled_out: Iterable[str]) -> str:
    (uv,) = load_extra(["uv"], feature="making locks", package="uv", extra="dev")
    with tempfile.TemporaryDirectory(prefix="osteo-edge-locks-") as name:
        folder = Path(name)
        (folder / "pyproject.toml").write_text(f'[tool.uv]\nenvironments = ["{_environment(path)}"]\n', "utf-8")
        (folder / "setup.cfg.in").write_text("\n".join(requirements) + "\n", "utf-8")
        (folder / "ruled-out.txt").write_text("\n".join(sorted(ruled_out)) + "\n", "utf-8")
        (folder / "lock.txt").write_text(kept, "utf-8")  # uv keeps its versions where they fit
        _run_uv([str(uv.find_uv_bin()), *_uv_words(path)], folder)
        lock = (folder / "lock.txt").read_text("utf-8")
    via = re.sub(
        r"^ +#( via|  ) -c ruled-out\.txt\n",
        lambda match: "    # via\n" if "via" in match[1] else "",
        lock,
        flags=re.MULTILINE,
    )
    return _header(path) + via.replace("-r setup.cfg.in", "setup.cfg")


def problems(path: InstallPath, pins: Sequence[Pin], requirements: Sequence[str]) -> list[str]:
    """Where a lock is not what is required, one line each: for every Python and machine that the lock is for."""
    (packaging,) = load_extra(["packaging.requirements"], feature="checking locks", package="packaging", extra="dev")
    asked = [packaging.Requirement(line) for line in requirements]
    limits = [
        packaging.Requirement(f"{pin.name}=={pin.version}{'; ' + pin.marker if pin.marker else ''}") for pin in pins
    ]
    found: dict[str, None] = {}
    for environment in _environments(path):
        where = f"on Python {environment['python_version']}, {environment['platform_machine']}"
        holding = [pin for pin, limit in zip(pins, limits, strict=True) if _holds(limit, environment)]
        versions: dict[str, str] = {}
        for pin in holding:
            if pin.name in versions:
                found[f"{pin.name} is pinned to {versions[pin.name]} and {pin.version} at once {where}"] = None
            versions[pin.name] = pin.version
        for one in asked:
            version = versions.get(plain(one.name))
            if not _holds(one, environment):
                continue
            if version is None:
                found[f"{one.name} is required and not pinned {where}"] = None
            elif not one.specifier.contains(version, prereleases=True):
                found[f"{one.name} is pinned to {version}, and {one.specifier} is required {where}"] = None
    return list(found)


def _environments(path: InstallPath) -> Iterator[dict[str, str]]:
    for python in path.pythons:
        for machine in path.machines:
            yield {
                "python_version": python,
                "python_full_version": f"{python}.9",
                "implementation_name": "cpython",
                "platform_python_implementation": "CPython",
                "os_name": "posix",
                "sys_platform": "linux",
                "platform_system": "Linux",
                "platform_machine": machine,
                "extra": "",
            }


def _holds(requirement: Any, environment: dict[str, str]) -> bool:
    return requirement.marker is None or bool(requirement.marker.evaluate(environment))


def _build_requirements(root: Path) -> list[str]:
    stated = re.search(r"^requires = \[(.*)\]$", (root / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    return re.findall(r'"([^"]+)"', stated[1]) if stated else []


def _environment(path: InstallPath) -> str:
    """The marker of all that a lock is for."""
    last = int(path.pythons[-1].removeprefix("3."))
    machine = f" and platform_machine == '{path.machines[0]}'" if len(path.machines) == 1 else ""
    return f"sys_platform == 'linux' and python_version < '3.{last + 1}'{machine}"


def _uv_words(path: InstallPath) -> list[str]:
    return [
        *("pip", "compile", "setup.cfg.in", "--output-file=lock.txt", "--universal", "--generate-hashes", "--quiet"),
        *(
            "--no-header",
            "--constraint=ruled-out.txt",
            f"--python-version={path.pythons[0]}",
            f"--default-index={INDEX}",
        ),
        *(["--fork-strategy=fewest"] if path.one_version else []),
    ]


def _run_uv(command: Sequence[str], folder: Path) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise OsteoEdgeError(f"uv gave no answer in {TIMEOUT_S} s; see that {INDEX} can be reached") from error
    if done.returncode != 0:
        reason = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise OsteoEdgeError(f"uv finds no versions that fit ({reason[:500]}); mend setup.cfg, or see to the network")


def _header(path: InstallPath) -> str:
    words = {"first": path.pythons[0], "last": path.pythons[-1], "machines": " and ".join(path.machines)}
    return HEADER.format(what=path.what, extras=", ".join(path.extras), name=path.name, **words)


def check(root: Path = ROOT) -> list[str]:
    """Where the locks and setup.cfg disagree, one line each."""
    return [
        f"{lock_of(path, root)}: {problem}; {AGAIN}"
        for path in INSTALL_PATHS
        for problem in problems(path, read_lock(lock_of(path, root)), wanted(path, root))
    ]


@click.command(cls=Standalone, help=__doc__)
@click.option(
    "--check", "only_check", is_flag=True, help="Write nothing; exit with 1 if a lock does not fit setup.cfg."
)
@click.option("--upgrade", is_flag=True, help="The newest versions, also where the lock's still fit.")
def main(only_check: bool, upgrade: bool) -> None:
    if not only_check:
        for path in INSTALL_PATHS:
            written = make_lock(path, upgrade=upgrade)
            click.echo(f"{written}: {len(read_lock(written))} packages")
    found = check()
    if found:
        raise OsteoEdgeError("\n".join(found))
    if only_check:
        click.echo(f"{len(INSTALL_PATHS)} locks pin what setup.cfg requires")


if __name__ == "__main__":
    main()
