import json
from pathlib import Path

import click
import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

from osteo_edge import cli
from osteo_edge.errors import DatasetError
from osteo_edge.split import PARTS, read_split
from osteo_edge.train.data_commands import data


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """Twelve drawn films of two classes, with a copy, a conflict and a broken file."""
    rng = np.random.default_rng(0)
    for label in ("low", "normal"):
        (tmp_path / "films" / label).mkdir(parents=True)
        for number in range(6):
            soft = cv2.resize(rng.uniform(20, 230, (9, 7)), (80, 96), interpolation=cv2.INTER_CUBIC)
            cv2.imwrite(str(tmp_path / "films" / label / f"{number}.png"), np.clip(soft, 0, 255).astype(np.uint8))
    folder = tmp_path / "films"
    (folder / "low" / "copy.png").write_bytes((folder / "low" / "0.png").read_bytes())
    (folder / "normal" / "same.png").write_bytes((folder / "low" / "1.png").read_bytes())
    (folder / "low" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return folder


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(data, [str(argument) for argument in arguments], catch_exceptions=False)


def test_audit_prints_what_it_found(films: Path) -> None:
    result = _run("audit", films)
    assert result.exit_code == 0
    assert "label conflicts" in result.stdout
    assert "low/1.png = normal/same.png" in result.stdout
    assert "low/broken.png" in result.stdout
    assert result.stderr == ""


def test_audit_as_json_is_json_and_nothing_else(films: Path) -> None:
    found = json.loads(_run("audit", films, "--json").stdout)
    assert found["conflicts"] == [["low/1.png", "normal/same.png"]]
    assert found["exact"] == [["low/0.png", "low/copy.png"], ["low/1.png", "normal/same.png"]]
    assert [confounder["name"] for confounder in found["confounders"]] == ["image size", "file", "brightness"]


def test_split_writes_the_file_and_prints_counts_and_exclusions(films: Path, tmp_path: Path) -> None:
    result = _run("split", films, "--out", tmp_path / "split.csv", "--seed", 3)
    split = read_split(tmp_path / "split.csv")
    assert sum(split.counts("train").values()) > sum(split.counts("test").values()) > 0
    assert "Images by part" in result.stdout
    assert "label conflict: a copy of normal/same.png (normal)" in result.stdout
    assert f"written: {tmp_path / 'split.csv'}" in result.stdout


def test_a_split_does_not_replace_the_data_and_says_so_before_the_work(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("osteo_edge.train.audit.audit", lambda *images, **options: pytest.fail("has begun to work"))
    table, film = tmp_path / "films.csv", films / "low" / "0.png"
    table.write_text("path,label\n", "utf-8")
    for out in (table, film):
        before = out.read_bytes()
        assert cli.run(["data", "split", str(films), "--out", str(out)]) == 1
        assert f"{out}: is there, and is another kind of file" in capsys.readouterr().err
        assert out.read_bytes() == before


@pytest.mark.parametrize("command", ["split", "phantom", "limbs"])
def test_a_seed_beyond_all_bounds_is_wrong_usage(
    command: str, films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(films), "--out", str(tmp_path / "split.csv")] if command == "split" else [str(tmp_path / "new")]
    assert cli.run(["data", command, *words, "--seed", "9" * 30]) == 2
    assert "--seed" in capsys.readouterr().err


def test_split_as_json_sums_up(films: Path, tmp_path: Path) -> None:
    made = json.loads(_run("split", films, "--out", tmp_path / "split.csv", "--json").stdout)
    assert made["seed"] == 0
    assert made["bones"] == {}
    assert made["conflicts"] == [["low/1.png", "normal/same.png"]]
    assert set(made["excluded"]) == {"low/1.png", "low/broken.png", "low/copy.png", "normal/same.png"}
    assert sum(sum(made["counts"][part].values()) for part in PARTS) == 11
    assert len(made["sha256"]) == 64


def test_join_writes_a_data_set_and_counts(films: Path, tmp_path: Path) -> None:
    (tmp_path / "sheet.csv").write_text("id,age\n0,50\n77,60\n", encoding="utf-8")
    result = _run("join", films, tmp_path / "sheet.csv", "--out", tmp_path / "data.csv")
    assert "matched: 2" in result.stdout
    assert "images without line: 13" in result.stdout
    assert "lines without image: 1" in result.stdout
    assert (tmp_path / "data.csv").is_file()


def test_phantoms_can_be_drawn_audited_and_split(tmp_path: Path) -> None:
    result = _run("phantom", tmp_path / "drawn", "--per-class", 5, "--size", 96, "--seed", 1)
    assert result.exit_code == 0
    assert "phantoms.csv" in result.stdout
    assert "age" in _run("audit", tmp_path / "drawn").stdout
    assert _run("split", tmp_path / "drawn", "--out", tmp_path / "split.csv").exit_code == 0


def test_an_error_is_left_to_the_command_line(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no such folder or CSV file"):
        _run("audit", tmp_path / "nothing")


@pytest.mark.parametrize("name", sorted(data.commands))
def test_every_command_has_help_with_an_example(name: str) -> None:
    result = _run(name, "--help")
    assert result.exit_code == 0
    assert f"osteo-edge data {name}" in result.stdout
    options = [option for option in data.commands[name].params if isinstance(option, click.Option)]
    assert all(option.help for option in options)
