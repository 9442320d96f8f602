import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from osteo_edge.benchmarks.measuring.results import Latency, Measurement, Report, Turn
from osteo_edge.benchmarks.measuring.summaries import summarize
from osteo_edge.benchmarks.report.regressions import Change, Regressions, find_regressions
from osteo_edge.intervals import Estimate

Changed = Callable[..., Report]
IMAGES = "1" * 64


@pytest.fixture
def golden_report(golden_report: Report) -> Report:
    """The golden report, which is of a time when images were not told, with images that are known."""
    measurements = (
        each if each.fidelity is None else replace(each, fidelity=replace(each.fidelity, images_sha256=IMAGES))
        for each in golden_report.measurements
    )
    return replace(golden_report, measurements=tuple(measurements))


@pytest.fixture
def changed(golden_report: Report) -> Changed:
    """The golden report with changes to the facets of its first measurement."""

    def change(**facets: dict[str, Any]) -> Report:
        first = golden_report.measurements[0]
        new = replace(first, **{name: replace(getattr(first, name), **values) for name, values in facets.items()})
        return replace(golden_report, measurements=(new, *golden_report.measurements[1:]))

    return change


def slower(measurement: Measurement, factor: float) -> Measurement:
    assert measurement.latency is not None
    turns = tuple(
        Turn(turn.process, turn.at_s, tuple(run * factor for run in turn.runs_ms)) for turn in measurement.latency.turns
    )
    return replace(measurement, latency=Latency(summarize(turns), turns, ()))


def all_slower(report: Report, factor: float) -> Report:
    return replace(report, measurements=tuple(slower(each, factor) for each in report.measurements))


def of(found: Regressions, quantity: str) -> Change:
    return next(change for change in found.changes if change.quantity == quantity)


def test_a_report_beside_itself_has_no_difference(golden_report: Report) -> None:
    found = find_regressions(golden_report, golden_report)
    assert not found.found
    assert found.of("improvement") == ()
    assert found.of("not comparable") == ()
    assert len(found.of("no difference")) > 15


def test_slower_is_a_regression_and_faster_an_improvement(golden_report: Report) -> None:
    found = find_regressions(golden_report, all_slower(golden_report, 1.3))
    assert [change.variant for change in found.of("regression")] == [
        each.variant.name for each in golden_report.measurements if not each.variant.is_peer
    ]
    assert "1.300 times [" in found.of("regression")[0].note
    again = find_regressions(all_slower(golden_report, 1.3), golden_report)
    assert {change.quantity for change in again.of("improvement")} == {"latency"}
    assert not again.found


def with_yardsticks(report: Report, yardstick_ms: float) -> Report:
    measurements = []
    for each in report.measurements:
        assert each.latency is not None
        turns = tuple(replace(turn, yardstick_ms=yardstick_ms) for turn in each.latency.turns)
        measurements.append(replace(each, latency=replace(each.latency, turns=turns)))
    return replace(report, measurements=tuple(measurements))


def test_a_machine_that_got_slower_itself_is_no_regression(golden_report: Report) -> None:
    then, now = with_yardsticks(golden_report, 0.2), with_yardsticks(all_slower(golden_report, 1.2), 0.24)
    found = of(find_regressions(then, now), "latency")
    assert found.verdict == "no difference"
    assert found.note.endswith("; the machine itself took 1.200 times as long")


def test_a_peer_is_not_judged(golden_report: Report) -> None:
    peers = tuple(each for each in golden_report.measurements if each.variant.is_peer)
    old = replace(golden_report, measurements=peers)
    assert find_regressions(old, all_slower(old, 3.0)).changes == ()
    assert find_regressions(old, replace(old, measurements=())).changes == ()


def test_other_versions_are_named_and_judged(golden_report: Report) -> None:
    machine = replace(golden_report.machine, libraries={"ai-edge-litert": "2.2.0", "numpy": "2.1.0"})
    found = find_regressions(golden_report, all_slower(replace(golden_report, machine=machine), 1.5))
    assert found.version_differences == ("ai-edge-litert was 2.1.0 and is 2.2.0",)
    assert found.found
    assert "  another version: ai-edge-litert was 2.1.0 and is 2.2.0" in list(found.lines())


