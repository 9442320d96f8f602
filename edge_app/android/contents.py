"""What of the program goes into the app: the modules that it needs on a phone, and their data."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from osteo_edge.edge_app.android.spec import TEMPLATES
from osteo_edge.edge_app.android.walk import modules_of, needed_modules
from osteo_edge.edge_app.pi.own_wheel import package_files

JAVA: Final = Path(__file__).with_name("java")
"""The classes of our own, which Gradle compiles."""
ENTRY: Final = "osteo_edge.edge_app.android.start"
WHOLE: Final = ("osteo_edge.edge_app.ui", "osteo_edge.edge_app.android.services", "osteo_edge.raster.plain")
"""Packages whose modules are imported by names that are put together when the app runs."""
LEFT_OUT: Final = (
    "osteo_edge.raster.opencv",  # there is no OpenCV on a phone: its place is taken by raster.plain
    "osteo_edge.edge_app.ui.probe",  # measures the window, for a developer
    "osteo_edge.cli",  # no terminal, and so no click
    "osteo_edge.console",
)
DATA: Final = frozenset({".jpg", ".json", ".kv", ".md", ".mo", ".npz", ".png", ".tflite", ".ttf", ".txt", ""})
"""Kinds of files that are read when the app runs, licences too; not what they were made from."""
NO_DATA: Final = (TEMPLATES, JAVA)
"""What a build reads, and the app does not."""
MAIN: Final = "from osteo_edge.edge_app.android.start import main\n\nmain()\n"


def app_files() -> dict[str, Path]:
    """Every file of the program that goes into the app, by its name there."""
    files = package_files()
    modules = modules_of(files)
    entries = [name for name in modules if name == ENTRY or _inside_any(name, WHOLE)]
    needed = needed_modules([ENTRY, *entries], modules, left_out=LEFT_OUT)
    sources = {modules[name] for name in needed}
    packages = {path.parent for name, path in modules.items() if name in needed and path.name == "__init__.py"}
    return {
        name: path
        for name, path in sorted(files.items())
        if path in sources or (path.suffix in DATA and _is_data_of(path, packages))
    }


def _is_data_of(path: Path, packages: Iterable[Path]) -> bool:
    """Whether a file belongs to one of the packages: in its folder, or in one below that is no package itself."""
    if any(folder in path.parents for folder in NO_DATA):
        return False
    home = next((folder for folder in path.parents if (folder / "__init__.py").is_file()), None)
    return home in set(packages)


def _inside_any(name: str, packages: Iterable[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)
