import os
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.edge_app.pi.kit import Kit, KitError
from osteo_edge.edge_app.pi.packs import EFFORT, Effort, make_packs
from osteo_edge.edge_app.pi.unpacking import unpack_packages

LIBRARY = os.urandom(8192)


def wheel(folder: Path, name: str, files: dict[str, bytes]) -> Path:
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / name, "w") as archive:
        for place, data in files.items():
            archive.writestr(place, data)
    return folder / name


@pytest.fixture
def wheels(tmp_path: Path) -> dict[str, list[Path]]:
    """A wheel that both versions of Python share, and one that each has its own of."""
    common = {
        "a/__init__.py": b"x = 1\n",
        "a/tests/test_a.py": b"assert True\n",
        "a-1.data/platlib/a/core.so": LIBRARY,
        "a-1.data/scripts/run": b"#!python\n",
        "a/libb.so": LIBRARY,
        "a/libb.so.1": LIBRARY,
        "a-1.dist-info/RECORD": b"",
    }
    shared = wheel(tmp_path / "wheels", "a-1-py3-none-any.whl", common)
    own = {
        tag: wheel(tmp_path / "wheels", f"c-1-{tag}.whl", {"c/lib.so": LIBRARY, "c/c.so": tag.encode()})
        for tag in ("cp311", "cp313")
    }
    return {"3.11": [shared, own["cp311"]], "3.13": [shared, own["cp313"]]}


def test_what_all_share_is_packed_once(wheels: dict[str, list[Path]], tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    sizes = make_packs(wheels, tmp_path, lambda stage, done, total: told.append((done, total)))
    names = {}
    for pack in ("any", "cp311", "cp313"):
        with tarfile.open(tmp_path / f"{pack}.tar.xz") as archive:
            names[pack] = set(archive.getnames())
    assert names["any"] == {"a/__init__.py", "a/core.so", "a/libb.so", "a/libb.so.1", "c/lib.so"}
    assert names["cp311"] == names["cp313"] == {"c/c.so"}
    assert sizes["3.11"] == sizes["3.13"] == 2 * len(LIBRARY) + len("cp311") + round(len("x = 1\n") * 2.3)
    assert told[-1][0] == told[-1][1]


def test_one_version_of_python_has_all_in_its_own_pack(wheels: dict[str, list[Path]], tmp_path: Path) -> None:
    make_packs({"3.11": wheels["3.11"]}, tmp_path)
    with tarfile.open(tmp_path / "cp311.tar.xz") as archive:
        assert "a/core.so" in archive.getnames()
    assert not (tmp_path / "any.tar.xz").exists()


def test_the_same_wheels_give_the_same_bytes(wheels: dict[str, list[Path]], tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        make_packs(wheels, tmp_path / name)
    for pack in (tmp_path / "one").iterdir():
        assert pack.read_bytes() == (tmp_path / "two" / pack.name).read_bytes()


class Packed:
    """A kit as far as unpacking looks at it."""

    def __init__(self, path: Path, *names: str) -> None:
        self.path = path
        files = {name: type("File", (), {"size_bytes": 1}) for name in names}
        about = {"packages": {"3.11": names}, "files": files, "installed_bytes": {"3.11": 1 << 20}}
        self.contents = type("Contents", (), about)


def unpacked(path: Path, folder: Path, *names: str) -> Path:
    kit: Any = Packed(path, *names)
    unpack_packages(kit, "3.11", folder)
    return folder


@pytest.mark.parametrize("effort", [0, EFFORT])
def test_packs_are_unpacked_as_pip_would_have_done(
    wheels: dict[str, list[Path]], tmp_path: Path, effort: Effort
) -> None:
    make_packs(wheels, tmp_path, effort=effort)
    folder = unpacked(tmp_path, tmp_path / "lib", "any.tar.xz", "cp311.tar.xz")
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert there == {"a/__init__.py", "a/core.so", "a/libb.so", "a/libb.so.1", "c/lib.so", "c/c.so"}
    assert (folder / "a" / "libb.so.1").read_bytes() == LIBRARY
    assert [path.name for path in sorted(folder.rglob("*")) if path.is_symlink()] == ["core.so", "libb.so"]
    assert (folder / "c" / "c.so").read_bytes() == b"cp311"


@pytest.mark.parametrize(
    ("name", "kind", "link"),
    [("../out", tarfile.REGTYPE, ""), ("/out", tarfile.REGTYPE, ""), ("a", tarfile.SYMTYPE, "../out")],
)
def test_nothing_is_written_outside(tmp_path: Path, name: str, kind: bytes, link: str) -> None:
    with tarfile.open(tmp_path / "bad.tar.xz", "w:xz") as archive:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, link
        archive.addfile(member)
    with pytest.raises(KitError, match=r"bad\.tar\.xz: cannot be unpacked"):
        unpacked(tmp_path, tmp_path / "lib", "bad.tar.xz")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["bad.tar.xz", "bad.whl"])
def test_what_is_no_archive_is_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"no archive")
    with pytest.raises(KitError, match="cannot be unpacked"):
        unpacked(tmp_path, tmp_path / "lib", name)


def test_a_kit_unpacks_to_what_its_program_needs(make_kit: Any, tmp_path: Path) -> None:
    kit: Kit = make_kit()
    (python,) = kit.contents.packages
    unpack_packages(kit, python, tmp_path / "lib")
    assert {"filler.py", "osteo_edge", "package"} == {path.name for path in (tmp_path / "lib").iterdir()}
