"""Where things are on the phone."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import osteo_edge

APP: Final = Path(osteo_edge.__file__).resolve().parents[1]
"""The folder that python-for-android unpacks the app into, with main.py; replaced at every update of the app."""


@dataclass(frozen=True)
class Places:
    """Where things are on the phone: the unpacked app, and the folder of its private files."""

    app: Path
    private: Path

    @property
    def bundle(self) -> Path:
        """The bundle that the app comes with."""
        return self.app / "bundle"

    @property
    def expected(self) -> Path:
        """What that bundle answered where the app was staged."""
        return self.app / "expected.json"

    @property
    def trusted_keys(self) -> Path:
        """Whose models alone may be used; there is none such folder where any may."""
        return self.app / "trusted-keys"

    @property
    def data(self) -> Path:
        """What the clinic must not lose; an update of the app leaves it alone."""
        return self.private / "osteo-edge"

    @property
    def cache(self) -> Path:
        return self.private / "cache"

    @property
    def temporary(self) -> Path:
        """Emptied at every start."""
        return self.private / "tmp"

    def make_ready(self) -> None:
        """Make the folders, and say in the environment where they are, which Android does not.

        No other process is to try a model out first: none can be started with a Python here.
        """
        shutil.rmtree(self.temporary, ignore_errors=True)
        for folder in (self.temporary, self.cache, self.data):
            folder.mkdir(parents=True, exist_ok=True)
        os.environ |= {
            "HOME": str(self.private),
            "TMPDIR": str(self.temporary),
            "XDG_CACHE_HOME": str(self.cache),
            "XDG_DATA_HOME": str(self.private),
            "OSTEO_EDGE_PREFLIGHT": "0",
        }
        if self.trusted_keys.is_dir():
            os.environ["OSTEO_EDGE_TRUSTED_KEYS"] = str(self.trusted_keys)
        tempfile.tempdir = None  # to be found anew


def places_here() -> Places:
    """The places that python-for-android tells."""
    return Places(APP, Path(os.environ.get("ANDROID_PRIVATE", APP.parent)))
