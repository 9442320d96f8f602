"""`osteo-edge sbom`: what a wheel, a kit or a bundle is made of, for whoever has to answer for it."""

from pathlib import Path

import click

from osteo_edge.console import progress
from osteo_edge.edge_app.pi.kit import KIT_FILE
from osteo_edge.edge_app.pi.kit_sbom import kit_sbom
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.lock_file import Pin, read_lock
from osteo_edge.manifest import FILE_NAME
from osteo_edge.sbom_model import bundle_sbom
from osteo_edge.sbom_wheel import wheel_sbom
from osteo_edge.targets import require_target
from osteo_edge.writing import write_whole


@click.command(short_help="List what a wheel, kit or bundle is made of.")
@click.argument("thing", type=click.Path(path_type=Path))
@click.option(
    "--lock", type=click.Path(path_type=Path), help="Versions and hashes from this lock, such as locks/app.txt."
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file, not to the screen.")
def sbom(thing: Path, lock: Path | None, out: Path | None) -> None:
    """Write the bill of materials (SBOM) of THING: this program's wheel, a kit for the Raspberry Pi, or a bundle.

    The format is CycloneDX 1.6, in JSON. A model is a component of its own, with its SHA-256, where its labels come
    from, and its figures. What THING consists of is verified first. Set SOURCE_DATE_EPOCH for the same bytes each time.

    \b
    Example:
      osteo-edge sbom knee-int8
      osteo-edge sbom kit/osteo-edge-pi-0.1.0 --lock locks/pi.txt --out kit.cdx.json
      osteo-edge sbom dist/osteo_edge-0.1.0-py3-none-any.whl --lock locks/app.txt --out wheel.cdx.json
    """
    if out is not None:
        require_target(out, "the bill of materials", b"{", inputs=(thing,))
    pins = read_lock(lock) if lock else ()
    document = _document(thing, pins)
    if out is None:
        click.echo(document, nl=False)
    else:
        click.echo(f"written: {write_whole(out, document, 'the bill of materials')}")


def _document(thing: Path, pins: tuple[Pin, ...]) -> bytes:
    if (thing / KIT_FILE).is_file():
        with progress("the kit") as advance:
            return kit_sbom(thing, pins, lambda stage, done, total: advance(done, total, stage=stage))
    if (thing / FILE_NAME).is_file():
        return bundle_sbom(thing)
    if thing.suffix == ".whl" and thing.is_file():
        return wheel_sbom(thing, pins)
    raise OsteoEdgeError(
        f"{thing}: no wheel (.whl), no kit (a folder with {KIT_FILE}) and no bundle (a folder with {FILE_NAME})"
    )
