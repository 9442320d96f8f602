"""What stands on the page of a report, from the top down, and how it is made to fit."""

import math
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from typing import Final

import cv2
import numpy as np

from osteo_edge.edge_app.exports.marks import ACCENTS, FAINT
from osteo_edge.edge_app.exports.pdf import Report
from osteo_edge.edge_app.exports.sheet import INSET_MM, MARGIN_MM, ROOM_MM, WARNING, Cell, Sheet
from osteo_edge.edge_app.history.entry import Dxa, Entry, Sex
from osteo_edge.edge_app.ost import ABOUT_OST, ost_of
from osteo_edge.edge_app.translation import Translate
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.lettering import Picture
from osteo_edge.overlay import blend
from osteo_edge.screening import telling_digits
from osteo_edge.wording import ADVICE, HEADLINES, PHANTOM_USE

SCALES: Final = (1.0, 0.94, 0.88, 0.82, 0.76, 0.7)
MIN_PICTURE_MM: Final = 60.0
MAX_PICTURE_MM: Final = 118.0
MAX_SIDE_PX: Final = 1200
SYMBOL_MM: Final = 11.0
MAX_INSTITUTION: Final = 160
MAX_CODE: Final = 64
MAX_REASON: Final = 200
MAX_REASONS: Final = 5
MAX_NOTE: Final = 400

