"""`osteo-edge screen-archive`: the command; the work is in `planning`, `running` and the engines."""

import os
from collections import Counter
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final, NoReturn

import click

from osteo_edge.amounts import counted
from osteo_edge.archive.arrow import parquet
from osteo_edge.archive.engine import Engine
from osteo_edge.archive.film import Options
from osteo_edge.archive.film_tags import reason_by_tags
from osteo_edge.archive.plan import FILMS, Plan, Source, read_plan
from osteo_edge.archive.planning import SHARD_SIZE, Wish, grow_plan, make_plan, require_usable, resume_plan
from osteo_edge.archive.results_folder import results_folder
from osteo_edge.archive.row import OUTCOMES, FilmOutcome
from osteo_edge.archive.running import run_engine, unread
from osteo_edge.archive.sources import film_names, open_source
from osteo_edge.archive.summary import write_summary
from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.cli import EXIT_FAILED, EXIT_INTERRUPTED
from osteo_edge.console import Advance, progress, show_json, show_table
from osteo_edge.preflight import open_checked
from osteo_edge.screening import require_screenable
from osteo_edge.trust import require_trusted

MAX_WORKERS: Final = 4096
MAX_SHARD_SIZE: Final = 100_000
TOLD_EVERY: Final = 100
HEADINGS: Final[dict[FilmOutcome, str]] = {
    "refer": "refer",
    "no_finding": "no finding, which rules nothing out",
    "uncertain": "uncertain",
    "rejected": "rejected by the input gate",
    "not_screened": "not screened, by the tags",
    "unreadable": "unreadable",
}


