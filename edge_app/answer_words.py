"""What a screening says to its reader: the lines of the result screen, in the user's language."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from osteo_edge.edge_app.bone_words import bone_words
from osteo_edge.edge_app.decisions import decision_words
from osteo_edge.edge_app.demo_mark import MARK
from osteo_edge.edge_app.dxa import dxa_words
from osteo_edge.edge_app.history.entry import Entry, Patient, Sex
from osteo_edge.edge_app.long_texts import shortened
from osteo_edge.edge_app.ost import ABOUT_OST, ost_of
from osteo_edge.edge_app.probability_words import NO_PROBABILITY, ProbabilityWords, probability_words
from osteo_edge.edge_app.translation import Translate
from osteo_edge.wording import advice, headline

HASH_DIGITS: Final = 12
MAX_NAME: Final = 200
SEX_WORDS: Final[dict[Sex, str]] = {"female": "Sex: female", "male": "Sex: male", "other": "Sex: other"}
CODE: Final = "Patient code: {code}"
NO_CODE: Final = "Patient code: not given"
AGE: Final = "Age: {age} years"
WEIGHT: Final = "Weight: {weight} kg"
OST: Final = "OST index {index}: {group}."
NO_OST: Final = "OST index: not known without age and weight."
DXA: Final = "DXA result, entered by the clinic: {result}"
NOTE: Final = "Note: {note}"
TAKEN: Final = "Screened: {moment}"
MODEL: Final = "Model {name}, SHA-256 {hash}"
IMAGE: Final = "Image, SHA-256 {hash}"
SOFTWARE: Final = "Software: {software}"
OTHER_MODEL: Final = "The answers of different models cannot be compared."
OTHER_BONE: Final = "The answers for different bones cannot be compared."
USE_UNKNOWN: Final = "Not kept by the version of this program that made the screening: see the model's own card."


@dataclass(frozen=True)
class AnswerWords:
    """The lines, each ready to be shown, of a bounded length; empty where there is nothing to say.

    `warnings` go with the answer whatever it is, the mark of a demonstration first. `probability` is None where the
    model gave no number: `no_probability` says so. `bone` is the one that the film was answered for. `patient` is what
    the clinic wrote down, `ost` what follows from it for bone density, and nothing of the model's, with `about_ost`.
    """

    headline: str
    advice: str
    warnings: tuple[str, ...]
    reasons: tuple[str, ...]
    probability: ProbabilityWords | None
    no_probability: str
    bone: str
    taken: str
    patient: tuple[str, ...]
    ost: str
    about_ost: str
    dxa: str
    decision: str
    note: str
    intended_use: str
    origin: tuple[str, ...]


def spoken(entry: Entry, translate: Translate) -> str:
    """What a screen reader says of an answer, which others may hear: nothing of the patient."""
    words = answer_words(entry, translate)
    probability = words.no_probability if words.probability is None else words.probability.sentence
    lines = (*words.warnings, words.headline, _sentence(words.bone), words.advice, probability)
    return " ".join(line for line in lines if line)


def answer_words(entry: Entry, translate: Translate, zone: tzinfo | None = None) -> AnswerWords:
    """The lines of an entry; its time is told in `zone`, the device's own by default."""
    say, probability = translate, probability_words(entry, translate)
    warnings = (*((MARK,) if entry.is_demo else ()), *entry.warnings)
    ost = ost_of(entry.patient) if entry.finding == "density" else None
    no_ost = say(NO_OST) if entry.finding == "density" else ""
    entered = dxa_words(entry.dxa, entry.t_score, say)
    return AnswerWords(
        headline=say(headline(entry.outcome, entry.finding)),
        advice=say(advice(entry.outcome, entry.finding)),
        warnings=tuple(say(shortened(warning)) for warning in warnings),
        reasons=tuple(say(shortened(reason)) for reason in entry.reasons),
        probability=probability,
        no_probability="" if probability else say(NO_PROBABILITY),
        bone=bone_words(entry, say),
        taken=say(TAKEN).format(moment=local_moment(entry.taken_at, zone)),
        patient=_patient(entry.patient, say),
        ost=no_ost if ost is None else say(OST).format(index=ost.index, group=say(ost.words)),
        about_ost="" if ost is None else say(ABOUT_OST),
        dxa=say(DXA).format(result=entered) if entered else "",
        decision=shortened(decision_words(entry, say)),
        note=say(NOTE).format(note=shortened(entry.note)) if entry.note.strip() else "",
        intended_use=say(shortened(entry.intended_use or USE_UNKNOWN)),
        origin=(
            model_words(entry, say),
            say(IMAGE).format(hash=_short(entry.image_sha256)),
            say(SOFTWARE).format(software=shortened(entry.software, MAX_NAME)),
        ),
    )


def model_words(entry: Entry, translate: Translate) -> str:
    """The model that answered, with the beginning of its hash."""
    return translate(MODEL).format(name=shortened(entry.model_name, MAX_NAME), hash=_short(entry.model_sha256))


def comparison_caution(one: Entry, other: Entry, translate: Translate) -> str:
    """What must be known before two answers are compared; "" where it is nothing."""
    if one.model_sha256 != other.model_sha256:
        return translate(OTHER_MODEL)
    return "" if one.bone == other.bone else translate(OTHER_BONE)


def local_moment(taken_at: str, zone: tzinfo | None = None) -> str:
    """A time of the history as the clock on the wall shows it, in `zone` or the device's own.

    >>> from datetime import timezone
    >>> local_moment("2026-01-31T09:30:00+00:00", timezone.utc)
    '2026-01-31 09:30'
    """
    return datetime.fromisoformat(taken_at).astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _sentence(words: str) -> str:
    return f"{words}." if words else ""


def _patient(patient: Patient, say: Translate) -> tuple[str, ...]:
    lines = [say(CODE).format(code=patient.code) if patient.code else say(NO_CODE)]
    if patient.age_years is not None:
        lines.append(say(AGE).format(age=patient.age_years))
    if patient.sex is not None:
        lines.append(say(SEX_WORDS[patient.sex]))
    if patient.weight_kg is not None:
        lines.append(say(WEIGHT).format(weight=f"{patient.weight_kg:g}"))
    return tuple(lines)


def _short(sha256: str) -> str:
    return f"{sha256[:HASH_DIGITS]}\u2026"