SEX_WORDS: Final[dict[Sex, str]] = {"female": "female", "male": "male", "other": "other"}
DXA_WORDS: Final[dict[Dxa, str]] = {"normal": "normal", "osteopenia": "osteopenia", "osteoporosis": "osteoporosis"}


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
        software = _begin(self._entry.software, MAX_CODE)
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
        say, institution = self._say, _begin(self._report.institution, MAX_INSTITUTION)
        if institution:
            sheet.text(institution, 13, bold=True)
        sheet.text(say("Bone screening report: a referral aid, not a diagnosis"), 10, colour=FAINT)
        if self._report.intended_use == PHANTOM_USE:
            sheet.gap(1)
            sheet.text(say(PHANTOM_USE), 10, bold=True, colour=WARNING)
        sheet.rule()

    def _patient(self, sheet: Sheet) -> None:
        say, patient, unknown = self._say, self._entry.patient, self._say("not given")
        age = None if patient.age_years is None else say("{age} years").format(age=patient.age_years)
        weight = None if patient.weight_kg is None else say("{weight} kg").format(weight=f"{patient.weight_kg:g}")
        sex = None if patient.sex is None else say(SEX_WORDS[patient.sex])
        code = _begin(patient.code or "", MAX_CODE)
        sheet.cells(
            [
                Cell(say("Patient code"), code or unknown, 0.34),
                Cell(say("Age"), age or unknown, 0.15),
                Cell(say("Sex"), sex or unknown, 0.15),
                Cell(say("Weight"), weight or unknown, 0.14),
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
        sheet.text(say(HEADLINES[entry.outcome]), 15, bold=True, left=beside, width=width)
        sheet.text(say(ADVICE[entry.outcome]), 10, left=beside, width=width)
        for warning in self._report.warnings:
            sheet.text(say(warning), 9, bold=True, colour=WARNING, left=beside, width=width)
        for reason in self._reasons():
            sheet.text(reason, 9, colour=FAINT, left=beside, width=width)
        sheet.bottom = max(sheet.bottom, least)
        sheet.gap(2.5)
        sheet.framed(top, ACCENTS[entry.outcome])
        sheet.gap(3)

    def _reasons(self) -> Iterator[str]:
        reasons = self._entry.reasons
        yield from (self._say(_begin(reason, MAX_REASON)) for reason in reasons[:MAX_REASONS])
        if len(reasons) > MAX_REASONS:
            yield self._say("and {count} more reasons").format(count=len(reasons) - MAX_REASONS)

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
        say, entry = self._say, self._entry
        if entry.score is None or not math.isfinite(entry.score):
            sheet.text(say("No probability: the model gave no answer from this image."), 9.5)
            sheet.rule()
            return
        band = _band(entry)
        digits = telling_digits(entry.score, (entry.threshold, *(band or ())))

        def number(value: float) -> str:
            return f"{value:.{digits}f}"

        labels = ", ".join(f"{say(label)} {number(value)}" for label, value in entry.probabilities.items())
        words = say("Calibrated probability that the model gives: {score} ({labels})")
        sheet.text(words.format(score=number(entry.score), labels=labels), 9.5)
        sheet.bar(entry.score, entry.threshold, band, entry.outcome)
        legend = [
            say("\u25bc this image {score}").format(score=number(entry.score)),
            say("\u2503 operating point {threshold}: referred from here on").format(threshold=number(entry.threshold)),
        ]
        if band is not None:
            low, high = number(band[0]), number(band[1])
            legend.append(say("\u25a8 uncertain from {low} to {high}").format(low=low, high=high))
        sheet.text(" \u00b7 ".join(legend), 8, colour=FAINT)
        sheet.rule()

    def _besides(self, sheet: Sheet) -> None:
        """What else is known of the patient, and is none of the model's answer."""
        say, entry, ost = self._say, self._entry, ost_of(self._entry.patient)
        if ost is None:
            sheet.text(say("OST index: not known without age and weight."), 9)
        else:
            words = say("OST index {index}: {group}.").format(index=ost.index, group=say(ost.words))
            sheet.text(words, 9, bold=True)
            sheet.text(say(ABOUT_OST), 7.5, colour=FAINT)
        if entry.dxa is not None or entry.t_score is not None:
            sheet.text(self._dxa(), 9)
        if entry.note.strip():
            sheet.text(say("Note: {note}").format(note=_begin(entry.note, MAX_NOTE)), 9)
        sheet.rule()

    def _dxa(self) -> str:
        say, entry = self._say, self._entry
        found = [say(DXA_WORDS[entry.dxa])] if entry.dxa is not None else []
        if entry.t_score is not None:
            found.append(say("T-score {score}").format(score=f"{entry.t_score:.1f}"))
        return say("DXA result, entered by the clinic: {result}").format(result=", ".join(found))

    def _small_print(self, sheet: Sheet) -> None:
        say, entry = self._say, self._entry
        if self._report.intended_use != PHANTOM_USE:
            sheet.text(say("Intended use"), 7, colour=FAINT)
            sheet.text(say(self._report.intended_use), 8.5)
            sheet.gap(1.5)
        model, software = _begin(entry.model_name, MAX_CODE), _begin(entry.software, MAX_CODE)
        lines = (
            say("Model {name}, SHA-256 {hash}").format(name=model, hash=entry.model_sha256),
            say("Image, SHA-256 {hash}").format(hash=entry.image_sha256),
            say("Screening {id}, {software}").format(id=entry.id, software=software),
        )
        for line in lines:
            sheet.text(line, 7, colour=FAINT)


def _band(entry: Entry) -> tuple[float, float] | None:
    """The uncertain band; None where there is none, or nothing in it."""
    low, high = entry.abstain_low, entry.abstain_high
    return None if low is None or high is None or not low < high else (low, high)


def _begin(text: str, length: int) -> str:
    """The beginning of a text, on one line, with a sign where more would follow."""
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1].rstrip()}\u2026"


def _moment(entry: Entry) -> str:
    return datetime.fromisoformat(entry.taken_at).strftime("%Y-%m-%d %H:%M UTC")


def _shrunk(picture: Picture) -> Picture:
    """The picture with `MAX_SIDE_PX` on its longer side at most."""
    factor = MAX_SIDE_PX / max(picture.shape[:2])
    if factor >= 1:
        return picture
    return np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)


def _ramp() -> Picture:
    """The colours of the evidence from none to strong, as they lie on a film of middle grey."""
    strength = np.linspace(0, 1, 200, dtype=np.float32)[np.newaxis].repeat(12, axis=0)
    return blend(np.full_like(strength, 0.5), strength)
