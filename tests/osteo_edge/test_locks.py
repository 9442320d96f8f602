import configparser
import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from osteo_edge import locks
from osteo_edge.edge_app.pi.wheels import EXTRAS, MACHINE, NEWEST_GLIBC
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.lock_file import Pin, read_lock
from osteo_edge.locks import INSTALL_PATHS, ROOT, InstallPath, lock_of, problems, wanted

PATHS = {path.name: path for path in INSTALL_PATHS}
SMALL = InstallPath("small", "a test", (), ("3.10", "3.11"), ("x86_64", "aarch64"))


def pin(name: str, version: str, marker: str = "") -> Pin:
    return Pin(name, version, marker, ("a" * 64,), ())


@pytest.mark.parametrize("path", INSTALL_PATHS, ids=lambda path: path.name)
def test_a_lock_pins_what_setup_cfg_requires_on_each_python_and_machine(path: InstallPath) -> None:
    assert problems(path, read_lock(lock_of(path)), wanted(path)) == []


def test_the_command_checks_them_all_without_a_network() -> None:
    done = CliRunner().invoke(locks.main, ["--check"])
    assert (done.exit_code, done.output) == (0, f"{len(PATHS)} locks pin what setup.cfg requires\n")


def test_the_locks_are_those_that_are_named() -> None:
    assert {path.stem for path in (ROOT / "locks").iterdir()} == set(PATHS)


@pytest.mark.parametrize(
    ("pins", "problem"),
    [
        ([], "numpy is required and not pinned on Python 3.10, x86_64"),
        ([pin("numpy", "1.25")], "numpy is pinned to 1.25, and >=1.26 is required on Python 3.10, x86_64"),
        ([pin("numpy", "2.0", "python_version < '3.11'")], "numpy is required and not pinned on Python 3.11, x86_64"),
        ([pin("numpy", "2.0", "platform_machine == 'x86_64'")], "not pinned on Python 3.10, aarch64"),
        ([pin("numpy", "2.0"), pin("numpy", "2.1")], "numpy is pinned to 2.0 and 2.1 at once on Python 3.10, x86_64"),
    ],
)
def test_what_does_not_fit_is_noticed(pins: list[Pin], problem: str) -> None:
    assert any(problem in found for found in problems(SMALL, pins, ["numpy>=1.26"]))


def test_a_version_for_each_python_fits() -> None:
    pins = [pin("numpy", "2.0", "python_full_version < '3.11'"), pin("numpy", "2.4", "python_full_version >= '3.11'")]
    assert problems(SMALL, pins, ["numpy>=1.26", "tomli>=2; python_version < '3.10'"]) == []


def test_a_damaged_lock_is_one_line_and_exit_code_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "locks").mkdir()
    for name in ("setup.cfg", "pyproject.toml"):
        (tmp_path / name).write_text((ROOT / name).read_text("utf-8"), "utf-8")
    for path in INSTALL_PATHS:
        text = lock_of(path).read_text("utf-8")
        lock_of(path, tmp_path).write_text(re.sub(r"^click==\S+", "click==7.0", text, flags=re.MULTILINE), "utf-8")
    found = locks.check(tmp_path)
    assert len(found) == sum(len(path.pythons) * len(path.machines) for path in INSTALL_PATHS)
    assert all("click is pinned to 7.0, and >=8.1 is required" in line for line in found)
    monkeypatch.setattr(locks, "check", lambda: found)
    done = CliRunner().invoke(locks.main, ["--check"])
    assert done.exit_code == 1
    assert done.output.startswith("osteo-edge: ")


def test_the_pi_lock_is_for_what_a_kit_carries() -> None:
    path = PATHS["pi"]
    assert (path.extras, path.machines) == (EXTRAS, (MACHINE,))
    assert set(NEWEST_GLIBC) <= set(path.pythons)
    pins = read_lock(lock_of(path))
    assert len({pin.name for pin in pins}) == len(pins)  # one version for all: they share their files


def test_the_development_lock_is_for_what_make_installs_and_for_every_extra() -> None:
    made = re.search(r"--editable '\.\[(.*)\]'", (ROOT / "Makefile").read_text("utf-8"))
    assert made is not None
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", "utf-8")
    extras = set(PATHS["development"].extras)
    assert set(made[1].split(",")) == extras
    assert set(setup["options.extras_require"]) - extras == {"signed"}  # a part of "signing"
    assert any(line.startswith("setuptools>=") for line in wanted(PATHS["development"]))


def test_outside_a_source_tree_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(OsteoEdgeError, match=r"holds no setup\.cfg; the locks are made and checked in a source tree"):
        wanted(PATHS["app"], tmp_path)


def test_uv_is_asked_again_without_what_pip_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[set[str]] = []

    def resolve(path: InstallPath, requirements: object, kept: str, ruled_out: set[str]) -> str:
        asked.append(set(ruled_out))
        return f"click==8.{9 - len(asked)} \\\n    --hash=sha256:{'a' * 64}\n"

    refused = {"8.8": ["click!=8.8; python_version == '3.11'"], "8.7": []}
    (tmp_path / "setup.cfg").write_text((ROOT / "setup.cfg").read_text("utf-8"), "utf-8")
    monkeypatch.setattr(locks, "_resolved", resolve)
    monkeypatch.setattr(locks, "refused_by_pip", lambda pins, pythons: refused[pins[0].version])
    written = locks.make_lock(replace(SMALL, name="click"), tmp_path)
    assert asked == [set(), {"click!=8.8; python_version == '3.11'"}]
    assert read_lock(written)[0].version == "8.7"


def test_every_test_that_the_threat_model_names_is_there() -> None:
    named = re.findall(r"`((?:tests/(?:\w+/)*)?test_\w+\.py)`", (ROOT / "SECURITY.md").read_text("utf-8"))
    there = {path.name: path for path in (ROOT / "tests").rglob("test_*.py")}
    assert len(named) > 10
    assert [one for one in named if not ((ROOT / one).is_file() if "/" in one else one in there)] == []
