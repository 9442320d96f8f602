"""The bytes of each bundle's model, and the bounds that they are held to.

python -m osteo_edge.benchmarks.bundles.sizes BUNDLE...
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from osteo_edge.benchmarks.measuring.lineage import read_lineage
from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.cli import EXIT_FAILED
from osteo_edge.console import show_json, show_table
from osteo_edge.standalone import Standalone

MAX_INT8_BYTES = {("mobilenet_v2", 1.0): 2_800_000, ("mobilenet_v2", 0.35): 750_000}
"""By backbone and alpha."""


@dataclass(frozen=True)
class Size:
    """The size of one model file; `limit` is None where no bound was set for such a model."""

    bundle: str
    network: str
    precision: str
    model_bytes: int
    limit: int | None

    @property
    def verdict(self) -> str:
        if self.limit is None:
            return "no bound"
        return "PASS" if self.model_bytes <= self.limit else "FAIL"

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "verdict": self.verdict}


def measure_size(bundle: Bundle) -> Size:
    """The size of the bundle's model, and the bound for its backbone, width and precision."""
    model = bundle.manifest.model
    lineage = read_lineage(bundle.manifest)
    backbone, alpha = lineage.backbone, lineage.alpha
    limit = None if alpha is None or model.precision != "int8" else MAX_INT8_BYTES.get((backbone, alpha))
    network = backbone if alpha is None else f"{backbone} {alpha:g}"
    return Size(str(bundle.path), network, model.precision, bundle.model_path.stat().st_size, limit)


@click.command(cls=Standalone, short_help="The bytes of each bundle's model, and their bounds.")
@click.argument("bundles", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="The result for machines.")
@click.pass_context
def sizes(ctx: click.Context, bundles: tuple[Path, ...], as_json: bool) -> None:
    """Compare the model size of bundles with their bounds: int8 MobileNetV2 1.0 in 2.8 MB, 0.35 in 0.75 MB.

    MB are 10^6 bytes. The exit code is 1 if a model is larger than its bound.

    \b
    Example:
      python -m osteo_edge.benchmarks.bundles.sizes knee-float32 knee-int8
    """
    found = [measure_size(read_bundle(bundle)) for bundle in bundles]
    if as_json:
        show_json([size.to_dict() for size in found])
    else:
        _show(found)
    if any(size.verdict == "FAIL" for size in found):
        ctx.exit(EXIT_FAILED)


def _show(found: Sequence[Size]) -> None:
    rows = [
        (
            size.bundle,
            size.network,
            size.precision,
            f"{size.model_bytes:,}",
            "" if size.limit is None else f"{size.limit:,}",
            size.verdict,
        )
        for size in found
    ]
    show_table("Model files", ("Bundle", "Network", "Precision", "Bytes", "At most", "Verdict"), rows)


if __name__ == "__main__":
    sizes()
