import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from osteo_edge.bundle import Bundle
from osteo_edge.cli import cli
from osteo_edge.edge_app.demo_bundle import FOLDER
from osteo_edge.edge_app.pi import deb, making
from osteo_edge.edge_app.pi import wheels as pi_wheels
from osteo_edge.edge_app.pi.kit import read_kit, verify_kit
from osteo_edge.edge_app.pi.packs import EFFORT, Effort
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.version import VERSION

EFFORTS: tuple[Effort, ...] = (0, EFFORT)


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One small wheel for each Python instead of some thirty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def fetch(
        own: Path, pythons: tuple[str, ...], cache: Path, on_progress: object, *, lock: Path | None
    ) -> dict[str, tuple[Path, ...]]:
        cache.mkdir(parents=True, exist_ok=True)
        found: dict[str, tuple[Path, ...]] = {}
        for python in pythons:
            path = cache / f"a-1-cp{python.replace('.', '')}-manylinux_2_28_aarch64.whl"
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("a.py", "")
                archive.writestr("b.so", python)
            found[python] = (path,)
        return found

    monkeypatch.setattr(making, "fetch_wheels", fetch)


def package(bundle: Path, out: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["package", "pi", str(bundle), "--out", str(out), *words])


@pytest.mark.usefixtures("wheels")
def test_a_kit_is_made_whole(tmp_path: Path) -> None:
    done = package(FOLDER, tmp_path)
    assert done.exit_code == 0, done.output
    kit = read_kit(tmp_path / f"osteo-edge-pi-{VERSION}")
    verify_kit(kit)
    assert (kit.contents.machine, kit.contents.glibc, kit.contents.version) == ("aarch64", "2.28", VERSION)
    own = f"wheels/osteo_edge-{VERSION}-py3-none-any.whl"
    assert kit.contents.packages == {
        "3.11": ("wheels/any.tar.xz", "wheels/cp311.tar.xz", own),
        "3.13": ("wheels/any.tar.xz", "wheels/cp313.tar.xz", own),
    }
    assert {"bundle/model.tflite", "units/enable.sh", "install.sh", "README.md"} <= set(kit.contents.files)
    assert 0.9 < kit.contents.known_answer.score <= 1.0
    assert f"{kit.path}: " in done.output
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=kit.path, check=True)


@pytest.mark.usefixtures("wheels")
def test_one_version_of_python_alone(tmp_path: Path) -> None:
    assert package(FOLDER, tmp_path, "--python", "3.13").exit_code == 0
    kit = read_kit(tmp_path / f"osteo-edge-pi-{VERSION}")
    assert list(kit.contents.packages) == ["3.13"]


@pytest.mark.usefixtures("wheels")
def test_what_cannot_be_packed_is_one_line_and_leaves_nothing(
    tmp_path: Path, failed_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(bundle: Path) -> str:
        done = package(bundle, tmp_path / "out")
        assert isinstance(done.exception, OsteoEdgeError)
        return str(done.exception)

    damaged = Path(shutil.copytree(FOLDER, tmp_path / "damaged"))
    (damaged / "model.tflite").write_bytes(b"")
    assert "altered since the bundle was written" in refused(damaged)
    assert "failed its check after conversion" in refused(failed_bundle.path)
    assert "no such bundle" in refused(tmp_path / "nowhere")
    newer = Path(shutil.copytree(FOLDER, tmp_path / "newer")) / "manifest.json"
    newer.write_text(newer.read_text("utf-8").replace('"schema": 1', '"schema": 2', 1), "utf-8")
    assert "schema 2 is newer than this program knows (1); update osteo-edge" in refused(newer.parent)

    def no_network(*args: object, **options: object) -> None:
        raise OsteoEdgeError("no network")

    monkeypatch.setattr(making, "fetch_wheels", no_network)
    assert refused(FOLDER) == "no network"
    assert list((tmp_path / "out").iterdir()) == []


def test_a_kit_is_held_to_the_lock_of_the_sources_or_to_the_one_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locks: list[Path | None] = []

    def fetch(*args: object, lock: Path | None) -> None:
        locks.append(lock)
        raise OsteoEdgeError("enough")

    monkeypatch.setattr(making, "fetch_wheels", fetch)
    named = tmp_path / "lock.txt"
    named.write_text("")
    assert "no lock says" not in package(FOLDER, tmp_path / "one").output
    package(FOLDER, tmp_path / "two", "--lock", str(named))
    monkeypatch.setattr(pi_wheels, "LOCK", tmp_path / "nothing")
    assert (
        "no lock says which packages to take (--lock): the newest that fit are taken"
        in package(FOLDER, tmp_path / "three").output
    )
    assert locks == [Path(pi_wheels.__file__).parents[2] / "locks" / "pi.txt", named, None]


@pytest.mark.usefixtures("wheels")
def test_a_kit_is_not_written_over_another(tmp_path: Path) -> None:
    (tmp_path / f"osteo-edge-pi-{VERSION}").mkdir()
    done = package(FOLDER, tmp_path)
    assert "exists already" in str(done.exception)


@pytest.mark.usefixtures("wheels")
def test_an_unknown_python_is_wrong_usage(tmp_path: Path) -> None:
    assert package(FOLDER, tmp_path, "--python", "3.9").exit_code == 2


@pytest.mark.usefixtures("wheels")
def test_a_model_of_whole_numbers_has_a_wider_tolerance(tmp_path: Path, golden_bundle: Callable[..., Bundle]) -> None:
    tolerances = {}
    for precision in ("float32", "int8"):
        bundle = golden_bundle(precision, precision=precision)
        assert package(bundle.path, tmp_path / f"kit-{precision}").exit_code == 0
        kit = read_kit(tmp_path / f"kit-{precision}" / f"osteo-edge-pi-{VERSION}")
        tolerances[precision] = kit.contents.known_answer.tolerance
    assert tolerances == {"float32": 0.005, "int8": 0.12}


@pytest.mark.usefixtures("wheels")
def test_a_debian_package_names_who_made_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found out before the kit is made, which may take minutes."""
    for name in ("DEBFULLNAME", "DEBEMAIL"):
        monkeypatch.delenv(name, raising=False)
    assert "a .deb names who made it" in str(package(FOLDER, tmp_path, "--deb").exception)
    assert list(tmp_path.glob("osteo-edge*")) == []
    named: list[str] = []

    def build(kit: Path, out: Path, maintainer: str) -> tuple[Path, ...]:
        named.append(maintainer)
        return ()

    monkeypatch.setattr(deb, "build_deb", build)
    monkeypatch.setenv("DEBEMAIL", "Jane Roe <jane@clinic.example>")
    assert package(FOLDER, tmp_path / "one", "--deb").exit_code == 0
    assert package(FOLDER, tmp_path / "two", "--deb", "--maintainer", "It <it@clinic.example>").exit_code == 0
    assert named == ["Jane Roe <jane@clinic.example>", "It <it@clinic.example>"]


@pytest.mark.usefixtures("wheels")
def test_what_was_packed_quickly_is_not_handed_out(tmp_path: Path) -> None:
    """Archives are kept, those of each effort apart."""
    for number, effort in enumerate(EFFORTS, start=1):
        making.make_kit(FOLDER, tmp_path / str(number), wheels=tmp_path / "wheels", effort=effort)
        assert len(list((tmp_path / "cache" / "osteo-edge").glob("pi-packs-*.lock"))) == number
