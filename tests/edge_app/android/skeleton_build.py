"""Package a staged project by buildozer's and python-for-android's own code, as far as that goes without SDK and NDK.

Run by itself: PROJECT, an empty WORK folder, debug or release, and the API level. Buildozer reads the spec, copies the
app and makes the command line; python-for-android reads that, loads the hook, and writes manifest, Gradle file and
archive. What is compiled by the NDK or by Gradle is not there: the result is a skeleton, never an app. One thing is
done otherwise: modules are compiled in this process, where python-for-android starts one for each.
"""

import json
import os
import py_compile
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from buildozer import Buildozer
from pythonforandroid import toolchain
from pythonforandroid.bootstrap import Bootstrap
from pythonforandroid.util import current_directory, load_source


class ReachedError(Exception):
    """Buildozer has called python-for-android."""


def command_of(project: Path, mode: str) -> list[str]:
    """The words by which buildozer calls python-for-android for this project, its app copied meanwhile."""
    words: list[str] = []

    def called(command: list[str], **_: Any) -> None:
        words.extend(command + buildozer.target.extra_p4a_args)
        raise ReachedError

    with current_directory(str(project)):
        buildozer = Buildozer(filename="buildozer.spec", target="android")
        buildozer.target._p4a = called
        buildozer.target.build_mode = mode
        buildozer.target.artifact_format = "aab" if mode == "release" else "apk"
        Path(buildozer.target.get_dist_dir("app")).mkdir(parents=True)
        buildozer.build_application()
        with suppress(ReachedError):
            buildozer.target.build_package()
    return words


class Packaging(toolchain.ToolchainCL):  # type: ignore[misc]
    """Python-for-android's own command, which stops before Gradle."""

    dist: Path
    api: str

    def apk(self, args: Any) -> None:
        lay_out(self.dist, Bootstrap.get_bootstrap(args.bootstrap, self.ctx), args, self.api)
        self._fix_args(args)
        with current_directory(str(self.dist)):
            self.hook("before_apk_build")
            build = load_source("build", str(self.dist / "build.py"))
            build.compile_py_file = compiled
            build.parse_args_and_make_package(args.unknown_args)
            self.hook("after_apk_build")
            self.hook("before_apk_assemble")

    aab = apk


def compiled(python_file: str, optimize_python: bool = True) -> str:
    """As `build.compile_py_file`, without a process of its own."""
    target = str(Path(python_file).with_suffix(".pyc"))
    py_compile.compile(python_file, target, doraise=True, optimize=2 if optimize_python else -1)
    return target


def lay_out(dist: Path, bootstrap: Any, args: Any, api: str) -> None:
    """The folder that python-for-android packages in, without what it would have compiled into it."""
    for folder in bootstrap.get_bootstrap_dirs():
        shutil.copytree(Path(folder) / "build", dist, dirs_exist_ok=True)
    sdk = dist.parent / "sdk"
    (sdk / "build-tools" / f"{api}.0.0").mkdir(parents=True)
    (dist / "local.properties").write_text(f"sdk.dir={sdk}", "utf-8")
    (dist / "project.properties").write_text(f"target=android-{api}", "utf-8")
    for arch in args.arch:
        bundle = dist / f"_python_bundle__{arch}"
        bundle.mkdir()
        (bundle / "not-compiled.txt").write_text("Python and its libraries would be here", "utf-8")
        (dist / "libs" / arch).mkdir(parents=True)
    about = {
        "dist_name": args.dist_name,
        "bootstrap": args.bootstrap,
        "archs": args.arch,
        "ndk_api": args.ndk_api,
        "use_setup_py": False,
        "hostpython": sys.executable,
    }
    (dist / "dist_info.json").write_text(json.dumps(about), "utf-8")


def main(project: Path, work: Path, mode: str, api: str) -> None:
    words = command_of(project, mode)
    (work / "command.json").write_text(json.dumps(words), "utf-8")
    Packaging.dist, Packaging.api = work / "dist", api
    Packaging.dist.mkdir()
    sys.argv = ["toolchain.py", *words]
    os.chdir(project)
    Packaging()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), sys.argv[3], sys.argv[4])
