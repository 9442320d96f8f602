import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner

from osteo_edge.benchmarks.bundles.sizes import MAX_INT8_BYTES, measure_size, sizes
from osteo_edge.bundle import Bundle
from osteo_edge.manifest import Parent


def trained(backbone: str, alpha: float) -> Parent:
    recipe: dict[str, Any] = {"convert": {}, "parent": {"train": {"backbone": backbone, "alpha": alpha}}}
    return Parent("a" * 64, recipe)


@pytest.fixture
def of_size(golden_bundle: Callable[..., Bundle]) -> Callable[..., Bundle]:
    def make(number: int, alpha: float = 0.35, **changes: Any) -> Bundle:
        return golden_bundle(
            f"b{number}-{alpha}", model=bytes(number), parent=trained("mobilenet_v2", alpha), **changes
        )

    return make


def test_a_model_of_exactly_its_bound_passes_and_one_byte_more_fails(of_size: Callable[..., Bundle]) -> None:
    assert MAX_INT8_BYTES == {("mobilenet_v2", 1.0): 2_800_000, ("mobilenet_v2", 0.35): 750_000}
    assert measure_size(of_size(750_000)).verdict == "PASS"
    assert measure_size(of_size(750_001)).verdict == "FAIL"
    assert measure_size(of_size(750_001, alpha=1.0)).verdict == "PASS"


def test_other_networks_and_precisions_have_no_bound(of_size: Callable[..., Bundle], bundle: Bundle) -> None:
    assert measure_size(of_size(9_000_000, precision="float32")).verdict == "no bound"
    assert measure_size(of_size(9_000_000, alpha=0.5)).verdict == "no bound"
    assert measure_size(bundle).network == "unknown network"


def test_the_command_exits_with_1_if_one_model_is_too_large(of_size: Callable[..., Bundle]) -> None:
    small, large = of_size(10), of_size(750_001)
    assert CliRunner().invoke(sizes, [str(small.path)]).exit_code == 0
    result = CliRunner().invoke(sizes, [str(small.path), str(large.path), "--json"])
    assert result.exit_code == 1
    assert [(size["model_bytes"], size["verdict"]) for size in json.loads(result.output)] == [
        (10, "PASS"),
        (750_001, "FAIL"),
    ]


def test_the_table_names_network_and_bound(of_size: Callable[..., Bundle]) -> None:
    output = CliRunner().invoke(sizes, [str(of_size(10, alpha=1.0).path)]).output
    assert "mobilenet_v2 1" in output
    assert "2,800,000" in output
