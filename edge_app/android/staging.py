"""Stage the app for Android: a whole buildozer project, with the program, a model and all that builds it."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from osteo_edge.bundle import Bundle, require_free
from osteo_edge.edge_app.android.contents import JAVA, MAIN, app_files
from osteo_edge.edge_app.android.drawing import draw_images
from osteo_edge.edge_app.android.expected_answer import FILE_NAME, write_expected
from osteo_edge.edge_app.android.packable import MAX_MB, read_packable
from osteo_edge.edge_app.android.spec import Project, project_texts
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.new_folder import new_folder
from osteo_edge.signature import read_public_key, verify

Progress = Callable[[str, int, int], None]
"""What is being done, how much of it is done, and how much there is."""
APP: Final = "app"
BUNDLE: Final = "bundle"
TRUSTED: Final = "trusted-keys"
"""Where the app looks for keys (`places.Places`)."""
STEPS: Final = ("the model", "the program", "the project")


@dataclass(frozen=True)
class Staged:
    """A staged project: its folder, and what its parts come to before anything is compiled or compressed, in bytes.

    `program_bytes` are the modules with their data, `bundle_bytes` the model with all that is known of it.
    """

    path: Path
    project: Project
    bundle: str
    score: float
    program_bytes: int
    bundle_bytes: int

    @property
    def app_bytes(self) -> int:
        """The whole app, without the Python that runs it."""
        return self.program_bytes + self.bundle_bytes


def stage(
    bundle: Path,
    out: Path,
    project: Project,
    *,
    max_mb: float = MAX_MB,
    trusted: Sequence[Path] = (),
    on_progress: Progress = lambda *_: None,
) -> Staged:
    """Stage the project in the new folder `out`, whole or not at all; the same program gives the same bytes.

    `trusted` are files of public keys: with any, the app uses no bundle but those that one of them has signed, this one
    included.

    `BundleError` if the bundle cannot go into the app or `out` exists, `OsteoEdgeError` if it cannot be written.
    """
    require_free(out)
    on_progress(STEPS[0], 0, len(STEPS))
    packed = read_packable(bundle, max_mb=max_mb)
    if trusted:
        _require_trusted(packed, trusted)
    with new_folder(out, "the project") as folder:
        app = folder / APP
        app.mkdir()
        expected = write_expected(packed.path, app / FILE_NAME)
        _copy_bundle(packed, app / BUNDLE)
        for key in trusted:
            _copy(key, app / TRUSTED / f"{key.stem}.pub")
        on_progress(STEPS[1], 1, len(STEPS))
        _copy_program(app)
        program_bytes = size_of(app) - size_of(app / BUNDLE)
        bundle_bytes = size_of(app / BUNDLE)
        on_progress(STEPS[2], 2, len(STEPS))
        name = f"{packed.manifest.name} {packed.manifest.version}"
        _write_project(folder, project, name)
    on_progress(STEPS[2], len(STEPS), len(STEPS))
    return Staged(out, project, name, expected.score, program_bytes, bundle_bytes)


def size_of(folder: Path) -> int:
    """The bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _require_trusted(bundle: Bundle, keys: Sequence[Path]) -> None:
    names = sorted(path.stem for path in keys)
    twice = next((name for name, other in pairwise(names) if name == other), None)
    if twice is not None:
        raise OsteoEdgeError(f"two keys are called {twice!r}, and the app could not tell them apart; rename one")
    verify(bundle, tuple(read_public_key(path) for path in keys))


def _copy_bundle(bundle: Bundle, folder: Path) -> None:
    shutil.copytree(bundle.path, folder, copy_function=_copy)


def _copy_program(app: Path) -> None:
    for name, path in app_files().items():
        _copy(path, app / name)
    (app / "main.py").write_text(MAIN, "utf-8")


def _write_project(folder: Path, project: Project, bundle: str) -> None:
    for name, text in project_texts(project, bundle=bundle).items():
        _write(folder / name, text.encode())
    for name, data in draw_images().items():
        _write(folder / name, data)
    for path in sorted(JAVA.rglob("*.java")):
        _copy(path, folder / "java" / path.relative_to(JAVA))


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _copy(source: str | Path, target: str | Path) -> None:
    """Copy a file's bytes; its modes and dates are those of a new file, whatever they were."""
    _write(Path(target), Path(source).read_bytes())