def test_a_change_within_the_noise_is_no_difference(golden_report: Report) -> None:
    assert not find_regressions(golden_report, all_slower(golden_report, 1.004)).found


def test_times_and_memory_of_another_machine_are_not_judged(golden_report: Report) -> None:
    other = all_slower(replace(golden_report, machine=replace(golden_report.machine, cpu="Cortex-A76")), 3.0)
    found = find_regressions(golden_report, other)
    assert not found.found
    assert found.machine_differences == ("cpu was Example CPU @ 2.40GHz and is Cortex-A76",)
    assert {change.quantity for change in found.of("not comparable")} == {"latency", "peak memory"}
    assert of(found, "model file").verdict == "no difference"
    assert any("another machine" in line for line in found.lines())


def test_unstable_times_are_not_judged(golden_report: Report) -> None:
    new = all_slower(golden_report, 3.0)
    shaken = tuple(replace(each, unstable=("it throttled",)) for each in new.measurements)
    found = find_regressions(golden_report, replace(new, measurements=shaken))
    assert not found.found
    assert "it was not stable now: it throttled" in {change.note for change in found.of("not comparable")}


@pytest.mark.parametrize(
    ("quantity", "facets"),
    [
        ("model file", {"size": {"model_bytes": 2_600_001}}),
        ("gzipped model file", {"size": {"gzip_bytes": 2_080_001}}),
        ("parameters", {"size": {"parameters": 2_260_001}}),
        ("multiply-accumulate operations", {"size": {"macs": 300_700_001}}),
        ("peak memory", {"memory": {"peak_bytes": 56_000_000, "peaks_bytes": (56_000_000,)}}),
    ],
)
def test_one_more_is_a_regression_and_one_less_an_improvement(
    quantity: str, facets: dict[str, Any], golden_report: Report, changed: Changed
) -> None:
    found = find_regressions(golden_report, changed(**facets))
    assert [change.quantity for change in found.of("regression")] == [quantity]
    back = find_regressions(changed(**facets), golden_report)
    assert [change.quantity for change in back.of("improvement")] == [quantity]


def test_some_pages_of_memory_are_chance(golden_report: Report, changed: Changed) -> None:
    found = find_regressions(golden_report, changed(memory={"peak_bytes": 52_000_000, "peaks_bytes": (52_000_000,)}))
    assert not found.found
    assert "up to 5% is chance" in of(found, "peak memory").note


def test_peaks_of_processes_that_overlap_are_chance(changed: Changed) -> None:
    old = changed(memory={"peak_bytes": 50_000_000, "peaks_bytes": (49_000_000, 50_000_000, 58_000_000)})
    new = changed(memory={"peak_bytes": 57_000_000, "peaks_bytes": (49_500_000, 57_000_000, 57_500_000)})
    assert of(find_regressions(old, new), "peak memory").verdict == "no difference"


@pytest.mark.parametrize(("factor", "worse"), [(1.009, False), (1.011, True)])
def test_instructions_may_differ_by_one_percent(
    factor: float, worse: bool, golden_report: Report, changed: Changed
) -> None:
    first = golden_report.measurements[0]
    assert first.instructions is not None
    counted = tuple(replace(each, total=int(each.total * factor)) for each in first.instructions)
    new = replace(golden_report, measurements=(replace(first, instructions=counted), *golden_report.measurements[1:]))
    found = find_regressions(golden_report, new)
    assert [change.quantity for change in found.of("regression")] == (
        ["instructions on cortex-a72 with LiteRT 2.1", "instructions on cortex-a76 with LiteRT 2.1"] if worse else []
    )


@pytest.mark.parametrize(("factor", "worse"), [(1.049, 0), (1.051, 2)])
def test_whole_screenings_may_differ_by_five_percent(factor: float, worse: int, screened_report: Report) -> None:
    first, *others = screened_report.measurements
    assert first.screenings is not None
    dearer = tuple(
        replace(each, cold=replace(each.cold, total=int(each.cold.total * factor))) for each in first.screenings
    )
    found = find_regressions(
        screened_report, replace(screened_report, measurements=(replace(first, screenings=dearer), *others))
    )
    quantities = [change.quantity for change in found.of("regression")]
    assert (
        quantities
        == [
            "instructions of a cold screening of knee.png on cortex-a72 with LiteRT 2.1",
            "instructions of a cold screening of knee.png on cortex-a76 with LiteRT 2.1",
        ][:worse]
    )


