"""What a Raspberry Pi is to be expected to take before one was measured: published by others, or estimated.

python -m osteo_edge.benchmarks.emulation.expected
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from osteo_edge.benchmarks.emulation.calibration import find_calibration
from osteo_edge.benchmarks.emulation.gate import Bound, read_gate
from osteo_edge.benchmarks.emulation.published import MODELS, NETWORK, PUBLISHED, Model, Published
from osteo_edge.benchmarks.measuring.command import check_file
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.standalone import Standalone
from osteo_edge.writing import write_whole

RECORDED = Path(__file__).with_name("gate.json")
RUNTIME = "LiteRT"
INPUT = "224 x 224 x 3"
NETWORKS = ("MobileNetV2 0.35", NETWORK, "EfficientNet-B0")
PRECISIONS = ("int8", "float32")
NONE = "–"
CORES = {"cortex-a53": "Zero 2 W, 3B+", "cortex-a72": "4", "cortex-a76": "5"}

PLACE = re.compile(r"(<!-- expected figures: .*? -->\n).*?(<!-- end of expected figures -->)", re.DOTALL)
"""Between these two remarks a page has the tables."""

Cells = Sequence[str]


def expected_tables(bounds: Sequence[Bound]) -> str:
    """All tables as Markdown, from the recorded instruction counts and the published times."""
    totals = {(bound.model, bound.cpu): bound.total for bound in bounds}
    networks = [(network, precision) for network in NETWORKS for precision in PRECISIONS]
    return "\n".join(
        (
            "Milliseconds of one inference, LiteRT with XNNPACK, four threads:",
            "",
            *_table(
                ("Network", *(f"Pi {model.name}" for model in MODELS)),
                (
                    (f"{network} {precision}", *(_time(totals, network, precision, model) for model in MODELS))
                    for network, precision in networks
                ),
            ),
            "",
            "Millions of AArch64 instructions of one inference, one thread:",
            "",
            *_table(
                ("Network", *map(_core, CORES)),
                (
                    (f"{network} {precision}", *(_count(totals, _key(network, precision), cpu) for cpu in CORES))
                    for network, precision in networks
                ),
            ),
            "",
            "Millions of AArch64 instructions of `osteo-edge screen`, one thread, the app's demo model and film:",
            "",
            *_table(("", *map(_core, CORES)), _screenings(totals)),
            "",
            "Milliseconds of one inference as published by others:",
            "",
            *_table(("Network", "Threads", *(f"Pi {model.name}" for model in MODELS), "Source"), _published()),
            "",
            *_sources(),
            "",
        )
    )


def _time(totals: dict[tuple[str, str], int], network: str, precision: str, model: Model) -> str:
    """Published where the network is the one that was, else scaled; slower by the clock on the Zero 2 W."""
    calibration = find_calibration(model.cpu, RUNTIME, precision)
    total = totals.get((_key(network, precision), model.cpu))
    if calibration is None or total is None:
        return NONE
    if network == NETWORK and model == calibration.model:
        return f"{calibration.published_ms:g}, published"
    clock = calibration.model.clock_mhz / model.clock_mhz if model != calibration.model else 1.0
    return f"{calibration.estimate_ms(total) * clock:.0f}, estimated"


def _count(totals: dict[tuple[str, str], int], model: str, cpu: str) -> str:
    total = totals.get((model, cpu))
    return NONE if total is None else f"{total / 1e6:.1f}"


def _screenings(totals: dict[tuple[str, str], int]) -> Iterator[Cells]:
    for of, words in (("cold screening", "a process with one film"), ("warm screening", "one more film in it")):
        model = next(model for model, _ in totals if model.startswith(of))
        yield (f"{of.capitalize()}: {words}", *(_count(totals, model, cpu) for cpu in CORES))


def _published() -> Iterator[Cells]:
    rows: dict[tuple[str, str, str, str], dict[str, Published]] = {}
    for one in PUBLISHED:
        threads = "not said" if one.threads is None else str(one.threads)
        key = (one.network, one.precision, threads, one.source.title)
        rows.setdefault(key, {})[one.board.name] = one
    for (network, precision, threads, source), found in rows.items():
        times = (f"{found[model.name].milliseconds:g}" if model.name in found else NONE for model in MODELS)
        yield (f"{network} {precision}".strip(), threads, *times, source)


def _sources() -> Iterator[str]:
    for source in dict.fromkeys(one.source for one in PUBLISHED):
        yield f"- **{source.title}**, <{source.url}>: {source.about}."


def _key(network: str, precision: str) -> str:
    """As the gate names a model."""
    return f"{network}, {precision}, {INPUT}"


def _core(cpu: str) -> str:
    return f"{cpu.title()} (Pi {CORES[cpu]})"


def _table(head: Cells, rows: Iterator[Cells]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + " --- |" * len(head)
    yield from (f"| {' | '.join(row)} |" for row in rows)


def with_tables(page: str, tables: str) -> str | None:
    """The page with these tables between the two remarks; None where it has no such place."""
    written, places = PLACE.subn(lambda found: f"{found[1]}{tables}{found[2]}", page)
    return written if places == 1 else None


@click.command(cls=Standalone, short_help="The expected figures of Raspberry Pi boards.")
@click.option(
    "--page",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Put the tables into this page, between its two remarks, in place of those that are there.",
)
def expected(page: Path | None) -> None:
    """Print what Raspberry Pi boards are to be expected to take, as Markdown: the tables of docs/pi-figures.md.

    Times are published by others or scaled from such a time by instruction counts, and each says which. Nothing is
    counted anew: the counts are those that the gate was recorded with.

    \b
    Example:
      python -m osteo_edge.benchmarks.emulation.expected
      python -m osteo_edge.benchmarks.emulation.expected --page docs/pi-figures.md
    """
    tables = expected_tables(read_gate(RECORDED).bounds)
    if page is None:
        click.echo(tables, nl=False)
        return
    check_file(page, "the page")
    written = with_tables(page.read_text("utf-8"), tables)
    if written is None:
        raise OsteoEdgeError(f"{page}: has no place for the tables: <!-- expected figures: ... -->")
    write_whole(page, written.encode(), "the page")


if __name__ == "__main__":
    expected()
