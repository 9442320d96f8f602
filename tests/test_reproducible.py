"""Built twice, from two copies of the sources, on two dates: the same bytes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from osteo_edge.hashing import sha256_file
from tests.edge_app.pi.made_kit import make_small_kit

REPOSITORY = Path(__file__).resolve().parent.parent
LEFT_OUT = (".*", "build", "dist", "*.egg-info", "__pycache__", "demo-output")


def built(copy: Path, touched: int) -> Path:
    """The wheel of a clean copy of the sources whose files were all last changed at `touched`."""
    shutil.copytree(REPOSITORY, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
    for path in copy.rglob("*"):
        os.utime(path, (touched, touched))
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(copy / "out"), str(copy)]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return next((copy / "out").glob("*.whl"))


@pytest.mark.slow
def test_the_wheel_is_the_same_when_it_is_built_again(tmp_path: Path) -> None:
    one, two = built(tmp_path / "one", 1_600_000_000), built(tmp_path / "elsewhere" / "two", 1_650_000_000)
    assert one.name == two.name
    assert sha256_file(one) == sha256_file(two)


def test_a_kit_for_the_pi_is_the_same_when_it_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    kits = []
    for name in ("one", "two"):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / name / "cache"))
        kits.append(make_small_kit(tmp_path / name / "kit"))
    assert [kit.digest for kit in kits] == [kits[0].digest] * 2
    assert kits[0].contents.made_at == "2023-11-14T22:13:20+00:00"
