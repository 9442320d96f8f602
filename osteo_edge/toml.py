"""Read a TOML file of settings."""

import sys
from pathlib import Path
from typing import Any

from osteo_edge.errors import OsteoEdgeError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def read_toml(path: Path) -> dict[str, Any]:
    """The file's content; `OsteoEdgeError` if it cannot be read or is no TOML."""
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise OsteoEdgeError(f"{path}: cannot be read ({error.strerror or error}); give another --config") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OsteoEdgeError(f"{path}: is no TOML ({error}); correct it there") from error
