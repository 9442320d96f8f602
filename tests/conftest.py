"""Fixtures that several folders share."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture
def shared_data() -> Path:
    """The folder of real files, which no machine needs to have: OSTEO_EDGE_DATA, or ../shared/data."""
    folder = Path(os.environ.get("OSTEO_EDGE_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}: set OSTEO_EDGE_DATA")
    return folder
