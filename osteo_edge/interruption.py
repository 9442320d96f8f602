"""Ctrl-C that does not get lost.

Python raises `KeyboardInterrupt` wherever it happens to be, and in some places nobody catches it: in a finalizer, or in
the callback of a weak reference, of which each import has one, it is printed or dropped, and the program goes on. So it
is noted too, and long work, which reports its progress, is ended at its next report.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_noted = threading.Event()


@contextmanager
def interruption_noted() -> Iterator[None]:
    """Note each Ctrl-C while the block runs, and raise it as ever. A program that ignores Ctrl-C goes on to do so."""
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    _noted.clear()
    signal.signal(signal.SIGINT, _note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _noted.clear()


def raise_lost_interruption() -> None:
    """Raise `KeyboardInterrupt`, once, if there was a Ctrl-C that has not ended the work."""
    if _noted.is_set():
        _noted.clear()
        raise KeyboardInterrupt


def interruption_taken() -> None:
    """To be called by what catches `KeyboardInterrupt` and goes on: that one is not lost."""
    _noted.clear()


def _note(number: int, frame: object) -> None:
    _noted.set()
    raise KeyboardInterrupt
