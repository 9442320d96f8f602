"""The fields of MONAI's metadata.json, filled by a manifest, with nothing made up."""

import json
from dataclasses import replace

import pytest

from osteo_edge.about import About
from osteo_edge.manifest import Manifest, Metric, Outputs
from osteo_edge.monai_metadata import metadata, render_metadata
from osteo_edge.preprocessing import GREY
from osteo_edge.wording import FAILED_CHECK
from tests.routed import routed

MANDATORY = {
    "version", "monai_version", "pytorch_version", "numpy_version", "optional_packages_version", "task", "description",
    "authors", "copyright", "network_data_format",
}  # fmt: skip
OPTIONAL = {"changelog", "intended_use", "data_source", "data_type", "references"}
OF_A_TENSOR = {
    "type", "format", "modality", "num_channels", "spatial_shape", "dtype", "value_range", "is_patch_data",
    "channel_def",
}  # fmt: skip
"""The keys of the MONAI Bundle Specification."""


def test_every_field_of_the_specification_is_there(manifest: Manifest) -> None:
    graded = replace(manifest, outputs=Outputs(0, 1, 2, 3))
    told = json.loads(render_metadata(graded))
    assert set(told) >= MANDATORY | OPTIONAL
    tensors = told["network_data_format"]["inputs"] | told["network_data_format"]["outputs"]
    assert set(tensors) == {"image", "logits", "activation_map", "severity", "embedding"}
    assert [name for name, tensor in tensors.items() if not set(tensor) >= OF_A_TENSOR] == []


def test_the_tensors_are_those_of_the_model(manifest: Manifest) -> None:
    told = metadata(manifest)["network_data_format"]
    image, outputs = told["inputs"]["image"], told["outputs"]
    assert (image["num_channels"], image["spatial_shape"]) == (3, [32, 32])
    assert image["value_range"] == [-1.0, 1.0]
    assert image["modality"] == "X-ray (DICOM: CR, DX)"
    assert outputs["logits"]["channel_def"] == {"0": "normal", "1": "osteopenia", "2": "osteoporosis"}
    assert outputs["logits"]["to_probabilities"] == "softmax(logits / 1.0)"
    assert outputs["activation_map"]["spatial_shape"] == ["*", "*"]
    assert set(outputs) == {"logits", "activation_map"}


def test_a_grey_model_without_a_map_has_one_channel_and_one_output(manifest: Manifest) -> None:
    spec = replace(manifest.input, channels=1, normalization=replace(GREY, scale=(-255.0,), offset=(255.0,)))
    told = metadata(replace(manifest, input=spec, outputs=Outputs(0, None)))["network_data_format"]
    assert told["inputs"]["image"]["value_range"] == [0.0, 255.0]
    assert list(told["inputs"]["image"]["channel_def"]) == ["0"]
    assert set(told["outputs"]) == {"logits"}


def test_what_nobody_said_is_not_made_up(manifest: Manifest) -> None:
    told = metadata(manifest)
    assert told["authors"] == "not stated: give `authors` in the file of --about"
    assert told["copyright"] == "not stated: give `copyright` in the file of --about"
    assert told["data_source"] == "drawn; not stated: give `data_source` in the file of --about"
    assert told["references"] == []
    assert told["monai_version"] == told["pytorch_version"] == "none: it was not used"
    assert "authors" in told["not_stated"]


def test_what_was_said_stands_there(manifest: Manifest) -> None:
    about = About(
        authors="A. Maker", licence="CC0", data_source="Clinic X", references=("B 2020",), changelog={"1": "new"}
    )
    told = metadata(manifest, about)
    assert (told["authors"], told["license"], told["data_source"]) == ("A. Maker", "CC0", "Clinic X")
    assert (told["references"], told["changelog"]) == (["B 2020"], {"1": "new"})
    assert not {"authors", "licence", "changelog"} & set(told["not_stated"])
    assert "copyright" in told["not_stated"]


def test_metrics_are_numbers_with_their_intervals_and_undefined_ones_are_left_out(manifest: Manifest) -> None:
    metrics = {"AUROC, test": Metric(0.8, 0.7, 0.9, 30, "test"), "sensitivity, test": Metric(None, None, None, 0, "t")}
    told = metadata(replace(manifest, metrics=metrics))
    assert told["eval_metrics"] == {"AUROC, test": 0.8}
    assert told["eval_metric_intervals"] == {"AUROC, test": {"low": 0.7, "high": 0.9, "n": 30, "part": "test"}}


@pytest.mark.parametrize(
    ("bones", "task"),
    [
        ({"elbow": "abnormality", "knee": "density"}, "low bone density and any abnormality"),
        ({"elbow": "abnormality", "wrist": "abnormality"}, "any abnormality"),
    ],
)
def test_the_task_is_what_the_model_looks_for(bones: dict[str, str], task: str, manifest: Manifest) -> None:
    told = metadata(routed(manifest, **bones))  # type: ignore[arg-type]
    assert told["task"] == f"Classification of X-rays: {task}"
    assert len(told["limitations"]) == len(task.split(" and "))


def test_a_model_that_failed_its_check_says_so(manifest: Manifest) -> None:
    assert metadata(manifest)["failed_check"] is None
    assert manifest.parity is not None
    parity = replace(manifest.parity, decision_agreement=0.8, verdict=None).judged(0.98, 0.1)
    assert FAILED_CHECK in metadata(replace(manifest, parity=parity))["failed_check"]
