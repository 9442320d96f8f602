"""Install what somebody has pointed at: a bundle, its manifest, or a stick on which there are some."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from osteo_edge.edge_app.models.description import Model, describe
from osteo_edge.edge_app.models.store import Installed, ModelStore
from osteo_edge.edge_app.models.transfer import find_bundles
from osteo_edge.errors import BundleError

COPYING: Final = "The model is being copied…"
CHECKING: Final = "The model is being checked…"
"""Messages to be translated."""

Report = Callable[[float | None, str], None]
"""Is told the share that is done, None where that is not known, and what is being done; what it raises ends it."""


def bring(
    store: ModelStore, place: Path, report: Report = lambda share, message: None
) -> Installed | tuple[Model, ...]:
    """Install the bundle in `place`; where there are several in it, they are given back to choose from.

    Raises as `ModelStore.install`, and `BundleError` where there is none.
    """
    folder = place if place.is_dir() else place.parent
    report(None, CHECKING)
    found = find_bundles(folder)
    if folder in found:
        return _install(store, folder, report)
    usable = tuple(_described(found))
    if len(usable) == 1:
        return _install(store, usable[0].path, report)
    if not usable:
        if found:
            describe(found[0])  # says what is wrong with it
        raise BundleError(f"{folder}: no model in this folder; choose the folder that holds manifest.json")
    return usable


def _described(found: tuple[Path, ...]) -> list[Model]:
    models = list[Model]()
    for path in found:
        try:
            models.append(describe(path))
        except BundleError:
            continue
    return models


def _install(store: ModelStore, folder: Path, report: Report) -> Installed:
    def copied(share: float) -> None:
        report(*((share, COPYING) if share < 1 else (None, CHECKING)))

    report(0.0, COPYING)
    return store.install(folder, on_progress=copied)
