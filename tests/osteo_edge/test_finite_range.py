"""Numbers within bounds: NaN lies within none, and no command takes it."""

from collections.abc import Iterator

import click
import pytest

from osteo_edge.cli import COMMANDS, cli, run
from osteo_edge.finite_range import FiniteRange


def _options() -> Iterator[tuple[str, click.Option]]:
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        commands = command.commands.values() if isinstance(command, click.Group) else (command,)
        for one in commands:
            yield from (
                (f"{name} {option.opts[0]}", option) for option in one.params if isinstance(option, click.Option)
            )


RANGES = {name: option for name, option in _options() if isinstance(option.type, click.FloatRange)}


@pytest.mark.parametrize("text", ["nan", "-NaN", "inf", "-inf", "1e999"])
def test_what_is_not_finite_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="not a finite number"):
        FiniteRange().convert(text, None, None)


@pytest.mark.parametrize(("text", "problem"), [("1.5", "not in the range 0<=x<=1"), ("much", "not a valid float")])
def test_what_click_refuses_is_still_refused(text: str, problem: str) -> None:
    with pytest.raises(click.BadParameter, match=problem):
        FiniteRange(0, 1).convert(text, None, None)


def test_a_number_within_its_bounds_comes_back() -> None:
    assert FiniteRange(0, 1, max_open=True).convert("0.5", None, None) == 0.5
    assert FiniteRange(0, 1, clamp=True).convert("7", None, None) == 1.0


@pytest.mark.parametrize("name", RANGES)
def test_no_option_with_bounds_takes_nan(name: str) -> None:
    option = RANGES[name]
    with pytest.raises(click.BadParameter, match="nan is not a finite number"):
        option.type.convert("nan", option, None)


@pytest.mark.parametrize(
    "words",
    [
        ("train", "films", "--learning-rate", "nan"),
        ("train", "films", "--mixup", "nan"),
        ("prune", "bundle", "films", "--split", "split.csv", "--amount", "nan"),
        ("qat", "bundle", "films", "--split", "split.csv", "--learning-rate", "nan"),
        ("convert", "bundle", "--min-agreement", "nan"),
    ],
)
def test_a_command_that_is_given_nan_reads_nothing_and_says_so(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*words, "--out", "out"]) == 2
    assert "nan is not a finite number" in " ".join(capsys.readouterr().err.split())
