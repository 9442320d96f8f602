"""`osteo-edge watch`: the command; the work is in `watching`."""

import math
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import FrameType
from typing import Any

import click

from osteo_edge.bundle import read_bundle
from osteo_edge.cli import EXIT_FAILED, EXIT_INTERRUPTED
from osteo_edge.console import show_json
from osteo_edge.edge_app.browsing.names import shown
from osteo_edge.edge_app.nameless import errors_without_names, is_journal, without_names
from osteo_edge.edge_app.pi.notify import Notifier, open_notifier
from osteo_edge.edge_app.watching import (
    Answered,
    Event,
    FolderBack,
    FolderGone,
    PutOff,
    SeenBefore,
    Unreadable,
    open_station,
    warnings_of,
    watch,
)
from osteo_edge.heap import keep_little_memory
from osteo_edge.preflight import open_checked
from osteo_edge.radiograph import read_radiograph
from osteo_edge.reading import Reader
from osteo_edge.targets import require_outside_bundles
from osteo_edge.trust import require_trusted

UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0}
SHORTEST_S, LONGEST_S = 0.05, 3600.0
NAP_S = 0.1


class Stop:
    """Whether SIGINT or SIGTERM has asked for the end; a second signal ends the program at once.

    `beat` is called as often as one waits, or asks whether to go on.
    """

    def __init__(self, beat: Callable[[], None] = lambda: None) -> None:
        self.signal: int | None = None
        self._beat = beat

    def pause(self, seconds: float) -> bool:
        """Wait, unless the end is asked for; whether to go on."""
        until = time.monotonic() + seconds
        self._beat()
        while self.signal is None and (left := until - time.monotonic()) > 0:
            time.sleep(min(NAP_S, left))
            self._beat()
        return self.signal is None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take the two signals while the block runs."""
        before = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.signal = number
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _seconds(ctx: click.Context, param: click.Parameter, value: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m)?", value.strip())
    seconds = float(found[1]) * UNITS_S[found[2] or "s"] if found else math.nan
    if not SHORTEST_S <= seconds <= LONGEST_S:
        raise click.BadParameter(f"{value!r} is no time between 50ms and 60m; write it like 2s, 500ms or 1m")
    return seconds


@click.command("watch", short_help="Screen what arrives in a folder.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The folder of the results.")
@click.option(
    "--every",
    "every_s",
    default="2s",
    show_default=True,
    metavar="TIME",
    callback=_seconds,
    help="How often to look. A file that has not changed over three looks has arrived.",
)
@click.option("--once", is_flag=True, help="End when all that is there has been screened.")
@click.option("--overlay", is_flag=True, help="Write the annotated film beside each result.")
@click.option(
    "--force", is_flag=True, help="Answer with a model that failed its check after conversion, each answer warned of."
)
@click.option("--threads", type=click.IntRange(1, 64), help="Threads of the interpreter [default: cores, at most 4].")
@click.option(
    "--one-process",
    is_flag=True,
    help="Decode films in the watch itself, which takes less memory; one that breaks a decoder then ends the watch.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, one line a film.")
@click.pass_context
def watch_folder(
    ctx: click.Context,
    bundle: Path,
    folder: Path,
    out: Path,
    every_s: float,
    once: bool,
    overlay: bool,
    force: bool,
    threads: int | None,
    one_process: bool,
    as_json: bool,
) -> None:
    """Screen what arrives in a folder (PNG, JPEG, BMP, TIFF, DICOM), each film once.

    For a device without a screen. A film is its content: under another name it is noted, not screened again, and a
    changed file is a new film. Sub-folders, hidden files and unfinished ones (.part, .tmp, ~) are left alone.

    On Linux each film is decoded in a process of its own, without files, network or much time and memory: one that
    breaks the decoder, or was made to take the program over, is one file that cannot be read.

    \b
      --out/DATE/NAME-HASH.json   each answer, as `osteo-edge screen --json` gives it
      --out/results.csv           a row a film
      --out/ledger.jsonl          what has been dealt with
      --out/audit.jsonl           what was done; `osteo-edge audit-log` tells of any change to it

    Safe to kill and to start again at any moment. Ctrl-C and SIGTERM end it after the film at hand. Started by systemd
    as a service of Type=notify, it tells when it is ready, and that it is alive where WatchdogSec= asks for it. In the
    system's journal a film stands by its hash, not by its name, which may be a patient's.

    \b
    Example:
      osteo-edge watch knee-int8 /srv/xray --out /srv/results
    """
    _require_folder(folder, out)
    keep_little_memory()
    loaded = read_bundle(bundle)
    require_trusted(loaded)
    manager = open_notifier()
    stop, failed = Stop(manager.alive), False
    nameless = is_journal()
    with errors_without_names() if nameless else nullcontext(), _reader(one_process) as read:
        interpreter = open_checked(loaded, threads=threads, tell=_complain)
        station_of = open_station(loaded, interpreter, out, overlay=overlay, force=force, read=read)
        with station_of as station, stop.listening():
            if not as_json:
                click.echo(f"{loaded.manifest.name}: {loaded.manifest.intended_use}\n")
            manager.ready(f"waiting for films, with {interpreter.name}")
            for number, event in enumerate(watch(folder, station, stop.pause, every_s=every_s, once=once), 1):
                failed |= isinstance(event, Unreadable | PutOff)
                _show(without_names(event) if nameless else event, folder, as_json)
                _report(event, number, manager)
            manager.stopping()
    if stop.signal is not None:
        click.echo("osteo-edge: ended as asked; the next start goes on from here", err=True)
    if stop.signal == signal.SIGINT:
        ctx.exit(EXIT_INTERRUPTED)
    if once and failed and stop.signal is None:
        ctx.exit(EXIT_FAILED)


@contextmanager
def _reader(one_process: bool) -> Iterator[Reader]:
    """What reads the films: another process, where there is one to be had."""
    if one_process or sys.platform != "linux":
        yield read_radiograph
        return
    from osteo_edge.isolated_reading import IsolatedReader

    with IsolatedReader(tell=_complain) as read:
        yield read


def _require_folder(folder: Path, out: Path) -> None:
    if folder.is_file():
        raise click.BadParameter(f"{folder} is a file; name the folder that films arrive in", param_hint="'FOLDER'")
    require_outside_bundles(out, "the results")
    if folder.resolve() == out.resolve():
        raise click.BadParameter(f"{out} is the watched folder; results need one of their own", param_hint="'--out'")


def _report(event: Event, number: int, manager: Notifier) -> None:
    """What `systemctl status` says: no film's name, which may be a patient's."""
    if isinstance(event, FolderGone):
        manager.status(f"the folder of the films cannot be read ({event.reason}); waiting for it")
    else:
        manager.status(
            f"{number} event{'s' if number > 1 else ''} since the start, the last at {time.strftime('%H:%M')}"
        )


def _show(event: Event, folder: Path, as_json: bool) -> None:
    match event:
        case Answered(path, result):
            show_json(result, indent=None) if as_json else _tell(_words(path, result))
        case Unreadable(path, error, _):
            if as_json:
                show_json({"image": str(path), "error": error}, indent=None)
            _complain(error)
        case SeenBefore(path, film, _):
            if as_json:
                show_json({"image": str(path), "seen_before_as": film.name, "result": film.result}, indent=None)
            else:
                _tell(f"{path}: seen before as {film.name}; {film.result or 'not readable'}")
        case PutOff(path, reason):
            _complain(f"{path}: put off ({reason}); it is tried again every minute")
        case FolderGone(reason):
            _complain(f"{folder}: cannot be read ({reason}); waiting for it")
        case FolderBack():
            _complain(f"{folder}: is there again")


def _words(path: Path, result: dict[str, Any]) -> str:
    return " ".join([f"{path}: {result['headline']} ({'; '.join(result['reasons'])})", *warnings_of(result)])


def _tell(line: str) -> None:
    click.echo(shown(line))


def _complain(line: str) -> None:
    click.echo(f"osteo-edge: {shown(line)}", err=True)
