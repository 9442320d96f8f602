"""What a bundle says of its model, in the fields of a MONAI bundle's `metadata.json`, for catalogues that read these.

After the MONAI Bundle Specification (docs.monai.io, `mb_specification`): every mandatory field is there. It is no MONAI
bundle for that: the model is a TFLite or Keras file, and where MONAI asks for versions of itself and of PyTorch, the
answer is that neither was used. What nobody knows is `NOT_STATED`, with the field of `About` that says it.
"""

import json
from typing import Any, Final

from osteo_edge.about import NOTHING_SAID, About
from osteo_edge.findings import findings_of
from osteo_edge.manifest import Manifest, Metric
from osteo_edge.model_card import FINDING_NAMES, LIMITATIONS_OF, training_record
from osteo_edge.preprocessing import InputSpec
from osteo_edge.verdict import warning
from osteo_edge.wording import SEVERITIES

NOT_STATED: Final = "not stated: give `{}` in the file of --about"
NOT_USED: Final = "none: it was not used"
NOT_RECORDED: Final = "not recorded in the bundle"
ANY_SIZE: Final = "*"
"""A side of any length, as MONAI writes it."""


def render_metadata(manifest: Manifest, about: About = NOTHING_SAID) -> str:
    """`metadata.json` as text."""
    return json.dumps(metadata(manifest, about), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def metadata(manifest: Manifest, about: About = NOTHING_SAID) -> dict[str, Any]:
    """The fields of `metadata.json`, with those of this project at its end.

    `eval_metrics` are numbers, as MONAI has them; `eval_metric_intervals` says on how many cases of which part, and
    how sure they are. A metric that its cases do not define is left out of both.
    """
    defined = {name: metric for name, metric in manifest.metrics.items() if metric.value is not None}
    looked_for = " and ".join(FINDING_NAMES[finding] for finding in findings_of(manifest))
    return {
        "name": manifest.name,
        "version": manifest.version,
        "changelog": dict(about.changelog or {manifest.version: f"made by {manifest.created_by}"}),
        "monai_version": NOT_USED,
        "pytorch_version": NOT_USED,
        "numpy_version": NOT_RECORDED,
        "optional_packages_version": {},
        "task": f"Classification of X-rays: {looked_for}",
        "description": _description(manifest),
        "authors": _said(about, "authors"),
        "copyright": _said(about, "copyright"),
        "license": _said(about, "licence"),
        "intended_use": manifest.intended_use,
        "data_source": about.said("data_source") or f"{manifest.data.name}; {NOT_STATED.format('data_source')}",
        "data_type": "X-ray images",
        "image_classes": "one grey film, bone bright, repeated over the channels",
        "label_classes": f"{', '.join(manifest.labels)}; labels come from: {manifest.data.label_source}",
        "pred_classes": f"logits of {', '.join(manifest.labels)}, in this order",
        "eval_metrics": {name: metric.value for name, metric in defined.items()},
        "references": list(about.references or ()),
        "network_data_format": {
            "inputs": {"image": _image(manifest.input, manifest.gate.modalities)},
            "outputs": _outputs(manifest),
        },
        "eval_metric_intervals": {name: _interval(metric) for name, metric in defined.items()},
        "limitations": [LIMITATIONS_OF[finding] for finding in findings_of(manifest)],
        "failed_check": warning(manifest.parity),
        "not_stated": list(about.unsaid),
    }


def _said(about: About, name: str) -> str:
    return about.said(name) or NOT_STATED.format(name)


def _description(manifest: Manifest) -> str:
    model, train = manifest.model, training_record(manifest.parent.recipe).get("train")
    backbone = train.get("backbone") if isinstance(train, dict) else None
    network = "a convolutional network" if backbone is None else f"a convolutional network ({backbone})"
    return (
        f"{network}, {model.parameters:,} parameters, {model.format}, {model.precision}, SHA-256 {model.sha256}; "
        f"made by {manifest.created_by}, {manifest.created_at}"
    )


def _image(spec: InputSpec, modalities: tuple[str, ...]) -> dict[str, Any]:
    """The input tensor; its values are those of pixels from 0 to 1 after the normalization."""
    pairs = list(zip(spec.normalization.scale, spec.normalization.offset, strict=True))
    ends = [pixel * scale + offset for scale, offset in pairs for pixel in (0.0, 1.0)]
    return {
        "type": "image",
        "format": "magnitude",
        "modality": f"X-ray (DICOM: {', '.join(modalities)})",
        "num_channels": spec.channels,
        "spatial_shape": [spec.height, spec.width],
        "dtype": "float32",
        "value_range": [min(ends), max(ends)],
        "is_patch_data": False,
        "channel_def": {str(channel): "grey film, bone bright" for channel in range(spec.channels)},
        "axes": "batch, height, width, channels",
    }


def _outputs(manifest: Manifest) -> dict[str, Any]:
    """The output tensors, by what they are; as the runtime gives them, in floating point."""
    outputs, labels = manifest.outputs, manifest.labels
    found = {"logits": _classes(labels)}
    found["logits"]["to_probabilities"] = f"softmax(logits / {manifest.calibration.temperature})"
    if outputs.activation_map is not None:
        sides: dict[str, Any] = {"spatial_shape": [ANY_SIZE, ANY_SIZE], "axes": "batch, height, width, channels"}
        found["activation_map"] = _classes(labels) | {"type": "image", "format": "magnitude"} | sides
    if outputs.severity is not None:
        found["severity"] = _classes(SEVERITIES)
    if outputs.embedding is not None:
        found["embedding"] = _classes(()) | {"type": "tuples", "format": "latent", "num_channels": ANY_SIZE}
    return found


def _classes(names: tuple[str, ...]) -> dict[str, Any]:
    """One number for each of the names, unbounded."""
    return {
        "type": "probabilities",
        "format": "classes",
        "modality": "n/a",
        "num_channels": len(names),
        "spatial_shape": [],
        "dtype": "float32",
        "value_range": [],
        "is_patch_data": False,
        "channel_def": {str(channel): name for channel, name in enumerate(names)},
    }


def _interval(metric: Metric) -> dict[str, Any]:
    return {"low": metric.low, "high": metric.high, "n": metric.n, "part": metric.part}
