"""This program as a wheel, made from the running one: needs no source tree, no network and no build tool."""

import base64
import configparser
import hashlib
import zipfile
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.version import VERSION

DISTRIBUTION: Final = "osteo-edge"
PACKAGE: Final = "osteo_edge"
WHEEL_NAME: Final = f"{PACKAGE}-{VERSION}-py3-none-any.whl"
DIST_INFO: Final = f"{PACKAGE}-{VERSION}.dist-info"
EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The oldest time that an archive can hold: the same program gives the same bytes."""
REQUIRES: Final = "Requires-Dist: "
LEFT_OUT: Final = f"{PACKAGE}/edge_app/web/built/"
"""The page that `package web` packs with a model: a device serves what that has made elsewhere."""


def write_own_wheel(folder: Path) -> Path:
    """Write the wheel of the running program into a folder (binary distribution format 1.0)."""
    files = {name: path.read_bytes() for name, path in package_files().items()}
    files |= {f"{DIST_INFO}/{name}": text.encode() for name, text in _metadata().items()}
    files[f"{DIST_INFO}/RECORD"] = _record(files)
    target = folder / WHEEL_NAME
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            member = zipfile.ZipInfo(name, EPOCH)
            member.compress_type, member.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(member, files[name])
    return target


def package_files() -> dict[str, Path]:
    """Every file of the running package by its name in the wheel: what setup.cfg lists, or else what was installed.

    What a device has no need of is left out.
    """
    source = _source()
    found = _installed_files() if source is None else _source_files(source)
    return {name: path for name, path in found.items() if not name.startswith(LEFT_OUT)}


def required(extras: tuple[str, ...]) -> tuple[str, ...]:
    """What the program requires with these extras: what decides on the wheels of a kit."""
    stated = [line.removeprefix(REQUIRES) for line in _metadata()["METADATA"].splitlines() if line.startswith(REQUIRES)]
    wanted = [line for line in stated if "extra ==" not in line or any(f'extra == "{e}"' in line for e in extras)]
    return tuple(sorted(wanted))


def _source() -> Path | None:
    """The folder with setup.cfg, where the package runs out of its sources; an editable installation does."""
    spec = find_spec(PACKAGE)
    places = [] if spec is None else [Path(place).parent for place in spec.submodule_search_locations or ()]
    return next((folder for folder in places if (folder / "setup.cfg").is_file()), None)


def _setup(folder: Path) -> configparser.ConfigParser:
    setup = configparser.ConfigParser()
    setup.read(folder / "setup.cfg", "utf-8")
    return setup


def _source_files(folder: Path) -> dict[str, Path]:
    setup = _setup(folder)
    lines = [line.split("=") for line in setup["options"]["package_dir"].strip().splitlines()]
    found: dict[str, Path] = {}
    for package, place in ((package.strip(), folder / place.strip()) for package, place in lines):
        for pattern in ("*.py", *setup["options.package_data"].get(package, "").split(", ")):
            for path in place.glob(pattern) if pattern else ():
                if path.is_file():
                    found["/".join((*package.split("."), *path.relative_to(place).parts))] = path
    return found


def _installed_files() -> dict[str, Path]:
    files = _distribution().files or []
    return {
        str(file): Path(str(file.locate()))
        for file in files
        if file.parts[0] == PACKAGE and "__pycache__" not in file.parts
    }


def _metadata() -> dict[str, str]:
    """The files of the wheel's own folder: from setup.cfg where that is beside the package, else as installed.

    An editable installation keeps the metadata of the day it was made, whatever was required since.
    """
    source = _source()
    found = _as_installed() if source is None else _from_source(source)
    tags = f"Wheel-Version: 1.0\nGenerator: osteo-edge {VERSION}\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    return found | {"WHEEL": tags}


def _distribution() -> metadata.Distribution:
    try:
        return metadata.distribution(DISTRIBUTION)
    except metadata.PackageNotFoundError as error:
        raise OsteoEdgeError("osteo-edge is not installed as a package here: pip install .") from error


def _as_installed() -> dict[str, str]:
    found = _distribution()
    texts = {name: found.read_text(name) for name in ("METADATA", "entry_points.txt", "licenses/LICENSE")}
    return {name: text for name, text in texts.items() if text}


def _from_source(folder: Path) -> dict[str, str]:
    setup = _setup(folder)
    about, options = setup["metadata"], setup["options"]
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {about['name']}",
        f"Version: {VERSION}",
        f"Summary: {about['description']}",
        f"License: {about['license']}",
        f"Requires-Python: {options['python_requires']}",
        *(f"{REQUIRES}{line}" for line in options["install_requires"].strip().splitlines()),
    ]
    for extra, wanted in setup["options.extras_require"].items():
        lines.append(f"Provides-Extra: {extra}")
        for line in wanted.strip().splitlines():
            package, _, marker = line.partition(";")
            marker = marker.strip()
            if " or " in marker or " and " in marker:
                marker = f"({marker})"
            condition = " and ".join(word for word in (marker, f'extra == "{extra}"') if word)
            lines.append(f"{REQUIRES}{package.strip()}; {condition}")
    commands = setup["options.entry_points"]["console_scripts"].strip()
    return {
        "METADATA": "\n".join([*lines, ""]),
        "entry_points.txt": f"[console_scripts]\n{commands}\n",
        "licenses/LICENSE": (folder / "LICENSE").read_text("utf-8"),
    }


def _record(files: dict[str, bytes]) -> bytes:
    lines = [f"{name},sha256={_digest(data)},{len(data)}" for name, data in sorted(files.items())]
    return "\n".join([*lines, f"{DIST_INFO}/RECORD,,", ""]).encode()


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
