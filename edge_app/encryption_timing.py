"""What encryption costs: the same actions on a plain and an encrypted history, in turns.

python -m osteo_edge.edge_app.encryption_timing
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import click
import cv2
import numpy as np

from osteo_edge.cli import EXIT_FAILED
from osteo_edge.console import Advance, progress, show_json, show_table
from osteo_edge.edge_app.history.entry import new_id
from osteo_edge.edge_app.history.images import Picture
from osteo_edge.edge_app.history.invented import INVENTED
from osteo_edge.edge_app.history.store import History, Record
from osteo_edge.edge_app.history.vault import Keys, Vault, new_vault, write_vault
from osteo_edge.intervals import Estimate, Indices, estimate
from osteo_edge.radiograph import decode

MOST: Final = 0.15
"""Of the time that an action takes, what encryption may add."""
FILM_PX: Final = 1000
"""On a side: of grain alone, which makes a JPEG file of about a megabyte."""
OVERLAY_BYTES: Final = 20_000
PIN: Final = "719305"
TRIES: Final = 5


@dataclass(frozen=True)
class Cost:
    """The median milliseconds of an action, plain and encrypted, and what it takes more: a share with its interval."""

    action: str
    plain_ms: float
    encrypted_ms: float
    more: Estimate

    @property
    def holds(self) -> bool:
        return self.more.value <= MOST


def measure(*, screenings: int, runs: int, advance: Advance) -> Iterator[Cost]:
    """Measure each action `runs` times on each of two histories of so many screenings, which take turns."""
    with TemporaryDirectory(prefix="encryption-timing-") as scratch, ExitStack() as stack:
        vault, keys, _ = new_vault(PIN)
        plain, sealed = _histories(Path(scratch), screenings, vault, keys)
        yield _compare(
            f"history of {screenings} screenings opened, with its first page",
            lambda _: _open(plain, None),
            lambda _: _open(sealed, keys),
            runs,
        )
        advance(1, 4)
        one, other = stack.enter_context(History(plain)), stack.enter_context(History(sealed, keys=keys))
        yield _compare("page of 50", lambda _: one.search(), lambda _: other.search(), runs)
        advance(2, 4)
        films = [[_record(number, _film()) for number in range(runs)] for _ in range(2)]
        yield _compare(
            "screening saved, film of 1 MB",
            lambda run: one.add(films[0][run]),
            lambda run: other.add(films[1][run]),
            runs,
        )
        advance(3, 4)
        yield _compare(
            "saved film of 1 MB read, checked and decoded",
            lambda run: _decode(one, films[0][run]),
            lambda run: _decode(other, films[1][run]),
            runs,
        )
        advance(4, 4)


def seconds_a_try(tries: int = TRIES) -> float:
    """The median time of one wrong PIN on this device."""
    vault, _, _ = new_vault(PIN)
    return float(np.median([_timed(lambda: vault.open_with_pin("000000")) for _ in range(tries)]))


def _histories(scratch: Path, screenings: int, vault: Vault, keys: Keys) -> tuple[Path, Path]:
    """A plain and an encrypted history that grew in the same way: one copied from the other would be packed closer."""
    plain, sealed = scratch / "plain" / "history", scratch / "encrypted" / "history"
    sealed.mkdir(parents=True)
    write_vault(sealed, vault)
    for folder, key in ((plain, None), (sealed, keys)):
        with History(folder, keys=key) as history:
            history.add_all(_record(number, os.urandom(64)) for number in range(screenings))
    os.sync()
    return plain, sealed


def _open(folder: Path, keys: Keys | None) -> None:
    with History(folder, keys=keys) as history:
        history.search()


def _film() -> bytes:
    grain = np.random.default_rng().integers(0, 256, (FILM_PX, FILM_PX), np.uint8)
    return cv2.imencode(".jpg", grain, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()


def _decode(history: History, record: Record) -> None:
    decode(history.image(record.image.sha256).data, Path("film.jpg"))


def _record(number: int, data: bytes) -> Record:
    film, overlay = Picture(data, ".jpg"), Picture(os.urandom(OVERLAY_BYTES), ".png")
    return Record(
        replace(
            INVENTED,
            id=new_id(),
            patient=replace(INVENTED.patient, code=f"K-{number}"),
            image_sha256=film.sha256,
            overlay_sha256=overlay.sha256,
        ),
        film,
        overlay,
    )


def _compare(action: str, plain: Callable[[int], object], encrypted: Callable[[int], object], runs: int) -> Cost:
    """Time both in turns, each first every other time; what is more is the ratio of the medians less one."""
    times = np.empty((2, runs))
    for run in range(runs):
        for which in (0, 1) if run % 2 else (1, 0):
            times[which, run] = _timed(partial((plain, encrypted)[which], run))

    def more(cases: Indices) -> float:
        return float(np.median(times[1, cases]) / np.median(times[0, cases]) - 1)

    before, after = (float(np.median(one)) * 1000 for one in times)
    return Cost(action, before, after, estimate(more, runs))


def _timed(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def _cells(cost: Cost) -> tuple[str, ...]:
    more = cost.more
    times = f"{cost.plain_ms:.2f}", f"{cost.encrypted_ms:.2f}"
    interval = f"{100 * more.low:.0f} to {100 * more.high:.0f} %"
    verdict = "holds" if cost.holds else "missed"
    return cost.action, *times, f"{100 * more.value:.0f} %", interval, verdict


@click.command()
@click.option("--screenings", default=3000, show_default=True, type=click.IntRange(10, 100_000), help="In the history.")
@click.option("--runs", default=51, show_default=True, type=click.IntRange(3, 1000), help="Of each action, each way.")
@click.option("--json", "as_json", is_flag=True, help="The same for machines.")
@click.pass_context
def main(ctx: click.Context, screenings: int, runs: int, as_json: bool) -> None:
    """Measure what encryption adds to saving, opening, listing and reading, and how long one try of a PIN takes.

    The exit code is 1 if any of them takes more than 15 % longer. Disks differ: run it on the device.
    """
    with progress("actions") as advance:
        costs = list(measure(screenings=screenings, runs=runs, advance=advance))
    a_try_s = seconds_a_try()
    if as_json:
        show_json(
            {"costs": [asdict(cost) | {"holds": cost.holds} for cost in costs], "seconds_a_try": round(a_try_s, 4)}
        )
    else:
        columns = ("action", "plain, ms", "encrypted, ms", "more", "95 % interval", "")
        show_table("encryption", columns, map(_cells, costs))
        click.echo(f"one try of a PIN: {a_try_s:.2f} s")
    ctx.exit(0 if all(cost.holds for cost in costs) else EXIT_FAILED)


if __name__ == "__main__":
    main()
