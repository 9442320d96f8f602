"""The train command: what it tells of what it left out, and what it refuses before any work."""

from pathlib import Path

import pytest

from osteo_edge import cli
from osteo_edge.train.phantoms import write_phantoms


@pytest.mark.tf
def test_an_unreadable_image_in_the_folder_is_reported_counted_and_not_fatal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It gets as far as the weights, which are wrong on purpose, so that nothing is trained here."""
    write_phantoms(tmp_path / "films", per_class=4, size=96)
    (tmp_path / "films" / "phantoms.csv").unlink()
    (tmp_path / "films" / "normal" / "broken.png").write_text("no picture")
    words = ["train", str(tmp_path / "films"), "--out", str(tmp_path / "out"), "--weights", str(tmp_path / "none.h5")]
    assert cli.run(words) == 1
    errors = capsys.readouterr().err
    assert "skipped" in errors
    assert "broken.png" in errors
    assert "Left out 1 of 13 images, 1 of them unreadable" in errors
    assert "none.h5: no such weights file" in errors


@pytest.mark.parametrize("labels", ["normal", "normal,normal", ","])
def test_fewer_than_two_different_labels_are_wrong_usage(
    labels: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["train", str(tmp_path), "--out", str(tmp_path / "out"), "--labels", labels]) == 2
    assert "at least two different labels" in capsys.readouterr().err
