import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osteo_edge.bundle import Bundle, read_bundle, write_bundle
from osteo_edge.errors import BundleError
from osteo_edge.manifest import Manifest
from osteo_edge.samples import CALIBRATION, PARITY, SAMPLES_FILE, pack_samples, read_samples
from tests.odd_archive import damaged_lzma

MODEL = (Path(__file__).resolve().parent.parent / "data" / "golden-int8.tflite").read_bytes()


@pytest.fixture
def bundle_with(tmp_path: Path, manifest: Manifest) -> Callable[[bytes], Bundle]:
    def make(samples: bytes) -> Bundle:
        write_bundle(tmp_path / "knee", manifest, {"model.tflite": MODEL, SAMPLES_FILE: samples})
        return read_bundle(tmp_path / "knee")

    return make


def planes(n: int, height: int = 32, width: int = 32) -> Any:
    return np.random.default_rng(n).random((n, height, width), np.float32)


def test_samples_come_back_by_their_use(bundle_with: Callable[[bytes], Bundle]) -> None:
    bundle = bundle_with(pack_samples({CALIBRATION: planes(3), PARITY: planes(2)}))
    for use, n in ((CALIBRATION, 3), (PARITY, 2)):
        read = read_samples(bundle, use)
        assert read.dtype == np.float32
        np.testing.assert_allclose(read, planes(n), atol=5e-4)


def test_a_bundle_without_samples_says_so(bundle: Bundle) -> None:
    with pytest.raises(BundleError, match=r"holds no samples\.npz; train it again"):
        read_samples(bundle, PARITY)


def with_header_without_end() -> bytes:
    """An archive whose array says of itself what Python cannot read."""
    file = io.BytesIO()
    np.savez(file, parity=planes(1))
    return file.getvalue().replace(b"(1, 32, 32)", b"((, 32, 32)")


@pytest.mark.parametrize(
    ("samples", "problem"),
    [
        (b"", "holds no readable samples for parity"),
        (b"not a zip file", "holds no readable samples for parity"),
        (with_header_without_end(), "holds no readable samples for parity"),
        (damaged_lzma("parity.npy"), "holds no readable samples for parity"),
        (pack_samples({CALIBRATION: planes(2)}), "holds no readable samples for parity"),
        (pack_samples({PARITY: planes(2)})[:-100], "holds no readable samples for parity"),
        (pack_samples({PARITY: planes(2, 16, 32)}), r"are \(2, 16, 32\), not \(n, 32, 32\)"),
        (pack_samples({PARITY: planes(0)}), r"are \(0, 32, 32\), not \(n, 32, 32\)"),
    ],
    ids=["empty", "text", "header", "lzma", "other use", "cut", "other size", "none"],
)
def test_samples_that_cannot_be_used_are_one_line(
    samples: bytes, problem: str, bundle_with: Callable[[bytes], Bundle]
) -> None:
    with pytest.raises(BundleError, match=problem) as caught:
        read_samples(bundle_with(samples), PARITY)
    assert "\n" not in str(caught.value)
