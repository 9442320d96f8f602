"""Count the AArch64 instructions of inferences and of whole screenings by each bundle, and hold them to a gate.

python -m osteo_edge.benchmarks.emulation BUNDLE... --cpu cortex-a72,cortex-a76
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click

from osteo_edge.benchmarks.emulation.boards import BOARDS, CPUS
from osteo_edge.benchmarks.emulation.gate import SCREENING_TOLERANCE, Bound, Gate, Verdict, read_gate, write_gate
from osteo_edge.benchmarks.emulation.guest import RUNTIMES
from osteo_edge.benchmarks.emulation.instructions import count_instructions
from osteo_edge.benchmarks.emulation.screenings import RUNTIME as SCREENING_RUNTIME
from osteo_edge.benchmarks.emulation.screenings import count_screening
from osteo_edge.benchmarks.measuring.command import check_file
from osteo_edge.benchmarks.measuring.lineage import read_lineage
from osteo_edge.benchmarks.measuring.results import Instructions
from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.cli import EXIT_FAILED
from osteo_edge.console import progress, show_json, show_table
from osteo_edge.errors import BundleError, OsteoEdgeError
from osteo_edge.hashing import sha256_file
from osteo_edge.manifest import Manifest
from osteo_edge.standalone import Standalone
from osteo_edge.strict import to_dict

INFERENCE, COLD, WARM = "inference", "cold screening", "warm screening"
NAME_DIGITS = 8
COLUMNS = ("Bundle", "Of", "Processor", "Total", "Dot", "Mult.-acc.", "Load", "Store", "Other", "Estimated", "Verdict")


@dataclass(frozen=True)
class Counted:
    """What one bundle takes on one processor for an inference or a screening (`of`), and what it may take.

    `model` is the key of the bound: all that decides on the count.
    """

    bundle: Path
    of: str
    model: str
    instructions: Instructions
    bound: Bound | None
    verdict: Verdict

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "bundle": str(self.bundle),
            "of": self.of,
            "model": self.model,
            **to_dict(self.instructions),
            "bound": None if self.bound is None else self.bound.total,
            "verdict": self.verdict,
        }


def describe_model(manifest: Manifest) -> str:
    """What decides on how many instructions a model takes, as the key of its bound: all but the weights."""
    size = manifest.input
    return f"{read_lineage(manifest)}, {manifest.model.precision}, {size.height} x {size.width} x {size.channels}"


def _split_cpus(ctx: click.Context, parameter: click.Parameter, value: str) -> tuple[str, ...]:
    cpus = tuple(dict.fromkeys(word.strip() for word in value.split(",") if word.strip()))
    unknown = [cpu for cpu in cpus if cpu not in CPUS]
    if unknown or not cpus:
        raise click.BadParameter(f"{', '.join(unknown) or 'nothing'}: choose from {', '.join(CPUS)}, with commas")
    return cpus


@click.command(cls=Standalone, short_help="The AArch64 instructions of each bundle's inference, or of screenings.")
@click.argument("bundles", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "--cpu",
    "cpus",
    default=",".join(BOARDS),
    show_default=True,
    callback=_split_cpus,
    help="Processors, with commas; cortex-a53 (Raspberry Pi 3B+, Zero 2 W) is there, too.",
)
@click.option("--runtime", type=click.Choice(list(RUNTIMES)), default="LiteRT", show_default=True)
@click.option(
    "--screen",
    "film",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Count `osteo-edge screen` of this film, too: a cold process, and one more film in it.",
)
@click.option(
    "--gate", "gate_path", type=click.Path(path_type=Path), help="Hold the totals to the bounds in this file."
)
@click.option(
    "--record",
    type=click.Path(path_type=Path),
    help="Write the totals to this file as bounds, beside what else it has.",
)
@click.option("--json", "as_json", is_flag=True, help="The result for machines.")
@click.pass_context
def emulation(
    ctx: click.Context,
    bundles: tuple[Path, ...],
    cpus: tuple[str, ...],
    runtime: str,
    film: Path | None,
    gate_path: Path | None,
    record: Path | None,
    as_json: bool,
) -> None:
    """Count what an inference takes on a Raspberry Pi's processor, under emulation: instructions, and no times.

    An instruction of one kind takes longer than one of another, so compare counts within one precision and runtime. A
    time is an estimate, scaled from a published one. The first call fetches an arm64 Debian and the runtime into the
    cache. The exit code is 1 if a total is more than the gate's tolerance above its bound, or has none.

    --screen counts a whole process of `osteo-edge screen` with one film, from the start of Python to the answer, and
    what one more film adds to it: with one thread, a fixed hash seed, and compiled modules.

    \b
    Example:
      python -m osteo_edge.benchmarks.emulation knee-float32 knee-int8 --cpu cortex-a76
      python -m osteo_edge.benchmarks.emulation knee-int8 --screen film.png
    """
    if film is not None and runtime != SCREENING_RUNTIME:
        raise click.UsageError(f"--screen: screenings are counted with {SCREENING_RUNTIME} only")
    gate = None if gate_path is None else read_gate(gate_path)
    kept = read_gate(record).bounds if record is not None and record.is_file() else ()
    if record is not None:
        check_file(record, "the gate")
    jobs = [(bundle, cpu) for bundle in map(_open, bundles) for cpu in cpus]
    found: list[Counted] = []
    with progress("Counting instructions") as advance:
        for done, (bundle, cpu) in enumerate(jobs):
            tell = partial(advance, done, len(jobs))
            found += _count(bundle, cpu, runtime, film, gate, tell)
    if as_json:
        show_json([one.to_dict() for one in found])
    else:
        _show(found)
    if record is not None:
        write_gate(record, map(_bound, found), kept)
    if gate is not None and any(one.verdict != "PASS" for one in found):
        ctx.exit(EXIT_FAILED)


def _open(path: Path) -> Bundle:
    bundle = read_bundle(path)
    if bundle.manifest.model.format != "tflite":
        raise BundleError(
            f"{path}: a {bundle.manifest.model.format} bundle, and only TFLite models are emulated; convert it first: "
            f"osteo-edge convert {path} --precision int8 --out {path}-int8"
        )
    return bundle


def _count(
    bundle: Bundle, cpu: str, runtime: str, film: Path | None, gate: Gate | None, tell: Callable[[str], None]
) -> Iterator[Counted]:
    model = describe_model(bundle.manifest)
    precision = bundle.manifest.model.precision
    counted = count_instructions(bundle.model_path, cpu, precision=precision, runtime=runtime, on_progress=tell)
    yield _judge(bundle, INFERENCE, model, counted, gate)
    if film is not None:
        screened = count_screening(bundle, film, counted, on_progress=tell)
        name = f"{film.name} ({_sha256(film)[:NAME_DIGITS]})"
        for of, instructions in ((COLD, screened.cold), (WARM, screened.warm)):
            yield _judge(bundle, of, f"{of} of {name}, {model}", instructions, gate)


def _judge(bundle: Bundle, of: str, model: str, counted: Instructions, gate: Gate | None) -> Counted:
    bound = None if gate is None else gate.find(model, counted)
    verdict: Verdict = "no bound" if gate is None else gate.verdict(bound, counted)
    return Counted(bundle.path, of, model, counted, bound, verdict)


def _bound(one: Counted) -> Bound:
    counted = one.instructions
    tolerance = None if one.of == INFERENCE else SCREENING_TOLERANCE
    return Bound(one.model, counted.cpu, counted.runtime, counted.total, tolerance)


def _sha256(film: Path) -> str:
    try:
        return sha256_file(film)
    except OSError as error:
        raise OsteoEdgeError(f"{film}: cannot be read ({error.strerror})") from error


def _show(found: Sequence[Counted]) -> None:
    rows = [
        (
            str(one.bundle),
            one.of,
            one.instructions.cpu,
            *(f"{count / 1e6:,.2f}" for count in _counts(one.instructions)),
            _time(one.instructions),
            one.verdict
            if one.bound is None
            else f"{one.verdict} ({one.instructions.total / one.bound.total - 1:+.1%})",
        )
        for one in found
    ]
    show_table("AArch64 instructions, in millions", COLUMNS, rows)
    spread = max(one.instructions.spread or 0.0 for one in found)
    made_by = {(one.instructions.runtime, one.instructions.emulator) for one in found}
    for runtime, emulator in sorted(made_by):
        click.echo(
            f"Counted with {runtime} under {emulator}, one thread; runs of one kind differ by {spread:.4%} at most."
        )
    for one in found:
        if not one.instructions.uses_xnnpack:
            click.echo(f"{one.bundle} on {one.instructions.cpu}: XNNPACK takes no part of this model.")
    for calibration in sorted({one.instructions.calibration for one in found if one.instructions.calibration}):
        click.echo(f"Estimated: {calibration}")


def _time(counted: Instructions) -> str:
    if counted.estimated_ms is None:
        return ""
    threads = "" if counted.estimated_threads is None else f", {counted.estimated_threads} threads"
    return f"{counted.estimated_ms:.0f} ms{threads}"


def _counts(counted: Instructions) -> tuple[int, ...]:
    return (
        counted.total,
        counted.dot_product,
        counted.multiply_accumulate,
        counted.load,
        counted.store,
        counted.other,
    )


if __name__ == "__main__":
    emulation()
