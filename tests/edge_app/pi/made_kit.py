"""A kit as `package pi` makes it, of packages that hold next to nothing: no network, and seconds."""

import json
import zipfile
from pathlib import Path

from osteo_edge.edge_app.demo_bundle import FOLDER
from osteo_edge.edge_app.pi.kit import Kit
from osteo_edge.edge_app.pi.making import make_kit
from osteo_edge.edge_app.pi.own_wheel import required
from osteo_edge.edge_app.pi.wheels import EXTRAS, MACHINE
from osteo_edge.hashing import sha256_file

PACKAGES = {
    "numpy": ("2.4.6", "License-Expression: BSD-3-Clause\n"),
    "opencv_python_headless": ("5.0.0.93", "License: Apache 2.0\nRequires-Dist: numpy>=2\n"),
}


def make_small_kit(out: Path) -> Kit:
    """Make a kit with the demonstration model in the folder `out`, for Python 3.11 and 3.13."""
    wheels = out / "wheels"
    wheels.mkdir(parents=True)
    names = [_write_wheel(wheels, name) for name in PACKAGES]
    kept = {
        "required": list(required(EXTRAS)),
        "wheels": [{"name": name, "sha256": sha256_file(wheels / name)} for name in sorted(names)],
    }
    for python in ("3.11", "3.13"):
        (wheels / f"python{python}-{MACHINE}.json").write_text(json.dumps(kept), "utf-8")
    return make_kit(FOLDER, out, wheels=wheels, effort=0)


def _write_wheel(folder: Path, name: str) -> str:
    version, more = PACKAGES[name]
    file = f"{name}-{version}-py3-none-any.whl"
    about = f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n{more}"
    with zipfile.ZipFile(folder / file, "w") as archive:
        archive.writestr(zipfile.ZipInfo(f"{name}/__init__.py"), f"version = '{version}'\n")
        archive.writestr(zipfile.ZipInfo(f"{name}-{version}.dist-info/METADATA"), about)
    return file
