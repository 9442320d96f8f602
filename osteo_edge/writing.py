"""Write a file whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.targets import place_of


def write_whole(path: Path, data: bytes, what: str) -> Path:
    """Write a file in one step, its folder too; `OsteoEdgeError` if `what` ("the report") cannot be written."""
    with replacing(path, what) as partial:
        partial.write_bytes(data)
    return path


@contextmanager
def replacing(path: Path, what: str) -> Iterator[Path]:
    """A file beside `path` to write to, which takes its place when the block ends; one that raises leaves nothing.

    For what is too large to be held in memory. Of a link the file that it leads to is replaced. An `OSError` of the
    block becomes an `OsteoEdgeError` about `what`, and so does a device or pipe that is there.
    """
    partial = None
    try:
        place = place_of(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        partial = place.with_name(f".{place.name}.{uuid4().hex}.partial")  # of its own: two may write at once
        yield partial
        partial.replace(place)
    except OSError as error:
        reason = error.strerror or error
        raise OsteoEdgeError(f"{path}: {what} cannot be written ({reason}); choose another place") from error
    finally:
        if partial is not None:
            with suppress(OSError):
                partial.unlink()
