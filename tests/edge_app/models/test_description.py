from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.edge_app.models.description import describe, identity_of, titles
from osteo_edge.errors import BundleError
from osteo_edge.manifest import Manifest, Metric

MakeBundle = Callable[..., Bundle]


def test_a_bundle_is_described_by_what_one_chooses_it_for(golden_bundle: MakeBundle, manifest: Manifest) -> None:
    def measured(value: float, part: str = "test, before conversion") -> Metric:
        return Metric(value, value - 0.1, value + 0.1, 96, part)

    metrics = {
        "sensitivity, validation": measured(0.95, "validation, before conversion"),
        "specificity, test": measured(0.8),
        "sensitivity, test": measured(0.85),
        "sensitivity, test, sex female": measured(0.7),
        "AUROC osteoporosis, test": measured(0.75),
        "AUROC osteopenia or osteoporosis, test": measured(0.9),
    }
    data = replace(manifest.data, label_source="DXA")
    bundle = golden_bundle(name="b", metrics=metrics, data=data, intended_use="Screening.")
    model = describe(bundle.path)
    assert (model.title, model.label_source, model.precision) == (
        f"{manifest.name} {manifest.version}",
        "DXA",
        "int8",
    )
    assert [(figure.measure, figure.metric.value, figure.metric.n) for figure in model.figures] == [
        ("AUROC osteopenia or osteoporosis", 0.9, 96),
        ("sensitivity", 0.85, 96),
        ("specificity", 0.8, 96),
    ]
    assert model.size_bytes == sum(file.stat().st_size for file in bundle.path.iterdir())
    assert (model.check, model.is_demo) == ("passed", False)


def test_a_check_that_was_failed_or_never_made_is_told(
    failed_bundle: Bundle, golden_bundle: MakeBundle, manifest: Manifest
) -> None:
    assert describe(failed_bundle.path).check == "failed"
    assert manifest.parity is not None
    assert describe(golden_bundle("open", parity=replace(manifest.parity, verdict=None)).path).check == "not judged"
    assert describe(golden_bundle("none", parity=None).path).check == "not judged"


def test_what_is_no_bundle_is_one_line(tmp_path: Path, bundle: Bundle) -> None:
    with pytest.raises(BundleError, match="no such bundle"):
        describe(tmp_path / "nothing")
    bundle.model_path.unlink()
    with pytest.raises(BundleError, match=r"model\.tflite: cannot be read"):
        describe(bundle.path)


def test_two_of_one_name_and_version_are_called_apart(golden_bundle: MakeBundle) -> None:
    one, two = describe(golden_bundle("one").path), describe(golden_bundle("two", intended_use="Another.").path)
    other = describe(golden_bundle("three", version="2").path)
    assert len({one.id, two.id, other.id}) == 3
    called = titles([one, two, other])
    assert called[other.id] == f"{other.name} 2"
    assert len(set(called.values())) == 3
    for model in (one, two):
        assert called[model.id].startswith(f"{model.title} (")


def test_a_name_stays_one_short_line(golden_bundle: MakeBundle) -> None:
    model = describe(golden_bundle(version="1\n\nFor all patients. " + "!" * 300).path)
    assert "\n" not in model.title
    assert len(model.title) < 200


@pytest.mark.parametrize(
    ("name", "start"),
    [("../../etc", "etc-"), ("Genou / été", "genou-t-"), ("膝", "model-"), ("k" * 300, "k" * 40 + "-")],
)
def test_an_id_is_a_plain_folder_name_whatever_the_bundle_is_called(name: str, start: str, bundle: Bundle) -> None:
    found = identity_of(bundle.path, replace(bundle.manifest, name=name))
    assert found.startswith(start)
    assert len(found) == len(start) + 12
