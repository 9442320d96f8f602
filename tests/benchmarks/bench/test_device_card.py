"""The device card: what stands on it, what must not, and the command with a real measurement."""

import json
import platform
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.benchmarks.bench.device_card import KIND, DeviceCard, card_of
from osteo_edge.benchmarks.measuring.results import Energy, MachineState, Report
from osteo_edge.bundle import Bundle
from osteo_edge.cli import run
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.strict import from_dict, to_dict


@pytest.fixture
def card(golden_report: Report, bundle: Bundle) -> Callable[..., DeviceCard]:
    """The card of the golden report's first variant, with changes to its machine or measurement."""

    def make(*, told: bool = True, own_film: bool = False, machine: Any = None, **changes: Any) -> DeviceCard:
        first = replace(golden_report.measurements[0], **changes)
        report = replace(golden_report, measurements=(first,), machine=machine or golden_report.machine)
        return card_of(report, bundle, throttling_is_told=told, is_own_film=own_film)

    return make


def rows(text: str) -> dict[str, str]:
    """The table's second column by its first."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return {key.strip(): value.strip() for key, value in (line.strip("|").split("|") for line in lines[2:])}


def state(report: Report, **changes: Any) -> MachineState:
    return replace(report.machine.before, **changes)


def test_the_card_is_a_table_of_markdown_with_columns_filled_up(card: Callable[..., DeviceCard]) -> None:
    lines = [line for line in card().to_markdown().splitlines() if line.startswith("|")]
    assert {len(line) for line in lines} == {len(lines[0])}
    assert {line.count("|") for line in lines} == {3}
    assert list(rows(card().to_markdown())) == [
        "Board and processor",
        "System",
        "Python, runtime",
        "Bundle",
        "Input, threads",
        "Inference, median",
        "Inference, 95 of 100 below",
        "Runs, processes",
        "Cold start, file to answer",
        "Peak memory",
        "Temperature",
        "Clock",
        "Throttled",
        "Power",
        "Stable",
        "Measured",
    ]


def test_a_card_comes_back_from_json_as_it_was(card: Callable[..., DeviceCard]) -> None:
    made = card()
    assert from_dict(DeviceCard, json.loads(json.dumps(to_dict(made)))) == made
    assert made.kind == KIND


def test_what_a_pi_tells_is_on_the_card(card: Callable[..., DeviceCard], golden_report: Report) -> None:
    before = state(golden_report, temperature_c=48.2, clock_mhz=1800.0, throttling=("under-voltage since boot",))
    after = state(
        golden_report,
        temperature_c=71.9,
        clock_mhz=1500.0,
        throttling=("throttled now", "under-voltage since boot", "throttled since boot"),
    )
    machine = replace(golden_report.machine, before=before, after=after, governor="ondemand")
    used = Energy("PMIC", 60.0, 2.5, runs=1000, seconds=10.0)
    shown = rows(card(machine=machine, energy=used).to_markdown())
    assert shown["Temperature"] == "48 °C before, 72 °C after"
    assert shown["Clock"] == "1800 MHz before, 1500 MHz after, governor ondemand"
    assert shown["Throttled"] == "throttled now; throttled since boot"
    assert shown["Power"] == "2.50 W idle, 6.00 W while it infers (PMIC)"


def test_what_is_not_known_is_not_made_up(card: Callable[..., DeviceCard], golden_report: Report) -> None:
    silent = state(golden_report, temperature_c=None, clock_mhz=None, throttling=())
    machine = replace(golden_report.machine, before=silent, after=silent, governor=None)
    shown = rows(card(told=False, machine=machine, energy=None, memory=None, stages=None).to_markdown())
    for what in ("Temperature", "Clock", "Throttled"):
        assert shown[what] == "not told by this machine"
    for what in ("Power", "Peak memory", "Cold start, file to answer"):
        assert shown[what] == "not measured"
    assert rows(card(machine=machine).to_markdown())["Throttled"] == "no"


def test_a_doubt_stands_below_the_table(card: Callable[..., DeviceCard]) -> None:
    text = card(unstable=("busy: a load of 3.0 on 2 cores before it began",)).to_markdown()
    assert rows(text)["Stable"] == "no, as told below"
    assert text.endswith("\nNot stable: busy: a load of 3.0 on 2 cores before it began.\n")
    assert rows(card(unstable=None).to_markdown())["Stable"] == "yes"


def test_the_card_tells_neither_paths_nor_films(
    card: Callable[..., DeviceCard], golden_report: Report, bundle: Bundle
) -> None:
    first = golden_report.measurements[0]
    assert first.stages is not None
    made = card(
        own_film=True,
        stages=replace(first.stages, image="/home/anna/Doe^Jane.dcm"),
        variant=replace(first.variant, bundle="/home/anna/knee-int8", name="anna"),
    )
    for text in (made.to_markdown(), json.dumps(to_dict(made))):
        assert "anna" not in text
        assert "Jane" not in text
        assert str(bundle.path.parent) not in text
        assert platform.node() not in text


def test_there_is_no_card_without_a_latency(card: Callable[..., DeviceCard]) -> None:
    with pytest.raises(OsteoEdgeError, match="no device card without a latency"):
        card(latency=None)


@pytest.mark.slow
def test_a_card_is_measured_printed_and_written(
    bundle: Bundle, film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "cards" / "card.md"
    words = ["bench", str(bundle.path), "--device-card", "--quick", "--budget-min", "0.05", "--threads", "1"]
    assert run([*words, "--image", str(film), "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert printed.out == out.read_text("utf-8")
    shown = rows(printed.out)
    assert bundle.manifest.model.sha256[:12] in shown["Bundle"]
    assert shown["Input, threads"] == "32 x 32 x 3, 1 thread"
    assert shown["Python, runtime"].startswith(f"Python {platform.python_version()}, LiteRT ")
    assert shown["Inference, median"].endswith("] ms")
    assert "a film of the user's" in shown["Cold start, file to answer"]
    assert shown["Measured"].endswith("QUICK: to look, not to quote")
    assert film.name not in printed.out
    assert "Traceback" not in printed.err


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--peers", "openvino"), "--peers is for the report"),
        (("--compare", "old.json"), "--compare is for the report"),
        (("--tune",), "--tune is for the report"),
        (("--part", "test"), "--part is for the report"),
        (("other",), "a card is of one bundle"),
        (("--threads", "1,2"), "a card is of one number of threads"),
    ],
)
def test_what_a_card_has_no_room_for_is_a_usage_error(
    bundle: Bundle, options: tuple[str, ...], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bench", str(bundle.path), "--device-card", *options]) == 2
    assert problem in capsys.readouterr().err


def test_a_card_that_cannot_be_written_is_refused_before_anything_is_measured(
    bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("measured")

    monkeypatch.setattr("osteo_edge.benchmarks.bench.device_card_command.run_benchmark", never)
    assert run(["bench", str(bundle.path), "--device-card", "--out", str(tmp_path)]) == 1
    assert "is a folder, and the card is a file" in capsys.readouterr().err


def test_a_card_of_no_bundle_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", str(tmp_path / "none"), "--device-card"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
