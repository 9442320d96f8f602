import json

import pytest

from osteo_edge.console import progress, show_json, show_table


def test_json_has_null_for_nan_at_any_depth(capsys: pytest.CaptureFixture[str]) -> None:
    nan = float("nan")
    show_json({"a": nan, "b": [1.5, nan, {"c": (nan, "é")}]})
    printed = capsys.readouterr().out
    assert json.loads(printed) == {"a": None, "b": [1.5, None, {"c": [None, "é"]}]}
    assert "é" in printed


def test_json_on_one_line_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    show_json({"a": "line\nbreak"}, indent=None)
    assert capsys.readouterr().out.count("\n") == 1


def test_infinity_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="JSON"):
        show_json(float("inf"))


def test_a_table_shows_every_cell_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    show_table("Title [bold]", ("A [i]", "B"), [("[red]x[/red]", "1"), ("y", "2")])
    printed = capsys.readouterr().out
    for text in ("Title [bold]", "A [i]", "[red]x[/red]", "y", "2"):
        assert text in printed


def test_progress_is_silent_where_nobody_watches(capfd: pytest.CaptureFixture[str]) -> None:
    with progress("working") as advance:
        advance(1, 3)
        advance(2, 3, "a note", stage="another stage")
    assert capfd.readouterr() == ("", "")
