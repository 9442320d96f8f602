"""`osteo-edge convert`: the command; the work is in `conversion`."""

from pathlib import Path

import click

from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.console import progress, show_json
from osteo_edge.convert.conversion import convert_bundle
from osteo_edge.convert.tflite import ConvertPrecision


@click.command(short_help="Convert a trained bundle to TFLite.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--precision", type=click.Choice(["float32", "int8"]), required=True, help="int8 is four times smaller.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The bundle to write; must not exist.")
@click.option("--plain", is_flag=True, help="int8 as the TensorFlow Lite converter makes it, to compare with.")
@click.option("--json", "as_json", is_flag=True, help="The result for machines.")
def convert(bundle: Path, precision: ConvertPrecision, out: Path, plain: bool, as_json: bool) -> None:
    """Convert a trained Keras bundle to TFLite and measure what that changed.

    int8 is calibrated on training images that the bundle carries, with linear channels equalized, weights rounded so
    that the output changes least, and biases corrected. Both precisions are then compared with the Keras model on
    validation images that the bundle carries too, and what came out is written into the manifest.

    \b
    Example:
      osteo-edge convert knee --precision int8 --out knee-int8
    """
    source = read_bundle(bundle)
    with progress("convert and compare") as advance:
        converted = convert_bundle(source, precision, out, plain=plain, on_progress=advance)
    if as_json:
        size = converted.model_path.stat().st_size
        show_json({"bundle": str(converted.path), "bytes": size, **converted.manifest.to_dict()})
    else:
        _show(source, converted)


def _show(source: Bundle, converted: Bundle) -> None:
    size, before = converted.model_path.stat().st_size, source.model_path.stat().st_size
    parity = converted.manifest.parity
    assert parity is not None
    click.echo(f"{converted.manifest.model.precision}: {size:,} bytes ({before:,} as {source.manifest.model.format})")
    click.echo(
        f"Beside {source.path} on {parity.n} {parity.images}: decisions agree on {parity.decision_agreement:.1%}, "
        f"probabilities differ by {parity.mean_difference:.4f} on average, {parity.largest_difference:.4f} at most"
    )
    click.echo(f"Written: {converted.path}\nNext: osteo-edge screen {converted.path} IMAGE --overlay pictures")
