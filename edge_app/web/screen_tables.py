"""What the screens of the web app have from the Kivy app: limits of forms, words by key, the tables of the history."""

from collections.abc import Mapping
from typing import Any, Final

from osteo_edge.bundle import Bundle
from osteo_edge.edge_app import (
    alphabet,
    answer_words,
    bone_words,
    decisions,
    demo_bundle,
    demo_mark,
    dxa,
    dxa_form,
    help_text,
    history_list,
    note_form,
    ost,
    screening_form,
)
from osteo_edge.edge_app.exports import backup_contents
from osteo_edge.edge_app.history import encrypted, images, opening, rows, schema
from osteo_edge.edge_app.light_box.photo import PHOTO_OF_FILM
from osteo_edge.edge_app.models.description import describe
from osteo_edge.edge_app.models.details import (
    CHECKS,
    ON_TEST,
    ON_TEST_ALONE,
    ON_TEST_ALONE_BEFORE,
    ON_TEST_BEFORE,
    PRECISIONS,
    Overview,
    facts,
    figure_lines,
)
from osteo_edge.findings import findings_of

WITHOUT_FOLLOW_UP: Final = {ON_TEST: ON_TEST_ALONE, ON_TEST_BEFORE: ON_TEST_ALONE_BEFORE}
"""What is said of figures here, where the Kivy app has a screen that compares answers with DXA results."""


def screen_tables() -> dict[str, Any]:
    """All that does not depend on the model."""
    return {
        **_forms(),
        "alphabet": alphabet.RANGES,
        "ost": {
            "groupsFromYears": ost.GROUPS_FROM_YEARS,
            "riskWords": ost.RISK_WORDS,
            "noGroup": ost.NO_GROUP,
            "about": ost.ABOUT_OST,
        },
        "bones": bone_words.BONES,
        "findingsOfBones": bone_words.FINDINGS_OF_BONES,
        "whichBone": help_text.WHICH_BONE,
        "outcomeChoices": _by_text(history_list.OUTCOME_CHOICES),
        "periods": history_list.PERIODS,
        "sexWords": answer_words.SEX_WORDS,
        "precisions": PRECISIONS,
        "checks": CHECKS,
        "mark": demo_mark.MARK,
        "photoOfFilm": PHOTO_OF_FILM,
        "history": {
            "migrations": schema.MIGRATIONS,
            "columns": rows.COLUMNS,
            "database": opening.DATABASE,
            "contents": backup_contents.CONTENTS,
            "format": backup_contents.FORMAT,
            "images": images.FOLDER,
            "maxContentsBytes": backup_contents.MAX_CONTENTS_BYTES,
            "encrypted": (encrypted.VAULT, encrypted.COPY),
        },
    }


def of_model(bundle: Bundle) -> dict[str, Any]:
    """What the screens say of the model, in English, that the page does not read in its manifest itself."""
    overview = Overview(describe(bundle.path), bundle.manifest, from_command=True, installed=())
    return {
        "isDemo": demo_bundle.is_demo(bundle.manifest),
        "findings": findings_of(bundle.manifest),
        "facts": facts(overview, str),
        "figures": [WITHOUT_FOLLOW_UP.get(line, line) for line in figure_lines(overview, str)],
    }


def _forms() -> dict[str, Any]:
    return {
        "form": {
            "maxCode": screening_form.MAX_CODE,
            "maxAgeYears": screening_form.MAX_AGE_YEARS,
            "adultAgeYears": screening_form.ADULT_AGE_YEARS,
            "maxWeightKg": screening_form.MAX_WEIGHT_KG,
            "usualWeightKg": screening_form.USUAL_WEIGHT_KG,
            "birthYears": screening_form.BIRTH_YEARS,
        },
        "note": {"maxLetters": note_form.MAX_LETTERS},
        "decision": {"maxLetters": decisions.MAX_LETTERS, "words": decisions.DECISION_WORDS},
        "dxa": {"maxTScore": dxa_form.MAX_T_SCORE, "words": dxa.DXA_WORDS},
    }


def _by_text(words: Mapping[Any, str]) -> dict[str, str]:
    """Without the word for no choice at all, whose key is no text."""
    return {key: text for key, text in words.items() if isinstance(key, str)}
