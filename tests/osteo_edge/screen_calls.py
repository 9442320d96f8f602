"""`osteo-edge screen` as its tests call it, and what it printed."""

import json

import pytest

from osteo_edge.cli import run


def screen(*arguments: object) -> int:
    return run(["screen", "--one-process", *map(str, arguments)])


def read_lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def problem_of(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line of an error, without the name of the program."""
    printed = capsys.readouterr()
    (line,) = printed.err.splitlines()
    assert line.startswith("osteo-edge: ")
    return line.removeprefix("osteo-edge: ")
