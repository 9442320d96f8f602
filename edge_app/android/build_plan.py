"""How a build for Android is to be done: for whom, and with which of Google's tools."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from osteo_edge.edge_app.android.versions import NDK

INSIDE: Final = ".buildozer"
"""The folder in the project that buildozer works in, unless it is given another one."""


@dataclass(frozen=True)
class BuildPlan:
    """A build as it is asked for: an APK to try, or a release.

    `accepts_license` speaks of Google's licence of the SDK. `sdk` and `ndk` are folders with Google's tools, None for
    those that buildozer fetches; `folder` is where what is compiled is kept for the next build, None for the project.
    """

    is_release: bool = False
    accepts_license: bool = False
    sdk: Path | None = None
    ndk: Path | None = None
    folder: Path | None = None

    def tools(self, home: Path) -> tuple[Path, Path]:
        """The folders of SDK and NDK, there or not."""
        platform = home / ".buildozer" / "android" / "platform"
        return self.sdk or platform / "android-sdk", self.ndk or platform / f"android-ndk-r{NDK}"

    def folder_for(self, project: Path) -> Path:
        """Where buildozer works when it builds a project."""
        return (self.folder or project / INSIDE).absolute()


AS_USUAL: Final = BuildPlan()
