"""A watched folder, as the tests of the watch use it."""

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from osteo_edge import audit_log
from osteo_edge.bundle import Bundle
from osteo_edge.edge_app.watching import Event, open_station, watch
from osteo_edge.hashing import sha256_file
from osteo_edge.runtime import open_interpreter

Draw = Callable[..., Path]


class KilledError(BaseException):
    """Stands for kill -9: nothing of ours catches it."""


@dataclass
class Looks:
    """A pause that does not wait: between two looks it does the next thing, and after the last it is enough."""

    between: list[Callable[[], object]] = field(default_factory=list)

    def __call__(self, seconds: float) -> bool:
        if seconds == 0:
            return True
        if not self.between:
            return False
        self.between.pop(0)()
        return True


@dataclass(frozen=True)
class Place:
    """A watched folder, the folder of its results, and the model."""

    folder: Path
    out: Path
    bundle: Bundle

    def run(self, *, once: bool = True, pause: Looks | None = None, **options: Any) -> list[Event]:
        """One run until all is screened, or until `pause` says that it is enough; what it has told."""
        pause = Looks([lambda: None] * 50) if pause is None else pause
        with open_station(self.bundle, open_interpreter(self.bundle, threads=1), self.out, **options) as station:
            return list(watch(self.folder, station, pause, every_s=1.0, once=once))

    @property
    def results(self) -> list[Path]:
        return sorted(self.out.glob("20??-??-??/*.json"))

    @property
    def ledger(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in (self.out / "ledger.jsonl").read_text("utf-8").splitlines()]

    @property
    def rows(self) -> list[dict[str, str]]:
        with (self.out / "results.csv").open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    def require_each_once(self, *, overlays: bool = False) -> None:
        """Every film of the folder has one result, one row and one line, and nothing else lies there."""
        digests = sorted({sha256_file(path) for path in self.folder.iterdir()})
        assert sorted(json.loads(path.read_bytes())["image_sha256"] for path in self.results) == digests
        assert sorted(row["image_sha256"] for row in self.rows) == digests
        assert sorted(str(line["sha256"]) for line in self.ledger if line["outcome"] != "seen_before") == digests
        assert {self.out / str(line["result"]) for line in self.ledger} == set(self.results)
        pictures = {path.with_name(f"{path.stem}.overlay.png") for path in self.results} if overlays else set()
        assert {path for path in self.out.rglob("*") if path.is_file() and not path.name.startswith(".")} == {
            *self.results, *pictures, self.out / "ledger.jsonl", self.out / "results.csv",
            self.out / audit_log.FILE, self.out / audit_log.HEAD_FILE,
        }  # fmt: skip
        self.require_audited(digests)
        assert list(self.out.rglob("*.partial")) == []

    def require_audited(self, digests: list[str]) -> None:
        """The audit log is whole, and knows of these films and of no others."""
        assert audit_log.verify_log(self.out).findings == ()
        dealt_with = [event for event in audit_log.read_events(self.out) if event.what in ("screened", "not readable")]
        assert sorted({str(event.about["image"]) for event in dealt_with}) == digests


def of(kind: type, events: list[Event]) -> list[str]:
    return [event.path.name for event in events if isinstance(event, kind)]  # type: ignore[union-attr]
