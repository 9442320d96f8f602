from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from osteo_edge.cli import cli
from osteo_edge.edge_app.pi.versions import Places


@pytest.fixture
def update(places: Places, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("ROOT", str(places.root))

    def run(*words: str | Path) -> Result:
        return CliRunner().invoke(cli, ["update", *map(str, words)])

    return run


def test_a_kit_is_installed_and_taken_back(make_kit: Any, places: Places, update: Any) -> None:
    first, second = make_kit("1.0.0"), make_kit("1.1.0")
    assert f"osteo-edge {first.name} is installed" in update(first.path).output
    assert f"osteo-edge {second.name} is installed" in update(second.path).output
    assert "is older than" in str(update(first.path).exception)
    assert update("--rollback").output == f"osteo-edge: osteo-edge {first.name} is in use again\n".partition(": ")[2]
    assert places.current.readlink() == Path("versions") / first.name
    assert update(first.path, "--force").exit_code == 0


@pytest.mark.parametrize("words", [(), ("kit", "--rollback")])
def test_a_kit_or_the_way_back_must_be_named(update: Any, words: tuple[str, ...]) -> None:
    assert update(*words).exit_code == 2


def test_no_kit_is_one_line(update: Any, tmp_path: Path) -> None:
    assert "no such kit" in str(update(tmp_path / "nowhere").exception)
    assert "no version from before" in str(update("--rollback").exception)
