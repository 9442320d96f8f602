"""The bundle that the app opens on where no other is installed: it has learned from drawn films (phantoms) only."""

from pathlib import Path
from typing import Final

from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.manifest import Manifest
from osteo_edge.wording import PHANTOM_USE

FOLDER: Final = Path(__file__).with_name("demo_bundle")
PHANTOM: Final = "phantom"


def demo_bundle() -> Bundle:
    """The bundle in the package, verified: int8, trained from scratch; `BundleError` if a file of it was altered."""
    return read_bundle(FOLDER)


def is_demo(manifest: Manifest) -> bool:
    """Whether the model has learned from drawn films, whoever made the bundle: `demo_mark.MARK` is then to be shown."""
    return manifest.data.label_source.strip().casefold() == PHANTOM or manifest.intended_use == PHANTOM_USE
