"""Whether an APK that was built is the one that was staged: its manifest, signature, alignment and contents.

    python -m osteo_edge.edge_app.android.apk_check osteo-edge.apk --arch arm64-v8a --arch armeabi-v7a

For an APK with code in it, from a real build. It needs aapt, apksigner and zipalign, of Google's build-tools or of
Debian; nothing is installed or run.
"""

import io
import re
import shutil
import subprocess
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final
from zipfile import BadZipFile, ZipFile

import click

from osteo_edge.cli import EXIT_FAILED
from osteo_edge.edge_app.android.alignment import libraries
from osteo_edge.edge_app.android.phone_test import ACTIVITY
from osteo_edge.edge_app.android.spec import version_code
from osteo_edge.edge_app.android.versions import API, ARCHS, DEFAULT_ARCHS, MIN_API, PACKAGE_ID
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.standalone import Standalone
from osteo_edge.version import VERSION

LIMIT_S: Final = 120
APP: Final = "assets/private.tar"
STAGED: Final = ("main.pyc", "expected.json", "bundle/manifest.json", "osteo_edge/edge_app/android/start.pyc")
"""What has to be in the app's own archive."""
LEFT_OUT: Final = re.compile(r"(^|/)(tests|tensorflow|cv2|click|rich)(/|\.|$)|\.py$")
"""What must not: other libraries than a phone has, and sources."""
CLASSES: Final = {
    "LiteRT's interpreter": b"Lorg/tensorflow/lite/Interpreter;",
    "the app's activity": f"L{ACTIVITY.replace('.', '/')};".encode(),
    "the provider of files": b"Landroidx/core/content/FileProvider;",
}
"""Java classes that Python names, by what they are; as a DEX file spells them."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, what was found, and whether that is right."""

    what: str
    found: str
    is_right: bool


