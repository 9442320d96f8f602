"""What a build for Android needs on this machine: looked at before an hour is spent on it, without a network."""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from osteo_edge.edge_app.android.build_plan import AS_USUAL, BuildPlan
from osteo_edge.edge_app.android.versions import BUILDOZER, JDK, PYTHON_FOR_ANDROID
from osteo_edge.errors import OsteoEdgeError

FREE_GB: Final = 15.0
"""SDK and NDK unpacked are 6 GB, and each processor's build of Python, numpy and Kivy is some 2 GB more."""
TOOLS: Final = {
    "git": "git",
    "zip": "zip",
    "unzip": "unzip",
    "autoconf": "autoconf",
    "automake": "automake",
    "libtoolize": "libtool",
    "pkg-config": "pkg-config",
    "cmake": "cmake",
    "make": "make",
    "gcc": "gcc",
    "patch": "patch",
    "patchelf": "patchelf",
}
"""Programs that recipes call, and the Debian packages that have them; numpy's needs patchelf, and says so late."""
HEADERS: Final = {"zlib.h": "zlib1g-dev", "openssl/ssl.h": "libssl-dev", "ffi.h": "libffi-dev"}
"""What Python for this machine is compiled with; without it, its pip can fetch nothing."""
LICENSE: Final = "https://developer.android.com/studio/terms"
SDK_HOST: Final = ("dl.google.com", 443)
PLACES: Final = "--out or --build-dir"
SHEBANG_BYTES: Final = 255
"""How long the first line of a script may be on Linux (BINPRM_BUF_SIZE)."""
INTERPRETER: Final = (
    "android/platform/build-{archs}/build/other_builds/hostpython3/desktop/hostpython3/native-build"
    "/root/usr/local/bin/python3"
)
"""Where the pip that is used while building has its Python, which its first line names."""


@dataclass(frozen=True)
class Check:
    """One thing that a build needs: what was found, and what to do where it is amiss."""

    name: str
    is_right: bool
    found: str
    remedy: str = ""

    @property
    def line(self) -> str:
        """The thing amiss in one line."""
        return f"{self.name}: {self.found}; {self.remedy}"


def build_path(environ: Mapping[str, str]) -> str:
    """Where programs are looked for while building: beside this Python first, where pip has put its own."""
    return os.pathsep.join([str(Path(sys.executable).parent), environ.get("PATH", os.defpath)])


def run_checks(
    project: Path,
    archs: Sequence[str],
    environ: Mapping[str, str],
    plan: BuildPlan = AS_USUAL,
    *,
    home: Path | None = None,
) -> tuple[Check, ...]:
    """Everything that a build of `project` needs, in the order in which it would be missed."""
    folder = plan.folder_for(project)
    return (
        check_java(environ),
        *_check_packages(environ),
        *_check_tools(environ),
        *_check_headers(),
        _check_space(folder),
        _check_path(folder, archs),
        *_check_tools_of_google(plan, home or Path.home()),
    )


def require_buildable(checks: Sequence[Check]) -> None:
    """Raise `OsteoEdgeError` for the first thing that is amiss, and tell how many there are."""
    amiss = [check for check in checks if not check.is_right]
    if amiss:
        more = f" (and {len(amiss) - 1} more: see --check)" if len(amiss) > 1 else ""
        raise OsteoEdgeError(f"cannot build here: {amiss[0].line}{more}")


def require_license(plan: BuildPlan, *, home: Path | None = None) -> None:
    """Where the SDK has to be fetched, see that its licence is accepted: `OsteoEdgeError` if it is not."""
    place, _ = plan.tools(home or Path.home())
    if not plan.accepts_license and not place.is_dir():
        raise OsteoEdgeError(
            f"cannot build here: {place} is missing, and is fetched only once its licence is accepted; "
            f"read {LICENSE}, then give --accept-sdk-license"
        )


def require_sdk_host(plan: BuildPlan, *, home: Path | None = None, seconds: float = 5.0) -> None:
    """Where SDK or NDK have to be fetched, see that there is a network: `OsteoEdgeError` if there is none."""
    missing = [place for place in plan.tools(home or Path.home()) if not place.is_dir()]
    if not missing:
        return
    try:
        socket.create_connection(SDK_HOST, seconds).close()
    except OSError as error:
        raise OsteoEdgeError(
            f"cannot build here: {missing[0]} is missing, and {SDK_HOST[0]} does not answer to fetch it "
            f"({error.strerror or error}); bring a network, or name the folders with --sdk and --ndk"
        ) from error


