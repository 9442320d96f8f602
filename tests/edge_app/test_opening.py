from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.edge_app import opening
from osteo_edge.edge_app.opening import open_model
from osteo_edge.runtime import open_interpreter


def test_without_a_gpu_delegate_the_model_is_opened_as_everywhere(bundle: Bundle, tmp_path: Path) -> None:
    assert open_model(bundle, mark=tmp_path / "mark", threads=1).name == open_interpreter(bundle, threads=1).name


def test_a_gpu_is_tried_with_two_prepared_films_that_are_not_alike(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr("osteo_edge.litert_gpu.is_prepared", lambda: True)
    monkeypatch.setattr(opening, "open_fastest", lambda *given, **named: asked.append((given, named)))
    open_model(bundle, mark=tmp_path / "mark", threads=2, tell=print)
    (((given, films), named),) = asked
    assert given is bundle
    assert named == {"mark": tmp_path / "mark", "threads": 2, "tell": print}
    assert [film.shape for film in films] == [(1, 32, 32, 3)] * 2
    positive, negative = (open_interpreter(bundle).run(film).logits for film in films)
    assert np.abs(positive - negative).max() > 0.5
