import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from osteo_edge.benchmarks.bundles.cold_start import cold_start
from osteo_edge.benchmarks.bundles.fidelity import fidelity
from osteo_edge.benchmarks.bundles.map_cost import map_cost
from osteo_edge.benchmarks.bundles.sizes import sizes
from osteo_edge.benchmarks.compression.figures import compression_figures
from osteo_edge.benchmarks.measuring.command import finish
from osteo_edge.benchmarks.measuring.comparison import Check
from osteo_edge.benchmarks.measuring.environment import Environment
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.metrics import Estimate
from osteo_edge.standalone import Standalone


@dataclass(frozen=True)
class Measured:
    environment: Environment
    checks: Sequence[Check]

    def to_dict(self) -> dict[str, Any]:
        return {"values": [1.0, float("nan")]}


def finished(*values: float, load_average: float = 0.0, as_json: bool = False) -> Result:
    checks = [Check("time", Estimate(value, value, value, 3), "at most", 2.0) for value in values]
    measured = Measured(Environment("chip", 2, load_average, "Linux", "3.11", "LiteRT"), checks)

    @click.command(cls=Standalone)
    @click.pass_context
    def command(ctx: click.Context) -> None:
        finish(ctx, measured, as_json=as_json)

    return CliRunner().invoke(command)


def test_kept_bounds_exit_with_0_and_one_missed_bound_with_1() -> None:
    assert finished(1.0, 2.0).exit_code == 0
    missed = finished(1.0, 2.5)
    assert missed.exit_code == 1
    assert [line[:4] for line in missed.output.splitlines()[:2]] == ["PASS", "FAIL"]


def test_figures_of_a_busy_machine_come_with_a_warning() -> None:
    assert "busy" not in finished(1.0).output
    assert "The machine was busy" in finished(1.0, load_average=1.5).output


def test_json_holds_nothing_but_the_result_and_keeps_the_exit_code() -> None:
    result = finished(3.0, as_json=True)
    assert json.loads(result.output) == {"values": [1.0, None]}
    assert result.exit_code == 1


def test_what_a_user_can_mend_is_one_line_and_exit_code_1() -> None:
    @click.command(cls=Standalone)
    def command() -> None:
        raise OsteoEdgeError("knee.png: cannot be read; check the name")

    result = CliRunner().invoke(command)
    assert result.exit_code == 1
    assert result.stderr == "osteo-edge: knee.png: cannot be read; check the name\n"
    assert result.stdout == ""


@pytest.mark.parametrize(
    "command", [cold_start, compression_figures, fidelity, map_cost, sizes], ids=lambda command: str(command.name)
)
def test_every_benchmark_has_help_with_an_example_and_json(command: click.Command) -> None:
    result = CliRunner().invoke(command, ["--help"])
    assert result.exit_code == 0
    assert f"python -m {getattr(command.callback, '__module__', None)} " in result.output
    assert "--json" in result.output


@pytest.mark.parametrize("command", [cold_start, fidelity, map_cost, sizes], ids=lambda command: str(command.name))
def test_a_bundle_that_is_not_there_is_one_line(command: click.Command) -> None:
    places = sum(isinstance(param, click.Argument) for param in command.params)
    result = CliRunner().invoke(command, ["/no/such/bundle"] * places)
    assert result.exit_code == 1
    assert result.stderr.startswith("osteo-edge: /no/such/bundle: no such bundle")
    assert result.stderr.count("\n") == 1
