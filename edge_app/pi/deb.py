"""A Debian package from the files of a kit, one for each version of Python: `apt-get install ./osteo-edge_...deb`.

The same tree below /opt/osteo-edge as the kit's installer makes, with the services, their user and their settings as
Debian's own packages have them. Built by dpkg-deb alone: the tree is vendored, so there is nothing for debhelper to do.
"""

import gzip
import hashlib
import os
import shutil
import stat
import subprocess
import tempfile
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Final

from osteo_edge.edge_app.pi.installing import write_wrapper
from osteo_edge.edge_app.pi.kit import KIT_FILE, Kit, KitError, read_kit, verify_kit
from osteo_edge.edge_app.pi.unpacking import unpack_packages
from osteo_edge.edge_app.pi.versions import HOME
from osteo_edge.errors import OsteoEdgeError

PACKAGE: Final = "osteo-edge"
REVISION: Final = 1
ARCHITECTURES: Final = {"aarch64": "arm64", "x86_64": "amd64"}
"""The machine as Python knows it to the architecture as Debian does."""
DEBIAN_FILES: Final = Path(__file__).with_name("debian")
SCRIPTS: Final = ("preinst", "postinst", "prerm", "postrm")
UNIT_FILES: Final = {
    "osteo-edge-watch.service": "usr/lib/systemd/system/osteo-edge-watch.service",
    "osteo-edge-kiosk.service": "usr/lib/systemd/system/osteo-edge-kiosk.service",
    "osteo-edge-stick@.service": "usr/lib/systemd/system/osteo-edge-stick@.service",
    "sysusers.conf": "usr/lib/sysusers.d/osteo-edge.conf",
    "tmpfiles.conf": "usr/lib/tmpfiles.d/osteo-edge.conf",
    "journald.conf": "usr/lib/systemd/journald.conf.d/50-osteo-edge.conf",
    "backlight.rules": "usr/lib/udev/rules.d/60-osteo-edge.rules",
    "stick.rules": "usr/lib/udev/rules.d/90-osteo-edge-stick.rules",
    "watch.conf": "etc/osteo-edge/watch.conf",
    "kiosk.conf": "etc/osteo-edge/kiosk.conf",
}
"""Where each file of the kit's `units` goes; what is below /etc is a conffile, which an upgrade does not overwrite."""
DRAWING: Final = ("libgl1", "libegl1", "libgles2", "libgbm1", "libmtdev1 | libmtdev1t64")
"""What the app's window needs of the system; the watched folder does without."""


def build_deb(kit: Path, out: Path, maintainer: str) -> tuple[Path, ...]:
    """A package for each version of Python that the kit is for, in the folder `out`; otherwise as `build_deb_for`."""
    return tuple(build_deb_for(python, kit, out, maintainer) for python in sorted(read_kit(kit).contents.packages))


def build_deb_for(python: str, kit: Path, out: Path, maintainer: str) -> Path:
    """The package of the kit in a folder for one version of Python, as "3.11", written to the folder `out`.

    `maintainer` is from `find_maintainer`. The kit is verified first. The same kit gives the same bytes. `KitError` if
    the kit is damaged or not for that Python, `OsteoEdgeError` if there is no dpkg-deb or the disk is full; nothing is
    left behind then.
    """
    found = read_kit(kit)
    verify_kit(found)
    if python not in found.contents.packages:
        raise KitError(f"{kit}: holds nothing for Python {python}: make the kit with --python {python}")
    if found.contents.machine not in ARCHITECTURES:
        raise KitError(f"{kit}: is for {found.contents.machine}, which no Debian package can be built for")
    if shutil.which("dpkg-deb") is None:
        raise OsteoEdgeError("a .deb needs dpkg-deb, which Debian and Ubuntu have: apt-get install dpkg")
    version = f"{found.contents.version}-{REVISION}+py{python.replace('.', '')}"
    target = out / f"{PACKAGE}_{version}_{ARCHITECTURES[found.contents.machine]}.deb"
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=out) as folder:
            return _build(found, python, version, maintainer, Path(folder), target)
    except OSError as error:
        raise OsteoEdgeError(
            f"{error.filename or out}: the package cannot be written ({error.strerror or error}); "
            "free some space or choose another --out"
        ) from error


