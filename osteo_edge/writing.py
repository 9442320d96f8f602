"""Write a file whole or not at all."""

from contextlib import suppress
from pathlib import Path

from osteo_edge.errors import OsteoEdgeError


def write_whole(path: Path, data: bytes, what: str) -> Path:
    """Write a file in one step, its folder too; `OsteoEdgeError` if `what` ("the report") cannot be written."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(data)
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        reason = error.strerror or error
        raise OsteoEdgeError(f"{path}: {what} cannot be written ({reason}); choose another place") from error
    return path
