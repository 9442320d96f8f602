import json
from pathlib import Path

import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.cli import run
from osteo_edge.edge_app.pi.own_wheel import write_own_wheel
from osteo_edge.locks import INSTALL_PATHS, lock_of
from tests.edge_app.pi.made_kit import make_small_kit


def test_a_bundle_goes_to_the_screen_as_json(bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sbom", str(bundle.path)]) == 0
    assert json.loads(capsys.readouterr().out)["metadata"]["component"]["name"] == "golden"


def test_a_wheel_with_a_lock_goes_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wheel, out = write_own_wheel(tmp_path), tmp_path / "new" / "wheel.cdx.json"
    assert run(["sbom", str(wheel), "--lock", str(lock_of(INSTALL_PATHS[1])), "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"written: {out}\n"
    assert any(part.get("version") for part in json.loads(out.read_bytes())["components"] if part["type"] == "library")


def test_a_kit_is_recognised(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    kit = make_small_kit(tmp_path / "kit")
    assert run(["sbom", str(kit.path)]) == 0
    assert json.loads(capsys.readouterr().out)["metadata"]["component"]["version"] == kit.name


@pytest.mark.parametrize("name", ["missing", "folder", "film.png"])
def test_anything_else_is_one_line(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "film.png").write_bytes(b"")
    assert run(["sbom", str(tmp_path / name)]) == 1
    printed = capsys.readouterr().err
    assert f"{name}: no wheel (.whl), no kit (a folder with kit.json) and no bundle" in printed
    assert len(printed.splitlines()) == 1


def test_a_lock_that_is_none_is_one_line(bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sbom", str(bundle.path), "--lock", str(tmp_path / "no.txt")]) == 1
    assert "no.txt: cannot be read" in capsys.readouterr().err


def test_what_cannot_be_told_of_a_damaged_thing_is_one_line(
    bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = bundle.path / "manifest.json"
    file.write_text(file.read_text("utf-8").replace('"golden"', '"gold\\ud800"'), "utf-8")
    (tmp_path / "thing.whl").write_bytes(b"PK")
    for thing, words in ((bundle.path, "half a character"), (tmp_path / "thing.whl", "cannot be read as a wheel")):
        assert run(["sbom", str(thing), "--out", str(tmp_path / "thing.cdx.json")]) == 1
        printed = capsys.readouterr()
        (line,) = printed.err.splitlines()
        assert line.startswith("osteo-edge: ")
        assert words in line
    assert not (tmp_path / "thing.cdx.json").exists()
