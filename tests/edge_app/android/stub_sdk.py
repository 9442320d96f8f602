"""Layer 3, by hand: the real buildozer on a staged project, with an SDK and an NDK that are only names.

    python -m tests.edge_app.android.stub_sdk [--arch x86_64]

Shows that buildozer and python-for-android take the whole spec, with versions, API levels, recipes and hook, as far as
the first source that they fetch. That one is refused here (a package index alone is used, for python-for-android's own
sources), so nothing is compiled, and nothing that is installed is changed.
"""

import argparse
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from osteo_edge.edge_app.android.build import build_environment
from osteo_edge.edge_app.android.build_plan import BuildPlan
from osteo_edge.edge_app.android.spec import Project
from osteo_edge.edge_app.android.staging import stage
from osteo_edge.edge_app.android.versions import API, DEFAULT_ARCHS, NDK, PYTHON_FOR_ANDROID
from osteo_edge.edge_app.demo_bundle import FOLDER

LONGEST_S = 300
REACHED = "Downloading freetype"
"""The first recipe in the order: everything that reads the spec is behind it."""
NDK_REVISION = "28.2.13676358"
"""What r28c says of itself."""
SHOWN = (
    "build order",
    "requested",
    "Will compile",
    "Found NDK",
    "API target",
    "valid recipe set",
    "not found as",
    REACHED,
)


def write_stubs(folder: Path) -> BuildPlan:
    """The few files of SDK and NDK that are looked at before anything is compiled."""
    sdk, ndk = folder / "sdk", folder / "ndk"
    programs = {
        sdk / "tools" / "bin" / "sdkmanager": f"echo 'build-tools;{API}.0.0 | {API}.0.0 | Android SDK Build-Tools'",
        sdk / "tools" / "bin" / "avdmanager": f"echo 'API level: {API}'",
        sdk / "platform-tools" / "adb": "exit 0",
        sdk / "build-tools" / f"{API}.0.0" / "aidl": "exit 1",  # as the real one without words
        ndk / "toolchains" / "llvm" / "prebuilt" / "linux-x86_64" / "bin" / "clang": "exit 0",
        folder / "ant" / "bin" / "ant": "exit 0",
    }
    for path, end in programs.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{end}\n", "utf-8")
        path.chmod(0o755)
    (sdk / "platforms" / f"android-{API}").mkdir(parents=True)
    (sdk / "licenses").mkdir()
    (ndk / "source.properties").write_text(f"Pkg.Desc = Android NDK\nPkg.Revision = {NDK_REVISION}\n", "utf-8")
    return BuildPlan(accepts_license=True, sdk=sdk, ndk=ndk)


def fetch_sources(folder: Path) -> Path:
    """Python-for-android's own sources of the pinned release, from the package index, unpacked."""
    wanted = f"python-for-android=={PYTHON_FOR_ANDROID}"
    flags = ["--no-deps", "--no-binary=:all:", "--quiet", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "pip", "download", wanted, *flags, "-d", str(folder)], check=True)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    (sources,) = (path for path in folder.iterdir() if path.is_dir())
    return sources


def run_buildozer(project: Path, folder: Path, plan: BuildPlan) -> list[str]:
    """What buildozer prints, until it has to fetch a source from elsewhere."""
    spec = project / "buildozer.spec"
    lines = {"android.skip_update": "True", "android.ant_path": folder / "ant", "p4a.source_dir": folder / "p4a"}
    added = "".join(f"{name} = {value}\n" for name, value in lines.items())
    spec.write_text(spec.read_text("utf-8").replace("[buildozer]", f"{added}\n[buildozer]"), "utf-8")
    refused = {"HOME": str(folder / "home"), "PIP_DRY_RUN": "1"} | dict.fromkeys(
        ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9"
    )
    (folder / "home").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "buildozer", "-v", "android", "debug"],
        cwd=project,
        env=build_environment(project, os.environ, plan) | refused,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=LONGEST_S,
    )
    return re.sub(r"\x1b\[\d*m", "", done.stdout).splitlines()


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="The real buildozer with an SDK and an NDK that are only names.")
    parser.add_argument("--arch", action="append", choices=["arm64-v8a", "armeabi-v7a", "x86_64"])
    archs = tuple(parser.parse_args(words).arch or DEFAULT_ARCHS)
    with tempfile.TemporaryDirectory(prefix="oe-") as name:
        folder = Path(name)
        (folder / "sources").mkdir()
        (folder / "p4a").symlink_to(fetch_sources(folder / "sources"))
        project = stage(FOLDER, folder / "project", Project(archs=archs)).path
        lines = run_buildozer(project, folder, write_stubs(folder))
    for line in lines:
        if any(word in line for word in SHOWN):
            sys.stdout.write(f"{line}\n")
    is_reached = any(REACHED in line for line in lines)
    if not is_reached:
        sys.stdout.write("\n".join(lines[-40:]) + "\n")
    sys.stdout.write(f"reached {REACHED!r} with NDK {NDK}\n" if is_reached else f"did not reach {REACHED!r}\n")
    return 0 if is_reached else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
