"""What is planted as a patient's comes up where docs/privacy.md says, and nowhere else: every byte is looked at.

The whole story of a film is played in one data folder, with temporary files and caches beside it: taken in, screened,
saved, noted, overridden, drafted, exported, backed up, failed, crashed, deleted, purged.
"""

import base64
import logging
import os
import struct
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from osteo_edge.edge_app.answer import Answer, open_saved, screen_film, write_report
from osteo_edge.edge_app.clinic import Clinic
from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.edge_app.exports.backup import write_backup
from osteo_edge.edge_app.exports.csv_file import write_csv
from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.history.drafts import Draft
from osteo_edge.edge_app.history.encrypted import can_encrypt
from osteo_edge.edge_app.history.entry import Entry, Patient
from osteo_edge.edge_app.jobs import Jobs
from osteo_edge.edge_app.own_copies import take_in
from osteo_edge.edge_app.window_start import logging_to
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.radiograph import read_radiograph
from tests.edge_app.test_arriving import settled

pydicom = pytest.importorskip("pydicom")
pytest.importorskip("fpdf")
from tests.osteo_edge.test_deidentify import MARKER as IN_DICOM  # noqa: E402
from tests.osteo_edge.test_deidentify import file_of, planted, with_places  # noqa: E402
from tests.osteo_edge.test_metadata import MARKER as IN_FILES  # noqa: E402
from tests.osteo_edge.test_metadata import jpeg, png  # noqa: E402

REPOSITORY: Final = Path(__file__).resolve().parents[2]

PIN: Final = "82710934"
TYPED: Final[dict[str, str | float]] = {
    "code": "Kx-MARIA-0817",
    "weight": 83.4173,
    "note": "œdème after a fall from the mango tree",
    "reason": "Grandmother broke her hip in Mwanza",
    "t_score": -3.7713,
    "draft": "Unfinished Yusuf",
    "institution": "Dispensary Ukerewe",
}
"""What is typed in, by what it is."""
NAMED: Final[dict[str, str | float]] = {
    "file": "Nyota_Odinga_left",
    "folder": "Ward of Dr Achieng",
    "in files": IN_FILES.decode(),
    "in DICOM": IN_DICOM,
    "in words of errors": "Wanjiku fell over",
}
"""What comes with the files, or stands in the words of an error."""
MARKERS: Final[dict[str, str | float]] = {**TYPED, **NAMED, "pin": PIN}


