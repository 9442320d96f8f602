"""Make the plan of an archive's screening, whole or not at all; and let it grow by the films that have come since."""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any, Final

from osteo_edge.archive.arrow import parquet, pyarrow
from osteo_edge.archive.film import Options
from osteo_edge.archive.film_folders import FilmFolders
from osteo_edge.archive.plan import PLAN, RECORD, SCHEMA, SHARDS_A_FILE, ArchiveRecord, IndexFile, Plan, Source
from osteo_edge.archive.sources import film_names
from osteo_edge.bundle import Bundle
from osteo_edge.durable import remove, write_durably
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.hashing import sha256_file
from osteo_edge.locking import LOCK_NAME
from osteo_edge.manifest import FILE_NAME
from osteo_edge.new_folder import new_folder
from osteo_edge.strict import to_dict
from osteo_edge.version import VERSION
from osteo_edge.writing import replacing

SHARD_SIZE: Final = 256
HASH_BYTES: Final = 12

OnFound = Callable[[int], None]
"""Hears how many films have been found so far."""


@dataclass(frozen=True)
class Wish:
    """What is asked for: a source, by a bundle whose model runs in `runtime`; the first `limit` films alone, if any.

    Without a `shard_size` it is that of the plan to go on with, or `SHARD_SIZE`.
    """

    source: Source
    bundle: Bundle
    runtime: str
    options: Options
    limit: int | None = None
    shard_size: int | None = None

    def record(
        self,
        index: tuple[IndexFile, ...] = (),
        left_out: Mapping[str, int] | None = None,
        folders: tuple[str, ...] = (),
    ) -> ArchiveRecord:
        """What the plan says of itself."""
        return ArchiveRecord(
            schema=SCHEMA,
            source=self.source,
            folders=folders,
            limit=self.limit,
            bundle=str(self.bundle.path.resolve()),
            bundle_sha256=sha256_file(self.bundle.path / FILE_NAME),
            model_sha256=self.bundle.manifest.model.sha256,
            program=program(self.runtime),
            options=self.options,
            shard_size=self.shard_size or SHARD_SIZE,
            index=index,
            left_out=dict(sorted((left_out or {}).items())),
            planned_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        )


def program(runtime: str) -> str:
    """This program and the runtime of its model, whose answers another version may not give."""
    return f"osteo-edge {VERSION}, {runtime}"


def require_usable(out: Path) -> None:
    """Raise OsteoEdgeError for a folder that holds something else than results, before anything is written to it."""
    if out.exists() and not out.is_dir():
        raise OsteoEdgeError(f"{out}: is a file; name a folder for the results")
    if not out.is_dir() or (out / PLAN).is_dir():
        return
    if any(path.name != LOCK_NAME and not _is_leftover(path) for path in out.iterdir()):
        raise OsteoEdgeError(f"{out}: holds something else than results of screen-archive; choose an empty folder")


def make_plan(wish: Wish, out: Path, on_found: OnFound) -> Plan:
    """Write the plan of what is wished for; an interrupted one leaves none.

    OsteoEdgeError where there are no films, or nothing of where they lie: the paths are wrong, or a disk is away.
    """
    for path in filter(_is_leftover, out.iterdir()):
        remove(path)
    left_out, folders = Counter[str](), FilmFolders()
    names = _placed(film_names(wish.source, left_out, skip=out), Path(wish.source.root), folders)
    with new_folder(out / PLAN, "the plan") as folder:
        shard_size = wish.shard_size or SHARD_SIZE
        index = tuple(_write_index(islice(names, wish.limit), folder, shard_size, on_found))
        if not index:
            raise OsteoEdgeError(f"{wish.source.path}: holds no film{_counted(left_out)}; name another source")
        if not folders.found():
            raise OsteoEdgeError(f"{wish.source.path}: no folder of its films is there; connect it, or mend the paths")
        record = wish.record(index, left_out, folders.found())
        (folder / RECORD).write_bytes(_as_json(record))
    return Plan(out, record)


