import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from click.testing import CliRunner

from osteo_edge.benchmarks.bundles.map_cost import POOLED, WITH_MAP, WITHOUT_MAP, MapCost, map_cost, measure_map_cost
from osteo_edge.benchmarks.measuring.environment import read_environment
from osteo_edge.bundle import Bundle
from osteo_edge.errors import BundleError
from osteo_edge.manifest import Manifest, Outputs


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_three_models_run_equally_often_and_only_the_head_differs(
    precision: str, golden_bundle: Callable[..., Bundle]
) -> None:
    found = measure_map_cost(golden_bundle(precision=precision), runs=5)
    assert {name: len(values) for name, values in found.runs_ms.items()} == {WITH_MAP: 5, WITHOUT_MAP: 5, POOLED: 5}
    assert found.logit_differences[WITH_MAP] == found.logit_differences[WITHOUT_MAP] == 0
    assert found.logit_differences[POOLED] < 0.1


def test_the_map_may_add_5_percent_to_either_model_without_it() -> None:
    values: dict[str, tuple[float, ...]] = {WITH_MAP: (1.06, 1.06), WITHOUT_MAP: (1.0, 1.0), POOLED: (1.05, 1.05)}
    found = MapCost(read_environment(), "knee", 1, {}, values)
    assert [(check.limit, check.passed) for check in found.checks] == [(1.05, False), (1.05, True)]
    assert found.checks[0].estimate.value == 1.06


def test_json_keeps_every_value_beside_the_medians(bundle: Bundle) -> None:
    result = CliRunner().invoke(map_cost, [str(bundle.path), "--runs", "4", "--json"])
    plain = json.loads(result.output)
    assert len(plain["runs_ms"][WITH_MAP]) == 4
    assert plain["medians_ms"].keys() == plain["runs_ms"].keys()
    assert result.exit_code == int(not all(check["passed"] for check in plain["checks"]))


def test_a_bundle_without_a_map_or_not_converted_is_refused(
    golden_bundle: Callable[..., Bundle], manifest: Manifest
) -> None:
    bundle = golden_bundle("mapless", outputs=Outputs(manifest.outputs.logits, None))
    with pytest.raises(BundleError, match="not a TFLite bundle with an activation map; convert"):
        measure_map_cost(bundle, runs=3)
    keras = replace(bundle.manifest, model=replace(bundle.manifest.model, format="keras"), outputs=manifest.outputs)
    with pytest.raises(BundleError, match="not a TFLite bundle"):
        measure_map_cost(replace(bundle, manifest=keras), runs=3)
