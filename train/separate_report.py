"""What came of a cascade of separate networks, as a table or for machines."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from osteo_edge.console import show_table
from osteo_edge.intervals import Estimate
from osteo_edge.manifest import Manifest
from osteo_edge.train.heads import ROUTER
from osteo_edge.train.separate import Part

SHOWN = ("accuracy", "AUROC, macro")


def show_parts(parts: Sequence[Part], out: Path) -> None:
    """Print what each network reached on the test part, and what comes next."""
    kept = [part.name for part in parts if part.trained is None]
    if kept:
        click.echo(f"Went on with the run before: {', '.join(kept)} had been trained.", err=True)
    rows = [(part.name, *(str(_on_test(part.bundle.manifest, name)) for name in SHOWN)) for part in parts]
    show_table("Measured on test, with 95 % intervals", ("Network", *SHOWN), rows)
    for line in (line for part in parts if part.trained is not None for line in part.trained.skipped):
        click.echo(f"skipped {line}", err=True)
    to = out.with_name(f"{out.name}-int8") / ROUTER
    click.echo(f"Written: {out}\nNext, for each: osteo-edge convert {out / ROUTER} --precision int8 --out {to}")


def parts_to_dict(parts: Sequence[Part], out: Path) -> dict[str, Any]:
    """The same as JSON values."""
    return {
        part.name: {
            "bundle": str(out / part.name),
            "kept_from_the_run_before": part.trained is None,
            "test": {name: _on_test(part.bundle.manifest, name).to_dict() for name in SHOWN},
        }
        for part in parts
    }


def _on_test(manifest: Manifest, name: str) -> Estimate:
    found = manifest.metrics[f"{name}, test"]
    value, low, high = (float("nan") if end is None else end for end in (found.value, found.low, found.high))
    return Estimate(value, low, high, found.n)
