"""The ranges of a network's layers survive the file, and a file that is not as it should be is named."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.activation_ranges import RANGES_FILE, ActivationRanges, read_ranges
from osteo_edge.bundle import Bundle, write_bundle
from osteo_edge.errors import BundleError
from osteo_edge.manifest import Manifest

RANGES = ActivationRanges({"Conv1_relu": (0.0, 6.0), "block_1_project_BN": (-21.123456789012345, 19.5)})
GOOD: dict[str, Any] = {"format": 1, "activations": {"relu": [0, 6.0]}}


@pytest.fixture
def holding(tmp_path: Path, manifest: Manifest) -> Callable[[bytes], Bundle]:
    """Write a bundle with these bytes in its file of ranges."""

    def make(content: bytes) -> Bundle:
        described = replace(manifest, model=replace(manifest.model, file="model.bin"))
        return write_bundle(tmp_path / "bundle", described, {"model.bin": b"", RANGES_FILE: content})

    return make


def test_what_is_written_is_read_again_exactly(holding: Callable[[bytes], Bundle]) -> None:
    assert read_ranges(holding(RANGES.pack())) == RANGES


def test_a_bundle_without_the_file_has_none(bundle: Bundle) -> None:
    assert read_ranges(bundle) is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({**GOOD, "format": 2}, "format must be one of 1"),
        ({"activations": {}}, "missing field 'format'"),
        ({**GOOD, "more": 0}, "unknown field 'more'"),
        ({**GOOD, "activations": {"relu": [0.0]}}, "activations.relu must be two numbers, not 1"),
        ({**GOOD, "activations": {"relu": [0.0, 1.0, 2.0]}}, "activations.relu must be two numbers, not 3"),
        ({**GOOD, "activations": {"relu": [0.0, "6"]}}, r"activations.relu\[1\] must be a number"),
        ({**GOOD, "activations": {"relu": [6.0, 6.0]}}, "activations.relu must be two finite numbers, the lower first"),
        ({**GOOD, "activations": {"relu": [0.0, float("inf")]}}, r"activations.relu\[1\] must be a finite number"),
        ([], "the document must be an object"),
    ],
)
def test_a_wrong_field_is_named_with_the_file(holding: Callable[[bytes], Bundle], content: object, reason: str) -> None:
    with pytest.raises(BundleError, match=f"{RANGES_FILE}: {reason}"):
        read_ranges(holding(json.dumps(content).encode()))


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b"[" * 100_000])
def test_what_is_no_json_is_named(holding: Callable[[bytes], Bundle], content: bytes) -> None:
    with pytest.raises(BundleError, match=f"{RANGES_FILE}: cannot be read"):
        read_ranges(holding(content))


@pytest.mark.parametrize("ends", [(1.0, 0.0), (0.0, float("nan")), (float("-inf"), 0.0)])
def test_ranges_that_are_none_are_refused_before_they_are_written(ends: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="two finite numbers"):
        ActivationRanges({"relu": ends})