def forms_of(value: str | float) -> list[bytes]:
    """How a value may stand in a file: as text in three encodings, in base64 at each offset, in hex, as a number."""
    texts = [str(value).encode(), str(value).encode("utf-16-le"), str(value).encode("utf-16-be")]
    numbers = [] if isinstance(value, str) else [struct.pack(order, value) for order in ("<d", ">d")]
    forms = [*texts, *numbers]
    for text in texts[:2]:
        for offset in range(3):
            coded = base64.b64encode(bytes(offset) + text)
            forms.append(coded[-(-8 * offset // 6) : len(coded) - 4])
        forms += [text.hex().encode(), text.hex().upper().encode()]
    return forms


FORMS: Final = {name: forms_of(value) for name, value in MARKERS.items()}


def found_in(folder: Path) -> dict[str, set[str]]:
    """Which markers stand in which file below a folder, or in its name: by the file's path from there."""
    found = dict[str, set[str]]()
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder).as_posix()
        data = os.fsencode(place) + (path.read_bytes() if path.is_file() else b"")
        names = {name for name, forms in FORMS.items() if any(form in data for form in forms)}
        if names:
            found[place] = names
    return found


class Place:
    """A device: its data folder, and beside it what programs may write to without being asked."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folders = Folders(root / "data")
        self.around = root / "around"
        self.outside = root / "stick" / str(NAMED["folder"])
        for variable in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "MPLCONFIGDIR", "TMPDIR", "HOME"):
            place = self.around / variable
            place.mkdir(parents=True)
            monkeypatch.setenv(variable, str(place))
        monkeypatch.setattr(tempfile, "tempdir", str(self.around / "TMPDIR"))
        self.outside.mkdir(parents=True)

    def incoming(self, name: str, data: bytes) -> Path:
        """A file as another app, or a stick, has it."""
        path = self.outside / name
        path.write_bytes(data)
        return path

    def found(self) -> dict[str, set[str]]:
        return {**found_in(self.folders.root), **found_in(self.around)}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(tmp_path, monkeypatch)


@pytest.fixture
def clinic(place: Place) -> Iterator[Clinic]:
    opened = Clinic(place.folders)
    with logging_to(place.folders.log):
        yield opened
    opened.close()


def films(place: Place) -> list[Path]:
    """A film of each kind, each with a name in it and as its own."""
    drawn = (read_radiograph(DRAWN_FILM).pixels * 4095).astype(np.uint16)
    dicom = with_places(planted())
    dicom.Rows, dicom.Columns, dicom.PixelData = *drawn.shape, drawn.tobytes()
    del dicom.ModalityLUTSequence, dicom.VOILUTSequence
    name = NAMED["file"]
    return [
        place.incoming(f"{name}.png", png(6)),
        place.incoming(f"{name}.jpg", DRAWN_FILM.read_bytes()[:2] + notes() + DRAWN_FILM.read_bytes()[2:]),
        place.incoming(f"{name}.dcm", file_of(dicom)),
    ]


def notes() -> bytes:
    """The camera notes of a JPEG file that has a name in them."""
    data = jpeg(1)
    at = data.index(b"\xff\xe1", 4)
    return data[at : at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")]


def screened(clinic: Clinic, film: Path) -> Answer:
    patient = Patient(str(TYPED["code"]), 71, "female", float(TYPED["weight"]))
    return screen_film(clinic, film, patient, check=lambda: None)


def play(clinic: Clinic, place: Place) -> list[Entry]:
    """All that a user does with films, up to what is saved and waits."""
    clinic.change(institution=TYPED["institution"])
    draft = Draft("d" * 32, now(), {"code": str(TYPED["draft"])})
    saved = list[Entry]()
    for number, film in enumerate(films(place)):
        own = film if number else take_in(film, clinic.folders)
        answer = screened(clinic, own)
        assert answer.record is not None
        saved.append(clinic.save(answer.record, draft_id=draft.id))
        if own is not film:
            own.unlink()
    history = clinic.history()
    history.save_draft(draft)
    for entry in saved:
        history.annotate(entry.id, str(TYPED["note"]))
        history.mark_dxa(entry.id, "osteoporosis", float(TYPED["t_score"]))
        if entry.outcome in ("refer", "no_finding"):
            history.decide(entry.id, "otherwise", str(TYPED["reason"]))
    fail(clinic, place)
    crash()
    inbox(clinic, place)
    return saved


def now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def fail(clinic: Clinic, place: Place) -> None:
    """A film that cannot be read, with its name and what is in it in the words of the error."""
    for name, data in ((f"{NAMED['file']} 2.dcm", file_of(planted())[:3000]), (f"{NAMED['file']} 2.jpg", jpeg()[:400])):
        film = place.incoming(name, data)
        with pytest.raises(OsteoEdgeError, match=str(NAMED["file"])) as caught:
            screened(clinic, film)
        logging.getLogger("osteo_edge.edge_app.test").warning("not screened: %s", caught.value)


def crash() -> None:
    """A fault that nobody has foreseen, with a name in its words, on a thread of the app's and in the toolkit."""
    calls = list[Callable[[], None]]()
    jobs = Jobs(calls.append)

    def fault(_: Any) -> None:
        raise ValueError(f"{NAMED['in words of errors']}: {TYPED['code']}, {NAMED['file']}")

    told = list[str]()
    jobs.start("screen", fault, lambda _: None, told.append)
    jobs.shutdown()
    logging.getLogger("kivy").warning(f"Image: Unable to load <{NAMED['folder']}/{NAMED['file']}.png>")
    logging.getLogger("kivy").error(f"[{NAMED['file']}] is gone", exc_info=ValueError(NAMED["in words of errors"]))


def inbox(clinic: Clinic, place: Place) -> None:
    """The films of the watched folder are looked at, and dismissed."""
    found = settled(clinic.inbox(place.outside))
    assert found.films
    clinic.inbox(place.outside).dismiss(found.films)


def export(clinic: Clinic, entry: Entry, folder: Path) -> None:
    answer = open_saved(clinic, entry.id, check=lambda: None)
    write_report(clinic, answer, folder, str, check=lambda: None)
    write_csv(folder / "table.csv", clinic.history().entries())


def purge(clinic: Clinic, saved: list[Entry]) -> None:
    for entry in saved:
        clinic.history().delete(entry.id)
    clinic.history().purge_deleted(timedelta())
    for draft in clinic.history().drafts():
        clinic.history().drop_draft(draft.id)
    clinic.change(institution="")
    clinic.tidy()


DATABASE: Final = {"history/history.sqlite3", "history/history.sqlite3-wal"}
NOTHING_OF_A_PATIENT: Final = {"models", "pin-attempts.json", "gpu-trial", "windows"}
WATCHED: Final = {"dismissed.json": {"folder"}}
IN_CLEAR: Final = {"settings.json": {"institution"}, **WATCHED}
"""What is in clear on an encrypted device too, as docs/privacy.md says: no patient's."""


@pytest.mark.skipif(not can_encrypt(), reason="cryptography and sqlcipher3 are not installed")
def test_on_an_encrypted_device_nothing_is_found_but_what_the_docs_name(clinic: Clinic, place: Place) -> None:
    clinic.history()
    clinic.access.encrypt(PIN)
    saved = play(clinic, place)
    assert place.found() == IN_CLEAR
    backup = write_backup(clinic.folders.history, place.folders.exports / "backup.zip", keys=clinic.access.keys)
    assert backup.is_encrypted
    assert place.found() == IN_CLEAR
    clinic.access.shut()
    assert place.found() == IN_CLEAR
    assert len(saved) == 3


def test_without_encryption_it_is_in_the_database_alone_and_after_the_purge_nowhere(
    clinic: Clinic, place: Place
) -> None:
    saved = play(clinic, place)
    found = place.found()
    typed = set(TYPED) - {"institution"}
    in_database = [found.pop(name) for name in DATABASE if name in found]
    assert set.union(*in_database) == typed
    assert found == IN_CLEAR
    purge(clinic, saved)
    assert place.found() == WATCHED
    clinic.close()
    assert place.found() == WATCHED


def test_the_kept_films_are_the_pictures_that_were_screened(clinic: Clinic, place: Place) -> None:
    play(clinic, place)
    for entry in clinic.history().entries():
        again = clinic.history().image(entry.image_sha256)
        assert not [name for name, forms in FORMS.items() if any(form in again.data for form in forms)]
        film = place.incoming(f"again{again.suffix}", again.data)
        answer = screened(clinic, film).entry
        assert (answer.outcome, answer.score, answer.reasons) == (entry.outcome, entry.score, entry.reasons)
        assert answer.image_sha256 == entry.image_sha256
        assert answer.film_sha256 is None


def test_a_film_is_known_by_the_file_that_came_and_by_the_one_that_is_kept(clinic: Clinic, place: Place) -> None:
    film = films(place)[2]
    answer = screened(clinic, film)
    assert answer.record is not None
    entry = clinic.save(answer.record)
    assert entry.film_sha256 == read_radiograph(film).sha256
    assert entry.image_sha256 != entry.film_sha256
    known = clinic.history().screened([str(entry.film_sha256), entry.image_sha256, "0" * 64])
    assert known == {entry.film_sha256, entry.image_sha256}
    again = screened(clinic, film)
    assert again.record is not None
    clinic.save(again.record)
    assert len(list((clinic.folders.history / "images").glob("*/*.dcm"))) == 1


def test_what_is_exported_says_what_was_chosen_and_nothing_of_the_files(clinic: Clinic, place: Place) -> None:
    saved = play(clinic, place)
    target = place.folders.outgoing
    export(clinic, saved[1], target)
    found = {name for names in found_in(target).values() for name in names}
    assert found.isdisjoint({*NAMED, "pin", "draft"})
    assert {"code", "note"} <= found_in(target)["table.csv"]


def test_what_was_handed_over_is_gone_after_a_day(clinic: Clinic, place: Place) -> None:
    saved = play(clinic, place)
    export(clinic, saved[1], place.folders.outgoing)
    yesterday = datetime.now().timestamp() - 25 * 3600
    for path in place.folders.outgoing.iterdir():
        os.utime(path, (yesterday, yesterday))
    clinic.tidy()
    assert list(place.folders.outgoing.iterdir()) == []


def test_the_docs_name_every_place_below_the_data_folder() -> None:
    docs = (REPOSITORY / "docs" / "privacy.md").read_text("utf-8")
    folders = Folders(Path())
    places = [getattr(folders, name) for name, kind in vars(Folders).items() if isinstance(kind, property)]
    named = [path for path in places if f"`{path.as_posix()}" in docs]
    assert {path.name for path in set(places) - set(named)} == NOTHING_OF_A_PATIENT


@pytest.mark.parametrize("name", MARKERS)
@pytest.mark.parametrize("how", ["utf-8", "utf-16-le", "base64", "hex"])
def test_a_planted_leak_is_found(tmp_path: Path, name: str, how: str) -> None:
    text = f"..{MARKERS[name]}..."
    coded = {"base64": lambda: base64.b64encode(text.encode()), "hex": lambda: text.encode().hex().encode()}
    data = coded[how]() if how in coded else text.encode(how)
    (tmp_path / "leak.bin").write_bytes(b"\0" * 1000 + data)
    assert name in found_in(tmp_path)["leak.bin"]


def test_a_leak_into_a_name_and_one_into_the_log_are_found(clinic: Clinic, place: Place) -> None:
    (place.around / "TMPDIR" / f"{NAMED['file']}.part").touch()
    logging.getLogger("osteo_edge.edge_app.test").warning(f"screened {TYPED['code']}")
    assert place.found() == {f"TMPDIR/{NAMED['file']}.part": {"file"}, "log/app.log": {"code"}}
