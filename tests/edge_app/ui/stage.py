"""A clinic that has worked for a while, for looking at its screens: films, photos, saved screenings, DXA results."""

import shutil
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import cv2
import numpy as np

from osteo_edge.edge_app.clinic import Answered, Clinic
from osteo_edge.edge_app.demo_bundle import FOLDER as DEMO_BUNDLE
from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.edge_app.dxa import category_of
from osteo_edge.edge_app.exports.backup import write_backup
from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.history.entry import Entry, Patient, new_id, utc
from osteo_edge.edge_app.history.images import Picture
from osteo_edge.edge_app.history.store import Record
from osteo_edge.edge_app.light_box.drawn import draw_photo, some_scene
from osteo_edge.radiograph import read_radiograph
from osteo_edge.wording import Outcome

SAVED = 30
CODE = "K-1042"
NAME = "Maria Lopez"
NOTE = "Left knee, before the operation"
INSTITUTION = "Clinique du District, Kigoma"
OTHER_BONE = "proximal phalanx of the thumb"
"""One for which the app has no word of its own."""
OUTCOMES: tuple[Outcome, ...] = ("refer", "no_finding", "refer", "uncertain", "refer", "rejected")
FILMS = 9


@dataclass(frozen=True)
class Stage:
    """Where everything is; `data` are words on the screens that are nobody's to translate."""

    folders: Folders
    films: Path
    film: Path
    no_film: Path
    broken: Path
    frames: Path
    models: Path
    answered: str
    earlier: str
    rejected: str
    data: tuple[str, ...]


def set_up(root: Path) -> Stage:
    """Lay it all down below `root`, in some seconds."""
    films, frames, folders = root / "films", root / "frames", Folders(root / "clinic")
    for folder in (films / "2026-03", frames):
        folder.mkdir(parents=True)
    shutil.copytree(DEMO_BUNDLE, root / "models" / "knee-int8")
    for number in range(FILMS):
        shutil.copy(DRAWN_FILM, films / f"OP{number + 117}.jpg")
    (films / "OP999.jpg").write_bytes(DRAWN_FILM.read_bytes()[:4000])
    _write(films / "cat.png", _colour_picture())
    pixels = read_radiograph(DRAWN_FILM).pixels
    for seed in (1, 2):
        _write(frames / f"{seed}.jpg", draw_photo(pixels, some_scene(seed)).photo)
    clinic = Clinic(folders)
    try:
        answered = clinic.screen(films / "OP117.jpg")
        patient = Patient(CODE, 67, "female", 51.5)
        entries = [clinic.save(clinic.record(answered, patient=patient, note=NOTE)) for _ in range(2)]
        clinic.history().mark_dxa(entries[0].id, "osteoporosis", -2.7)
        records = [_record(answered, entries[0], number) for number in range(SAVED - 2)]
        clinic.history().add_all(records)
        rejected = next(record.entry for record in records if record.entry.outcome == "rejected")
        write_backup(folders.history, films / "history-2026-03-01.zip")
    finally:
        clinic.close()
    names = [path.name for path in films.iterdir()]
    data = (CODE, NOTE, NAME, INSTITUTION, OTHER_BONE, entries[0].model_name, str(root), *names)
    film, no_film, broken = films / "OP118.jpg", films / "cat.png", films / "OP999.jpg"
    ids = entries[0].id, entries[1].id, rejected.id
    return Stage(folders, films, film, no_film, broken, frames, root / "models", *ids, data)


def _record(answered: Answered, example: Entry, number: int) -> Record:
    """A made-up screening like `example`, `number` days older; most referred ones have their DXA result."""
    outcome = OUTCOMES[number % len(OUTCOMES)]
    score = {"refer": 0.91, "no_finding": 0.05, "uncertain": 0.44, "rejected": None}[outcome]
    t_score = None if outcome == "rejected" or number % 5 == 4 else (-2.8, -0.4, -1.7)[number % 3]
    dxa = None if t_score is None else category_of(t_score)
    reasons = {
        "refer": ("score 0.91 is at or above the threshold 0.72",),
        "no_finding": ("score 0.05 is below the threshold 0.72",),
        "uncertain": ("score 0.44 lies between 0.12 and 0.72",),
        "rejected": (
            "a colour picture, not a radiograph",
            "too small: 120 x 90 pixels, at least 160 on each side are needed",
        ),
    }[outcome]
    entry = replace(
        example,
        id=new_id(),
        taken_at=utc(datetime.now(timezone.utc) - timedelta(days=number * 9, minutes=7)),
        patient=Patient(f"K-{1043 + number}" if number % 4 else None, 50 + number, "female", 55.0),
        outcome=outcome,
        score=score,
        probabilities={} if score is None else {"osteopenia": score / 4, "osteoporosis": score * 3 / 4},
        reasons=reasons,
        overlay_sha256=None,
        is_demo=number >= 4 and number % 7 == 0,
        note="",
        dxa=dxa,
        t_score=t_score,
        image_stats={"mean": 0.4 + 0.01 * (number % 5), "contrast": 0.2},
    )
    return Record(entry, Picture(answered.picture.data, answered.picture.suffix))


def _colour_picture() -> np.ndarray:
    picture = np.zeros((400, 300, 3), np.uint8)
    picture[:, :, 2], picture[100:300, 80:220, 0] = 200, 255
    return picture


def _write(path: Path, picture: np.ndarray) -> None:
    path.write_bytes(cv2.imencode(path.suffix, picture)[1].tobytes())
