"""A model as a component of a bill of materials: its hash, where its labels come from, and its model card."""

from pathlib import Path
from typing import Any, Final

from osteo_edge.bundle import SIGNATURE_NAME, read_bundle
from osteo_edge.findings import findings_of
from osteo_edge.hashing import sha256_file
from osteo_edge.manifest import FILE_NAME, Manifest, Metric
from osteo_edge.model_card import LIMITATIONS_OF
from osteo_edge.sbom import UNKNOWN_LICENCE, Component, properties, sha256, stored_file, to_json

NO_LICENCE: Final = (
    "a manifest has no field for the licence of the model or of the films that it learned from: ask its maker"
)


def model_component(manifest: Manifest) -> Component:
    """What a manifest says of its model, as a `machine-learning-model` with a model card."""
    model = manifest.model
    made: Component = {
        "type": "machine-learning-model",
        "bom-ref": f"model:{model.sha256}",
        "name": manifest.name,
        "version": manifest.version,
        "hashes": [sha256(model.sha256)],
        "licenses": [{"license": {"name": UNKNOWN_LICENCE}}],
        "modelCard": _card(manifest),
        "properties": properties(
            {
                "licence": NO_LICENCE,
                "label-source": manifest.data.label_source,
                "file": model.file,
                "format": model.format,
                "precision": model.precision,
                "parameters": model.parameters,
                "macs": model.macs,
                "created-by": manifest.created_by,
                "created-at": manifest.created_at,
            }
        ),
    }
    if manifest.parent.sha256 is not None:
        parent = {"type": "machine-learning-model", "name": "the model that it was made from"}
        made["pedigree"] = {"ancestors": [parent | {"hashes": [sha256(manifest.parent.sha256)]}]}
    return made


def bundle_sbom(path: Path) -> bytes:
    """The document about the bundle in a folder, which is verified first; `BundleError` if it is damaged."""
    bundle = read_bundle(path)
    model = model_component(bundle.manifest)
    beside = [FILE_NAME, *([SIGNATURE_NAME] if (path / SIGNATURE_NAME).is_file() else [])]
    digests = bundle.manifest.files | {name: sha256_file(path / name) for name in beside}
    return to_json(model, [stored_file(name, digest) for name, digest in digests.items()], {model["bom-ref"]: []})


def _card(manifest: Manifest) -> dict[str, Any]:
    spec, data = manifest.input, manifest.data
    metrics = [_metric(name, metric) for name, metric in manifest.metrics.items() if metric.value is not None]
    return {
        "modelParameters": {
            "approach": {"type": "supervised"},
            "task": f"classification of X-rays: {', '.join(manifest.labels)}",
            "datasets": [
                {
                    "type": "dataset",
                    "name": data.name,
                    "description": f"labels: {data.label_source}; split {data.split_rule}, SHA-256 {data.split_sha256}",
                }
            ],
            "inputs": [{"format": f"float32 (1, {spec.height}, {spec.width}, {spec.channels})"}],
            "outputs": [{"format": f"logits (1, {len(manifest.labels)})"}],
        },
        **({"quantitativeAnalysis": {"performanceMetrics": metrics}} if metrics else {}),
        "considerations": {
            "useCases": [manifest.intended_use],
            "technicalLimitations": [LIMITATIONS_OF[finding] for finding in findings_of(manifest)],
        },
    }


def _metric(name: str, metric: Metric) -> dict[str, Any]:
    told: dict[str, Any] = {"type": name, "value": str(metric.value), "slice": f"{metric.part}, n = {metric.n}"}
    if metric.low is not None and metric.high is not None:
        told["confidenceInterval"] = {"lowerBound": str(metric.low), "upperBound": str(metric.high)}
    return told