def _build(kit: Kit, python: str, version: str, maintainer: str, folder: Path, target: Path) -> Path:
    root = folder / "root"
    tree = root / HOME / "versions" / kit.name
    tree.mkdir(parents=True)
    unpack_packages(kit, python, tree / "lib")
    write_wrapper(tree, f"/usr/bin/python{python}")
    for part in ("bundle", "units"):
        shutil.copytree(kit.path / part, tree / part)
    shutil.copyfile(kit.path / KIT_FILE, tree / KIT_FILE)
    (root / HOME / "current").symlink_to(Path("versions") / kit.name)
    command = root / "usr" / "bin" / PACKAGE
    command.parent.mkdir(parents=True)
    command.symlink_to(Path("/") / HOME / "current" / "bin" / PACKAGE)
    for name, place in UNIT_FILES.items():
        _put(root / place, (kit.path / "units" / name).read_bytes())
    _document(root, kit, version, maintainer)
    _control(root / "DEBIAN", kit, python, version, maintainer)
    built = folder / target.name
    _run_dpkg_deb(root, built, _made_at(kit))
    return built.replace(target)


def _control(folder: Path, kit: Kit, python: str, version: str, maintainer: str) -> None:
    root = folder.parent
    files = sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    sums = "".join(f"{_md5(path)}  {path.relative_to(root)}\n" for path in files)
    conffiles = "".join(f"/{place}\n" for place in sorted(UNIT_FILES.values()) if place.startswith("etc/"))
    depends = (f"python{python}", f"libc6 (>= {kit.contents.glibc})", "init-system-helpers (>= 1.54~)", "systemd")
    control = {
        "Package": PACKAGE,
        "Version": version,
        "Architecture": ARCHITECTURES[kit.contents.machine],
        "Maintainer": maintainer,
        "Installed-Size": str(-(-sum(path.stat().st_size for path in files) // 1024)),
        "Depends": ", ".join(depends),
        "Recommends": ", ".join(DRAWING),
        "Suggests": "cage, xinit",
        "Section": "science",
        "Priority": "optional",
        "Description": "referral aid for X-rays of bones, offline\n"
        f" Screens the X-rays that arrive in a folder, or in a window, with a small\n"
        f" network that runs on the device. The model: {kit.contents.bundle}.\n"
        " .\n"
        " A referral aid, never a diagnosis and never a rule-out.",
    }
    _put(folder / "control", "".join(f"{name}: {value}\n" for name, value in control.items()).encode())
    _put(folder / "md5sums", sums.encode())
    _put(folder / "conffiles", conffiles.encode())
    words = {"@TREE@": f"/{HOME}/versions/{kit.name}", "@PYTHON@": f"python{python}"}
    for name in SCRIPTS:
        text = (DEBIAN_FILES / f"{name}.in").read_text("utf-8")
        for word, value in words.items():
            text = text.replace(word, value)
        _put(folder / name, text.encode(), executable=True)


def _document(root: Path, kit: Kit, version: str, maintainer: str) -> None:
    documents = root / "usr" / "share" / "doc" / PACKAGE
    made = datetime.fromisoformat(kit.contents.made_at.replace("Z", "+00:00"))
    changes = (
        f"{PACKAGE} ({version}) stable; urgency=medium\n\n"
        f"  * Built from the kit {kit.name}.\n\n"
        f" -- {maintainer}  {format_datetime(made)}\n"
    )
    _put(documents / "changelog.Debian.gz", gzip.compress(changes.encode(), mtime=0))
    manual = root / "usr" / "share" / "man" / "man1" / "osteo-edge.1.gz"
    _put(manual, gzip.compress((DEBIAN_FILES / "osteo-edge.1").read_bytes(), mtime=0))
    _put(documents / "copyright", (DEBIAN_FILES / "copyright").read_bytes())
    overrides = root / "usr" / "share" / "lintian" / "overrides" / PACKAGE
    _put(overrides, (DEBIAN_FILES / "lintian-overrides").read_bytes())


def _run_dpkg_deb(root: Path, built: Path, made_at: int) -> None:
    """Zstandard: xz takes a hundred times as long for a tenth less."""
    _set_modes(root)
    command = ["dpkg-deb", "--root-owner-group", "-Zzstd", "--build", str(root), str(built)]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(made_at), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise OsteoEdgeError(f"{built.name}: dpkg-deb failed ({reason})")


def _set_modes(root: Path) -> None:
    """Whatever the umask and the file system of the kit are: everybody reads, and root alone writes."""
    root.chmod(0o755)
    for path in root.rglob("*"):
        if not path.is_symlink():
            is_program = path.suffix == ".sh" or path.stat().st_mode & stat.S_IXUSR
            path.chmod(0o755 if path.is_dir() or is_program else 0o644)


def _put(path: Path, data: bytes, *, executable: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(0o755 if executable else 0o644)


def _made_at(kit: Kit) -> int:
    return int(datetime.fromisoformat(kit.contents.made_at.replace("Z", "+00:00")).timestamp())


def _md5(path: Path) -> str:
    """MD5 is what dpkg's list of files has; against damage, not against forgery."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()
