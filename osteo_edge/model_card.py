"""The model card: the manifest in words, for people who decide whether to use the model."""

from collections.abc import Mapping
from typing import Any

from osteo_edge.about import NOTHING_SAID, About
from osteo_edge.abstaining import band_words
from osteo_edge.answers import questions_to
from osteo_edge.device_card import (
    device,
    inputs_and_outputs,
    intended_use,
    network,
    not_stated,
    picture_checks,
    risks,
    said,
    updates,
)
from osteo_edge.findings import findings_of
from osteo_edge.manifest import Decision, Head, Manifest, Metric, Router
from osteo_edge.verdict import asked_for, measured, warning
from osteo_edge.wording import SEVERITY_USE, Finding

FIRST = (
    "sensitivity",
    "specificity",
    "specificity at 90 % sensitivity",
    "calibration error",
    "balanced accuracy",
    "accuracy",
    "accuracy of the majority class",
)
"""What is to be read first, after the AUROC of each question."""
NOTHING_MEASURED = "Nothing yet: run `osteo-edge evaluate`."
SUBGROUPS_NOTE = (
    "Parts of the patients are few, their intervals wide, and there are many of them: a difference is a reason to "
    "look, not a finding."
)
LIMITATIONS = (
    "Accuracy outside the data set above is unknown. Public knee sets are confounded: age, image size and format "
    "differ by class, and a model may have learned those instead of bone. Compare with age alone "
    "(`osteo-edge evaluate`) before believing a figure."
)
ABNORMALITY_LIMITATIONS = (
    "Accuracy outside the data set above is unknown. Abnormal is what its labels call so, fractures, metal, worn "
    "joints and other changes alike: the model does not say which. It may have learned metal, markers or the way that "
    "a film was framed instead of bone. A film of a bone that it was not trained on is not for it."
)
LIMITATIONS_OF: dict[Finding, str] = {"density": LIMITATIONS, "abnormality": ABNORMALITY_LIMITATIONS}
OF_DATA = ("data_source", "demographics", "equipment", "reference_standard")
"""What may be said of the films that a model learned from."""
FINDING_NAMES: dict[Finding, str] = {"density": "low bone density", "abnormality": "any abnormality"}


def render_card(manifest: Manifest, about: About = NOTHING_SAID) -> str:
    """The model card in Markdown, by the manifest and what someone says of the model.

    `MODEL_CARD.md` of a bundle is that of its manifest alone.
    """
    record = training_record(manifest.parent.recipe)
    sections = {
        "Intended use": intended_use(manifest, about),
        "Device": device(manifest, about),
        "Model": "\n".join([_model(manifest), *network(record), *inputs_and_outputs(manifest)]),
        "Bones": "" if manifest.router is None else _bones(manifest.router),
        "Decision": _decision(manifest),
        "Data": "\n".join([_data(manifest), *said(about, *OF_DATA)]),
        "Training": _training(record),
        **_measured(manifest),
        "Measured elsewhere": "\n".join(said(about, "clinical_validation")),
        "What it refuses": "\n\n".join(filter(None, (picture_checks(manifest), _familiarity(manifest)))),
        "Grades": "" if manifest.outputs.severity is None else SEVERITY_USE,
        "Beside the model it was made from": _parity(manifest),
        "Limitations": "\n\n".join(LIMITATIONS_OF[finding] for finding in findings_of(manifest)),
        "Risks": risks(manifest, about),
        "Updates and monitoring": updates(manifest, about),
        "Not stated": not_stated(about),
    }
    parts = [f"## {title}\n\n{text}" for title, text in sections.items() if text]
    return "\n\n".join([f"# {manifest.name} {manifest.version}", *_warning(manifest), *parts]) + "\n"


def _warning(manifest: Manifest) -> tuple[str, ...]:
    """What is to be known before anything else of a model that failed its check after conversion."""
    failed = warning(manifest.parity)
    return () if failed is None else (f"**FAILED: {failed}**",)


def _model(manifest: Manifest) -> str:
    model, spec = manifest.model, manifest.input
    return "\n".join(
        (
            f"- File: `{model.file}` ({model.format}, {model.precision})",
            f"- SHA-256: `{model.sha256}`",
            f"- Parameters: {model.parameters:,}; multiply-accumulates an image: {model.macs:,}",
            f"- Input: {spec.width} x {spec.height}, {spec.channels} channels, {spec.resize}",
            f"- Labels: {', '.join(manifest.labels)}",
        )
    )


def _bones(router: Router) -> str:
    """Which bones a model tells apart, what it looks for in each, and when it does not answer."""
    lines = [f"- {head.bone}: {FINDING_NAMES[head.finding]} ({', '.join(head.labels)})" for head in router.heads]
    unclear = (
        f"A film is answered for its most probable bone, if that is at least {router.min_confidence:.2f} probable "
        f"(chosen on {router.chosen_on}), or for the bone that the user names; otherwise no head is asked, "
        "and the answer is uncertain."
    )
    return "\n".join(lines) + f"\n\n{unclear}"


def _decision(manifest: Manifest) -> str:
    calibration = manifest.calibration
    fitted = f"Temperature {calibration.temperature:.3f}, fitted on {calibration.fitted_on}."
    if manifest.router is None:
        labels = " or ".join(manifest.decision.positive_labels)
        limits = f"{_limits(manifest.decision)} {band_words(manifest)}"
        return f"Refer when the calibrated probability of {labels} {limits} {fitted}"
    return "\n".join(f"- {_rule(head)}" for head in manifest.router.heads) + f"\n\n{band_words(manifest)} {fitted}"