def test_a_report_from_before_screenings_were_counted_fails_nothing(
    golden_report: Report, screened_report: Report
) -> None:
    assert not find_regressions(golden_report, screened_report).of("regression")


def test_instructions_are_judged_on_another_machine_too(golden_report: Report) -> None:
    first = golden_report.measurements[0]
    assert first.instructions is not None
    counted = tuple(replace(each, total=2 * each.total) for each in first.instructions)
    machine = replace(golden_report.machine, cpu="Another")
    new = replace(golden_report, machine=machine, measurements=(replace(first, instructions=counted),))
    assert len(find_regressions(golden_report, new).of("regression")) == 2


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        ((0.91, 0.86, 0.94), (0.84, 0.78, 0.88), "regression"),
        ((0.91, 0.86, 0.94), (0.86, 0.80, 0.90), "no difference"),  # one interval without the other value is not enough
        ((0.91, 0.86, 0.94), (0.97, 0.93, 0.99), "improvement"),
        ((0.91, 0.86, 0.94), (0.95, 0.90, 0.98), "no difference"),
        ((1.0, 1.0, 1.0), (0.98, 0.94, 1.0), "no difference"),  # no draw of 120 images gave anything but 1
        ((1.0, 1.0, 1.0), (0.90, 0.84, 0.95), "regression"),
        ((0.98, 0.94, 1.0), (1.0, 1.0, 1.0), "no difference"),
        ((1.0, math.nan, math.nan), (0.98, 0.94, 1.0), "no difference"),
        ((0.95, 0.949, 0.951), (0.9455, 0.9445, 0.9465), "no difference"),  # certain, but nothing
        ((0.95, 0.949, 0.951), (0.9445, 0.9435, 0.9455), "regression"),
        ((math.nan, math.nan, math.nan), (0.98, 0.94, 1.0), "not comparable"),
    ],
)
def test_an_auroc_is_judged_by_both_intervals(
    old: tuple[float, float, float], new: tuple[float, float, float], verdict: str, changed: Changed
) -> None:
    question = "osteopenia or osteoporosis"
    then, now = (changed(fidelity={"aurocs": {question: Estimate(*values, 120)}}) for values in (old, new))
    assert of(find_regressions(then, now), f"AUROC {question}").verdict == verdict


def test_a_certainty_that_is_none_is_not_printed(changed: Changed) -> None:
    perfect = changed(fidelity={"aurocs": {"osteoporosis": Estimate(1.0, 1.0, 1.0, 150)}})
    note = of(find_regressions(perfect, perfect), "AUROC osteoporosis").note
    assert note == "1.000 [0.975, 1.000] to 1.000 [0.975, 1.000]"


def test_a_larger_calibration_error_is_worse(golden_report: Report, changed: Changed) -> None:
    first = golden_report.measurements[0]
    assert first.fidelity is not None
    error = replace(first.fidelity.calibration_error, value=0.2, low=0.16, high=0.25)
    found = find_regressions(golden_report, changed(fidelity={"calibration_error": error}))
    assert [change.quantity for change in found.of("regression")] == ["calibration error"]


def test_other_images_cannot_be_compared(golden_report: Report, changed: Changed) -> None:
    found = find_regressions(golden_report, changed(fidelity={"n": 99}))
    assert "120 test images, and is on 99 test images" in of(found, "fidelity").note


@pytest.mark.parametrize(
    ("sha256", "reason"),
    [("2" * 64, "on other test images, or on the same under other labels"), (None, "same images is not known")],
)
def test_as_many_images_that_are_others_cannot_be_compared(
    sha256: str | None, reason: str, golden_report: Report, changed: Changed
) -> None:
    auroc = {"osteopenia or osteoporosis": Estimate(0.5, 0.4, 0.6, 120)}
    other = changed(fidelity={"images_sha256": sha256, "aurocs": auroc})
    for found in (find_regressions(golden_report, other), find_regressions(other, golden_report)):
        change = of(found, "fidelity")
        assert (change.verdict, found.of("regression")) == ("not comparable", ())
        assert reason in change.note


