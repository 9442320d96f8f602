import doctest
import math
import re
from dataclasses import replace

import pytest

from osteo_edge.benchmarks.measuring.results import Report
from osteo_edge.benchmarks.report import markdown, quantities, rows, standings
from osteo_edge.benchmarks.report.quantities import (
    DASH,
    change,
    duration,
    milliseconds_with_interval,
    percent_with_interval,
    score,
    three_digits,
)
from osteo_edge.benchmarks.report.tables import energy
from osteo_edge.intervals import Estimate


@pytest.mark.parametrize("module", [markdown, quantities, rows, standings], ids=lambda module: str(module.__name__))
def test_the_examples_hold(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        (Estimate(4.1234, 3.9, 4.4, 9), "4.12 [3.90, 4.40] ms"),
        (Estimate(4.1234, 4.12, 4.13, 9), "4.123 [4.120, 4.130] ms"),
        (Estimate(151.26, 140.0, 160.0, 9), "151 [140, 160] ms"),
        (Estimate(151.26, 151.0, 151.9, 9), "151.3 [151.0, 151.9] ms"),
        (Estimate(0.05, math.nan, math.nan, 1), "0.0500 ms"),
    ],
)
def test_a_median_has_the_digits_that_its_interval_warrants(found: Estimate, shown: str) -> None:
    assert milliseconds_with_interval(found).replace("\N{NO-BREAK SPACE}", " ") == shown


@pytest.mark.parametrize("value", [99.6, 199.9, 999.7, 1234.0, 999_700.0, 5e6])
def test_no_quantity_is_a_power_of_ten(value: float, golden_report: Report) -> None:
    first = golden_report.measurements[0]
    assert first.energy is not None
    used = replace(first.energy, millijoules=value, idle_watts=value)
    (row,) = energy(replace(golden_report, measurements=(replace(first, energy=used),))).rows
    for words in (*row, duration(value), three_digits(value)):
        assert not re.search(r"e[+-]\d", words), words


@pytest.mark.parametrize("show", [score, change, percent_with_interval])
def test_what_is_not_defined_is_a_dash(show: object) -> None:
    assert callable(show)
    assert show(Estimate(math.nan, math.nan, math.nan, 3)) == DASH
