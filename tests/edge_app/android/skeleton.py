"""A skeleton of the APK: what python-for-android writes for a staged project, linked by Debian's aapt2.

It holds manifest, resources and the archive with the app, and neither native code nor Java classes: it is no app, runs
nowhere, and says nothing of a build by NDK and Gradle.
"""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from osteo_edge.edge_app.android.versions import API

HERE = Path(__file__).parent
FRAMEWORK = Path("/usr/share/android-framework-res/framework-res.apk")
"""Resources of Android 10, the newest that Debian has."""
NEWER = (
    r'\sandroid:dataExtractionRules="[^"]*"',
    r'\sandroid:enableOnBackInvokedCallback="[^"]*"',
    r"<queries>.*</queries>",
)
"""What of the manifest Android 10 does not know, and Debian's aapt2 refuses: linked without it."""
TOOLS = ("aapt", "aapt2", "zipalign", "apksigner")
NAME = "skeleton-not-an-app.zip"
LONGEST_S = 300


@dataclass(frozen=True)
class Skeleton:
    """What was packaged: the folder that Gradle would start in, and the linked skeleton."""

    dist: Path
    path: Path

    @property
    def manifest(self) -> str:
        """The manifest as python-for-android and the hook have left it."""
        return (self.dist / "src" / "main" / "AndroidManifest.xml").read_text("utf-8")

    @property
    def gradle(self) -> str:
        return (self.dist / "build.gradle").read_text("utf-8")

    def app_names(self) -> set[str]:
        """The names of the files in the archive that is unpacked on a phone."""
        with tarfile.open(self.dist / "src" / "main" / "assets" / "private.tar", "r:gz") as archive:
            return {member.name for member in archive if member.isfile()}

    def badging(self) -> str:
        return run("aapt", "dump", "badging", str(self.path))


def missing_tool() -> str | None:
    """What is not installed of what a skeleton needs."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    return missing[0] if missing else None if FRAMEWORK.is_file() else "android-framework-res"


def package(project: Path, work: Path, mode: str = "debug", signing: Mapping[str, str] | None = None) -> Path:
    """The folder in which Gradle would start, for a staged project, which is left as it was."""
    copied = Path(shutil.copytree(project, work / "project"))
    (work / "home").mkdir()
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("APP_", "P4A_"))}
    done = subprocess.run(
        [sys.executable, str(HERE / "skeleton_build.py"), str(copied), str(work), mode, str(API)],
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST_S,
        env=environ | {"HOME": str(work / "home")} | dict(signing or {}),
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return work / "dist"


def link(dist: Path, package_id: str) -> Path:
    """Compile and link the resources and the manifest, as Gradle has aapt2 do it: all that is named must be there."""
    main = dist / "src" / "main"
    compiled, linked, manifest = dist / "resources.zip", dist / NAME, dist / "linked-manifest.xml"
    run("aapt2", "compile", "--dir", str(main / "res"), "-o", str(compiled))
    manifest.write_text(merged((main / "AndroidManifest.xml").read_text("utf-8"), package_id), "utf-8")
    words = ["-I", str(FRAMEWORK), "--manifest", str(manifest), "-A", str(main / "assets"), "-o", str(linked)]
    run("aapt2", "link", *words, str(compiled))
    with zipfile.ZipFile(linked, "a", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((dist / "libs").rglob("*.so")):
            archive.write(path, f"lib/{path.relative_to(dist / 'libs').as_posix()}")
    return linked


def merged(manifest: str, package_id: str) -> str:
    """The manifest after what Gradle does to it: its own package, placeholders, and permissions that are taken out."""
    text = manifest.replace("<manifest ", f'<manifest package="{package_id}" ', 1).replace(
        "${applicationId}", package_id
    )
    text = re.sub(r'<uses-permission [^>]*tools:node="remove"[^>]*/>', "", text)
    for newer in NEWER:
        text, found = re.subn(newer, "", text, flags=re.DOTALL)
        assert found == 1, newer
    return text


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LONGEST_S)
    assert done.returncode == 0, " ".join(command) + done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout
