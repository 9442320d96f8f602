import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from osteo_edge.edge_app.pi import wheels
from osteo_edge.edge_app.pi.own_wheel import required
from osteo_edge.edge_app.pi.wheels import fetch_wheels, source_lock
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.hashing import sha256_bytes
from osteo_edge.lock_file import read_lock

FOUND = {
    "numpy": "numpy-2.4.6-cp311-cp311-manylinux_2_27_aarch64.manylinux_2_28_aarch64.whl",
    "Kivy-Garden": "Kivy_Garden-0.1.5-py3-none-any.whl",
    "docutils": "docutils-0.23-py3-none-any.whl",
    "osteo-edge": "osteo_edge-0.1.0-py3-none-any.whl",
    "click": "click-8.5.1-py3-none-any.whl",
}


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What pip was asked, instead of asking it; it finds `FOUND`, and each wheel holds its own name."""
    asked: list[list[str]] = []

    def answer(words: Sequence[str]) -> None:
        asked.append(list(words))
        if words[0] == "install":
            report = next(word for word in words if word.startswith("--report=")).partition("=")[2]
            found = [
                {
                    "metadata": {"name": name},
                    "download_info": {
                        "url": f"https://index.example/{file}",
                        "archive_info": {"hashes": {"sha256": sha256_bytes(file.encode())}},
                    },
                }
                for name, file in FOUND.items()
            ]
            Path(report).write_text(json.dumps({"install": found}), "utf-8")
        else:
            folder = Path(next(word for word in words if word.startswith("--dest=")).partition("=")[2])
            for file in FOUND.values():
                if "==".join(file.split("-")[:2]) in words:
                    (folder / file).write_bytes(file.encode())

    monkeypatch.setattr(wheels, "_pip", answer)
    return asked


def test_wheels_are_for_the_pi_without_what_is_not_needed(pip: list[list[str]], tmp_path: Path) -> None:
    found = fetch_wheels(Path("own.whl"), ["3.11"], tmp_path / "cache")
    assert [path.name for path in found["3.11"]] == [FOUND["click"], FOUND["numpy"]]
    assert all(path.is_file() for path in found["3.11"])
    choose, fetch = pip
    assert "own.whl[app,dicom,signed]" in choose
    wanted = {"--only-binary=:all:", "--python-version=3.11", "--platform=manylinux_2_36_aarch64"}
    assert wanted <= set(choose)
    assert wanted | {"--no-deps", "numpy==2.4.6"} <= set(fetch)
    assert "--platform=manylinux_2_37_aarch64" not in choose


def test_a_second_time_needs_no_network(pip: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = fetch_wheels(Path("own.whl"), ["3.11"], tmp_path)
    pip.clear()
    assert fetch_wheels(Path("own.whl"), ["3.11"], tmp_path) == first
    assert pip == []
    monkeypatch.setattr(wheels, "required", lambda extras: ("numpy>=99",))
    fetch_wheels(Path("own.whl"), ["3.11"], tmp_path)
    assert [words[0] for words in pip] == ["install"]


def test_a_damaged_wheel_is_not_used(pip: list[list[str]], tmp_path: Path) -> None:
    fetch_wheels(Path("own.whl"), ["3.11"], tmp_path)
    (tmp_path / FOUND["numpy"]).write_bytes(b"damaged")
    with pytest.raises(OsteoEdgeError, match="not what the package index has; remove it"):
        fetch_wheels(Path("own.whl"), ["3.11"], tmp_path)


def test_both_versions_of_python_get_the_same_versions(pip: list[list[str]], tmp_path: Path) -> None:
    fetch_wheels(Path("own.whl"), ["3.11", "3.13"], tmp_path)
    choices = [words for words in pip if words[0] == "install"]
    assert not any(word.startswith("--constraint") for word in choices[0])
    assert any(word.startswith("--constraint") for word in choices[1])


def lock_of(folder: Path, **hashes: str) -> Path:
    """A lock that pins what pip finds, but with other hashes for some."""
    pinned = {file.split("-")[0]: (file.split("-")[1], sha256_bytes(file.encode())) for file in FOUND.values()}
    lines = [
        f"{name.lower()}=={version} ; platform_machine == 'aarch64' \\\n    --hash=sha256:{hashes.get(name, sha256)}"
        for name, (version, sha256) in pinned.items()
        if hashes.get(name, sha256)
    ]
    path = folder / "pi.txt"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_wheels_are_of_the_versions_and_hashes_of_the_lock(pip: list[list[str]], tmp_path: Path) -> None:
    lock = lock_of(tmp_path)
    found = fetch_wheels(Path("own.whl"), ["3.11", "3.13"], tmp_path / "cache", lock=lock)
    assert [path.name for path in found["3.13"]] == [FOUND["click"], FOUND["numpy"]]
    choices = [words for words in pip if words[0] == "install"]
    assert [any(word.startswith("--constraint") for word in words) for words in choices] == [True, True]
    pip.clear()
    assert fetch_wheels(Path("own.whl"), ["3.11"], tmp_path / "cache", lock=lock)["3.11"] == found["3.11"]
    assert pip == []


@pytest.mark.parametrize("kind", ["another hash", "not there"])
def test_a_wheel_that_the_lock_does_not_pin_is_refused_and_not_kept(
    kind: str, pip: list[list[str]], tmp_path: Path
) -> None:
    fetch_wheels(Path("own.whl"), ["3.11"], tmp_path / "cache")
    lock = lock_of(tmp_path, numpy="0" * 64 if kind == "another hash" else "")
    pip.clear()
    for _ in range(2):
        with pytest.raises(OsteoEdgeError, match=r"^numpy-2\.4\.6-.*: is not what .*pi\.txt pins; make the lock again"):
            fetch_wheels(Path("own.whl"), ["3.11"], tmp_path / "cache", lock=lock)
    assert [words[0] for words in pip] == ["install", "install"]


def test_what_the_sources_lock_can_be_read_and_is_for_the_pi() -> None:
    lock = source_lock()
    assert lock is not None
    names = {pin.name for pin in read_lock(lock)}
    assert {"numpy", "kivy", "ai-edge-litert", "python-gdcm"} <= names


def test_without_a_network_there_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Done:
        returncode, stdout = 1, ""
        stderr = "WARNING: Retrying\nERROR: No matching distribution found for numpy\nERROR: more"

    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: Done())
    with pytest.raises(OsteoEdgeError, match=r"^pip finds no wheels .*No matching distribution found for numpy.*--wh"):
        fetch_wheels(Path("own.whl"), ["3.11"], tmp_path)


def test_the_window_and_dicom_are_required_and_training_is_not() -> None:
    names = {line.partition(">")[0].partition("=")[0] for line in required(("app", "dicom"))}
    assert {"kivy", "fpdf2", "pydicom", "python-gdcm", "numpy", "opencv-python-headless", "ai-edge-litert"} <= names
    assert not {"tensorflow", "matplotlib", "opencv-python"} & names
