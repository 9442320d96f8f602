"""What can be chosen in the settings, in words, and what a choice means."""

import os
from collections.abc import Sequence
from typing import Final

from osteo_edge.edge_app.alphabet import OTHER_LETTERS, is_shown
from osteo_edge.edge_app.settings import (
    MAX_INSTITUTION,
    MAX_THREADS,
    ColourMap,
    Language,
    LockAfterMinutes,
    TextPercent,
    Theme,
)

LANGUAGES: Final[dict[Language, str]] = {"en": "English", "fr": "Français", "es": "Español", "sw": "Kiswahili"}
"""In their own names, which are the same in every language."""

TEXT_SIZES: Final[dict[TextPercent, str]] = {100: "100 %", 125: "125 %", 150: "150 %"}

THEMES: Final[dict[Theme, str]] = {"light": "Light", "dark": "Dark"}
"""Messages to be translated, as those below."""

THEMES_OF_DEVICE: Final[dict[Theme, str]] = {"system": "As the device", **THEMES}
"""Where the device has a theme of its own."""

COLOUR_MAPS: Final[dict[ColourMap, str]] = {"viridis": "Viridis", "cividis": "Cividis", "jet": "Jet"}
"""Names, which are the same in every language."""

LOCK_AFTER: Final[dict[LockAfterMinutes, str]] = {1: "1 minute", 5: "5 minutes", 15: "15 minutes"}

RETENTION: Final[dict[int | None, str]] = {
    None: "No limit",
    365: "1 year",
    730: "2 years",
    1826: "5 years",
    3652: "10 years",
}
RETENTION_DAYS: Final = "{days} days"

KEPT_ALL: Final = "Screenings are kept until somebody deletes them."
KEPT_FOR: Final = (
    "When the app starts it asks whether to delete screenings that are older, with their films. What is deleted then "
    "cannot be brought back: make a backup first."
)

AS_MANY_AS_FIT: Final = "All cores"
FEW_CORES: Final = 8

ENCRYPTED: Final = (
    "What is saved is encrypted. Without the PIN and without the recovery code nobody can open it. Exports are not "
    "encrypted."
)
PIN_ALONE: Final = "A PIN keeps passers-by from an unattended screen. Alone it encrypts nothing."
PIN_WITHOUT_LIBRARY: Final = (
    "A PIN keeps passers-by from an unattended screen. It encrypts nothing: for that, the packages cryptography and "
    "sqlcipher3 must be installed."
)
PIN_ON_A_PHONE: Final = "A PIN keeps passers-by from an unattended screen. What is saved, the phone itself encrypts."

INSTITUTION_TOO_LONG: Final = "Too long: {most} characters at most"


def retention_options(chosen: int | None) -> Sequence[tuple[int | None, str, int | None]]:
    """Days, message, and the number for it; a number of days that is set otherwise is one of them.

    >>> retention_options(90)[-1]
    (90, '{days} days', 90)
    """
    usual = [(days, words, None) for days, words in RETENTION.items()]
    return usual if chosen in RETENTION else [*usual, (chosen, RETENTION_DAYS, chosen)]


def retention_words(days: int | None) -> str:
    """What a retention period means for the films, as a message."""
    return KEPT_ALL if days is None else KEPT_FOR


def protection(*, is_encrypted: bool, has_library: bool, is_phone: bool) -> str:
    """What the PIN protects from, as a message.

    >>> protection(is_encrypted=False, has_library=True, is_phone=False) == PIN_ALONE
    True
    """
    if is_encrypted:
        return ENCRYPTED
    if is_phone:
        return PIN_ON_A_PHONE
    return PIN_ALONE if has_library else PIN_WITHOUT_LIBRARY


def thread_counts(cores: int, chosen: int | None) -> Sequence[int]:
    """From how many threads one can choose, whatever is set already among them.

    >>> thread_counts(4, None), thread_counts(24, 3)
    ([1, 2, 3, 4], [1, 2, 3, 4, 8, 16, 24])
    """
    cores = min(cores, MAX_THREADS)
    counts = range(1, cores + 1) if cores <= FEW_CORES else (1, 2, 4, 8, 16, 32, 64, cores)
    return sorted({count for count in counts if count <= cores} | ({chosen} if chosen is not None else set()))


def usable_cores() -> int:
    """How many cores this program may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def institution_problem(text: str) -> str | None:
    """What is wrong with an institution's name, as a message with {most}; None if it can be used.

    >>> institution_problem("Hôpital de Kisangani"), institution_problem("x" * 161)
    (None, 'Too long: {most} characters at most')
    """
    if len(text) > MAX_INSTITUTION:
        return INSTITUTION_TOO_LONG
    return None if is_shown(text) else OTHER_LETTERS
