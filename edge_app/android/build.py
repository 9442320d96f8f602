"""Run buildozer in a staged project: an hour or two the first time, some minutes after."""

import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from configparser import ConfigParser
from pathlib import Path
from typing import Final

from osteo_edge.edge_app.android.build_checks import build_path
from osteo_edge.edge_app.android.build_plan import AS_USUAL, BuildPlan
from osteo_edge.edge_app.android.signing import ALIAS_PASSWORD, KEYSTORE_PASSWORD
from osteo_edge.errors import OsteoEdgeError

LOG: Final = "build.log"
ENDINGS: Final = (".apk", ".aab")
KEPT_LINES: Final = 500
"""More than buildozer prints after what went wrong: the environment, and how to report it."""
FAILED: Final = "Command failed:"
"""What buildozer prints behind the words of the command itself."""
AMISS: Final = re.compile(r"error|fatal|failed|could not|cannot|not found|no space", re.IGNORECASE)
MARKS: Final = re.compile(r"\x1b\[[\d;]*m|^[#\s]+|^\[\w+\]:?\s+")
LONGEST_REASON: Final = 300
HIDDEN: Final = "***"
OTHER_SDK: Final = re.compile(r"ANDROID_|ANDROID(SDK|NDK|API|MINAPI|NDKVER)$|NDKAPI$|NDK_HOME$")
"""Variables by which a machine speaks of SDKs of its own: Gradle stops where they name another one than buildozer."""


def build(
    project: Path,
    environ: Mapping[str, str],
    plan: BuildPlan = AS_USUAL,
    *,
    on_line: Callable[[str], None] = lambda line: None,
) -> Path:
    """Build the staged project and give the APK, or for a release the signed AAB.

    What buildozer prints goes to `build.log` in the project, and line by line to `on_line`, without the key's
    passwords. `OsteoEdgeError` with its last words if it fails.
    """
    before = _built(project)
    command = [sys.executable, "-m", "buildozer", "android", "release" if plan.is_release else "debug"]
    said = list[str]()
    with (project / LOG).open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            command,
            cwd=project,
            env=build_environment(project, environ, plan),
            stdin=subprocess.DEVNULL,  # a question would stand in the log, where nobody answers it
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        assert process.stdout is not None
        with process:
            for told in process.stdout:
                line = without_secrets(told, environ)
                log.write(line)
                on_line(line.rstrip("\n"))
                said = [*said, line][-KEPT_LINES:]
    made = [path for path, changed in _built(project).items() if before.get(path) != changed]
    if process.returncode != 0 or not made:
        raise OsteoEdgeError(
            f"the build failed ({reason_of(said)}); {project / LOG} tells more; to go on, see {project / 'README.md'}"
        )
    return made[-1]


def build_environment(project: Path, environ: Mapping[str, str], plan: BuildPlan = AS_USUAL) -> dict[str, str]:
    """The environment for buildozer: with what its spec cannot say, without what would go before the spec unasked.

    Buildozer takes the value of any line of its spec from a variable called like it, such as APP_VERSION; and installs
    for the user, which fails in a virtual environment, unless VIRTUAL_ENV is set.
    """
    spec = ConfigParser(interpolation=None)
    spec.read(project / "buildozer.spec", "utf-8")
    lines = {f"{section}_{token}".upper().replace(".", "_") for section in spec.sections() for token in spec[section]}
    chosen = {"PATH": build_path(environ), "PIP_CONSTRAINT": str((project / "constraints.txt").absolute())}
    if plan.accepts_license:
        chosen["APP_ANDROID_ACCEPT_SDK_LICENSE"] = "1"
    folders = {
        "APP_ANDROID_SDK_PATH": plan.sdk,
        "APP_ANDROID_NDK_PATH": plan.ndk,
        "BUILDOZER_BUILD_DIR": plan.folder,
    }
    chosen |= {name: str(folder.absolute()) for name, folder in folders.items() if folder is not None}
    if sys.prefix != sys.base_prefix:
        chosen["VIRTUAL_ENV"] = sys.prefix
    kept = {name: value for name, value in environ.items() if name not in lines and OTHER_SDK.match(name) is None}
    return kept | chosen


def reason_of(said: Sequence[str]) -> str:
    """Why a build failed, in one line of those that it printed: the last that speaks of an error, before all the rest.

    >>> reason_of(["Cloning", "fatal: no host", "done", "# Command failed: ('git',)", "# Error code: 128"])
    'fatal: no host'
    """
    plain = [MARKS.sub("", MARKS.sub("", line)).strip() for line in said]
    end = next((number for number, line in enumerate(plain) if line.startswith(FAILED)), len(plain))
    words = [line for line in plain[:end] if line] or plain[end : end + 1] or ["it said nothing"]
    return next((line for line in reversed(words) if AMISS.search(line)), words[-1])[:LONGEST_REASON]


def without_secrets(line: str, environ: Mapping[str, str]) -> str:
    """A line without the passwords of the environment: buildozer prints all of it where a command fails.

    >>> without_secrets("P4A_RELEASE_KEYALIAS_PASSWD = 'x y'", {"P4A_RELEASE_KEYALIAS_PASSWD": "x y"})
    "P4A_RELEASE_KEYALIAS_PASSWD = '***'"
    """
    secrets = {environ.get(name, "") for name in (KEYSTORE_PASSWORD, ALIAS_PASSWORD)} - {""}
    for secret in sorted(secrets, key=len, reverse=True):
        line = line.replace(secret, HIDDEN).replace(repr(secret)[1:-1], HIDDEN)
    return line


def _built(project: Path) -> dict[Path, float]:
    """What buildozer has put into its folder of results, and when, the newest last."""
    found = [path for path in (project / "bin").glob("*") if path.suffix in ENDINGS]
    return {path: path.stat().st_mtime for path in sorted(found, key=lambda path: path.stat().st_mtime)}
