"""What every reader promises of any bytes: a value, or one line for the user; nothing else, whatever the bytes are."""

from collections.abc import Callable

from osteo_edge.errors import OsteoEdgeError

MAX_LETTERS = 2000
"""A line that a user reads; a name or a path may be part of it."""

Read = Callable[[bytes], object]


class BrokenPromiseError(AssertionError):
    """A reader raised what it must not, or said it in a way that no user can read."""


def keep(read: Read, data: bytes) -> bool:
    """Whether `read` takes the bytes; False where it refuses them as it should.

    `BrokenPromiseError` where it does neither.
    """
    try:
        read(data)
    except OsteoEdgeError as error:
        _require_readable(str(error))
        return False
    except Exception as error:
        raise BrokenPromiseError(f"{type(error).__name__}: {error}") from error
    return True


def _require_readable(message: str) -> None:
    """One line of printable text, no longer than somebody would read."""
    if not message.isprintable():
        raise BrokenPromiseError(f"not one line of printable text: {message!r:.300}")
    if len(message) > MAX_LETTERS:
        raise BrokenPromiseError(f"{len(message)} letters in one line: {message:.300}")