def test_what_only_one_report_has_is_said(golden_report: Report) -> None:
    first, *others = golden_report.measurements
    new = replace(golden_report, measurements=(replace(first, size=None, stages=None), *others[1:]))
    found = find_regressions(golden_report, new)
    said = {(change.variant, change.quantity, change.note) for change in found.of("not comparable")}
    assert (first.variant.name, "size", "it was not measured this time") in said
    assert (others[0].variant.name, "everything", "it was not measured this time") in said
    assert (others[0].variant.name, "everything", "it was not measured then") in {
        (change.variant, change.quantity, change.note) for change in find_regressions(new, golden_report).changes
    }


def test_a_bundle_is_found_again_in_another_place(golden_report: Report) -> None:
    moved = tuple(
        replace(
            each, variant=replace(each.variant, name=f"new {each.variant.name}", bundle=f"/x/{each.variant.bundle}")
        )
        for each in golden_report.measurements
    )
    found = find_regressions(golden_report, replace(golden_report, measurements=moved))
    assert all(change.quantity != "everything" for change in found.changes)


def test_folders_of_one_name_are_told_apart_by_their_paths(golden_report: Report) -> None:
    knee = golden_report.measurements[0]
    first, second = (
        slower(replace(knee, variant=replace(knee.variant, bundle=f"{folder}/knee")), factor)
        for folder, factor in (("a", 1.0), ("b", 3.0))
    )
    both, swapped = (replace(golden_report, measurements=found) for found in ((first, second), (second, first)))
    found = find_regressions(both, swapped)
    assert (found.of("regression"), found.of("improvement")) == ((), ())
    alone = find_regressions(both, replace(golden_report, measurements=(second,)))
    assert [change.note for change in alone.of("not comparable")] == ["it was not measured this time"]
    assert not alone.of("regression")


@pytest.mark.parametrize(("factor", "verdict"), [(1.04, "no difference"), (1.06, "regression"), (0.94, "improvement")])
def test_a_median_must_be_5_percent_off_between_reports(factor: float, verdict: str, golden_report: Report) -> None:
    turns = tuple(Turn(number, 0.0, (2.0 + 0.002 * (number % 3),) * 9) for number in range(12))
    steady = replace(golden_report.measurements[0], latency=Latency(summarize(turns), turns, ()))
    old = replace(golden_report, measurements=(steady,))
    assert of(find_regressions(old, all_slower(old, factor)), "latency").verdict == verdict


def test_times_stand_in_full(golden_report: Report) -> None:
    slow = all_slower(golden_report, 10_000.0)
    for found in (find_regressions(golden_report, slow), find_regressions(slow, golden_report)):
        assert "e+0" not in of(found, "latency").note


def test_a_bundle_that_was_measured_twice_is_compared_in_order(golden_report: Report) -> None:
    first = golden_report.measurements[0]
    twice = replace(golden_report, measurements=(first, slower(first, 2.0)))
    assert not find_regressions(twice, twice).found
    assert find_regressions(twice, replace(twice, measurements=(first, slower(first, 4.0)))).found


def test_a_delegate_that_was_lost_is_named(golden_report: Report) -> None:
    first = golden_report.measurements[0]
    lost = replace(slower(first, 4.0), variant=replace(first.variant, delegate=None))
    found = find_regressions(golden_report, replace(golden_report, measurements=(lost,)))
    assert of(found, "latency").note.endswith("the delegate was XNNPACK and is none")


def test_the_lines_and_the_json_tell_what_got_worse(golden_report: Report, changed: Changed) -> None:
    found = find_regressions(golden_report, changed(size={"model_bytes": 5_200_000}))
    lines = list(found.lines())
    assert "  REGRESSION  knee-int8, LiteRT, 2 threads, model file: 2,600,000 to 5,200,000 bytes, +100.00%" in lines
    assert lines[-1].endswith(", 1 worse.")
    document = found.to_dict()
    assert document["found"] is True
    assert document["changes"][0].keys() == {"variant", "quantity", "verdict", "note", "old", "new"}
