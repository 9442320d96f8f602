"""The stream of training batches: complete, repeatable, parallel, and divided between replicas."""

import threading
import time
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from osteo_edge.dataset import Dataset
from osteo_edge.preprocessing import InputSpec, normalize
from osteo_edge.train import pipeline
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.labelled import Labelled
from osteo_edge.train.pipeline import NO_IMAGE, Share, epoch_rows, single_threaded_opencv, steps_per_epoch
from osteo_edge.train.prepared import prepare

SPEC = InputSpec(32, 32)
CONFIG = TrainConfig(weights="none", side_px=32, epochs=2, batch_size=4, class_weights=False)


@pytest.fixture(scope="module")
def part(phantoms: Dataset) -> Labelled:
    return Labelled.of(prepare(phantoms.cases[6:16], SPEC), CONFIG.labels)


def _batches(part: Labelled, config: TrainConfig = CONFIG, **options: Any) -> list[tuple[Any, Any]]:
    found = pipeline.training_batches(part, SPEC, config, **options)
    return [(images.numpy(), targets.numpy()) for images, targets in found]


def _numbers(rows: np.ndarray[Any, Any]) -> list[int]:
    return [int(number) for number in rows.ravel() if number != NO_IMAGE]


def test_an_epoch_holds_every_image_once_in_another_order() -> None:
    first, second = (epoch_rows(10, epoch, CONFIG, Share()) for epoch in (1, 2))
    assert first.shape == (3, 4)
    assert sorted(_numbers(first)) == sorted(_numbers(second)) == list(range(10))
    assert _numbers(first) != _numbers(second)
    np.testing.assert_array_equal(first, epoch_rows(10, 1, CONFIG, Share()))
    assert steps_per_epoch(10, 4) == 3


def test_replicas_divide_each_batch_evenly_between_them() -> None:
    whole = epoch_rows(11, 1, CONFIG, Share())
    shares = [epoch_rows(11, 1, CONFIG, Share((replica,), 2)) for replica in (0, 1)]
    assert [rows.shape for rows in shares] == [(3, 2), (3, 2)]
    for step in range(2):
        assert _numbers(np.concatenate([rows[step] for rows in shares])) == _numbers(whole[step])
    assert sum(len(_numbers(rows)) for rows in shares) == 10
    both = epoch_rows(11, 1, CONFIG, Share((0, 1), 2))
    np.testing.assert_array_equal(both[0::2], shares[0])
    np.testing.assert_array_equal(both[1::2], shares[1])
    assert steps_per_epoch(11, 4, replicas=2) == 3


@pytest.mark.tf
def test_batches_are_the_same_in_two_runs_and_differ_between_epochs(part: Labelled) -> None:
    first, again = _batches(part), _batches(part)
    assert [len(images) for images, _ in first] == [4, 4, 2, 4, 4, 2]
    for (images, targets), (same, same_targets) in zip(first, again, strict=True):
        np.testing.assert_array_equal(images, same)
        np.testing.assert_array_equal(targets, same_targets)
    other = _batches(part, replace(CONFIG, seed=1))
    assert not np.array_equal(first[0][0], other[0][0])


@pytest.mark.tf
def test_a_stream_from_the_second_epoch_on_is_the_rest_of_the_whole(part: Labelled) -> None:
    whole, rest = _batches(part), _batches(part, first_epoch=2)
    assert len(rest) == 3
    for (images, _), (same, _) in zip(whole[3:], rest, strict=True):
        np.testing.assert_array_equal(images, same)


@pytest.mark.tf
def test_images_belong_to_their_targets_and_are_normalized(part: Labelled) -> None:
    expected = normalize(part.planes(), SPEC)
    for images, targets in _batches(part, replace(CONFIG, augmentation="none")):
        for image, target in zip(images, targets, strict=True):
            (number,) = np.flatnonzero(np.abs(expected - image).max(axis=(1, 2, 3)) == 0)
            assert target.argmax() == part.classes[number]


@pytest.mark.tf
def test_mixup_is_repeatable_and_softens_targets(part: Labelled) -> None:
    config = replace(CONFIG, mixup=1.0)
    first, again = _batches(part, config), _batches(part, config)
    assert any(((targets > 0.01) & (targets < 0.99)).any() for _, targets in first)
    for (images, targets), (same, same_targets) in zip(first, again, strict=True):
        np.testing.assert_array_equal(images, same)
        np.testing.assert_array_equal(targets, same_targets)


@pytest.mark.tf
def test_several_batches_are_made_at_once(part: Labelled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "usable_cores", lambda: 4)
    at_once: list[int] = []
    running, lock = [0], threading.Lock()

    def slow(plane: Any, rng: Any, level: str) -> Any:
        with lock:
            running[0] += 1
            at_once.append(running[0])
        time.sleep(0.02)
        with lock:
            running[0] -= 1
        return plane

    monkeypatch.setattr(pipeline, "augment", slow)
    _batches(part)
    assert max(at_once) >= 2


def test_opencv_keeps_to_one_thread_and_gets_its_own_back() -> None:
    before = cv2.getNumThreads()
    with single_threaded_opencv():
        assert cv2.getNumThreads() == 1
    assert cv2.getNumThreads() == before
