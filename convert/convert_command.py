"""`osteo-edge convert`: the command; the work is in `conversion`."""

from pathlib import Path

import click

from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.console import progress, show_json
from osteo_edge.convert.conversion import convert_bundle
from osteo_edge.convert.tflite import ConvertPrecision
from osteo_edge.manifest import Parity
from osteo_edge.verdict import asked_for, measured, shortfall

AFTER_FAILURE = (
    "`screen` refuses this bundle. Try more precision (--precision mixed, float16 or float32), or train for int8 first "
    "(osteo-edge qat)"
)


@click.command(short_help="Convert a trained bundle to TFLite.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--precision", type=click.Choice(["float32", "int8"]), required=True, help="int8 is four times smaller.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The bundle to write; must not exist.")
@click.option("--plain", is_flag=True, help="int8 as the TensorFlow Lite converter makes it, to compare with.")
@click.option("--json", "as_json", is_flag=True, help="The result for machines.")
@click.pass_context
def convert(
    ctx: click.Context, bundle: Path, precision: ConvertPrecision, out: Path, plain: bool, as_json: bool
) -> None:
    """Convert a trained Keras bundle to TFLite and measure what that changed.

    int8 is calibrated on training images that the bundle carries, with linear channels equalized, weights rounded so
    that the output changes least, and biases corrected. Both precisions are then compared with the Keras model on
    validation images that the bundle carries too, and what came out is written into the manifest. A bundle that does
    not answer as the Keras model is written too, marked as failed; the exit code is 1, and `screen` refuses it.

    \b
    Example:
      osteo-edge convert knee --precision int8 --out knee-int8
    """
    source = read_bundle(bundle)
    with progress("convert and compare") as advance:
        converted = convert_bundle(source, precision, out, plain=plain, on_progress=advance)
    parity = converted.manifest.parity
    assert parity is not None
    if as_json:
        size = converted.model_path.stat().st_size
        passed = parity.passed
        show_json({"bundle": str(converted.path), "bytes": size, "passed": passed, **converted.manifest.to_dict()})
    else:
        _show(source, converted, parity)
    failure = shortfall(parity)
    if failure is not None:
        click.secho(f"FAILED parity: {failure}. {AFTER_FAILURE}", fg="red", bold=True, err=True)
        ctx.exit(1)


def _show(source: Bundle, converted: Bundle, parity: Parity) -> None:
    size, before = converted.model_path.stat().st_size, source.model_path.stat().st_size
    click.echo(f"{converted.manifest.model.precision}: {size:,} bytes ({before:,} as {source.manifest.model.format})")
    click.echo(f"Beside {source.path} on {parity.n} {parity.images}: {measured(parity)}")
    click.echo(f"{asked_for(parity)}\nWritten: {converted.path}")
    if parity.passed:
        click.echo(f"Next: osteo-edge screen {converted.path} IMAGE --overlay pictures")
