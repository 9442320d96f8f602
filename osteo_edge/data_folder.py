"""Where a user's data lie, and those of the services of a device."""

import os
from pathlib import Path
from typing import Final

SERVICES: Final = "var/lib/osteo-edge"
"""Below "/": the data of the watched folder and of the app over the whole screen, where they run as services."""


def default_data_folder() -> Path:
    """The user's data folder after the XDG Base Directory Specification 0.8."""
    given = os.environ.get("XDG_DATA_HOME", "")
    base = Path(given) if Path(given).is_absolute() else Path.home() / ".local" / "share"
    return base / "osteo-edge"
