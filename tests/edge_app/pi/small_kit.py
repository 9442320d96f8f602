"""A kit that holds next to nothing, of the form that a whole one has."""

import json
import zipfile
from pathlib import Path

from osteo_edge.edge_app.pi.kit import Contents, Kit, KitFile, KnownAnswer, read_kit, sums_of
from osteo_edge.hashing import sha256_bytes, sha256_file

MAINTAINER = "Jane Roe <jane@clinic.example>"
UNITS = Path(__file__).resolve().parents[3] / "edge_app" / "pi" / "units"


def write_small_kit(folder: Path, *, version: str = "1.0.0", made_at: str = "2026-11-21T10:00:00Z") -> Kit:
    """Write a kit for Python 3.11 and 3.13 whose only wheel prints its version."""
    wheel = folder / "wheels" / f"osteo_edge-{version}-py3-none-any.whl"
    wheel.parent.mkdir(parents=True)
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("osteo_edge/__init__.py", "")
        archive.writestr("osteo_edge/__main__.py", f"print('osteo-edge {version}')\n")
        archive.writestr(f"osteo_edge-{version}.dist-info/METADATA", f"Name: osteo-edge\nVersion: {version}\n")
    (folder / "bundle").mkdir()
    (folder / "bundle" / "manifest.json").write_text(json.dumps({"name": "small"}))
    (folder / "units").mkdir()
    for path in UNITS.iterdir():
        (folder / "units" / path.name).write_bytes(path.read_bytes())
        (folder / "units" / path.name).chmod(path.stat().st_mode)
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    packages = (wheel.relative_to(folder).as_posix(),)
    contents = Contents(
        schema=1,
        version=version,
        made_at=made_at,
        made_by=f"osteo-edge {version}",
        bundle="small 1",
        model_sha256="0" * 64,
        machine="aarch64",
        glibc="2.28",
        packages={"3.11": packages, "3.13": packages},
        installed_bytes={"3.11": 1, "3.13": 1},
        known_answer=KnownAnswer(0.5, 0.01, "none"),
        files={name: KitFile(sha256_file(folder / name), (folder / name).stat().st_size) for name in names},
    )
    (folder / "kit.json").write_bytes(contents.to_bytes())
    (folder / "SHA256SUMS").write_bytes(sums_of(contents, sha256_bytes(contents.to_bytes())))
    return read_kit(folder)