def check_java(environ: Mapping[str, str]) -> Check:
    """Whether the compiler that Gradle will find is of the right version: that of JAVA_HOME goes first."""
    remedy = f"apt-get install openjdk-{JDK}-jdk-headless, and let JAVA_HOME name it"
    home = environ.get("JAVA_HOME")
    compiler = str(Path(home, "bin", "javac")) if home else shutil.which("javac", path=environ.get("PATH", ""))
    where = f"JAVA_HOME is {home}" if home else "on the PATH"
    if compiler is None or not Path(compiler).is_file():
        return Check("Java", False, f"no javac ({where})" if home else "no javac", remedy)
    try:
        told = subprocess.run([compiler, "-version"], capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        return Check("Java", False, f"{compiler} does not run ({error})", remedy)
    version = re.search(r"javac (?:1\.)?(\d+)\S*", told.stdout + told.stderr)
    if version is None:
        return Check("Java", False, f"{compiler} tells no version", remedy)
    return Check("Java", int(version[1]) == JDK, f"{version[0]} ({where}), {JDK} is needed", remedy)


def _check_packages(environ: Mapping[str, str]) -> Iterator[Check]:
    for package, wanted in (("buildozer", BUILDOZER), ("python-for-android", PYTHON_FOR_ANDROID)):
        try:
            found = metadata.version(package)
        except metadata.PackageNotFoundError:
            found = "not installed"
        yield Check(package, found == wanted, f"{found}, {wanted} is needed", f"pip install {package}=={wanted}")
    place = shutil.which("cython", path=build_path(environ))
    yield Check("cython", place is not None, place or "not on the PATH", "pip install 'cython<=3.0.12'")


def _check_tools(environ: Mapping[str, str]) -> Iterator[Check]:
    for tool, package in TOOLS.items():
        place = shutil.which(tool, path=environ.get("PATH", ""))
        yield Check(tool, place is not None, place or "not found", f"apt-get install {package}")


def _check_headers(root: Path = Path("/usr/include")) -> Iterator[Check]:
    for header, package in HEADERS.items():
        found = next((path for path in (root / header, *root.glob(f"*-linux-gnu/{header}")) if path.is_file()), None)
        yield Check(header, found is not None, str(found or "not found"), f"apt-get install {package}")


def _check_space(folder: Path) -> Check:
    there = next(one for one in (folder, *folder.parents) if one.is_dir())
    free_gb = shutil.disk_usage(there).free / 1e9
    found = f"{free_gb:.0f} GB free at {there}, {FREE_GB:.0f} GB are needed"
    return Check("disk", free_gb >= FREE_GB, found, f"free some, or choose another {PLACES}")


def _check_path(folder: Path, archs: Sequence[str]) -> Check:
    if " " in str(folder):
        found = f"{folder} has a space in it, which python-for-android refuses"
        return Check("path", False, found, f"choose an {PLACES} without")
    interpreter = folder / INTERPRETER.format(archs="_".join(archs))
    over = len(f"#!{interpreter}".encode()) - SHEBANG_BYTES
    found = f"{folder} is {over} letters too long for what is built in it" if over > 0 else f"{folder} is short enough"
    return Check("path", over <= 0, found, f"choose an {PLACES} with a shorter path")


def _check_tools_of_google(plan: BuildPlan, home: Path) -> Iterator[Check]:
    fetched = "not there yet: buildozer fetches it from Google, which needs a network"
    for name, given, place, inside in zip(
        ("SDK", "NDK"),
        (plan.sdk, plan.ndk),
        plan.tools(home),
        ("tools/bin/sdkmanager", "source.properties"),
        strict=True,
    ):
        option = f"--{name.lower()}"
        if given is None and not place.is_dir():
            yield Check(f"Android {name}", True, fetched)
        else:
            is_whole = (place / inside).is_file()
            found = f"{place}" if is_whole else f"{place} has no {inside}"
            yield Check(f"Android {name}", is_whole, found, f"remove it, so that it is fetched again, or name {option}")
