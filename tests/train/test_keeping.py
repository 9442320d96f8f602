"""What a fit keeps: its record, and a checkpoint that is of this very fit or none."""

import math
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.train.keeping import CHECKPOINT, Epoch, Record, Saved, ctrl_c_noted, discard, finite, load, save


def _record(*losses: float, head: float | None = None) -> Record:
    return Record(1e-3, head, tuple(Epoch(1.0, loss, 3.0, 1.0) for loss in losses))


def _saved() -> Saved:
    weights = [np.arange(6, dtype=np.float32).reshape(2, 3), np.array([0.1], np.float32)]
    return Saved(_record(0.7, math.inf, head=0.9), weights, [np.full(1, 5), np.zeros(3)], [weights[0] + 1, weights[1]])


def test_the_best_epoch_counts_from_one_and_the_head_is_epoch_zero() -> None:
    assert _record(0.9, 0.5, 0.6).best_epoch == 2
    assert _record(0.9, 0.5, 0.6, head=0.7).best_epoch == 2
    assert _record(0.9, 0.8, head=0.7).best_epoch == 0


def test_stale_epochs_are_those_since_the_best() -> None:
    assert Record(1e-3).stale_epochs == 0
    assert _record(0.9, 0.5, 0.6, 0.5).stale_epochs == 2
    assert _record(0.9, 0.8, head=0.7).stale_epochs == 2
    assert _record(head=0.7).stale_epochs == 0


def test_the_share_of_waiting_is_of_the_training_time() -> None:
    assert _record(0.5).epochs[0].waiting_share == pytest.approx(0.25)


def test_what_is_no_number_is_infinite() -> None:
    assert (finite(math.nan), finite(0.5)) == (math.inf, 0.5)


def test_a_checkpoint_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    saved = _saved()
    save(tmp_path / "run", "key", saved)
    found = load(tmp_path / "run", "key")
    assert found is not None
    assert found.record == saved.record
    for name in ("weights", "optimizer", "best"):
        for array, same in zip(getattr(saved, name), getattr(found, name), strict=True):
            np.testing.assert_array_equal(array, same)
    assert [file.name for file in (tmp_path / "run").iterdir()] == [CHECKPOINT]


def test_there_may_be_none(tmp_path: Path) -> None:
    assert load(tmp_path / "none", "key") is None


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    save(tmp_path, "key", _saved())
    with pytest.raises(OsteoEdgeError, match=r"other settings or images; .* --no-resume"):
        load(tmp_path, "another")


def test_half_a_checkpoint_is_refused(tmp_path: Path) -> None:
    save(tmp_path, "key", _saved())
    whole = (tmp_path / CHECKPOINT).read_bytes()
    for size in (0, 10, len(whole) // 2):
        (tmp_path / CHECKPOINT).write_bytes(whole[:size])
        with pytest.raises(OsteoEdgeError, match="is no whole checkpoint"):
            load(tmp_path, "key")


def test_discarding_removes_the_folder_and_does_not_mind_if_there_is_none(tmp_path: Path) -> None:
    save(tmp_path / "run", "key", _saved())
    discard(tmp_path / "run")
    discard(tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_first_ctrl_c_is_noted_and_the_second_raised() -> None:
    with ctrl_c_noted() as noted:
        assert not noted.is_set()
        os.kill(os.getpid(), signal.SIGINT)
        assert noted.wait(10)  # the signal may come by another thread, and is handled a moment later then
        with pytest.raises(KeyboardInterrupt):
            _interrupt_again()


def _interrupt_again() -> None:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(5)