@click.command("screen-archive", short_help="Screen a whole archive of films.")
@click.argument("source", type=click.Path(readable=False, path_type=Path))  # `film_names` says why it is not
@click.option("--bundle", type=click.Path(path_type=Path), required=True, help="The TFLite bundle that answers.")
@click.option("--out", type=click.Path(path_type=Path), help="The folder of the results, or the one to go on in.")
@click.option(
    "--engine",
    "engine_name",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="Processes of this machine, or Ray tasks on one or many.",
)
@click.option("--address", help="The Ray cluster to join, HOST:PORT or auto.  [default: a Ray of this machine's own]")
@click.option(
    "--workers",
    type=click.IntRange(1, MAX_WORKERS),
    help="Processes that screen.  [default: the cores there are, of the machine or the cluster]",
)
@click.option("--bone", help="The bone that every film shows, for a model that tells bones apart: believed, not asked.")
@click.option("--maps", is_flag=True, help="Write the annotated film of each positive to --out/maps.")
@click.option("--limit", type=click.IntRange(1), help="Only so many films, the first that are found.")
@click.option(
    "--shard-size",
    type=click.IntRange(1, MAX_SHARD_SIZE),
    help=f"Films in one file of the results: what is lost when a worker is killed.  [default: {SHARD_SIZE}]",
)
@click.option(
    "--add-new", is_flag=True, help="Look for films that have come since the first call, and screen them too."
)
@click.option("--retry", is_flag=True, help="Try again the films that could not be opened, as when a disk was away.")
@click.option(
    "--force", is_flag=True, help="Answer with a model that failed its check after conversion, each answer warned of."
)
@click.option(
    "--any-film",
    is_flag=True,
    help="Answer, with a warning, films unlike those that the model learned from: to try it out on drawn ones.",
)
@click.option(
    "--one-process",
    is_flag=True,
    help="Decode films in the workers themselves, which takes less memory; one that breaks a decoder costs a worker.",
)
@click.option(
    "--dry-run", is_flag=True, help="Count the films, and what is left out by reason; screen and write nothing."
)
@click.option("--json", "as_json", is_flag=True, help="The summary for machines.")
def screen_archive(
    source: Path,
    bundle: Path,
    out: Path | None,
    engine_name: str,
    address: str | None,
    workers: int | None,
    bone: str | None,
    maps: bool,
    limit: int | None,
    shard_size: int | None,
    add_new: bool,
    retry: bool,
    force: bool,
    any_film: bool,
    one_process: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Screen a whole archive of films, on one machine or a cluster, so that each film is done once.

    SOURCE is a folder with all that is below it; a list, a .txt file with a path a line; an index, a .csv or .parquet
    file with a column path; or a DICOMDIR. Only films that the bundle's model is for are screened: by their DICOM tags,
    as far as they have some, and then by the model's input gate. The rest is counted by reason. One bad file never
    stops a run. A referral aid, never a diagnosis, and no answer rules anything out.

    The same command goes on where it was ended, by Ctrl-C, a kill or a power cut, with this engine or the other: no
    film is in the results twice, none is missing. Results of another source, bundle, program or other options are not
    mixed.

    \b
      --out/films          the results, a Parquet data set with a row a film
      --out/summary.json, summary.html
                           counts, distributions, throughput, errors, drift
      --out/maps           with --maps, the annotated films of positives
      --out/_plan          which films there are; keep it with the results

    The results hold the paths and UIDs of patients' films: guard them as you guard the films. The exit code is 1 if a
    film could not be read.

    \b
    Example:
      osteo-edge screen-archive /srv/pacs --bundle knee-int8 --dry-run
      osteo-edge screen-archive /srv/pacs --bundle knee-int8 --out answers
      osteo-edge screen-archive knees.csv --bundle knee-int8 --out answers --engine ray
    """
    parquet()
    loaded = read_bundle(bundle)
    require_trusted(loaded)
    require_screenable(loaded, bone, force)
    found = open_source(source)
    if dry_run:
        _count(found, loaded, limit, out, as_json)
        return
    if out is None:
        raise click.UsageError("Missing option '--out': name the folder of the results, or add --dry-run.")
    if add_new and limit is not None:
        raise click.UsageError("--add-new looks for all that has come since; leave out --limit.")
    engine = _engine(engine_name, address, isolated=not one_process)
    runtime = open_checked(loaded, threads=1, tell=_tell).name
    wish = Wish(found, loaded, runtime, Options(bone, force, any_film, maps), limit, shard_size)
    require_usable(out)
    with results_folder(out), progress("looking for films") as advance:
        plan = _plan(out.resolve(), wish, engine, add_new=add_new, advance=advance)
        plan.require_own_parts()
        again = unread(plan) if retry else {}
        ended = run_engine(plan, engine, workers=_workers(workers, address), on_progress=advance, again=again)
        summary = write_summary(plan, loaded)
    if ended == "interrupted":
        _end_early(plan)
    _show(plan, summary, as_json)


def _engine(name: str, address: str | None, *, isolated: bool) -> Engine:
    if name == "ray":
        from osteo_edge.archive.ray_engine import RayEngine

        return RayEngine(address, isolated=isolated)
    if address is not None:
        raise click.UsageError("--address is of a Ray cluster; add --engine ray.")
    from osteo_edge.archive.local_engine import LocalEngine

    return LocalEngine(isolated=isolated)


def _workers(wanted: int | None, address: str | None) -> int:
    """How many processes; 0 lets a cluster tell how many it has processors for."""
    if wanted is None and address is not None:
        return 0
    return wanted or len(os.sched_getaffinity(0))


def _plan(out: Path, wish: Wish, engine: Engine, *, add_new: bool, advance: Advance) -> Plan:
    """The plan that is there, or a new one if the engine can work on it."""

    def on_found(films: int) -> None:
        advance(films, films)

    plan = read_plan(out)
    if plan is None:
        engine.require_ready()
        return make_plan(wish, out, on_found)
    plan = resume_plan(plan, wish)
    return grow_plan(plan, wish, on_found) if add_new else plan


def _count(source: Source, bundle: Bundle, limit: int | None, out: Path | None, as_json: bool) -> None:
    """Show how many films would be screened, and what would not, by the tags and the names alone."""
    left_out: Counter[str] = Counter()
    by_tags: Counter[str] = Counter()
    films = 0
    with progress("looking for films") as advance:
        for films, name in enumerate(islice(film_names(source, left_out, skip=out), limit), 1):
            why = reason_by_tags(Path(source.root) / name, bundle.manifest)
            by_tags.update([] if why is None else [why])
            if films % TOLD_EVERY == 0:
                advance(films, films)
    to_screen = films - by_tags.total()
    if as_json:
        counts = {"left_out": dict(left_out), "not_screened": dict(by_tags)}
        show_json({"source": source.path, "films": films, "to_screen": to_screen, **counts})
        return
    rows = [("to screen", "", str(to_screen))]
    rows += [("not screened", reason, str(count)) for reason, count in by_tags.most_common()]
    rows += [("no film", reason, str(count)) for reason, count in left_out.most_common()]
    show_table(f"{source.path}: {counted(films, 'film')}", ("", "reason", "files"), rows)


def _end_early(plan: Plan) -> NoReturn:
    done = plan.films - sum(map(plan.films_in, plan.missing()))
    click.echo(
        f"osteo-edge: interrupted; {done} of {plan.films} films are kept in {plan.out}, "
        "and the same command goes on from there",
        err=True,
    )
    raise click.exceptions.Exit(EXIT_INTERRUPTED)


def _show(plan: Plan, summary: dict[str, Any], as_json: bool) -> None:
    """Show what became of the films; exit with 1 where some could not be read."""
    counts, shares = summary["outcome_films"], summary["outcomes"]
    if as_json:
        show_json(summary)
    else:
        rows = [(HEADINGS[outcome], str(counts[outcome]), _share(shares[outcome])) for outcome in OUTCOMES]
        click.echo(f"{summary['bundle']}: {summary['intended_use']}\n")
        title = f"{plan.record.source.path}: {counted(summary['films'], 'film')}"
        show_table(title, ("outcome", "films", "share (95 %)"), rows)
        if summary["left_out"]:
            left_out = ", ".join(f"{reason} {number}" for reason, number in summary["left_out"].items())
            click.echo(f"Left out when the source was listed, and in no share: {left_out}")
        click.echo(f"Written: {plan.out / FILMS}, {plan.out / 'summary.html'}")
    if counts["unreadable"]:
        raise click.exceptions.Exit(EXIT_FAILED)


def _share(estimate: Mapping[str, float]) -> str:
    return f"{estimate['value']:.1%} ({estimate['low']:.1%} to {estimate['high']:.1%})"


def _tell(line: str) -> None:
    click.echo(f"osteo-edge: {line}", err=True)
