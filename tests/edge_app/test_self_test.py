from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.edge_app import self_test as module
from osteo_edge.edge_app.demo_bundle import demo_bundle
from osteo_edge.edge_app.self_test import STAGES, SelfTest, Times, run_self_test, slowdown_of, summarize
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.host import Host
from osteo_edge.manifest import Manifest
from osteo_edge.runtime import open_interpreter

FOUND = SelfTest(200, Times(41.6, 55.2), {}, "LiteRT", 1.02, (), None)


class Pi:
    """The firmware of a Raspberry Pi, which gives one answer after the other, and then the last again."""

    def __init__(self, *flags: str) -> None:
        self._flags = list(flags)

    def run(self, command: Sequence[str]) -> str | None:
        if command[-1] == "measure_temp":
            return "temp=81.4'C"
        return f"throttled={self._flags.pop(0) if len(self._flags) > 1 else self._flags[0]}"


@pytest.fixture
def pi(tmp_path: Path) -> Callable[..., Host]:
    return lambda *flags: Host(tmp_path, Pi(*flags).run)


def test_the_steps_of_the_demonstration_are_measured() -> None:
    shares: list[float] = []
    found = run_self_test(demo_bundle(), threads=1, seconds=0.5, on_progress=shares.append)
    assert found.runs == len(shares) >= 10
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert set(found.stages) == set(STAGES)
    assert 0 < found.whole.median_ms <= found.whole.p90_ms
    for times in found.stages.values():
        assert 0 <= times.median_ms <= found.whole.p90_ms
    assert "1 thread" in found.runtime


def test_the_steps_and_the_rest_come_to_the_whole(bundle: Bundle) -> None:
    taken_ms, steps = module._screen_once(bundle, open_interpreter(bundle, threads=1))
    assert sum(steps.values()) == pytest.approx(taken_ms, abs=0.1)


def test_at_least_ten_films_are_screened_however_short_the_time(bundle: Bundle) -> None:
    shares: list[float] = []
    assert run_self_test(bundle, seconds=0.001, on_progress=shares.append).runs == 10
    assert shares[-1] == 1.0


def test_what_the_progress_raises_ends_the_test(bundle: Bundle) -> None:
    class CancelledError(Exception):
        pass

    def cancel(share: float) -> None:
        raise CancelledError

    with pytest.raises(CancelledError):
        run_self_test(bundle, seconds=60, on_progress=cancel)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("0x0",), ()),
        (("0x50000",), ()),
        (("0x0", "0x40000"), ("throttled since boot",)),
        (("0x0", "0x4", "0x40000"), ("throttled now", "throttled since boot")),
    ],
    ids=["never", "only long before", "at the end", "for a moment"],
)
def test_throttling_during_the_test_is_told_and_not_what_was_before(
    flags: Sequence[str],
    words: tuple[str, ...],
    bundle: Bundle,
    pi: Callable[..., Host],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.0)
    found = run_self_test(bundle, seconds=0.01, host=pi(*flags))
    assert found.throttling == words
    assert found.temperature_c == 81.4


def test_a_model_that_rejects_the_film_has_no_speed(golden_bundle: Callable[..., Bundle], manifest: Manifest) -> None:
    strict = golden_bundle("strict", gate=replace(manifest.gate, min_side_px=4000))
    with pytest.raises(OsteoEdgeError, match=r"rejects the drawn film \(too small.*its speed is not known"):
        run_self_test(strict, seconds=0.01)


def test_a_trend_needs_enough_films() -> None:
    assert slowdown_of([1.0] * 29) is None
    assert slowdown_of([10.0] * 10 + [11.0] * 10 + [13.0] * 10) == 1.3


def test_it_is_told_in_sentences_that_can_be_translated() -> None:
    assert summarize(FOUND) == ("One film takes 42 ms; nine films out of ten take 55 ms at most.",)
    hot = replace(FOUND, throttling=("throttled now", "under-voltage now"), temperature_c=81.4)
    assert summarize(hot)[1:] == (
        "The device slowed itself down (throttled now, under-voltage now): see to its power supply and cooling.",
        "The processor is at 81 °C.",
    )
    assert "30 % slower" in summarize(replace(FOUND, slowdown=1.3))[1]
    for sentence in summarize(replace(hot, slowdown=1.3), lambda text: f"«{text}»"):
        assert sentence.startswith("«")
        assert "{" not in sentence
