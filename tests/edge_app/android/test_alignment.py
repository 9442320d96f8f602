"""The page alignment of native libraries, with libraries from a real linker and archives as a build makes them."""

import io
import json
import shutil
import struct
import subprocess
import tarfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import pytest
from click.testing import CliRunner, Result

from osteo_edge.edge_app.android.alignment import PAGE_BYTES, Library, libraries, main
from osteo_edge.edge_app.android.elf import read_layout
from osteo_edge.errors import OsteoEdgeError

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc: make emulator")

ARM64, EXTRA = 183, 4
Link = Callable[..., bytes]


@pytest.fixture(scope="module")
def link(tmp_path_factory: pytest.TempPathFactory) -> Link:
    """Link a library whose segments are aligned to so many bytes; of another processor by its number in the header."""
    folder = tmp_path_factory.mktemp("linked")
    source = folder / "library.c"
    source.write_text("int counter = 7; int count(void) { return ++counter; }", "utf-8")

    def linked(page_bytes: int, *options: str, machine: int | None = None) -> bytes:
        target = folder / f"{page_bytes}{''.join(options)}.so"
        if not target.exists():
            flags = ["-nostdlib", "-shared", "-fPIC", f"-Wl,-z,max-page-size={page_bytes}", *options]
            subprocess.run(["gcc", *flags, source, "-o", target], check=True, capture_output=True)
        data = bytearray(target.read_bytes())
        if machine is not None:
            struct.pack_into("<H", data, 18, machine)
        return bytes(data)

    return linked


def write_apk(path: Path, files: dict[str, bytes], *, kind: int = ZIP_STORED, aligned: bool = True) -> Path:
    """Write an archive whose entries begin at multiples of 16 KB if `aligned`, and else one byte after such a one."""
    with ZipFile(path, "w") as archive:
        for name, data in files.items():
            entry = ZipInfo(name)
            entry.compress_type = kind
            start = archive.fp.tell() + 30 + len(name) + EXTRA  # type: ignore[union-attr]
            padding = -start % PAGE_BYTES + (0 if aligned else 1)
            entry.extra = struct.pack("<2H", 0xD935, padding) + bytes(padding)  # as zipalign pads
            archive.writestr(entry, data)
    return path


