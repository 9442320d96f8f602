"""Results of an archive that no film was screened for: rows as they are asked for, in the parts of a plan."""

from collections.abc import Sequence
from pathlib import Path

from osteo_edge.archive.film import Options
from osteo_edge.archive.plan import ArchiveRecord, IndexFile, Plan, Source
from osteo_edge.archive.row import FilmOutcome, Row
from osteo_edge.archive.shards import write_shard
from osteo_edge.bundle import Bundle
from osteo_edge.manifest import Manifest

CODES: dict[FilmOutcome, str] = {
    "refer": "threshold_reached",
    "no_finding": "below_threshold",
    "uncertain": "abstain_band",
    "rejected": "blank",
    "not_screened": "modality",
    "unreadable": "damaged",
}


def row(film: str, outcome: FilmOutcome = "refer", score: float | None = None, **changes: object) -> Row:
    """A row with the reason that its outcome mostly has."""
    about = {"reason": CODES[outcome], "reasons": ("because",), "model_sha256": "a" * 64, "score": score, **changes}
    return Row(film=film, outcome=outcome, **about)  # type: ignore[arg-type]


def plan_for(out: Path, bundle: Bundle, shards: int, films: int, left_out: dict[str, int] | None = None) -> Plan:
    """A plan of so many shards and films, of which nothing is done."""
    record = ArchiveRecord(
        schema=1,
        source=Source("/films", "folder", "/films"),
        folders=("/films",),
        limit=None,
        bundle=str(bundle.path),
        bundle_sha256="b" * 64,
        model_sha256=bundle.manifest.model.sha256,
        program="a test",
        options=Options(),
        shard_size=256,
        index=(IndexFile("00000.parquet", 0, shards, films, "c" * 64),),
        left_out=left_out or {},
        planned_at="2026-01-31T09:30:00+00:00",
    )
    return Plan(out, record)


def results(out: Path, bundle: Bundle, *parts: Sequence[Row], manifest: Manifest | None = None) -> Plan:
    """A plan all of whose shards are done, one for each of the parts."""
    plan = plan_for(out, bundle, len(parts), sum(len(part) for part in parts))
    for shard, part in enumerate(parts):
        write_shard(plan, shard, part, manifest or bundle.manifest, seconds=1.0)
    return plan
