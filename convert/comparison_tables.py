"""A comparison of bundles as tables on the terminal."""

from collections.abc import Iterator

import click

from osteo_edge.agreement import Paired
from osteo_edge.console import show_table
from osteo_edge.convert.comparing import Comparison, Compressed, Model

WORST_LAYERS = 10
Row = tuple[str, str]


def show_comparison(comparison: Comparison) -> None:
    """Print what was found of each bundle, and what could not be read to standard error."""
    for line in comparison.skipped:
        click.echo(f"skipped {line}", err=True)
    counts = ", ".join(f"{number} {label}" for label, number in comparison.counts.items())
    click.echo(f"On the {comparison.part} part: {counts}.")
    _show_models(comparison)
    for compressed in comparison.compressed:
        title = f"{compressed.model.bundle} beside {comparison.reference.bundle}"
        show_table(title, ("Quantity", "Value, 95 % interval"), list(_rows(compressed)))
        _show_layers(compressed)


def _show_models(comparison: Comparison) -> None:
    models = [comparison.reference, *(compressed.model for compressed in comparison.compressed)]
    columns = ("Bundle", "Precision", "Bytes", "Bytes, gzip", "Operators in float", "Not taken by XNNPACK", "Runtime")
    show_table("The models", columns, [_model_row(model) for model in models])


def _model_row(model: Model) -> tuple[str, ...]:
    placed = model.placement
    return (
        model.bundle,
        model.precision,
        f"{placed.model_bytes:,}",
        f"{placed.gzip_bytes:,}",
        _some(placed.in_float, placed.operators),
        _some(placed.undelegated, placed.operators),
        model.runtime,
    )


def _some(counts: dict[str, int], total: int) -> str:
    """How many operators, and which, unless that is all of them."""
    number = sum(counts.values())
    named = ", ".join(f"{count} {operator}" for operator, count in counts.items())
    return f"{number} of {total}: {named}" if 0 < number < total else f"{number} of {total}"


def _rows(compressed: Compressed) -> Iterator[Row]:
    agreement = compressed.agreement
    yield "decisions agree", str(agreement.decisions)
    yield "largest difference of a probability", f"{agreement.largest_difference:.4f}"
    yield "mean difference of a probability", f"{agreement.mean_difference:.4f}"
    for question, auroc in agreement.aurocs.items():
        yield from _paired_rows(f"AUROC {question}", auroc)
    yield from _paired_rows("calibration error", agreement.calibration_error)
    yield from _map_rows(compressed)


def _paired_rows(name: str, paired: Paired) -> Iterator[Row]:
    yield f"{name}, float", str(paired.before)
    yield f"{name}, compressed", str(paired.after)
    yield f"{name}, difference", str(paired.difference)


def _map_rows(compressed: Compressed) -> Iterator[Row]:
    maps = compressed.maps
    if maps is None:
        yield "correlation of activation maps", "not defined: the models do not both have a map of one shape"
    elif maps.n == 0:
        yield "correlation of activation maps", "not defined: the maps are flat"
    else:
        yield "correlation of activation maps", f"median {maps.median:.4f}, worst {maps.worst:.4f} (n = {maps.n})"


def _show_layers(compressed: Compressed) -> None:
    layers = compressed.layers
    if not compressed.same_origin:
        click.echo(
            "Not converted from the same Keras model as the float bundle: differences are of its further training too."
        )
    if not layers.found:
        click.echo("No layer of the float model has its like here, so no error of layers can be told.")
        return
    rows = [
        (
            str(layer.position),
            layer.operator,
            layer.name,
            f"{layer.sqnr_db:.1f}",
            _known(layer.lost_db, 1),
            f"{layer.plain_sqnr_db:.1f}",
            _known(layer.cosine, 4),
        )
        for layer in layers.worst(WORST_LAYERS)
    ]
    columns = ("Position", "Operator", "Layer", "SQNR, dB", "Lost here", "SQNR as it is, dB", "Cosine")
    show_table(f"The worst of {len(layers.found)} layers in both, of {layers.layers}", columns, rows)
    click.echo(
        "SQNR is measured after each channel was brought to the float one's scale, which equalization changes; lost "
        "here is how much worse it is than in the worst of the layers that are read."
    )


def _known(value: float, digits: int) -> str:
    return "" if value != value else f"{value:.{digits}f}"
