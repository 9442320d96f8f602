"""The model card: the manifest in words, for people who decide whether to use the model."""

from osteo_edge.manifest import Manifest, Metric
from osteo_edge.wording import SEVERITY_USE


def render_card(manifest: Manifest) -> str:
    """`MODEL_CARD.md` of a bundle, in Markdown; a pure function of its manifest."""
    return "\n\n".join([f"# {manifest.name} {manifest.version}", *_sections(manifest)]) + "\n"


def _sections(manifest: Manifest) -> list[str]:
    model, data, decision = manifest.model, manifest.data, manifest.decision
    positive = " or ".join(decision.positive_labels)
    sections = [
        f"## Intended use\n\n{manifest.intended_use}",
        f"## Model\n\n- File: `{model.file}` ({model.format}, {model.precision})\n- SHA-256: `{model.sha256}`\n"
        f"- Parameters: {model.parameters:,}; multiply-accumulates an image: {model.macs:,}\n"
        f"- Input: {manifest.input.width} x {manifest.input.height}, {manifest.input.channels} channels, "
        f"{manifest.input.resize}\n- Labels: {', '.join(manifest.labels)}\n- Made by {manifest.created_by}, "
        f"{manifest.created_at}",
        f"## Decision\n\nRefer when the calibrated probability of {positive} is at least {decision.threshold:.3f}; "
        f"uncertain from {decision.abstain_low:.3f} to {decision.abstain_high:.3f}. The threshold was chosen on "
        f"{decision.chosen_on} for a sensitivity of {decision.target_sensitivity:.2f}. Temperature "
        f"{manifest.calibration.temperature:.3f}, fitted on {manifest.calibration.fitted_on}.",
        f"## Data\n\n- Data set: {data.name}\n- Labels come from: {data.label_source}\n{_counts(data.counts)}\n"
        f"- Split: {data.split_rule} (split file `{data.split_sha256[:12]}`)",
        f"## Measured\n\n{_metrics(manifest.metrics)}",
    ]
    if manifest.outputs.severity is not None:
        sections.append(f"## Grades\n\n{SEVERITY_USE}")
    if manifest.parity is not None:
        sections.append(_parity(manifest))
    limitations = (
        "Accuracy outside the data set above is unknown. Public knee sets are confounded: age, image size and format "
        "differ by class, and a model may have learned those instead of bone. Compare with age alone "
        "(`osteo-edge evaluate`) before believing a figure."
    )
    return [*sections, f"## Limitations\n\n{limitations}"]


def _counts(counts: dict[str, dict[str, int]]) -> str:
    return "\n".join(
        f"- {part.capitalize()}: " + ", ".join(f"{number} {label}" for label, number in by_label.items())
        for part, by_label in counts.items()
    )


def _metrics(metrics: dict[str, Metric]) -> str:
    if not metrics:
        return "Nothing yet: run `osteo-edge evaluate`."
    lines = ["| Metric | Value | 95 % interval | n | Part |", "| --- | --- | --- | --- | --- |"]
    return "\n".join(lines + [_row(name, metric) for name, metric in metrics.items()])


def _row(name: str, metric: Metric) -> str:
    value = "not defined" if metric.value is None else f"{metric.value:.3f}"
    interval = "" if metric.low is None or metric.high is None else f"{metric.low:.3f} to {metric.high:.3f}"
    return f"| {name} | {value} | {interval} | {metric.n} | {metric.part} |"


def _parity(manifest: Manifest) -> str:
    parity = manifest.parity
    assert parity is not None
    return (
        f"## Beside the model it was made from\n\nOn {parity.n} images ({parity.images}): decisions agree on "
        f"{parity.decision_agreement:.1%}, probabilities differ by {parity.mean_difference:.4f} on average and "
        f"{parity.largest_difference:.4f} at most."
    )