def _rule(head: Head) -> str:
    """When the head of a bone refers: by the probabilities of its labels as they are if the film shows that bone."""
    labels = " or ".join(label.removeprefix(f"{head.bone} ") for label in head.decision.positive_labels)
    return (
        f"Refer a film of the {head.bone} when the calibrated probability of {labels}, among the {head.bone}'s labels, "
        f"{_limits(head.decision)}"
    )


def _limits(decision: Decision) -> str:
    return (
        f"is at least {decision.threshold:.3f}; uncertain from {decision.abstain_low:.3f} to "
        f"{decision.abstain_high:.3f}. The threshold was chosen on {decision.chosen_on} for a sensitivity of "
        f"{decision.target_sensitivity:.2f}."
    )


def _data(manifest: Manifest) -> str:
    data = manifest.data
    counts = [
        f"- {part.capitalize()}: " + ", ".join(f"{number} {label}" for label, number in by_label.items())
        for part, by_label in data.counts.items()
    ]
    split = f"- Split: {data.split_rule} (split file `{data.split_sha256[:12]}`)"
    return "\n".join([f"- Data set: {data.name}", f"- Labels come from: {data.label_source}", *counts, split])


def _familiarity(manifest: Manifest) -> str:
    record = manifest.familiarity
    if record is None:
        return ""
    return (
        "An image is not answered whose embedding, the pooled output of the last layer, lies farther than "
        f"{record.threshold:.2f} from those of the films that the model learned from (about 1 for one of these). The "
        f"statistics are of {record.fitted_images} images of {record.fitted_on}; the threshold was chosen on "
        f"{record.chosen_images} of {record.chosen_on}, of which it refuses {record.refused_share:.1%}."
    )


def training_record(recipe: Mapping[str, Any]) -> Mapping[str, Any]:
    """What training recorded, of a converted model in the recipe of its parent."""
    while isinstance(recipe.get("parent"), Mapping):
        recipe = recipe["parent"]
    return recipe


def _training(record: Mapping[str, Any]) -> str:
    """Recipe, machine and time; empty where none of them is recorded."""
    recipe, machine, timing = (_section(record, name) for name in ("recipe", "environment", "timing"))
    seconds, lines = _section(timing, "seconds"), list[str]()
    if recipe:
        lines.append(f"- Recipe: {recipe.get('name')} ({recipe.get('source')})")
    if machine:
        lines.append(f"- Machine: {', '.join(f'{name} {_plain(value)}' for name, value in machine.items())}")
    if seconds:
        times = (f"{name} {value:.1f} s" for name, value in seconds.items() if isinstance(value, int | float))
        lines.append(f"- Time: {', '.join(times)}")
    return "\n".join(lines)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if not isinstance(value, list) else " and ".join(map(str, value)) or "none"


def _section(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = record.get(name)
    return found if isinstance(found, Mapping) else {}


def _measured(manifest: Manifest) -> dict[str, str]:
    """The sections with figures: what is to be read first, parts of the patients, and all the rest; test first."""
    if not manifest.metrics:
        return {"Measured": NOTHING_MEASURED}
    areas = {f"AUROC {question.name}" for question in questions_to(manifest)}
    tables: dict[str, dict[str, Metric]] = {"first": {}, "subgroups": {}, "rest": {}}
    for name, metric in sorted(manifest.metrics.items(), key=lambda item: not item[1].part.startswith("test")):
        measure, subgroup = _parse(name, metric)
        kind = "subgroups" if subgroup else "first" if measure in areas.union(FIRST) else "rest"
        tables[kind][name] = metric
    return {
        "Measured": _table(tables["first"]),
        "Measured in parts of the patients": _table(tables["subgroups"], note=f"{SUBGROUPS_NOTE}\n\n"),
        "Also measured": _table(tables["rest"]),
    }


def _parse(name: str, metric: Metric) -> tuple[str, str]:
    """The measure that a metric's name begins with, and the subgroup that it may end with.

    >>> _parse("AUROC, macro, test, sex female", Metric(0.7, 0.6, 0.8, 30, "test, before conversion"))
    ('AUROC, macro', 'sex female')
    """
    part = metric.part.partition(",")[0]
    measure, _, subgroup = f"{name}, ".partition(f", {part}, ")
    return measure.removesuffix(", "), subgroup.removesuffix(", ")


def _table(metrics: Mapping[str, Metric], note: str = "") -> str:
    """The metrics under a note; nothing where there are none."""
    if not metrics:
        return ""
    lines = ["| Metric | Value | 95 % interval | n | Part |", "| --- | --- | --- | --- | --- |"]
    return note + "\n".join(lines + [_row(name, metric) for name, metric in metrics.items()])


def _row(name: str, metric: Metric) -> str:
    value = "not defined" if metric.value is None else f"{metric.value:.3f}"
    interval = "" if metric.low is None or metric.high is None else f"{metric.low:.3f} to {metric.high:.3f}"
    return f"| {name} | {value} | {interval} | {metric.n} | {metric.part} |"


def _parity(manifest: Manifest) -> str:
    parity = manifest.parity
    if parity is None:
        return ""
    return f"On {parity.n} images ({parity.images}): {measured(parity)}. {asked_for(parity)}"
