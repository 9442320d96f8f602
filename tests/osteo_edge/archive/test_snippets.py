"""The snippets of docs/archive.md: reading the results, and screening for those who have a cluster of another kind."""

import ast
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.archive.film import Film
from osteo_edge.archive.plan import Plan
from osteo_edge.archive.worker import FilmScreener
from osteo_edge.bundle import Bundle
from tests.osteo_edge.archive.results import screen_here

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "archive.md"
BRIGHTNESS = (0.2, 0.5, 0.8)


def snippet(word: str) -> str:
    """The Python of the document in which a word stands."""
    found = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    (code,) = (code for code in found if word in code)
    return str(code)


def test_the_results_are_read_by_pyarrow(
    planned: Callable[..., Plan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = planned("answers")
    screen_here(plan)
    plan.part(0).with_name(".part-00000009.parquet.ab.partial").write_bytes(b"what a killed run was writing")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(snippet("pyarrow.dataset"), names)
    assert sorted(names["positive"]["film"].to_pylist()) == ["a/bright.png", "b/c/bright.png", "bright.png"]
    assert names["positive"].column_names == ["film", "score"]
    assert names["unread"] == [{"film": "b/cut.png", "reason": "damaged"}]


def test_dask_gives_the_answers_that_a_screener_gives(
    tmp_path: Path, draw_film: Callable[..., Path], golden_bundle: Callable[..., Bundle]
) -> None:
    pytest.importorskip("dask")
    parquet = pytest.importorskip("pyarrow.parquet")
    bundle = golden_bundle("knee-int8")
    films = [draw_film(f"films/{number}.png", brightness=bright) for number, bright in enumerate(BRIGHTNESS)]
    films[0].write_bytes(films[0].read_bytes()[:300])
    script = tmp_path / "screen.py"
    script.write_text(snippet("dask"), "utf-8")
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = parquet.read_table(tmp_path / "answers").to_pylist()
    with FilmScreener(bundle.path, isolated=False) as screener:
        expected = screener.rows([Film(f"films/{film.name}", film) for film in films])
    assert [(row["film"], row["outcome"], row["score"], tuple(row["reasons"])) for row in found] == [
        (row.film, row.outcome, row.score, row.reasons) for row in expected
    ]
    assert {row.outcome for row in expected} == {"unreadable", "uncertain", "refer"}


def test_the_snippet_for_spark_names_what_there_is() -> None:
    imports = [node for node in ast.walk(ast.parse(snippet("mapInPandas"))) if isinstance(node, ast.ImportFrom)]
    ours = [node for node in imports if str(node.module).startswith("osteo_edge")]
    assert len(ours) == 3
    for node in ours:
        module = __import__(str(node.module), fromlist=[name.name for name in node.names])
        assert all(hasattr(module, name.name) for name in node.names)
