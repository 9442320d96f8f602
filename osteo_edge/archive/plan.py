"""The plan of an archive's screening: which films there are, frozen, in shards of a fixed size.

A shard is one piece of work and one file of the results, which is there whole or not at all. So whatever does the
shards that are absent, in whatever order and however often it is ended, does each film once.

In the folder of the results:

    _plan/_archive.json          what is screened, and by what (`ArchiveRecord`)
    _plan/00000.parquet          the films of the first thousand shards, a row group a shard; and so on
    films/block=00000/part-00000000.parquet
                                 the results of a shard, a folder for a thousand of them
    maps/                        the annotated films of positives, where they are asked for
"""

import json
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from osteo_edge.archive.arrow import parquet
from osteo_edge.archive.film import Film, Options
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.hashing import sha256_file
from osteo_edge.strict import FieldError, from_dict

SCHEMA: Final = 1
PLAN: Final = "_plan"
RECORD: Final = "_archive.json"
FILMS: Final = "films"
RUNS: Final = "_runs.jsonl"
SHARDS_A_FILE: Final = 1000
DAMAGED: Final = "the plan is damaged: put it back from a copy, or choose another --out and begin anew"

Kind = Literal["folder", "list", "table", "dicomdir"]


@dataclass(frozen=True)
class Source:
    """Where the films are: what was named, of which kind, and the folder that the films' names are relative to.

    Both are absolute paths.
    """

    path: str
    kind: Kind
    root: str


@dataclass(frozen=True)
class IndexFile:
    """A file of the plan, by its name: how many films in how many shards it lists, from which on, and its hash."""

    file: str
    first_shard: int
    shards: int
    films: int
    sha256: str

    def __post_init__(self) -> None:
        for name in ("first_shard", "shards", "films"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative")


@dataclass(frozen=True)
class ArchiveRecord:
    """What is screened, and by what; results of another source, bundle, program or other options are not mixed.

    `folders` are those that hold all films, one on each file system (`film_folders`). `bundle_sha256` is the hash of
    the bundle's manifest, `program` this program with its runtime. `left_out` counts what was found at the source and
    is not in the plan, by reason.
    """

    schema: Literal[1]
    source: Source
    folders: tuple[str, ...]
    limit: int | None
    bundle: str
    bundle_sha256: str
    model_sha256: str
    program: str
    options: Options
    shard_size: int
    index: tuple[IndexFile, ...]
    left_out: dict[str, int]
    planned_at: str

    def __post_init__(self) -> None:
        if self.shard_size < 1:
            raise ValueError("shard_size must be at least 1")


@dataclass(frozen=True)
class Plan:
    """The plan in a folder of results, which tells plans apart; small and picklable, the films stay in their files."""

    out: Path
    record: ArchiveRecord = field(compare=False)

    @property
    def bundle(self) -> Path:
        return Path(self.record.bundle)

    @property
    def root(self) -> Path:
        return Path(self.record.source.root)

    @property
    def films(self) -> int:
        """How many films there are."""
        return sum(file.films for file in self.record.index)

    @property
    def shards(self) -> int:
        """How many shards there are; they are numbered from 0."""
        return sum(file.shards for file in self.record.index)

    def part(self, shard: int) -> Path:
        """The file of a shard's results."""
        return self.out / FILMS / f"block={shard // SHARDS_A_FILE:05d}" / f"part-{shard:08d}.parquet"

    def missing(self) -> list[int]:
        """The shards that are to be done, in order."""
        there = {path.name for path in (self.out / FILMS).glob("block=*/part-*.parquet")}
        return [shard for shard in range(self.shards) if self.part(shard).name not in there]

    def require_own_parts(self) -> None:
        """Raise OsteoEdgeError for a Parquet file among the results that is no shard's: its rows would count too."""
        for path in (self.out / FILMS).rglob("*.parquet"):
            number = path.stem.removeprefix("part-")
            if not number.isdecimal() or int(number) >= self.shards or path != self.part(int(number)):
                raise OsteoEdgeError(f"{path}: is none of these results, and would be counted too; move it elsewhere")

    def films_in(self, shard: int) -> int:
        """How many films a shard has: the last one of a file may have fewer than the others."""
        listed = self._listed(shard)
        is_last = shard == listed.first_shard + listed.shards - 1
        return listed.films - (listed.shards - 1) * self.record.shard_size if is_last else self.record.shard_size

    def films_of(self, shard: int) -> list[Film]:
        """The films of a shard, in the order of their rows."""
        listed = self._listed(shard)
        path = self.out / PLAN / listed.file
        with _refusing_damage(path), parquet().ParquetFile(path) as file:
            names = file.read_row_group(shard - listed.first_shard, ["film"]).column("film").to_pylist()
        return [Film(name, self.root / name) for name in names]

    def _listed(self, shard: int) -> IndexFile:
        after = bisect_right(self.record.index, shard, key=lambda file: file.first_shard)
        return self.record.index[after - 1]

    def names(self) -> Iterator[str]:
        """The names of all films, shard by shard."""
        for shard in range(self.shards):
            yield from (film.name for film in self.films_of(shard))


def read_plan(out: Path) -> Plan | None:
    """The plan in a folder of results, None where there is none yet; OsteoEdgeError for one that is damaged."""
    path = out / PLAN / RECORD
    if not path.is_file():
        return None
    try:
        data = json.loads(path.read_bytes())
        newer = data.get("schema") if isinstance(data, dict) else None
        if isinstance(newer, int) and newer > SCHEMA:
            raise OsteoEdgeError(f"{path}: its schema {newer} is newer than this program knows; update osteo-edge")
        record = from_dict(ArchiveRecord, data)
    except FieldError as error:
        raise OsteoEdgeError(f"{path}: {error}; {DAMAGED}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise OsteoEdgeError(f"{path}: cannot be read; {DAMAGED}") from error
    plan = Plan(out, record)
    for listed in record.index:
        _verify(out / PLAN / listed.file, listed.sha256)
    return plan


def _verify(path: Path, digest: str) -> None:
    with _refusing_damage(path):
        if sha256_file(path) != digest:
            raise OsteoEdgeError(f"{path}: is not as it was written; {DAMAGED}")


@contextmanager
def _refusing_damage(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, LookupError) as error:  # pyarrow's own errors are among them
        raise OsteoEdgeError(f"{path}: cannot be read; {DAMAGED}") from error
