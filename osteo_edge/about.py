"""What a bundle cannot know of its model, and whoever answers for it can say: read from a TOML file."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.strict import FieldError, from_dict
from osteo_edge.toml import read_toml

MAX_LETTERS: Final = 2000
ASKED: Final[dict[str, str]] = {
    "manufacturer": "who answers for it",
    "contact": "whom to tell of a fault",
    "regulatory_status": "where it is cleared or approved as a medical device",
    "users": "who is to use it, with what training",
    "environment": "where it is to be used",
    "patients": "for which patients it is, and for which not",
    "workflow": "when in the work its answer is seen, and who decides",
    "equipment": "whose X-ray machines its films came from",
    "data_source": "where and when the films of its data set were taken, and where they can be had",
    "demographics": "age, sex and origin of the people in its data set",
    "reference_standard": "how the labels were decided, and how far readers agreed",
    "clinical_validation": "how it did at sites that it has not learned from",
    "risk_management": "which risks were weighed, and which remain",
    "update_plan": "which changes are planned, and how they will be checked",
    "monitoring_plan": "who watches how it does in use, and what happens if it does worse",
    "authors": "who made it",
    "copyright": "whose it is",
    "licence": "under which licence it, and the films that it learned from, may be used",
    "references": "what was published on it",
    "changelog": "what changed from version to version",
}
"""What is asked about a model, by the name of the field that answers it."""


def _texts(value: str | tuple[str, ...] | dict[str, str] | None) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    return tuple(value.values() if isinstance(value, dict) else value) or ("",)


@dataclass(frozen=True)
class About:
    """What someone says of a model, taken as it is; None for what nobody said. `ASKED` tells what each is.

    `changelog` is by version.
    """

    manufacturer: str | None = None
    contact: str | None = None
    regulatory_status: str | None = None
    users: str | None = None
    environment: str | None = None
    patients: str | None = None
    workflow: str | None = None
    equipment: str | None = None
    data_source: str | None = None
    demographics: str | None = None
    reference_standard: str | None = None
    clinical_validation: str | None = None
    risk_management: str | None = None
    update_plan: str | None = None
    monitoring_plan: str | None = None
    authors: str | None = None
    copyright: str | None = None
    licence: str | None = None
    references: tuple[str, ...] | None = None
    changelog: dict[str, str] | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            for text in _texts(getattr(self, field.name)):
                if not text.strip():
                    raise ValueError(f"{field.name} must say something; leave out what is not known")
                if len(text) > MAX_LETTERS:
                    raise ValueError(f"{field.name} must have at most {MAX_LETTERS:,} letters, not {len(text):,}")

    def said(self, name: str) -> str | None:
        """What was said on one field, on a single line; None where nothing was.

        >>> About(users="Radiographers,\\n  two days of training").said("users")
        'Radiographers, two days of training'
        """
        value = getattr(self, name)
        if value is None:
            return None
        if isinstance(value, dict):
            return _line("; ".join(f"{version}: {change}" for version, change in value.items()))
        return _line(value if isinstance(value, str) else "; ".join(value))

    @property
    def unsaid(self) -> tuple[str, ...]:
        """The fields on which nothing was said."""
        return tuple(name for name in ASKED if getattr(self, name) is None)


NOTHING_SAID: Final = About()


def read_about(path: Path) -> About:
    """Read a statement about a model; `OsteoEdgeError` names the field that is not as it should be."""
    try:
        return from_dict(About, read_toml(path))
    except FieldError as error:
        raise OsteoEdgeError(f"{path}: {error}; it may have: {', '.join(ASKED)}") from error


def _line(text: str) -> str:
    return " ".join(text.split())
