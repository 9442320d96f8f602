"""The targets by name, and their corpus."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

TARGETS = (
    "images",
    "plain_images",
    "dicom",
    "lossless_jpeg",
    "manifest",
    "bundle",
    "signature",
    "statistics",
    "kit",
    "packages",
    "backup",
    "model_zip",
)
CORPUS = Path(__file__).with_name("corpus")
SHARED = {"plain_images": "images"}
"""Targets that begin with another one's files."""


class Target(Protocol):
    """A module of `tests.fuzz.targets`: what reads bytes, and the bytes that its corpus is made of."""

    def read(self, data: bytes) -> object: ...

    def seeds(self) -> Iterator[bytes]: ...


def target(name: str) -> Target:
    return cast(Target, import_module(f"tests.fuzz.targets.{name}"))


def corpus_folder(name: str) -> Path:
    return CORPUS / SHARED.get(name, name)


def corpus(name: str) -> list[bytes]:
    """The files of a target's corpus, in order of their names."""
    return [path.read_bytes() for path in sorted(corpus_folder(name).iterdir())]
