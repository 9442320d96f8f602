"""What a person needs to know of a bundle to choose it, from its manifest."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from osteo_edge.answers import questions_to
from osteo_edge.bundle import read_manifest
from osteo_edge.edge_app.demo_bundle import is_demo
from osteo_edge.errors import BundleError
from osteo_edge.hashing import sha256_file
from osteo_edge.manifest import FILE_NAME, Manifest, Metric, Precision

ID_DIGITS: Final = 12
TITLE_DIGITS: Final = 8
MAX_LETTERS: Final = 80

Check = Literal["passed", "failed", "not judged"]


@dataclass(frozen=True)
class Figure:
    """A measure on the test part of the data, with its interval, n, and the words of the part."""

    measure: str
    metric: Metric


@dataclass(frozen=True)
class Model:
    """A bundle in words and numbers. `check` is that after its conversion; `figures` are empty where none is recorded.

    `id` tells bundles apart whose names and versions are the same: it is of their content.
    """

    id: str
    path: Path
    name: str
    version: str
    intended_use: str
    label_source: str
    precision: Precision
    size_bytes: int
    check: Check
    figures: tuple[Figure, ...]
    is_demo: bool

    @property
    def title(self) -> str:
        return f"{self.name} {self.version}"


def describe(path: Path) -> Model:
    """Describe the bundle in `path`; only its manifest is read, nothing is verified. Raises `BundleError`."""
    manifest = read_manifest(path)
    try:
        names = (FILE_NAME, manifest.model.file, *manifest.files)
        size_bytes = sum((path / name).stat().st_size for name in names)
        identity = identity_of(path, manifest)
    except OSError as error:
        raise BundleError(f"{error.filename or path}: cannot be read ({error.strerror or error})") from error
    return Model(
        id=identity,
        path=path,
        name=_one_line(manifest.name),
        version=_one_line(manifest.version),
        intended_use=manifest.intended_use,
        label_source=_one_line(manifest.data.label_source),
        precision=manifest.model.precision,
        size_bytes=size_bytes,
        check=_check(manifest),
        figures=figures_of(manifest),
        is_demo=is_demo(manifest),
    )


def identity_of(path: Path, manifest: Manifest) -> str:
    """The bundle's name in plain letters and the start of its manifest's SHA-256, which stands for all its files."""
    plain = re.sub(r"[^a-z0-9]+", "-", manifest.name.lower()).strip("-")[:40].strip("-") or "model"
    return f"{plain}-{sha256_file(path / FILE_NAME)[:ID_DIGITS]}"


def figures_of(manifest: Manifest) -> tuple[Figure, ...]:
    """AUROC of the first question, sensitivity and specificity on all of the test part, as far as they are recorded."""
    question, *_ = questions_to(manifest)
    measured = {
        name.removesuffix(", test"): metric
        for name, metric in manifest.metrics.items()
        if metric.part.partition(",")[0] == "test"
    }
    wanted = (f"AUROC {question.name}", "sensitivity", "specificity")
    return tuple(Figure(measure, measured[measure]) for measure in wanted if measure in measured)


def titles(models: Iterable[Model]) -> dict[str, str]:
    """What to call each model in a list, by id: name and version, and where that is not enough its hash."""
    models = tuple(models)
    called = [model.title for model in models]
    return {
        model.id: model.title if called.count(model.title) == 1 else f"{model.title} ({_digits(model)})"
        for model in models
    }


def _one_line(text: str) -> str:
    """Whoever wrote the manifest, the list stays a list."""
    return " ".join(text.split())[:MAX_LETTERS]


def _digits(model: Model) -> str:
    return model.id.rpartition("-")[2][:TITLE_DIGITS]


def _check(manifest: Manifest) -> Check:
    passed = None if manifest.parity is None else manifest.parity.passed
    return "not judged" if passed is None else "passed" if passed else "failed"
