"""What the help screen says: short messages to be translated, in sections."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from osteo_edge.wording import Finding, Outcome


@dataclass(frozen=True)
class Section:
    """A heading and short paragraphs, all of them messages."""

    title: str
    paragraphs: tuple[str, ...]


OUTCOMES: Final[tuple[Outcome, ...]] = ("refer", "no_finding", "uncertain", "rejected")
OUTCOMES_TITLE: Final = "The four answers"
OUTCOMES_TITLES: Final[dict[Finding, str]] = {
    "density": "The four answers about bone density",
    "abnormality": "The four answers about abnormalities",
}
"""Of a model that looks for both."""
WHICH_BONE: Final = (
    "An answer says which bone the film was taken for. Where that is another bone than it shows, do not use the answer."
)
"""Of a model that tells bones apart."""

FOR_DXA: Final = (
    "This app looks at an X-ray film and says whether to refer the patient for DXA. It helps trained staff who "
    "see the film themselves."
)
ONLY_DXA: Final = (
    "It is not a diagnosis. Only DXA measures bone density. No answer of this app rules out low bone density."
)
COLOURS: Final = (
    "The colours on the film show where the model found signs for its answer. They show no fracture and no "
    "disease, and they may be wrong."
)
ABOUT_OST: Final = "The OST index beside it comes from age and weight alone, not from the film."
REJECTED: Final = "A film is rejected: choose the frontal knee film as it came from the X-ray machine."

SOURCES: Final = (
    "Choose a file, take a photo of the film, or take one that the X-ray machine has laid in the watched folder."
)
BACKUP: Final = (
    "Make a backup often, onto a stick that is kept in another place. It is one file with all films and answers. "
    "It can be restored from History."
)
FULL_DISK: Final = "The disk is full: save a backup on a stick, then free some space."
PULLED_OUT: Final = "A stick was pulled out: plug it in again and repeat the step."

ON_THIS_DEVICE: Final = (
    "The films and answers lie on this device. Settings can encrypt them with a PIN of 6 digits or more. Reports and "
    "tables are never encrypted."
)

INSTEAD_ON_A_PHONE: Final = {
    ON_THIS_DEVICE: (
        "The films and answers lie on this device, which encrypts them itself. Exports and backups hold them too, and "
        "are not encrypted."
    ),
    SOURCES: (
        "Choose a picture or a file, take a photo of the film, or share a film with this app from another one. "
        "A phone has no watched folder."
    ),
    BACKUP: (
        "Make a backup often, and send it to an app that keeps it in another place. It is one file with all films and "
        "answers. It can be restored from History."
    ),
    FULL_DISK: "The device is full: send a backup to another app, then free some space.",
}
NOT_ON_A_PHONE: Final = frozenset({PULLED_OUT})
ON_A_PHONE: Final = Section(
    "On a phone",
    (
        "Pages that show patients are kept out of screenshots and out of the list of recent apps.",
        "The system may end an app that is not seen. What was typed is there again when it is opened within a day, "
        "and a film that was not saved is screened again.",
        "A screen reader says titles, answers and the lines at the foot of the window. Buttons and fields it cannot "
        "read.",
    ),
)

BEFORE_THE_ANSWERS: Final = (
    Section(
        "What this is",
        (
            FOR_DXA,
            ONLY_DXA,
            "It works without a network. Nothing leaves this device unless you export it.",
            "While a demonstration is in use, every screen says so. A demonstration must not be used on patients.",
        ),
    ),
    Section(
        "How to screen a film",
        (
            "Tap New screening.",
            "Enter a patient code, age, sex and weight if you like. All of them may be left empty. Use a code, not a "
            "name.",
            SOURCES,
            "Read the answer, look at the film, and save. What is shown as saved is on the disk.",
        ),
    ),
)
DXA_RESULTS: Final = Section(
    "DXA results",
    (
        "When the DXA result of a patient comes back, open the screening in History and enter it.",
        "From these results Follow-up shows how the model does on your patients. A few results tell little: look "
        "at the intervals.",
    ),
)
AFTER_THE_ANSWERS: Final = (
    Section(
        "What the colours and the number mean",
        (
            COLOURS,
            "The number is the probability that the model gives, from 0 to 1. From the mark on the bar upwards the "
            "answer is to refer. In the band below the mark it is uncertain.",
            "The number holds for patients like those the model learned from. The model card says who they were.",
            ABOUT_OST,
        ),
    ),
    Section(
        "Photos of a film",
        (
            "A file from the X-ray machine is better than a photo. The model learned from files: its numbers do not "
            "hold for photos.",
            "For a photo, hang the film on a light box, hold the camera straight before it, and let all four corners "
            "be seen. Avoid reflections. Check the corners before you go on.",
        ),
    ),
    Section(
        "Saving and backup",
        (
            "History holds what was saved. Search it by code, date or answer. A deleted screening can be brought back "
            "for a minute.",
            "If you decide otherwise than the answer says, enter it with the reason under Decision.",
            BACKUP,
            "A report is one page as PDF. A table holds all screenings for a spreadsheet.",
        ),
    ),
    DXA_RESULTS,
    Section(
        "Privacy on this device",
        (
            ON_THIS_DEVICE,
            "A PIN alone keeps passers-by from the screen, and encrypts nothing. Keep the device locked away.",
        ),
    ),
    Section(
        "When something fails",
        (
            "The line at the foot of the window says what is wrong and what to do.",
            REJECTED,
            FULL_DISK,
            PULLED_OUT,
            "The PIN is forgotten: ask whoever looks after this device. The lock screen says what they can do.",
            "If what is saved is encrypted, the recovery code opens it.",
            "Something unexpected happened: the log file says more. It is in the app's data folder, under log.",
        ),
    ),
)
FOR_ABNORMALITIES: Final[dict[str, str]] = {
    FOR_DXA: (
        "This app looks at an X-ray film and says whether to have it read first. It helps trained staff who see the "
        "film themselves."
    ),
    ONLY_DXA: (
        "It is not a diagnosis. Only a reader of the film and an examination of the patient can tell. No answer of "
        "this app rules out a fracture or any other abnormality."
    ),
    COLOURS: (
        "The colours on the film show where the model found signs for its answer. They are no outline of a fracture "
        "or a disease, and they may be wrong."
    ),
    ABOUT_OST: "",
    REJECTED: ("A film is rejected: choose a film of a bone that the model knows, as it came from the X-ray machine."),
}
"""What is said of abnormalities instead; nothing for ""."""
ABOUT_TITLE: Final = "About this program"
VERSION_LINE: Final = "osteo-edge {version}, a research prototype under the Apache License 2.0."
DATA_FOLDER_LINE: Final = "Its data folder on this device: {folder}"


def about(section: Section, findings: Collection[Finding]) -> Section:
    """The section as it is for a model that looks for `findings`: of both, what holds for each.

    >>> about(Section("When something fails", (REJECTED, FULL_DISK)), ["abnormality"]).paragraphs[1] == FULL_DISK
    True
    """
    paragraphs: dict[str, None] = {}
    for paragraph in section.paragraphs:
        if "density" in findings or paragraph not in FOR_ABNORMALITIES:
            paragraphs[paragraph] = None
        if "abnormality" in findings and paragraph in FOR_ABNORMALITIES:
            paragraphs[FOR_ABNORMALITIES[paragraph]] = None
    return Section(section.title, tuple(paragraph for paragraph in paragraphs if paragraph))


def sections_after(findings: Collection[Finding]) -> tuple[Section, ...]:
    """What stands below the answers, as in `about`; DXA results are for answers about bone density alone."""
    wanted = (section for section in AFTER_THE_ANSWERS if "density" in findings or section is not DXA_RESULTS)
    return tuple(about(section, findings) for section in wanted)


def on_a_phone(section: Section) -> Section:
    """The section without what a phone has not: sticks, and folders that can be looked into.

    >>> FULL_DISK in on_a_phone(Section("When something fails", (FULL_DISK, PULLED_OUT))).paragraphs
    False
    """
    kept = (paragraph for paragraph in section.paragraphs if paragraph not in NOT_ON_A_PHONE)
    return Section(section.title, tuple(INSTEAD_ON_A_PHONE.get(paragraph, paragraph) for paragraph in kept))
