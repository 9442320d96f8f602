"""The embedding as an output, and what it tells of real films with a network that has seen none of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from osteo_edge.dataset import Dataset
from osteo_edge.familiarity import MIN_FITTED, fit_familiarity
from osteo_edge.hashing import sha256_file
from osteo_edge.metrics import auroc
from osteo_edge.preprocessing import InputSpec, normalize, to_plane
from osteo_edge.radiograph import read_radiograph
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.embedding import attach_embedding, embeddings, find_familiarity
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.labelled import Labelled
from osteo_edge.train.models import Network, build
from osteo_edge.train.pooling import Features, pooled_features
from osteo_edge.train.prepared import prepare

pytestmark = pytest.mark.tf

SPEC = InputSpec(64, 64)
PLAIN = TrainConfig(alpha=0.35, weights="none")
TAPPED = replace(PLAIN, taps=("block_10_expand_relu", "block_13_expand_relu^2", "block_6_expand_relu@2x2"))
WEIGHTS = "mobilenet_v2_0.35_224_no_top.from-teachable-machine.h5"


@pytest.fixture(scope="module")
def films(phantoms: Dataset) -> Labelled:
    return Labelled.of(prepare(phantoms.cases, SPEC), PLAIN.labels)


@pytest.fixture(scope="module")
def plain() -> Network:
    return build(PLAIN, SPEC)


def test_the_embedding_is_the_last_layer_averaged_over_places(films: Labelled, plain: Network) -> None:
    attached = attach_embedding(plain)
    found = embeddings(attached.model, 2, films, SPEC)
    assert found.shape == (len(films), 1280)
    np.testing.assert_allclose(found, pooled_features(plain, films, SPEC), atol=1e-6)


def test_the_other_outputs_stay_as_they_were(films: Labelled, plain: Network) -> None:
    batch = normalize(films.planes(slice(0, 4)), SPEC)
    for before, after in zip(plain.model(batch), attach_embedding(plain).model(batch), strict=False):
        np.testing.assert_array_equal(before, after)


def test_of_taps_it_is_the_deepest_whole(films: Labelled) -> None:
    tapped = build(TAPPED, SPEC)
    batch = normalize(films.planes(slice(0, 4)), SPEC)
    *_, found = attach_embedding(tapped, TAPPED.taps).model(batch)
    deepest = tapped.backbone.get_layer("block_13_expand_relu")
    _, keras = load_tensorflow()
    expected = keras.Model(tapped.backbone.input, deepest.output)(batch).numpy().mean(axis=(1, 2))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_at_most_so_many_images_are_looked_at_spread_over_all(films: Labelled, plain: Network) -> None:
    model = attach_embedding(plain).model
    every, some = embeddings(model, 2, films, SPEC), embeddings(model, 2, films, SPEC, most=7)
    assert len(some) == 7
    np.testing.assert_allclose(some[[0, -1]], every[[0, -1]], atol=1e-5)


def test_too_few_images_give_no_statistics(films: Labelled, plain: Network) -> None:
    attached = attach_embedding(plain)
    few, rest = films.part(np.arange(MIN_FITTED - 1)), films.part(np.arange(MIN_FITTED - 1, len(films)))
    assert find_familiarity(attached, few, rest, SPEC) is None


def test_knees_are_told_from_chests_and_wrists_by_a_network_that_has_seen_neither(shared_data: Path) -> None:
    """A quarter of the knee films is held out; `benchmarks.studies.familiarity` has the figures for all."""
    spec = InputSpec(224, 224)
    network = attach_embedding(build(replace(PLAIN, weights=str(shared_data / "weights" / WEIGHTS)), spec))
    files = sorted((shared_data / "knees" / "images").rglob("*.jpg"))
    different = sorted({sha256_file(path): path for path in files}.values())
    knees = _embeddings(network, different[::2], spec)
    folders = [shared_data / "ood" / "chest", shared_data / "ood" / "wrist_16bit_png", shared_data / "mura_layout"]
    others = _embeddings(network, sorted(path for folder in folders for path in folder.rglob("*.*g")), spec)
    assert (len(knees) > 80, len(others)) == (True, 17)
    known = fit_familiarity(knees[::2], knees[1::4], fitted_on="knees", chosen_on="others")
    assert known is not None
    held_out, strange = known.statistics.distances(knees[3::4]), known.statistics.distances(others)
    is_strange = np.repeat([False, True], [len(held_out), len(strange)])
    assert auroc(is_strange, np.concatenate([held_out, strange])) >= 0.98
    assert np.mean(strange > known.record.threshold) >= 0.9
    assert np.sum(held_out > known.record.threshold) <= 2


def _embeddings(network: Network, paths: list[Path], spec: InputSpec) -> Features:
    planes = np.stack([to_plane(read_radiograph(path).pixels, spec) for path in paths])
    batches = [normalize(planes[start : start + 16], spec) for start in range(0, len(planes), 16)]
    return np.concatenate([network.model.predict_on_batch(batch)[-1] for batch in batches])
