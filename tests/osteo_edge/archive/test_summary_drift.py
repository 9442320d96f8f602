from dataclasses import replace
from pathlib import Path

import pytest

from osteo_edge.archive.plan import FILMS
from osteo_edge.archive.row import Row
from osteo_edge.archive.summary_counts import Counts, count_rows
from osteo_edge.archive.summary_drift import Drift, difference, find_drift, not_compared, share
from osteo_edge.bundle import Bundle
from osteo_edge.manifest import Familiarity, Manifest, Metric
from tests.osteo_edge.archive.summary_rows import results, row

pytest.importorskip("pyarrow")

KNOWN = Familiarity("familiarity.npz", 2.0, "training films", 300, "validation films", 100, 0.02)


def familiar(manifest: Manifest, **metrics: tuple[float | None, int]) -> Manifest:
    """The manifest of a model that knows its films, with measures of the validation part: value and cases."""
    found = {
        f"{name}, validation": Metric(value, value, value, n, "validation") for name, (value, n) in metrics.items()
    }
    return replace(manifest, outputs=replace(manifest.outputs, embedding=2), familiarity=KNOWN, metrics=found)


def counted(tmp_path: Path, bundle: Bundle, manifest: Manifest, rows: list[Row]) -> Counts:
    return count_rows(results(tmp_path / "out", bundle, rows).out / FILMS, manifest)


def found(counts: Counts, manifest: Manifest) -> dict[str, Drift]:
    return {drift.name: drift for drift in find_drift(counts, manifest)}


def test_unfamiliar_films_are_told_by_the_models_own_distance(
    tmp_path: Path, bundle: Bundle, manifest: Manifest
) -> None:
    manifest = familiar(manifest)
    rows = [row(f"{n}.png", "rejected" if n < 30 else "refer", distance=3.0 if n < 30 else 1.0) for n in range(100)]
    drift = found(counted(tmp_path, bundle, manifest, rows), manifest)["unfamiliar films"]
    assert (drift.here.value, drift.here.n) == (0.30, 100)
    assert (drift.there.value, drift.there.n) == (0.02, 100)
    assert drift.differs
    assert drift.difference.value == pytest.approx(0.28)
    assert 0.15 < drift.difference.low < 0.28 < drift.difference.high < 0.40


def test_a_share_like_that_of_the_validation_films_is_no_drift(
    tmp_path: Path, bundle: Bundle, manifest: Manifest
) -> None:
    manifest = familiar(manifest, sensitivity=(0.9, 60), specificity=(0.8, 40))
    rows = [row(f"{n}.png", "refer" if n < 60 else "no_finding", 0.6 if n < 60 else 0.59) for n in range(100)]
    drift = found(counted(tmp_path, bundle, manifest, rows), manifest)["films at or above the threshold"]
    assert drift.here.value == 0.60
    assert drift.there.value == pytest.approx((0.9 * 60 + 0.2 * 40) / 100)
    assert not drift.differs
    assert "None of it measures how many patients" in drift.meaning


def test_a_bundle_that_tells_nothing_of_its_films_is_compared_with_nothing(
    tmp_path: Path, bundle: Bundle, manifest: Manifest
) -> None:
    counts = counted(tmp_path, bundle, manifest, [row("a.png", "refer", 0.9)])
    assert find_drift(counts, manifest) == ()
    assert [text.split(":")[0] for text in not_compared(counts, manifest)] == [
        "Quality figures",
        "Unfamiliar films",
        "Films that reach the threshold",
    ]


def test_a_measure_that_is_not_defined_is_no_ground_to_compare_on(
    tmp_path: Path, bundle: Bundle, manifest: Manifest
) -> None:
    manifest = familiar(manifest, sensitivity=(None, 0), specificity=(0.8, 40))
    counts = counted(tmp_path, bundle, manifest, [row("a.png", "refer", 0.9, distance=1.0)])
    assert list(found(counts, manifest)) == ["unfamiliar films"]


def test_an_archive_without_an_answered_film_is_compared_with_nothing(
    tmp_path: Path, bundle: Bundle, manifest: Manifest
) -> None:
    manifest = familiar(manifest, sensitivity=(0.9, 60), specificity=(0.8, 40))
    counts = counted(tmp_path, bundle, manifest, [row("a.png", "unreadable")])
    assert find_drift(counts, manifest) == ()
    assert "no film was answered" in " ".join(not_compared(counts, manifest))


def test_a_difference_of_nothing_from_nothing_leaves_room() -> None:
    apart = difference(share(0, 50), share(0, 50))
    assert apart.value == 0
    assert apart.low == pytest.approx(-apart.high)
    assert apart.high > 0.05
