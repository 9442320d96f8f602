import os
import sys

import pytest

from osteo_edge.quiet import native_messages_held


def test_what_native_code_writes_is_held_back_and_later_words_are_not(capfd: pytest.CaptureFixture[str]) -> None:
    print("before", file=sys.stderr)  # noqa: T201
    with native_messages_held():
        os.write(2, b"INFO: Created delegate\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "before\nafter\n"


def test_an_error_inside_gets_out_and_standard_error_is_back(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyError), native_messages_held():
        raise KeyError
    os.write(2, b"heard\n")
    assert capfd.readouterr().err == "heard\n"


def test_no_file_descriptor_is_lost() -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for _ in range(5):
        with native_messages_held():
            pass
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