@dataclass(frozen=True)
class Tools:
    """Where aapt, apksigner and zipalign are; None for the PATH."""

    folder: Path | None = None

    def run(self, tool: str, *words: object) -> "subprocess.CompletedProcess[str]":
        """Run one of them; `OsteoEdgeError` if it is missing."""
        place = shutil.which(tool, path=None if self.folder is None else str(self.folder))
        if place is None:
            where = "on the PATH" if self.folder is None else f"in {self.folder}"
            raise OsteoEdgeError(f"{tool}: not {where}; apt-get install {tool}, or name Google's with --build-tools")
        command = [place, *map(str, words)]
        try:
            return subprocess.run(
                command, capture_output=True, text=True, timeout=LIMIT_S, check=False, errors="replace"
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise OsteoEdgeError(f"{place}: does not run ({error})") from error


def check_apk(apk: Path, archs: Sequence[str], tools: Tools, *, package_id: str = PACKAGE_ID) -> tuple[Finding, ...]:
    """Everything that is looked at in an APK for these processors. `OsteoEdgeError` for what is no APK at all."""
    try:
        return (
            *check_manifest(apk, archs, tools, package_id=package_id),
            _signature(apk, tools),
            _zip_alignment(apk, tools),
            _pages(apk),
            *check_contents(apk),
        )
    except (BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        raise OsteoEdgeError(f"{apk}: damaged ({error}); build it again") from error


def check_manifest(apk: Path, archs: Sequence[str], tools: Tools, *, package_id: str = PACKAGE_ID) -> Iterator[Finding]:
    """What Android reads of an APK before it installs it."""
    badging = tools.run("aapt", "dump", "badging", apk)
    tree = tools.run("aapt", "dump", "xmltree", apk, "AndroidManifest.xml")
    if badging.returncode != 0 or tree.returncode != 0:
        reason = " ".join((badging.stderr + tree.stderr).split())
        raise OsteoEdgeError(f"{apk}: no APK that aapt can read ({reason[:200]})")
    first = badging.stdout.partition("\n")[0]
    named = dict(re.findall(r"(\w+)='([^']*)'", first)) | dict(re.findall(r"^(\w+):'([^']*)'$", badging.stdout, re.M))
    yield _same("package", named.get("name"), package_id)
    yield _same("version", named.get("versionName"), VERSION)
    yield _same("version code", named.get("versionCode"), str(version_code(VERSION)))
    yield _same("oldest API", named.get("sdkVersion", named.get("minSdkVersion")), str(MIN_API))
    yield _same("target API", named.get("targetSdkVersion"), str(API))
    launched = re.search(r"^launchable-activity: name='([^']*)'", badging.stdout, re.M)
    yield _same("activity", launched and launched[1], ACTIVITY)
    native = re.findall(r"'([^']+)'", "".join(re.findall(r"^(?:alt-)?native-code:(.*)$", badging.stdout, re.M)))
    yield _same("processors", " ".join(sorted(native)), " ".join(sorted(archs)))
    asked = re.findall(r"^uses-permission[^:]*: name='([^']*)'", badging.stdout, re.M)
    yield _same("permissions", " ".join(asked) or "none", "none")
    backup = re.search(r"android:allowBackup\(0x01010280\)=\(type 0x12\)(0x\w+)", tree.stdout)
    yield _same("backup", "off" if backup and int(backup[1], 16) == 0 else "on", "off")


def _signature(apk: Path, tools: Tools) -> Finding:
    done = tools.run("apksigner", "verify", "--print-certs", apk)
    said = " ".join((done.stderr or done.stdout).split())
    signer = re.search(r"Signer #1 certificate DN: (.*)", done.stdout)
    return Finding("signature", signer[1] if signer and done.returncode == 0 else said[:200], done.returncode == 0)


def _zip_alignment(apk: Path, tools: Tools) -> Finding:
    """By pages of 16 KB where zipalign knows them (build-tools 35), else by those of 4 KB; `_pages` knows both."""
    usage = tools.run("zipalign")
    pages = ["-P", "16"] if "-P" in usage.stdout + usage.stderr else ["-p"]
    done = tools.run("zipalign", "-c", *pages, "4", apk)
    return Finding(
        "zipalign", f"{' '.join(pages)}: {'aligned' if done.returncode == 0 else 'not aligned'}", done.returncode == 0
    )


def _pages(apk: Path) -> Finding:
    found = libraries(apk)
    amiss = [f"{library.name} ({library.owner}): {library.problem}" for library in found if library.problem]
    text = f"{len(found)} libraries fit" if not amiss else "; ".join(amiss)
    return Finding("pages of 16 KB", text if found else "no native library", bool(found) and not amiss)


def check_contents(apk: Path) -> Iterator[Finding]:
    """What is in an APK: Java's side, the app that is unpacked at the first start, and its size."""
    with ZipFile(apk) as archive:
        names = archive.namelist()
        dex = b"".join(archive.read(name) for name in names if re.fullmatch(r"classes\d*\.dex", name))
        missing = [what for what, spelled in CLASSES.items() if spelled not in dex]
        yield Finding("Java classes", f"without {', '.join(missing)}" if missing else "all there", not missing)
        inside = _names_in(archive.read(APP)) if APP in names else frozenset()
    lacking = [name for name in STAGED if name not in inside]
    yield Finding("the app", f"without {', '.join(lacking)}" if lacking else f"{len(inside)} files", not lacking)
    excess = sorted(name for name in inside if LEFT_OUT.search(name))
    yield Finding("left out", f"has {', '.join(excess[:5])}" if excess else "what a phone has no use for", not excess)
    yield Finding("size", f"{apk.stat().st_size / 1e6:.1f} MB", True)


def _names_in(data: bytes) -> frozenset[str]:
    with tarfile.open(fileobj=io.BytesIO(data)) as packed:
        return frozenset(PurePosixPath(member.name).as_posix() for member in packed if member.isfile())


def _same(what: str, found: str | None, wanted: str) -> Finding:
    told = found or "none"
    return Finding(what, told if found == wanted else f"{told}, expected {wanted}", found == wanted)


@click.command(cls=Standalone)
@click.argument("apk", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--arch", "archs", type=click.Choice(ARCHS), multiple=True, default=DEFAULT_ARCHS, show_default=True)
@click.option("--package-id", default=PACKAGE_ID, show_default=True, help="The id that it was staged with.")
@click.option(
    "--build-tools", type=click.Path(path_type=Path, exists=True), help="Google's build-tools [default: the PATH]."
)
@click.pass_context
def main(ctx: click.Context, apk: Path, archs: tuple[str, ...], package_id: str, build_tools: Path | None) -> None:
    """Check the manifest, signature, alignment and contents of APK. Exit code 1 if anything is not as staged.

    \b
    Example:
      python -m osteo_edge.edge_app.android.apk_check osteo-edge.apk --arch x86_64
    """
    findings = check_apk(apk, archs, Tools(build_tools), package_id=package_id)
    for each in findings:
        click.echo(f"{'yes' if each.is_right else 'NO '}  {each.what}: {each.found}")
    ctx.exit(0 if all(each.is_right for each in findings) else EXIT_FAILED)


if __name__ == "__main__":
    main()
