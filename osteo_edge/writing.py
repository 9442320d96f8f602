"""Write a file whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from osteo_edge.errors import OsteoEdgeError


def write_whole(path: Path, data: bytes, what: str) -> Path:
    """Write a file in one step, its folder too; `OsteoEdgeError` if `what` ("the report") cannot be written."""
    with replacing(path, what) as partial:
        partial.write_bytes(data)
    return path


@contextmanager
def replacing(path: Path, what: str) -> Iterator[Path]:
    """A file beside `path` to write to, which takes its place when the block ends; one that raises leaves nothing.

    For what is too large to be held in memory. An `OSError` of the block becomes an `OsteoEdgeError` about `what`.
    """
    partial = path.with_name(f".{path.name}.{uuid4().hex}.partial")  # of its own: two may write at once
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        partial.replace(path)
    except OSError as error:
        reason = error.strerror or error
        raise OsteoEdgeError(f"{path}: {what} cannot be written ({reason}); choose another place") from error
    finally:
        with suppress(OSError):
            partial.unlink()
