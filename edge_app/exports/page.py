"""What stands on the page of a report, from the top down, and how it is made to fit."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from typing import Final

import numpy as np

from osteo_edge.edge_app.answer_words import USE_UNKNOWN
from osteo_edge.edge_app.bone_words import bone_words
from osteo_edge.edge_app.decisions import decision_words
from osteo_edge.edge_app.dxa import dxa_words
from osteo_edge.edge_app.exports.marks import ACCENTS, FAINT
from osteo_edge.edge_app.exports.pdf import Report
from osteo_edge.edge_app.exports.sheet import INSET_MM, MARGIN_MM, ROOM_MM, WARNING, Cell, Sheet
from osteo_edge.edge_app.history.entry import Entry, Sex
from osteo_edge.edge_app.long_texts import shortened
from osteo_edge.edge_app.ost import ABOUT_OST, ost_of
from osteo_edge.edge_app.probability_words import NO_PROBABILITY, band_of, probability_words
from osteo_edge.edge_app.translation import Translate
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.lettering import Picture
from osteo_edge.overlay import blend
from osteo_edge.raster import scaling
from osteo_edge.wording import PHANTOM_USE, advice, headline

SCALES: Final = (1.0, 0.94, 0.88, 0.82, 0.76, 0.7)
MIN_PICTURE_MM: Final = 60.0
MAX_PICTURE_MM: Final = 118.0
MAX_SIDE_PX: Final = 1200
SYMBOL_MM: Final = 11.0
MAX_INSTITUTION: Final = 160
MAX_CODE: Final = 64
SHORT_ID: Final = 8
"""So many digits of a screening's id tell apart the reports of patients whose codes read alike."""
MAX_REASON: Final = 200
MAX_REASONS: Final = 5
MAX_NOTE: Final = 400

SEX_WORDS: Final[dict[Sex, str]] = {"female": "female", "male": "male", "other": "other"}


def draw_page(report: Report, translate: Translate, language: str) -> bytes:
    """The page as PDF, as large as it fits: the pictures take what the texts leave, the texts shrink if it is little.

    Raises `OsteoEdgeError` where the smallest leaves no room for the pictures.
    """
    page = _Page(report, translate, language)
    for scale in SCALES:
        with closing(page.fill(scale, picture_mm=0.0)) as trial:
            room = trial.left_mm
        if room >= MIN_PICTURE_MM:
            with closing(page.fill(scale, picture_mm=min(room, MAX_PICTURE_MM))) as sheet:
                return sheet.to_bytes()
    raise OsteoEdgeError("the report does not fit on one page: shorten the intended use of the model, and its warnings")


