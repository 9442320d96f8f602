"""What the system's journal hears of a watch: everything but the names of films."""

import json
import os
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.cli import run
from osteo_edge.edge_app.nameless import NOT_TOLD, STREAM, is_journal, without_names
from osteo_edge.edge_app.watching import FolderBack, PutOff
from osteo_edge.hashing import sha256_file
from osteo_edge.wording import HEADLINES

MARK = "ROE^JANE 1950"


@pytest.fixture
def folder(draw_film: Callable[..., Path], tmp_path: Path) -> Path:
    """A film that is referred and a file that is none, both called after a patient."""
    draw_film(f"films/{MARK}.png", brightness=0.85)
    (tmp_path / "films" / f"{MARK} 2.png").write_bytes(b"no film")
    return tmp_path / "films"


@pytest.fixture
def words(bundle: Bundle, folder: Path, tmp_path: Path) -> list[str]:
    return ["watch", str(bundle.path), str(folder), "--out", str(tmp_path / "out"), "--every", "50ms", "--once"]


@pytest.fixture
def journal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let standard output be what systemd says that its journal is."""
    output = os.fstat(1)
    monkeypatch.setenv(STREAM, f"{output.st_dev}:{output.st_ino}")


@pytest.mark.usefixtures("journal")
@pytest.mark.parametrize("options", [(), ("--json",), ("--overlay", "--json")])
def test_the_journal_hears_of_a_film_by_its_hash(
    options: tuple[str, ...], words: list[str], folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film, no_film = (sha256_file(folder / f"{MARK}{rest}")[:8] for rest in (".png", " 2.png"))
    assert run([*words, *options]) == 1
    shutil.copy(folder / f"{MARK}.png", folder / f"{MARK} 3.png")
    assert run([*words, *options]) == 0
    printed = capsys.readouterr()
    assert f"osteo-edge: film {no_film}: not a PNG, JPEG" in printed.err
    assert f"film {film}" in printed.out
    assert HEADLINES["refer"] in printed.out
    assert f"/\N{HORIZONTAL ELLIPSIS}-{film}.json" in printed.out
    assert "ROE" not in printed.out + printed.err
    table = (tmp_path / "out" / "results.csv").read_text("utf-8")
    assert table.count(MARK) >= 3
    if options:
        assert all(isinstance(json.loads(line), dict) for line in printed.out.splitlines())


def test_elsewhere_a_film_has_its_name(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(STREAM, "1:1")
    assert run(words) == 1
    printed = capsys.readouterr()
    assert f"{MARK}.png: {HEADLINES['refer']}" in printed.out
    assert f"{MARK} 2.png: not a PNG, JPEG" in printed.err


@pytest.mark.usefixtures("journal")
def test_an_error_that_ends_the_watch_names_no_film(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").mkdir()
    today = datetime.now(timezone.utc)
    for day in (today, today + timedelta(days=1)):
        (tmp_path / "out" / f"{day:%Y-%m-%d}").write_bytes(b"in the place of a folder")
    assert run(words) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert ": the result cannot be written" in line
    assert "ROE" not in line


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("Permission denied", "Permission denied"),
        (f"in/{MARK}.dcm: needs a package", "needs a package"),
        (f"what {MARK}.dcm says", NOT_TOLD),
    ],
)
def test_a_film_that_is_put_off_has_no_name(reason: str, told: str) -> None:
    assert without_names(PutOff(Path(f"in/{MARK}.dcm"), reason)) == PutOff(Path("a film"), told)


def test_what_is_about_no_film_stays() -> None:
    assert without_names(FolderBack()) == FolderBack()


@pytest.mark.parametrize("named", [{}, {STREAM: ""}, {STREAM: "no stream"}])
def test_what_no_service_manager_started_prints_to_no_journal(named: dict[str, str]) -> None:
    assert not is_journal(named)
