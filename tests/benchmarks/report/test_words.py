from collections.abc import Callable
from dataclasses import replace

import pytest

from osteo_edge.benchmarks.measuring.results import Latency, Measurement, Report, Turn
from osteo_edge.benchmarks.measuring.summaries import summarize
from osteo_edge.benchmarks.report.standings import peer_standings, standings
from osteo_edge.benchmarks.report.words import peer_sentence, sentences, title_of, warnings

Scaled = Callable[[Measurement, float], Measurement]


@pytest.fixture
def scaled() -> Scaled:
    """A measurement with all its runs so many times as long."""

    def scale(measurement: Measurement, factor: float) -> Measurement:
        assert measurement.latency is not None
        turns = tuple(
            Turn(turn.process, turn.at_s, tuple(run * factor for run in turn.runs_ms))
            for turn in measurement.latency.turns
        )
        return replace(measurement, latency=Latency(summarize(turns), turns, ()))

    return scale


def test_the_summary_names_the_fastest_the_smallest_and_the_closest(golden_report: Report) -> None:
    words = " ".join(sentences(golden_report)).replace("\N{NO-BREAK SPACE}", " ")
    assert title_of(golden_report) == "Benchmark of 2 bundles on Example CPU @ 2.40GHz"
    assert "The fastest bundle is knee-int8: its model takes 4.1 milliseconds for one image" in words
    assert "The slowest is knee-float32, which takes 2.1 times as long." in words
    assert "The smallest file is knee-int8 with 2.60 MB, the largest knee-float32 with 9.10 MB." in words
    assert "and its uncompressed model decide alike on 99.2 % of 120 labelled images, and no other bundle" in words
    assert "an AUROC" not in words
    assert "0.912 [0.862, 0.942], where 0.5 is guessing and 1 is never wrong. The other one may be as good" in words
    assert "For one image knee-int8, LiteRT, 2 threads takes 2.1 times as long as Example GPU (float32)" in words
    assert "1 thing asked for could not be measured" in words


def test_the_steps_are_those_of_the_bundle_that_is_named_as_the_fastest(golden_report: Report) -> None:
    first, second, *others = golden_report.measurements
    assert first.stages is not None
    assert second.stages is not None
    lucky = replace(second, stages=replace(second.stages, end_to_end_ms=(1.0, 1.0)))
    (told,) = (each for each in sentences(replace(golden_report, measurements=(first, lucky))) if "X-ray file" in each)
    assert "(knee-int8)" in told
    assert told.endswith("measured one bundle after the other, so small differences between bundles mean nothing.")
    (told,) = (each for each in sentences(replace(golden_report, measurements=(first,))) if "X-ray file" in each)
    assert "one bundle after the other" not in told
    failed = replace(golden_report, measurements=(replace(first, stages=None), lucky, *others))
    assert any("X-ray file takes 1\N{NO-BREAK SPACE}milliseconds (knee-float32)" in each for each in sentences(failed))


def test_bundles_that_cannot_be_told_apart_are_said_to_be_so(golden_report: Report, scaled: Scaled) -> None:
    first, second, *_ = golden_report.measurements
    assert first.latency is not None
    near = replace(second, latency=scaled(first, 1.004).latency)
    words = sentences(replace(golden_report, measurements=(first, near)))
    assert "Whether knee-float32 is slower, these runs cannot tell." in words
    assert not any("slowest" in sentence for sentence in words)


def test_the_fastest_is_chosen_among_stable_times_if_there_are_any(golden_report: Report, scaled: Scaled) -> None:
    first = golden_report.measurements[0]
    shaken = replace(scaled(first, 0.5), variant=replace(first.variant, name="shaken", threads=4), unstable=("load",))
    (one,) = standings(replace(golden_report, measurements=(shaken, first)))
    assert one.fastest == first
    (other,) = standings(replace(golden_report, measurements=(shaken,)))
    assert other.fastest == shaken


def test_a_peer_that_is_faster_is_named_plainly(golden_report: Report) -> None:
    faster, slower = peer_standings(golden_report)
    assert peer_sentence(faster) == "onnxruntime is faster: LiteRT takes 1.29 times as long"
    assert peer_sentence(slower).startswith("LiteRT is faster: tflite-runtime takes 1.1")
    assert peer_sentence(slower).endswith("times as long, if these unstable times can be trusted")
    told = [sentence for sentence in sentences(golden_report) if "rival" in sentence]
    assert told == [f"A rival runtime is faster on knee-int8, LiteRT, 2 threads: {peer_sentence(faster)}."]


def test_a_peer_that_takes_a_thousand_times_as_long_is_told_in_full(golden_report: Report, scaled: Scaled) -> None:
    ours, _, peer, _ = golden_report.measurements
    slow = replace(peer, latency=scaled(ours, 1234.5).latency)
    (found,) = peer_standings(replace(golden_report, measurements=(ours, slow)))
    assert peer_sentence(found) == "LiteRT is faster: onnxruntime takes 1234.50 times as long"


def test_a_peer_is_compared_on_the_same_model_and_threads_only(golden_report: Report) -> None:
    *others, peer = golden_report.measurements
    threads = replace(peer, variant=replace(peer.variant, threads=4))
    model = replace(peer, variant=replace(peer.variant, bundle="elsewhere"))
    found = peer_standings(replace(golden_report, measurements=(*others, threads, model)))
    assert [one.peer.variant.runtime for one in found] == ["onnxruntime"]


def test_no_difference_is_called_so(golden_report: Report, scaled: Scaled) -> None:
    ours, _, peer, _ = golden_report.measurements
    assert ours.latency is not None
    same = replace(peer, latency=scaled(ours, 1.002).latency)
    (found,) = peer_standings(replace(golden_report, measurements=(ours, same)))
    assert peer_sentence(found) == "no difference between onnxruntime and LiteRT can be told"


def test_images_that_the_model_may_have_seen_are_warned_of(golden_report: Report) -> None:
    assert not any("may have seen" in warning for warning in warnings(golden_report))
    first = golden_report.measurements[0]
    assert first.fidelity is not None
    seen = replace(first, fidelity=replace(first.fidelity, on_trained_split=False))
    assert any("may have seen" in warning for warning in warnings(replace(golden_report, measurements=(seen,))))


def test_bundles_of_one_name_are_told_apart_by_their_path(golden_report: Report) -> None:
    first = golden_report.measurements[0]
    other = replace(first, variant=replace(first.variant, name="other", bundle="old/knee-int8"))
    found = standings(replace(golden_report, measurements=(first, other)))
    assert [one.name for one in found] == ["bundles/knee-int8", "old/knee-int8"]