def packed(files: dict[str, bytes]) -> bytes:
    """The files as python-for-android packs those that it unpacks at the first start."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return data.getvalue()


def problems(package: Path) -> dict[str, str | None]:
    return {library.name: library.problem for library in libraries(package)}


def check(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.mark.parametrize(("page_bytes", "fits"), [(4096, False), (PAGE_BYTES, True), (65536, True)])
def test_a_64_bit_library_has_to_fit_pages_of_16_kb(link: Link, tmp_path: Path, page_bytes: int, fits: bool) -> None:
    apk = write_apk(tmp_path / "app.apk", {"lib/arm64-v8a/libmain.so": link(page_bytes, machine=ARM64)})
    (library,) = libraries(apk)
    said = None if fits else f"its segments are aligned to {page_bytes} bytes, not 16384"
    assert library == Library("lib/arm64-v8a/libmain.so", "python-for-android", 64, page_bytes, said)


def test_its_least_aligned_segment_counts(link: Link, tmp_path: Path) -> None:
    data = bytearray(link(PAGE_BYTES))
    loads = [place for place in range(64, 64 + 56 * data[56], 56) if data[place] == 1]
    assert len(loads) > 1
    struct.pack_into("<Q", data, loads[1] + 48, 4096)
    apk = write_apk(tmp_path / "app.apk", {"lib/x86_64/libmain.so": bytes(data)})
    assert list(problems(apk).values()) == ["its segments are aligned to 4096 bytes, not 16384"]
    struct.pack_into("<Q", data, loads[1] + 16, 4097)
    apk = write_apk(tmp_path / "app.apk", {"lib/x86_64/libmain.so": bytes(data)})
    assert list(problems(apk).values()) == ["the places of its segments contradict their alignment"]


def test_a_32_bit_library_is_exempt(link: Link, tmp_path: Path) -> None:
    apk = write_apk(tmp_path / "app.apk", {"lib/x86/libmain.so": link(4096, "-m32")}, aligned=False)
    (library,) = libraries(apk)
    assert (library.bits, library.alignment, library.problem) == (32, 4096, None)


def test_a_library_of_the_machine_that_built_it_is_noticed(link: Link, tmp_path: Path) -> None:
    apk = write_apk(tmp_path / "app.apk", {"lib/arm64-v8a/libmain.so": link(PAGE_BYTES)})
    assert problems(apk) == {"lib/arm64-v8a/libmain.so": "it is for x86_64 and stands among those for arm64-v8a"}


def test_a_stored_library_has_to_begin_at_a_page(link: Link, tmp_path: Path) -> None:
    files = {"lib/x86_64/libmain.so": link(PAGE_BYTES)}
    assert problems(write_apk(tmp_path / "good.apk", files)) == {"lib/x86_64/libmain.so": None}
    (said,) = problems(write_apk(tmp_path / "bad.apk", files, aligned=False)).values()
    assert said == "it begins at byte 16385 of the APK, no multiple of 16384"
    assert set(problems(write_apk(tmp_path / "small.apk", files, kind=ZIP_DEFLATED, aligned=False)).values()) == {None}
    assert set(problems(write_apk(tmp_path / "bundle.aab", files, aligned=False)).values()) == {None}


@pytest.mark.skipif(shutil.which("zipalign") is None, reason="needs zipalign: make packaging")
@pytest.mark.parametrize("aligned", [True, False])
def test_zipalign_is_of_the_same_opinion(link: Link, tmp_path: Path, aligned: bool) -> None:
    apk = write_apk(tmp_path / "app.apk", {"lib/x86_64/libmain.so": link(PAGE_BYTES)}, aligned=aligned)
    done = subprocess.run(["zipalign", "-c", str(PAGE_BYTES), apk], capture_output=True, check=False)
    assert (done.returncode == 0) == aligned == (list(problems(apk).values()) == [None])


def test_what_is_unpacked_at_the_first_start_is_looked_into(link: Link, tmp_path: Path) -> None:
    inside = {"./site-packages/numpy/_core.so": link(4096), "./modules/_json.so": link(PAGE_BYTES), "main.pyc": b"x"}
    files = {"lib/x86_64/libpybundle.so": packed(inside), "assets/private.tar": packed({"own.so": link(4096)})}
    found = problems(write_apk(tmp_path / "app.apk", files, kind=ZIP_DEFLATED))
    assert {name: said is None for name, said in found.items()} == {
        "assets/private.tar/own.so": False,
        "lib/x86_64/libpybundle.so/modules/_json.so": True,
        "lib/x86_64/libpybundle.so/site-packages/numpy/_core.so": False,
    }


def test_a_folder_is_looked_through(link: Link, tmp_path: Path) -> None:
    (tmp_path / "libs" / "x86_64").mkdir(parents=True)
    (tmp_path / "libs" / "x86_64" / "libtensorflowlite_jni.so").write_bytes(link(4096))
    (tmp_path / "notes.txt").write_text("no library", "utf-8")
    (library,) = libraries(tmp_path)
    assert (library.name, library.owner) == ("libs/x86_64/libtensorflowlite_jni.so", "AAR")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda data: b"no library at all", "it is no ELF library"),
        (lambda data: b"", "it is no ELF library"),
        (lambda data: data[:50], "its ELF header is damaged"),
        (lambda data: data[:100], "it is cut off"),
        (lambda data: data[:4] + b"\x09" + data[5:], "its ELF header is damaged"),
        (lambda data: data[:32] + b"\xff" * 8 + data[40:], "its ELF header is damaged"),
        (lambda data: data[:56] + b"\x00\x00" + data[58:], "its ELF header is damaged"),
        (lambda data: data[:56] + b"\x01\x00" + data[58:64] + b"\x06" + data[65:], "it has no segment to map"),
    ],
)
def test_a_damaged_library_is_a_problem_and_no_traceback(
    link: Link, tmp_path: Path, spoil: Callable[[bytes], bytes], words: str
) -> None:
    apk = write_apk(tmp_path / "app.apk", {"lib/x86_64/libmain.so": spoil(link(PAGE_BYTES))})
    assert list(problems(apk).values()) == [words]


@pytest.mark.parametrize("package", ["numpy", "ai_edge_litert"])
def test_readelf_reads_the_same(package: str) -> None:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    found = sorted(Path(spec.origin).parent.rglob("*.so"))[:5]
    assert found
    for path in found:
        with path.open("rb") as file:
            layout = read_layout(file)
        said = subprocess.run(["readelf", "--segments", "--wide", path], capture_output=True, text=True, check=True)
        aligned = [int(line.split()[-1], 16) for line in said.stdout.splitlines() if line.split()[:1] == ["LOAD"]]
        assert layout is not None
        assert (layout.bits, layout.abi, layout.alignment) == (64, "x86_64", min(aligned))


def test_the_command_tells_each_problem_in_a_line(link: Link, tmp_path: Path) -> None:
    bad = {
        "lib/x86_64/libmain.so": link(PAGE_BYTES),
        "lib/x86_64/libLiteRt.so": link(4096),
        "lib/x86/a.so": link(4096, "-m32"),
    }
    apk = write_apk(tmp_path / "app.apk", bad)
    done = check(apk)
    assert done.exit_code == 1
    first, last = done.output.splitlines()
    assert first == "lib/x86_64/libLiteRt.so (AAR): its segments are aligned to 4096 bytes, not 16384"
    assert last == f"{apk}: 3 libraries, 2 fit pages of 16 KB (1 of them 32-bit and exempt), 1 do not"
    assert [one["name"] for one in json.loads(check(apk, "--json").output)] == sorted(bad)
    good = write_apk(tmp_path / "good.apk", {"lib/x86_64/libmain.so": link(PAGE_BYTES)})
    assert check(good).exit_code == 0


def test_what_is_no_package_is_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "text.apk").write_text("no archive", "utf-8")
    with ZipFile(tmp_path / "empty.apk", "w") as archive:
        archive.writestr("classes.dex", b"")
    torn = write_apk(tmp_path / "torn.apk", {"assets/private.tar": packed({"a.so": bytes(9999)})[:60]})
    misnamed = write_apk(tmp_path / "misnamed.apk", {"größe.txt": b""})
    misnamed.write_bytes(misnamed.read_bytes().replace("ö".encode(), b"\xff\xff"))
    for path, words in [
        (tmp_path / "text.apk", "no APK, no AAB and no folder"),
        (tmp_path / "empty.apk", "has no native library"),
        (torn, "cannot be read"),
        (misnamed, "cannot be read"),
    ]:
        done = check(path)
        assert (done.exit_code, done.output.count("\n")) == (1, 1), done.output
        assert words in done.output
    assert check(tmp_path / "none.apk").exit_code == 2
    with pytest.raises(OsteoEdgeError, match=r"text\.apk: no APK"):
        libraries(tmp_path / "text.apk")
