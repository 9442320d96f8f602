"""One photo and one film from the file to the exports, and what came of them: `one_screening.py PHOTO OUT FORM`.

FORM "plain" is a machine as a phone is: without OpenCV, click and rich, and without what Android does not let apps do.
There every module of the app is imported, too, but those of `LEFT_OUT`. "packed" is the same with nothing of the
program but what lies in the folder PYTHONPATH, as in an app that was packed.
"""

import errno
import importlib
import json
import os
import pkgutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

NOT_ON_A_PHONE: Final = (
    *("cv2", "click", "rich"),  # not packed
    *("tkinter", "idlelib", "lib2to3", "ensurepip", "test"),  # left out of Python there
    *("grp", "pwd", "crypt", "curses", "readline", "_multiprocessing", "_posixshmem"),  # not in Python on Android
    *("bz2", "_bz2", "lzma", "_lzma"),  # only there where they are asked for
    *("cryptography", "uharfbuzz", "matplotlib", "tensorflow"),
)
LEFT_OUT: Final = {
    "app_command": "the terminal's way to start the app",
    "app_timing": "measures the app, for developers",
    "encryption_timing": "measures what encryption costs, for developers",
    "languages.extract": "collects the texts to translate, for developers",
    "languages.messages": "finds the texts to translate, for developers and for packing the web app",
    "light_box.drawn": "draws photos, for developers",
    "nameless": "the terminal's watched folder",
    "photo_study": "measures the light box, for developers",
    "watch_command": "the terminal's watched folder",
    "watching": "the terminal's watched folder",
    "package_command": "packs the app, on a computer",
    "sbom_command": "lists what a wheel, a kit or a bundle is made of, on a computer",
    "android": "packs the app, on a computer, but for `IN_THE_APP`",
    "pi": "for a Raspberry Pi",
    "web": "packs and serves the web app, on a computer",
}
IN_THE_APP: Final = ("android.start", "android.built_in_test", "android.failure", "android.services")
Thing = TypeVar("Thing")

APP: Final = "osteo_edge.edge_app"


def main(photo: Path, out: Path, form: str) -> None:
    """Write what came of it into the folder `out`."""
    missing: dict[str, str] = {}
    if form == "packed":
        _forget_the_checkout()
    if form != "opencv":
        _be_a_phone()
        missing = _import_all()
    out.mkdir()
    told = {"form": _form(), "missing": missing, "screenings": [_photo(photo, out), _film(out)]}
    told["loaded"] = sorted(name for name in sys.modules if sys.modules[name] is not None)
    (out / "told.json").write_text(json.dumps(told), "utf-8")


def _forget_the_checkout() -> None:
    """Leave the folder PYTHONPATH as the only place in which the program's modules are found."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in getattr(finder, "__module__", "")]
    place = importlib.import_module("osteo_edge").__file__
    if not str(place).startswith(os.environ["PYTHONPATH"]):
        raise AssertionError(f"the program comes from {place}")


def _be_a_phone() -> None:
    for name in NOT_ON_A_PHONE:
        sys.modules[name] = None  # type: ignore[assignment]

    sys.platform = "android"
    vars(os).pop("confstr")  # not in bionic, Android's C library

    def denied(*_: object, **__: object) -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied")

    os.link = denied


def _import_all() -> dict[str, str]:
    """The modules of the app that cannot be imported, and why."""
    missing: dict[str, str] = {}
    package = importlib.import_module(APP)
    for found in pkgutil.walk_packages(package.__path__, f"{APP}.", onerror=lambda name: None):
        if _is_of(found.name, tuple(LEFT_OUT)) and not _is_of(found.name, IN_THE_APP):
            continue
        try:
            importlib.import_module(found.name)
        except ImportError as error:
            missing[found.name] = str(error)
    return missing


def _is_of(module: str, names: tuple[str, ...]) -> bool:
    return any(f"{module}.".startswith(f"{APP}.{name}.") for name in names)


def _form() -> str:
    from osteo_edge import raster

    return raster.FORM


def _photo(path: Path, out: Path) -> dict[str, Any]:
    """Photograph a film, find it, cut it out, screen and export it."""
    from osteo_edge.edge_app.light_box.photo import read_photo, write_film
    from osteo_edge.edge_app.light_box.shot import shot_of, turned

    shot = shot_of(read_photo(path))
    film = write_film(out / "film.jpg", shot.photo, shot.corners_px)
    told = _screened(film, out / "photo", shot.raised)
    return {**told, "corners": shot.corners_px.tolist(), "raised": shot.raised, "turned": turned(shot).shown.shape}


def _film(out: Path) -> dict[str, Any]:
    from osteo_edge.edge_app.drawn_film import DRAWN_FILM

    return _screened(DRAWN_FILM, out / "drawn", None)


def _screened(film: Path, folder: Path, hints: tuple[Any, ...] | None) -> dict[str, Any]:
    """Screen and save a film in a data folder of its own, and export it in every way there is."""
    import numpy as np

    from osteo_edge.edge_app.answer import open_saved, screen_film, write_report
    from osteo_edge.edge_app.clinic import Clinic
    from osteo_edge.edge_app.exports.backup import write_backup
    from osteo_edge.edge_app.exports.csv_file import write_csv
    from osteo_edge.edge_app.folders import Folders
    from osteo_edge.edge_app.history.entry import Patient

    clinic = Clinic(Folders(folder))
    try:
        made = screen_film(clinic, film, Patient("K-7", 71, "female", 52.5), hints, check=_nothing)
        clinic.save(_there(made.record))
        saved = open_saved(clinic, made.entry.id, check=_nothing)
        picture = _there(saved.picture)
        np.savez(
            folder / "pictures.npz",
            film=picture.levels[0],
            evidence=_there(picture.evidence),
            thumbnail=_there(clinic.thumbnails.of(film).picture),
        )
        write_report(clinic, saved, folder, str, check=_nothing).rename(folder / "report.pdf")
        write_csv(folder / "table.csv", [saved.entry])
        write_backup(clinic.folders.history, folder / "backup.zip")
        restored = _restored(folder / "backup.zip", folder.with_name(f"{folder.name}-restored"))
        return {"entry": asdict(saved.entry), "restored": restored}
    finally:
        clinic.close()


def _restored(backup: Path, folder: Path) -> list[str]:
    """The screenings of a backup in a data folder that had none, in which settings were changed, too."""
    from osteo_edge.edge_app.clinic import Clinic
    from osteo_edge.edge_app.folders import Folders

    clinic = Clinic(Folders(folder))
    try:
        clinic.change(language="sw", institution="Kliniki ya Kisangani")
        clinic.put_in_place(clinic.unpack_backup(backup))
        clinic.tidy()
        return [entry.id for entry in clinic.history().entries()]
    finally:
        clinic.close()


def _there(value: Thing | None) -> Thing:
    """Instead of `assert`, which `-OO` leaves out."""
    if value is None:
        raise AssertionError("missing")
    return value


def _nothing() -> None:
    pass


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
