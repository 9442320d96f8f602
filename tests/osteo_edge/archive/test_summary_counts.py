import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osteo_edge.archive import summary_counts
from osteo_edge.archive.plan import FILMS
from osteo_edge.archive.row import SCHEMA, schema_of
from osteo_edge.archive.summary_counts import SHOWN_FIRST, count_rows
from osteo_edge.bundle import Bundle
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.manifest import Manifest
from tests.osteo_edge.archive.summary_rows import results, row

pyarrow = pytest.importorskip("pyarrow")


def test_rows_are_counted_the_same_in_batches_of_any_size(
    tmp_path: Path, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [row(f"{n:03}.png", "refer" if n % 3 else "rejected", n / 100 if n % 3 else None) for n in range(100)]
    plan = results(tmp_path / "out", bundle, rows[:10], rows[10:55], rows[55:])
    whole = count_rows(plan.out / FILMS, bundle.manifest)
    monkeypatch.setattr(summary_counts, "BATCH_ROWS", 7)
    pieces = count_rows(plan.out / FILMS, bundle.manifest)
    assert whole.outcomes == pieces.outcomes == {"refer": 66, "rejected": 34}
    assert (
        whole.examples
        == pieces.examples
        == {
            ("refer", "threshold_reached"): "001.png",
            ("rejected", "blank"): "000.png",
        }
    )
    assert whole.first == pieces.first
    assert whole.reached == pieces.reached == sum(n % 3 > 0 for n in range(60, 100))
    assert (whole.scores[""].bins == pieces.scores[""].bins).all()
    assert whole.scores[""].bins.sum() == whole.scored == 66


def test_the_highest_scores_come_first_and_of_equals_the_first_names(tmp_path: Path, bundle: Bundle) -> None:
    high = [row(f"high-{n:02}.png", "refer", 0.9) for n in reversed(range(SHOWN_FIRST))]
    plan = results(tmp_path / "out", bundle, [row("low.png", "refer", 0.7), *high], [row("top.png", "refer", 0.99)])
    first = count_rows(plan.out / FILMS, bundle.manifest).first["refer"]
    assert [each["film"] for each in first] == ["top.png", *(f"high-{n:02}.png" for n in range(SHOWN_FIRST - 1))]


def test_films_are_furthest_only_where_they_were_answered(tmp_path: Path, bundle: Bundle) -> None:
    rows = [
        row("near.png", "no_finding", 0.1, distance=1.0),
        row("far.png", "uncertain", 0.5, distance=1.9),
        row("refused.png", "rejected", distance=7.0),
        row("unknown.png", "refer", 0.9),
    ]
    plan = results(tmp_path / "out", bundle, rows)
    first = count_rows(plan.out / FILMS, bundle.manifest).first
    assert [each["film"] for each in first["furthest"]] == ["far.png", "near.png"]
    assert [each["film"] for each in first["uncertain"]] == ["far.png"]


def test_a_film_without_a_number_takes_nobodys_place(tmp_path: Path, bundle: Bundle) -> None:
    rows = [row(f"{n}.png", "uncertain", score, distance=score) for n, score in enumerate([0.2, math.nan, 0.5])]
    first = count_rows(results(tmp_path / "out", bundle, rows).out / FILMS, bundle.manifest).first
    assert [each["film"] for each in first["uncertain"]] == ["2.png", "0.png"]
    assert [each["film"] for each in first["furthest"]] == ["2.png", "0.png"]


def test_a_part_of_other_columns_is_named(tmp_path: Path, bundle: Bundle) -> None:
    plan = results(tmp_path / "out", bundle, [row("a.png")])
    pyarrow.parquet.write_table(pyarrow.table({"film": ["a.png"]}), plan.part(0))
    with pytest.raises(OsteoEdgeError, match=r"part-00000000\.parquet: cannot be read"):
        count_rows(plan.out / FILMS, bundle.manifest)


def test_scores_are_apart_by_bone(tmp_path: Path, bundle: Bundle) -> None:
    rows = [row("a.png", "refer", 0.9, bone="knee"), row("b.png", "refer", 0.8, bone="wrist"), row("c.png", "rejected")]
    counts = count_rows(results(tmp_path / "out", bundle, rows).out / FILMS, bundle.manifest)
    assert {bone: scores.spread.n for bone, scores in counts.scores.items()} == {"knee": 1, "wrist": 1}


def test_results_of_which_nothing_is_done_count_as_none(tmp_path: Path, bundle: Bundle) -> None:
    assert count_rows(tmp_path / FILMS, bundle.manifest).films == 0


def test_a_part_that_is_no_parquet_is_named(tmp_path: Path, bundle: Bundle) -> None:
    plan = results(tmp_path / "out", bundle, [row("a.png")], [row("b.png")])
    plan.part(1).write_bytes(b"not Parquet")
    with pytest.raises(OsteoEdgeError, match=r"part-00000001\.parquet.*; remove this file and run"):
        count_rows(plan.out / FILMS, bundle.manifest)


@pytest.fixture
def pool() -> Iterator[Any]:
    """Where pyarrow takes its memory from in a test: it knows the most that was ever taken."""
    usual, pool = pyarrow.default_memory_pool(), pyarrow.system_memory_pool()
    pyarrow.set_memory_pool(pool)
    yield pool
    pyarrow.set_memory_pool(usual)


def test_memory_does_not_grow_with_the_films(tmp_path: Path, manifest: Manifest, pool: Any) -> None:
    _write_parts(tmp_path / "block=00000", 10, 10_000, manifest)
    peaks = []
    for copies in (1, 10):
        films = tmp_path / str(copies)
        for copy in range(copies):
            block = films / f"block={copy:05d}"
            block.mkdir(parents=True)
            for part in (tmp_path / "block=00000").iterdir():
                (block / part.name).hardlink_to(part)
        assert count_rows(films, manifest).films == copies * 100_000
        peaks.append(pool.max_memory())
    assert peaks[1] <= 1.1 * peaks[0]


def _write_parts(films: Path, parts: int, rows: int, manifest: Manifest) -> None:
    from pyarrow import parquet

    films.mkdir(parents=True)
    schema, rng = schema_of(manifest), np.random.default_rng(SCHEMA)
    for part in range(parts):
        plain = {name: pyarrow.nulls(rows, schema.field(name).type) for name in schema.names}
        plain["film"] = pyarrow.array([f"{part}/{n}.dcm" for n in range(rows)])
        for name, value in {"outcome": "refer", "reason": "threshold_reached", "model_sha256": "a"}.items():
            plain[name] = pyarrow.array([value] * rows)
        for name in ("score", "distance", "contrast", "ms_total"):
            plain[name] = pyarrow.array(rng.uniform(size=rows))
        parquet.write_table(pyarrow.table(plain, schema=schema), films / f"part-{part:08d}.parquet")
