import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.edge_app.pi.kit import Kit, KitError, read_kit, verify_kit


@pytest.fixture(scope="module")
def kit(make_kit: Any) -> Kit:
    made: Kit = make_kit()
    return made


@pytest.fixture
def copied(kit: Kit, tmp_path: Path) -> Path:
    return Path(shutil.copytree(kit.path, tmp_path / "kit"))


def test_a_whole_kit_is_read_and_verified(kit: Kit) -> None:
    seen: list[tuple[int, int]] = []
    verify_kit(kit, lambda stage, done, total: seen.append((done, total)))
    assert kit.name == f"1.0.0-{kit.digest[:8]}"
    assert seen[-1][0] == seen[-1][1] == sum(file.size_bytes for file in kit.contents.files.values())


def test_one_changed_byte_anywhere_is_noticed(copied: Path) -> None:
    for path in sorted(path for path in copied.rglob("*") if path.is_file()):
        whole = path.read_bytes()
        for place in (0, len(whole) // 2, len(whole) - 1):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            with pytest.raises(KitError, match="copy the kit again"):
                verify_kit(read_kit(copied))
        path.write_bytes(whole)
    verify_kit(read_kit(copied))


def test_a_missing_and_an_extra_file_are_noticed(copied: Path) -> None:
    (copied / "extra").touch()
    with pytest.raises(KitError, match="extra: no part of the kit"):
        verify_kit(read_kit(copied))
    (copied / "extra").unlink()
    (copied / "install.sh").unlink()
    with pytest.raises(KitError, match=r"install\.sh: missing from the kit"):
        verify_kit(read_kit(copied))


def test_what_is_no_kit_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(KitError, match="no such kit"):
        read_kit(tmp_path / "nowhere")
    with pytest.raises(KitError, match="a file, not the folder of a kit"):
        read_kit(tmp_path / "file")
    with pytest.raises(KitError, match=r"holds no kit\.json"):
        read_kit(tmp_path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schema": 2}, r"schema 2 is newer than this program knows \(1\); run the kit's own install.sh"),
        ({"version": "one"}, "version must be numbers"),
        ({"glibc": None}, "glibc must be a text"),
        ({"unknown": 1}, "unknown field 'unknown'"),
        ({"packages": {"3.11": ["wheels/nothing.whl"]}}, "which is not among the files"),
        ({"installed_bytes": {}}, "the same versions of Python"),
        ({"files": {"../out": {"sha256": "0" * 64, "size_bytes": 1}}}, "no path inside the kit"),
        ({"files": {"a": {"sha256": "0", "size_bytes": 1}}}, "must be a SHA-256"),
    ],
)
def test_a_field_that_is_not_as_it_should_be_is_named(copied: Path, changes: dict[str, Any], words: str) -> None:
    about = json.loads((copied / "kit.json").read_text("utf-8")) | changes
    (copied / "kit.json").write_text(json.dumps(about), "utf-8")
    with pytest.raises(KitError, match=words):
        read_kit(copied)


def test_what_is_no_json_is_one_line(copied: Path) -> None:
    (copied / "kit.json").write_bytes(b"\xff{")
    with pytest.raises(KitError, match="not readable as JSON"):
        read_kit(copied)
    (copied / "kit.json").write_bytes(b" " * (1 << 21))
    with pytest.raises(KitError, match="larger than"):
        read_kit(copied)


def test_the_version_decides_on_age_and_then_the_day(make_kit: Any) -> None:
    ages = [
        make_kit("0.9.0", made_at="2027-01-01T00:00:00+00:00").contents.age,
        make_kit("0.10.0", made_at="2026-01-01T00:00:00+00:00").contents.age,
        make_kit("0.10.0", made_at="2026-01-02T00:00:00+00:00").contents.age,
    ]
    assert ages == sorted(ages)
