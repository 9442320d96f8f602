"""A film of an archive, and what changes the answers for all of them."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Film:
    """What a film is called in the results, and where it lies."""

    name: str
    path: Path


@dataclass(frozen=True)
class Options:
    """The bone that all films show, if one is named, and what is answered all the same.

    `force` and `any_film` are those of `osteo_edge.screening.screen`; with `maps` the annotated films of positives are
    written.
    """

    bone: str | None = None
    force: bool = False
    any_film: bool = False
    maps: bool = False