def resume_plan(plan: Plan, wish: Wish) -> Plan:
    """The plan to go on with, by the bundle where it lies now; OsteoEdgeError where it is of something else than is
    wished for, since results are not mixed."""
    ours, theirs = plan.record, wish.record()
    differing: dict[str, tuple[object, object]] = {
        "source": (ours.source.path, theirs.source.path),
        "bundle": (ours.bundle_sha256, theirs.bundle_sha256),
        "program": (ours.program, theirs.program),
        "--limit": (ours.limit, theirs.limit),
        "--shard-size": (ours.shard_size, wish.shard_size or ours.shard_size),
    }
    for name, given in vars(theirs.options).items():
        differing[f"--{name.replace('_', '-')}"] = (getattr(ours.options, name), given)
    for what, (old, new) in differing.items():
        if old != new:
            raise OsteoEdgeError(f"{plan.out}: was begun with another {what} ({old}, not {new}); choose another --out")
    return replace(plan, record=replace(ours, bundle=theirs.bundle))


def grow_plan(plan: Plan, wish: Wish, on_found: OnFound) -> Plan:
    """The plan with the films that have come since it was made, in shards of their own; it is replaced in one step."""
    known = {_key(plan.root / name) for name in plan.names()}
    left_out, folders = Counter[str](), FilmFolders()
    new = (name for name in film_names(wish.source, left_out, skip=plan.out) if _key(plan.root / name) not in known)
    names = _placed(new, plan.root, folders)
    folder = plan.out / PLAN
    index = plan.record.index
    grown = (*index, *_write_index(names, folder, plan.record.shard_size, on_found, first=plan.shards, file=len(index)))
    everywhere = tuple(sorted({*plan.record.folders, *folders.found()}))
    record = replace(plan.record, index=grown, left_out=dict(sorted(left_out.items())), folders=everywhere)
    os.sync()  # the record must not name films that are not on the disk yet
    write_durably(folder / RECORD, _as_json(record), "the plan")
    return Plan(plan.out, record)


def _placed(names: Iterator[str], root: Path, folders: FilmFolders) -> Iterator[str]:
    """The names as they are; `folders` takes in where each film lies."""
    for name in names:
        folders.add(root / name)
        yield name


def _write_index(
    names: Iterator[str], folder: Path, shard_size: int, on_found: OnFound, *, first: int = 0, file: int = 0
) -> Iterator[IndexFile]:
    """Write the names of films in shards from `first` on, in files from number `file` on."""
    found = 0
    while shard := list(islice(names, shard_size)):
        path = folder / f"{file:05d}.parquet"
        shards = films = 0
        with replacing(path, "the plan") as partial, parquet().ParquetWriter(partial, _index_schema()) as writer:
            while shard:
                writer.write_table(pyarrow().table({"film": shard}, schema=_index_schema()))
                shards, films, found = shards + 1, films + len(shard), found + len(shard)
                on_found(found)
                shard = list(islice(names, shard_size)) if shards < SHARDS_A_FILE else []
        yield IndexFile(path.name, first, shards, films, sha256_file(path))
        first, file = first + shards, file + 1


def _index_schema() -> Any:
    return pyarrow().schema([pyarrow().field("film", pyarrow().string(), nullable=False)])


def _as_json(record: ArchiveRecord) -> bytes:
    return (json.dumps(to_dict(record), indent=2) + "\n").encode()


def _is_leftover(path: Path) -> bool:
    """Whether it is what a plan was made in by a program that was killed; there is one at a time."""
    return path.name.startswith(f".{PLAN}.") and path.name.endswith(".partial")


def _counted(left_out: Counter[str]) -> str:
    told = ", ".join(f"{count} {reason}" for reason, count in left_out.most_common())
    return f" (left out: {told})" if told else ""


def _key(film: Path) -> bytes:
    return blake2b(str(film).encode("utf-8", "surrogateescape"), digest_size=HASH_BYTES).digest()
