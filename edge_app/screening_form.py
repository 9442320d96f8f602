"""The form beside a new screening: what was typed becomes a patient, or one line for each field that must be mended.

All fields may be left empty. A draft of the history keeps them as they were typed (`dataclasses.asdict`).
"""

import re
import unicodedata
from dataclasses import dataclass, field, fields
from typing import Final, Literal, get_args

from osteo_edge.edge_app.alphabet import OTHER_LETTERS, is_shown
from osteo_edge.edge_app.history.entry import Patient, Sex
from osteo_edge.edge_app.ost import Ost, ost_of
from osteo_edge.edge_app.translation import Translate
from osteo_edge.edge_app.typed import NOT_IN_LIST, chosen, plain_number

Field = Literal["code", "age", "sex", "weight"]

MAX_CODE: Final = 64
MAX_AGE_YEARS: Final = 130
ADULT_AGE_YEARS: Final = 18
MAX_WEIGHT_KG: Final = 500
USUAL_WEIGHT_KG: Final = (25.0, 250.0)
BIRTH_YEARS: Final = (1880, 2100)

CODE_TOO_LONG: Final = "The code is too long: {most} characters at most"
CODE_LOOKS_LIKE_A_NAME: Final = "This looks like a name. Use a code that tells no one who the patient is."
AGE_NO_NUMBER: Final = "Age in whole years, such as 67"
AGE_OUT_OF_RANGE: Final = "Age must be from 0 to {most} years"
AGE_IS_A_YEAR: Final = "This looks like a year. Enter the age in years."
AGE_OF_A_CHILD: Final = "The model is for adults."
WEIGHT_NO_NUMBER: Final = "Weight in kilograms, such as 61.5"
WEIGHT_OUT_OF_RANGE: Final = "Weight must be above 0 and at most {most} kg"
WEIGHT_UNUSUAL: Final = "Is this in kilograms? Check the weight."


@dataclass(frozen=True)
class FormFields:
    """The fields as they stand in the form; `bone` is as the model calls it."""

    code: str = ""
    age: str = ""
    sex: str = ""
    weight: str = ""
    bone: str = ""


@dataclass(frozen=True)
class FormReading:
    """What the form says: the patient, unless a field has a problem; the OST beside the model's answer, if it is known.

    `problems` and `hints` are lines by field. A hint does not keep anyone from going on.
    """

    patient: Patient | None
    ost: Ost | None
    problems: dict[Field, str] = field(default_factory=dict)
    hints: dict[Field, str] = field(default_factory=dict)


def fields_of(draft: dict[str, str]) -> FormFields:
    """The fields that a draft has kept; what it has besides is left out."""
    return FormFields(**{one.name: draft[one.name] for one in fields(FormFields) if one.name in draft})


def read_form(form: FormFields, translate: Translate) -> FormReading:
    """Read all fields. Numbers may be written with a decimal comma, and in the digits of any script."""
    reader = _Reader(translate)
    code, age, sex, weight = (
        reader.code(form.code),
        reader.age(form.age),
        reader.sex(form.sex),
        reader.weight(form.weight),
    )
    if reader.problems:
        return FormReading(None, None, reader.problems, reader.hints)
    patient = Patient(code, age, sex, weight)
    return FormReading(patient, ost_of(patient), reader.problems, reader.hints)


def looks_like_a_name(code: str) -> bool:
    """Whether a code may be a full name: two words or more that have only letters, no digit anywhere.

    >>> looks_like_a_name("Lopez, Maria"), looks_like_a_name("K-17"), looks_like_a_name("KNEE 17")
    (True, False, False)
    """
    words = [word.strip(".,;'’-") for word in code.split()]
    letters = [word for word in words if len(word) >= 2 and all(_is_of_a_name(character) for character in word)]
    return len(letters) >= 2 and not any(character.isdecimal() for character in code)


class _Reader:
    """Reads field by field, and collects what is to be said of them."""

    def __init__(self, translate: Translate) -> None:
        self._say = translate
        self.problems: dict[Field, str] = {}
        self.hints: dict[Field, str] = {}

    def code(self, text: str) -> str | None:
        code = " ".join("".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFC", text)).split())
        if len(code) > MAX_CODE:
            self.problems["code"] = self._say(CODE_TOO_LONG).format(most=MAX_CODE)
        elif not is_shown(code):
            self.problems["code"] = self._say(OTHER_LETTERS)
        elif looks_like_a_name(code):
            self.hints["code"] = self._say(CODE_LOOKS_LIKE_A_NAME)
        return code or None

    def age(self, text: str) -> int | None:
        words = plain_number(text)
        if not words:
            return None
        if not re.fullmatch("[0-9]{1,9}", words):
            self.problems["age"] = self._say(AGE_NO_NUMBER)
            return None
        age = int(words)
        if BIRTH_YEARS[0] <= age <= BIRTH_YEARS[1]:
            self.problems["age"] = self._say(AGE_IS_A_YEAR)
        elif age > MAX_AGE_YEARS:
            self.problems["age"] = self._say(AGE_OUT_OF_RANGE).format(most=MAX_AGE_YEARS)
        elif age < ADULT_AGE_YEARS:
            self.hints["age"] = self._say(AGE_OF_A_CHILD)
        return age

    def sex(self, text: str) -> Sex | None:
        sex: Sex | None = chosen(text, get_args(Sex))
        if text and sex is None:
            self.problems["sex"] = self._say(NOT_IN_LIST)
        return sex

    def weight(self, text: str) -> float | None:
        words = re.sub(r"\s*kg$", "", plain_number(text))
        if not words:
            return None
        if not re.fullmatch(r"[0-9]{1,9}([.,][0-9]{1,2})?", words):
            self.problems["weight"] = self._say(WEIGHT_NO_NUMBER)
            return None
        weight = round(float(words.replace(",", ".")), 1)
        if not 0 < weight <= MAX_WEIGHT_KG:
            self.problems["weight"] = self._say(WEIGHT_OUT_OF_RANGE).format(most=MAX_WEIGHT_KG)
        elif not USUAL_WEIGHT_KG[0] <= weight <= USUAL_WEIGHT_KG[1]:
            self.hints["weight"] = self._say(WEIGHT_UNUSUAL)
        return weight


def _is_of_a_name(character: str) -> bool:
    return character.isalpha() or unicodedata.combining(character) > 0 or character in "'’-."