class _Page:
    """The parts of the page in their order."""

    def __init__(self, report: Report, translate: Translate, language: str) -> None:
        self._report, self._entry, self._say, self._language = report, report.entry, translate, language

    def fill(self, scale: float, *, picture_mm: float) -> Sheet:
        software = shortened(self._entry.software, MAX_CODE)
        title = self._say("Bone screening report")
        sheet = Sheet(scale=scale, title=title, software=software, language=self._language)
        self._head(sheet)
        self._patient(sheet)
        self._outcome(sheet)
        self._pictures(sheet, picture_mm)
        self._probability(sheet)
        self._besides(sheet)
        self._small_print(sheet)
        return sheet

    def _head(self, sheet: Sheet) -> None:
        say, institution = self._say, shortened(self._report.institution, MAX_INSTITUTION)
        if institution:
            sheet.text(institution, 13, bold=True)
        sheet.text(say("Bone screening report: a referral aid, not a diagnosis"), 10, colour=FAINT)
        if self._entry.is_demo:
            sheet.gap(1)
            sheet.text(say(PHANTOM_USE), 10, bold=True, colour=WARNING)
        sheet.rule()

    def _patient(self, sheet: Sheet) -> None:
        say, patient, unknown = self._say, self._entry.patient, self._say("not given")
        age = None if patient.age_years is None else say("{age} years").format(age=patient.age_years)
        weight = None if patient.weight_kg is None else say("{weight} kg").format(weight=f"{patient.weight_kg:g}")
        sex = None if patient.sex is None else say(SEX_WORDS[patient.sex])
        code = shortened(patient.code or "", MAX_CODE)
        sheet.cells(
            [
                Cell(say("Patient code"), code or unknown, 0.28),
                Cell(say("Screening"), self._entry.id[:SHORT_ID], 0.14),
                Cell(say("Age"), age or unknown, 0.12),
                Cell(say("Sex"), sex or unknown, 0.12),
                Cell(say("Weight"), weight or unknown, 0.12),
                Cell(say("Screened"), _moment(self._entry), 0.22),
            ]
        )
        sheet.gap(2.5)

    def _outcome(self, sheet: Sheet) -> None:
        say, entry, top = self._say, self._entry, sheet.bottom
        beside = MARGIN_MM + INSET_MM * 2 + SYMBOL_MM * sheet.scale
        width = ROOM_MM + MARGIN_MM - beside - INSET_MM
        sheet.gap(2.5)
        sheet.symbol(entry.outcome, SYMBOL_MM)
        least = sheet.bottom + SYMBOL_MM * sheet.scale
        sheet.text(say(headline(entry.outcome, entry.finding)), 15, bold=True, left=beside, width=width)
        sheet.text(say(advice(entry.outcome, entry.finding)), 10, left=beside, width=width)
        if entry.bone is not None:
            sheet.text(bone_words(entry, say), 10, bold=True, left=beside, width=width)
        for warning in entry.warnings:
            sheet.text(say(warning), 9, bold=True, colour=WARNING, left=beside, width=width)
        for reason in self._reasons():
            sheet.text(reason, 9, colour=FAINT, left=beside, width=width)
        sheet.bottom = max(sheet.bottom, least)
        sheet.gap(2.5)
        sheet.framed(top, ACCENTS[entry.outcome])
        sheet.gap(3)

    def _reasons(self) -> Iterator[str]:
        reasons = self._entry.reasons
        yield from (self._say(shortened(reason, MAX_REASON)) for reason in reasons[:MAX_REASONS])
        left_out = len(reasons) - MAX_REASONS
        if left_out == 1:
            yield self._say("and 1 more reason")
        elif left_out > 1:
            yield self._say("and {count} more reasons").format(count=left_out)

    def _pictures(self, sheet: Sheet, height: float) -> None:
        say, overlay = self._say, self._report.overlay
        pictures = [(_shrunk(self._report.film), say("The film, reduced: not for diagnosis"))]
        if overlay is not None:
            pictures.append((_shrunk(overlay), say("The film with the evidence to the model laid over it")))
        sheet.pictures(pictures, height)
        if overlay is not None:
            sheet.gap(0.5)
            about = say("Evidence, relative to the strongest region of this image:")
            sheet.ramp(_ramp(), f"{about} {say('none')}", say("strong"))
        sheet.rule()

    def _probability(self, sheet: Sheet) -> None:
        entry, words = self._entry, probability_words(self._entry, self._say)
        if words is None or entry.score is None:
            sheet.text(self._say(NO_PROBABILITY), 9.5)
            sheet.rule()
            return
        sheet.text(words.sentence, 9.5)
        sheet.bar(entry.score, entry.threshold, band_of(entry), entry.outcome)
        legend = [f"\u25bc {words.image}", f"\u2503 {words.operating_point}"]
        if words.uncertain is not None:
            legend.append(f"\u25a8 {words.uncertain}")
        sheet.text(" \u00b7 ".join(legend), 8, colour=FAINT)
        sheet.rule()

    def _besides(self, sheet: Sheet) -> None:
        """What else is known of the patient, and is none of the model's answer."""
        say, entry = self._say, self._entry
        if entry.finding == "density":
            self._ost(sheet)
        if entry.dxa is not None or entry.t_score is not None:
            entered = dxa_words(entry.dxa, entry.t_score, say)
            sheet.text(say("DXA result, entered by the clinic: {result}").format(result=entered), 9)
        if entry.decided is not None:
            sheet.text(shortened(decision_words(entry, say), MAX_NOTE), 9)
        if entry.note.strip():
            sheet.text(say("Note: {note}").format(note=shortened(entry.note, MAX_NOTE)), 9)
        sheet.rule()

    def _ost(self, sheet: Sheet) -> None:
        say, ost = self._say, ost_of(self._entry.patient)
        if ost is None:
            sheet.text(say("OST index: not known without age and weight."), 9)
            return
        words = say("OST index {index}: {group}.").format(index=ost.index, group=say(ost.words))
        sheet.text(words, 9, bold=True)
        sheet.text(say(ABOUT_OST), 7.5, colour=FAINT)

    def _small_print(self, sheet: Sheet) -> None:
        say, entry = self._say, self._entry
        if entry.intended_use != PHANTOM_USE:
            sheet.text(say("Intended use"), 7, colour=FAINT)
            sheet.text(say(entry.intended_use or USE_UNKNOWN), 8.5)
            sheet.gap(1.5)
        model, software = shortened(entry.model_name, MAX_CODE), shortened(entry.software, MAX_CODE)
        lines = (
            say("Model {name}, SHA-256 {hash}").format(name=model, hash=entry.model_sha256),
            say("Image, SHA-256 {hash}").format(hash=entry.image_sha256),
            say("Screening {id}, {software}").format(id=entry.id, software=software),
        )
        for line in lines:
            sheet.text(line, 7, colour=FAINT)


def _moment(entry: Entry) -> str:
    return datetime.fromisoformat(entry.taken_at).strftime("%Y-%m-%d %H:%M UTC")


def _shrunk(picture: Picture) -> Picture:
    """The picture with `MAX_SIDE_PX` on its longer side at most."""
    factor = MAX_SIDE_PX / max(picture.shape[:2])
    if factor >= 1:
        return picture
    height, width = (max(1, round(side * factor)) for side in picture.shape[:2])
    return scaling.shrink(picture, height, width)


def _ramp() -> Picture:
    """The colours of the evidence from none to strong, as they lie on a film of middle grey."""
    strength = np.linspace(0, 1, 200, dtype=np.float32)[np.newaxis].repeat(12, axis=0)
    return blend(np.full_like(strength, 0.5), strength)
