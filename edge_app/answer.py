"""An answer as the result screen has it: just screened, or out of the history; for worker threads.

Both come to the same: the entry, saved or to be saved, and its picture. So whatever is shown, exported or compared is
what the history will tell, and saving twice saves once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from osteo_edge.edge_app.audit_trail import What
from osteo_edge.edge_app.clinic import Clinic
from osteo_edge.edge_app.device_clock import doubtful_date
from osteo_edge.edge_app.exports.pdf import Report, report_name, write_pdf
from osteo_edge.edge_app.film_picture import FilmPicture, film_picture, report_pictures
from osteo_edge.edge_app.history.entry import Entry, Patient
from osteo_edge.edge_app.history.errors import HistoryError
from osteo_edge.edge_app.history.query import Query
from osteo_edge.edge_app.history.store import Record
from osteo_edge.edge_app.translation import Translate
from osteo_edge.errors import MissingExtraError, OsteoEdgeError, RadiographError
from osteo_edge.preprocessing import Pixels

if TYPE_CHECKING:
    from osteo_edge.edge_app.light_box.hints import HintId

MOST_OTHERS: Final = 12

Check = Callable[[], None]
"""Called between the steps of a job; what it raises ends the job."""


@dataclass(frozen=True, eq=False)
class Answer:
    """An entry with its picture.

    `record` is what is still to be saved, None once that is done. `picture` is None where the saved film cannot be read
    any more; `problem` then says why. `doubtful` is the date of a new answer if the device's clock cannot be right.
    """

    entry: Entry
    picture: FilmPicture | None
    record: Record | None = None
    problem: str | None = None
    doubtful: date | None = None

    def saved(self) -> Answer:
        """The same, now that it is in the history; what was only kept to be saved is let go."""
        return replace(self, record=None)


def screen_film(
    clinic: Clinic,
    film: Path,
    patient: Patient,
    photo_hints: Sequence[HintId] | None = None,
    *,
    sha256: str | None = None,
    bone: str | None = None,
    check: Check,
) -> Answer:
    """Screen a film; `photo_hints` are those that its photo raised, None for what is no photo.

    `bone` is the one that the user named: a model that knows it believes that.

    Raises `RadiographError` for what is no readable film, or not that of the hash `sha256`, if given, and
    `HistoryError` for one that changed meanwhile.
    """
    answered = clinic.screen(film, sha256=sha256, bone=bone, check=check)
    if photo_hints is not None:
        from osteo_edge.edge_app.light_box.photo import of_photo

        answered = replace(answered, screening=of_photo(answered.screening, photo_hints))
    check()
    record = clinic.record(answered, patient=patient)
    picture = film_picture(answered.radiograph.pixels, answered.screening.evidence)
    taken_at = datetime.fromisoformat(record.entry.taken_at)
    return Answer(record.entry, picture, record, doubtful=doubtful_date(taken_at, _newest(clinic)))


def open_saved(clinic: Clinic, entry_id: str, *, check: Check) -> Answer:
    """A screening of the history; `HistoryError` where it is not there any more."""
    entry = clinic.history().entry(entry_id)
    check()
    try:
        return Answer(entry, _saved_picture(clinic, entry))
    except (HistoryError, RadiographError, MissingExtraError) as error:
        return Answer(entry, None, problem=str(error))


def others_of_patient(clinic: Clinic, entry: Entry) -> tuple[Entry, ...]:
    """The other screenings with the same patient code, the newest first; rejected pictures are left out."""
    code = entry.patient.code
    if not code:
        return ()
    found = clinic.history().entries(Query(exact_code=code, outcomes=("refer", "no_finding", "uncertain")))
    return tuple(islice((other for other in found if other.id != entry.id), MOST_OTHERS))


def write_report(clinic: Clinic, answer: Answer, folder: Path, translate: Translate, *, check: Check) -> Path:
    """Write the report of an answer into a folder, over an earlier one; `OsteoEdgeError` if that is not possible."""
    if answer.picture is None:
        raise OsteoEdgeError(answer.problem or "the film is missing")
    film, overlay = report_pictures(answer.picture)
    check()
    is_shared = folder == clinic.folders.outgoing
    clinic.trail.note(What.EXPORTED, kind="report", screenings=1, entry=answer.entry.id, to_another_app=is_shared)
    settings = clinic.settings
    report = Report(answer.entry, film, overlay, settings.institution)
    return write_pdf(folder / report_name(answer.entry), report, translate=translate, language=settings.language)


def _newest(clinic: Clinic) -> str | None:
    """When the newest screening was made; None where there is none, or the history cannot be read now."""
    try:
        found = clinic.history().search(limit=1).entries
    except HistoryError:
        return None
    return found[0].taken_at if found else None


def _saved_picture(clinic: Clinic, entry: Entry) -> FilmPicture:
    film = clinic.history().image(entry.image_sha256)
    pixels = clinic.reader.decode(film.data, Path(f"film{film.suffix}")).pixels
    return film_picture(pixels, _saved_evidence(clinic, entry))


def _saved_evidence(clinic: Clinic, entry: Entry) -> Pixels | None:
    """The evidence that was saved; None where there is none, or it is damaged: the film is shown without it then."""
    if entry.overlay_sha256 is None:
        return None
    try:
        evidence = clinic.history().image(entry.overlay_sha256)
        return clinic.reader.decode(evidence.data, Path(f"evidence{evidence.suffix}")).pixels
    except (HistoryError, RadiographError):
        return None
