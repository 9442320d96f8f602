"""The bones that a model tells apart, and its labels for them, in the user's language.

Both are words of the model: those that are known here have a translation, others are shown as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from osteo_edge.edge_app.history.entry import Entry
from osteo_edge.edge_app.long_texts import shortened
from osteo_edge.edge_app.translation import Translate

if TYPE_CHECKING:
    from osteo_edge.manifest import Manifest

BONES: Final[dict[str, str]] = {
    "elbow": "elbow",
    "finger": "finger",
    "forearm": "forearm",
    "hand": "hand",
    "humerus": "humerus",
    "shoulder": "shoulder",
    "wrist": "wrist",
    "knee": "knee",
}
"""Messages, as those below."""
FINDINGS_OF_BONES: Final[dict[str, str]] = {
    "abnormal": "abnormal",
    "osteopenia": "osteopenia",
    "osteoporosis": "osteoporosis",
}
BONE: Final = "Bone: {bone}"
MAX_BONE: Final = 40


def bone_words(entry: Entry, translate: Translate) -> str:
    """Which bone the film was answered for; "" of a model that does not tell bones apart."""
    if entry.bone is None:
        return ""
    return translate(BONE).format(bone=bone_name(entry.bone, translate))


def bone_name(bone: str, translate: Translate) -> str:
    """A bone as it is shown.

    >>> bone_name("elbow", str), bone_name("hip", str)
    ('elbow', 'hip')
    """
    return translate(BONES.get(bone, shortened(bone, MAX_BONE)))


def bones_of(manifest: Manifest) -> tuple[str, ...]:
    """The bones that a model tells apart, as it calls them; none of a model of one question."""
    return () if manifest.router is None else tuple(head.bone for head in manifest.router.heads)


def label_words(label: str, translate: Translate) -> str:
    """A label as it is shown: bone and finding side by side, since a bone has its gender in many languages.

    >>> label_words("elbow abnormal", str), label_words("osteopenia", str), label_words("any finding", str)
    ('elbow: abnormal', 'osteopenia', 'any finding')
    """
    bone, finding = split_label(label)
    shown = translate(FINDINGS_OF_BONES.get(finding, finding))
    return shown if bone is None else f"{translate(BONES[bone])}: {shown}"


def split_label(label: str) -> tuple[str | None, str]:
    """The bone that a label begins with, None where it begins with none, and what the label says of it.

    >>> split_label("knee osteoporosis"), split_label("osteoporosis")
    (('knee', 'osteoporosis'), (None, 'osteoporosis'))
    """
    bone, _, finding = label.partition(" ")
    return (bone, finding) if bone in BONES and finding else (None, label)
