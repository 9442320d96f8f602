"""What reaches the phone's system log, and what must not: the names of films, of patients."""

import io
import logging
import sys
import threading
import warnings
from contextlib import redirect_stderr
from pathlib import Path

import pytest

from osteo_edge.edge_app.android.system_log import MAX_CAUSES, private_output, trace
from osteo_edge.edge_app.log_file import log_to, stop_logging

SECRET = "Jane Doe"


@pytest.fixture
def system_log() -> io.StringIO:
    return io.StringIO()


def fail() -> None:
    raise KeyError(f"/films/{SECRET}.dcm")


def test_only_what_is_told_and_places_reach_it_and_the_log_file_has_the_sentence(
    system_log: io.StringIO, tmp_path: Path
) -> None:
    handler = log_to(tmp_path / "app.log")
    try:
        with redirect_stderr(system_log), private_output() as tell:
            tell("osteo-edge: starting")
            sys.stdout.write(f"looks at {SECRET}\n")
            sys.stderr.write(f"complains of {SECRET}\n")
            logging.getLogger("osteo_edge.films").warning("%s cannot be read", SECRET)
            try:
                fail()
            except KeyError:
                logging.getLogger("osteo_edge.jobs").exception("a job failed: %s", SECRET)
            logging.getLogger("osteo_edge.films").info("%s", SECRET)
            warnings.showwarning(SECRET, UserWarning, "films.py", 7)
    finally:
        stop_logging(handler)
    assert SECRET not in system_log.getvalue()
    first, second, third = system_log.getvalue().splitlines()
    assert first == "osteo-edge: starting"
    assert second.startswith("osteo-edge: WARNING osteo_edge.films at test_system_log.py:")
    assert ": KeyError at test_system_log.py:" in third
    log = (tmp_path / "app.log").read_text("utf-8")
    assert "… cannot be read" in log
    assert "a job failed: …" in log
    assert SECRET not in log
    assert logging.raiseExceptions


@pytest.mark.filterwarnings("error")
def test_an_error_that_ends_a_thread_is_in_the_log_file_without_its_words(
    system_log: io.StringIO, tmp_path: Path
) -> None:
    handler, before = log_to(tmp_path / "app.log"), threading.excepthook
    try:
        with redirect_stderr(system_log), private_output():
            thread = threading.Thread(target=fail, name="camera")
            thread.start()
            thread.join()
    finally:
        stop_logging(handler)
    assert threading.excepthook is before
    assert "KeyError at test_system_log.py:" in system_log.getvalue()
    assert SECRET not in system_log.getvalue()
    log = (tmp_path / "app.log").read_text("utf-8")
    assert "KeyError" in log
    assert SECRET not in log


def test_a_log_that_cannot_be_written_does_not_log_about_that(system_log: io.StringIO, tmp_path: Path) -> None:
    handler = log_to(tmp_path / "app.log")
    handler.stream.close()  # type: ignore[attr-defined]
    try:
        with redirect_stderr(system_log), private_output() as tell:
            sys.stderr.write(f"{SECRET}\n")
            tell("osteo-edge: going on")
    finally:
        logging.getLogger("osteo_edge").removeHandler(handler)
    assert system_log.getvalue() == "osteo-edge: going on\n"


def test_a_trace_names_kinds_and_places_and_no_words() -> None:
    try:
        try:
            fail()
        except KeyError as error:
            raise ValueError(SECRET) from error
    except ValueError as error:
        told = trace(error)
    assert SECRET not in told
    outer, inner = told.split("; ")
    assert outer.startswith("ValueError at test_system_log.py:")
    assert inner.startswith("KeyError at test_system_log.py:")
    assert inner.count(" < ") == 1
    assert trace(SystemExit(3)) == "SystemExit"


def test_a_trace_of_errors_that_cause_each_other_and_of_many_ends() -> None:
    one, other = ValueError(), KeyError()
    one.__cause__, other.__cause__ = other, one
    assert trace(one) == "ValueError; KeyError"
    last = OSError()
    for _ in range(5000):
        following = OSError()
        following.__context__, last = last, following
    assert trace(last).count("OSError") == MAX_CAUSES
