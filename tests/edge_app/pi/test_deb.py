import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from osteo_edge.edge_app.pi import deb
from osteo_edge.edge_app.pi.deb import build_deb, build_deb_for
from osteo_edge.edge_app.pi.kit import KitError
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.hashing import sha256_file
from tests.edge_app.pi.small_kit import MAINTAINER, write_small_kit

NEEDED = ("dpkg", "dpkg-deb", "deb-systemd-helper", "systemd-sysusers", "systemd-tmpfiles")
needs_packaging = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in NEEDED), reason="needs Debian's dpkg and systemd: make packaging"
)
pytestmark = needs_packaging
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="a package is installed by root alone")
KNOWN_TO_LINTIAN = "malformed-deb-archive"
"""Debian's lintian does not know Zstandard yet; its dpkg has since Debian 12."""


class System:
    """A system below a folder, in which packages are installed by this machine's dpkg; none of its programs is run."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for folder in ("var/lib/dpkg/info", "var/lib/dpkg/updates", "etc"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        (root / "var/lib/dpkg/status").touch()

    def dpkg(self, *words: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
        force = ("script-chrootless", "architecture", "depends", "confold")
        command = ["dpkg", f"--root={self.root}", *(f"--force-{what}" for what in force), "--log=/dev/null"]
        return subprocess.run(
            [*command, *map(str, words)],
            env={**os.environ, "LC_ALL": "C.UTF-8", **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    @property
    def version(self) -> str | None:
        """What `current` leads to."""
        current = self.root / "opt/osteo-edge/current"
        return current.resolve().name if current.exists() else None

    @property
    def started_at_boot(self) -> list[str]:
        wants = self.root / "etc/systemd/system/multi-user.target.wants"
        masked = {path.name for path in wants.parent.iterdir() if path.is_symlink()}
        return sorted(path.name for path in wants.glob("*") if path.name not in masked)


@pytest.fixture
def system(tmp_path: Path) -> System:
    return System(tmp_path / "system")


@pytest.fixture
def packaged(tmp_path: Path) -> Callable[[str], Path]:
    """The package of a kit of that version, for Python 3.11."""

    def build(version: str) -> Path:
        kit = write_small_kit(tmp_path / f"kit-{version}", version=version)
        return build_deb_for("3.11", kit.path, tmp_path / "out", MAINTAINER)

    return build


def field(package: Path, name: str) -> str:
    command = ["dpkg-deb", "--field", str(package), name]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_a_package_for_each_python_of_the_kit_in_an_order_that_apt_upgrades_along(tmp_path: Path) -> None:
    kit = write_small_kit(tmp_path / "kit")
    built = build_deb(kit.path, tmp_path / "out", MAINTAINER)
    assert [package.name for package in built] == [
        "osteo-edge_1.0.0-1+py311_arm64.deb",
        "osteo-edge_1.0.0-1+py313_arm64.deb",
    ]
    older, newer = (field(package, "Version") for package in built)
    subprocess.run(["dpkg", "--compare-versions", older, "lt", newer], check=True)
    assert "python3.11, libc6 (>= 2.28)" in field(built[0], "Depends")
    assert "python3.13" in field(built[1], "Depends")
    assert {field(package, "Maintainer") for package in built} == {MAINTAINER}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [package.name for package in built]


def test_the_same_kit_gives_the_same_bytes_at_any_time(tmp_path: Path) -> None:
    kit = write_small_kit(tmp_path / "kit")
    first = sha256_file(build_deb_for("3.11", kit.path, tmp_path / "one", MAINTAINER))
    time.sleep(1.1)  # an archive has whole seconds
    assert sha256_file(build_deb_for("3.11", kit.path, tmp_path / "two", MAINTAINER)) == first


def test_everybody_may_read_and_root_alone_writes(tmp_path: Path) -> None:
    kit = write_small_kit(tmp_path / "kit")
    before = os.umask(0o077)
    try:
        package = build_deb_for("3.11", kit.path, tmp_path / "out", MAINTAINER)
    finally:
        os.umask(before)
    listing = subprocess.run(["dpkg-deb", "--contents", str(package)], capture_output=True, text=True, check=True)
    modes = {line.split()[0] for line in listing.stdout.splitlines()}
    assert modes == {"drwxr-xr-x", "-rw-r--r--", "-rwxr-xr-x", "lrwxrwxrwx"}
    assert {line.split()[1] for line in listing.stdout.splitlines()} == {"root/root"}


@pytest.mark.skipif(shutil.which("lintian") is None, reason="needs lintian: make packaging")
def test_debian_s_own_check_has_nothing_to_say(packaged: Callable[[str], Path]) -> None:
    command = ["lintian", "--allow-root", "--suppress-tags", KNOWN_TO_LINTIAN, str(packaged("1.0.0"))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@needs_root
def test_installed_upgraded_removed_and_purged(system: System, packaged: Callable[[str], Path]) -> None:
    first, second = packaged("1.0.0"), packaged("1.1.0")
    settings = system.root / "etc/osteo-edge/watch.conf"
    film = system.root / "var/lib/osteo-edge/in/film.dcm"

    done = system.dpkg("--install", first)
    assert done.returncode == 0, done.stderr
    assert (system.version or "").startswith("1.0.0-")
    assert system.started_at_boot == ["osteo-edge-watch.service"]
    assert "osteo-edge:x:" in (system.root / "etc/passwd").read_text()
    command = system.root / "usr/bin/osteo-edge"
    assert str(command.readlink()) == "/opt/osteo-edge/current/bin/osteo-edge"

    settings.write_text("FOLDER=/srv/xray\n")
    film.write_bytes(b"film")
    compiled = system.root / "opt/osteo-edge/current/lib/osteo_edge/__pycache__"
    compiled.mkdir()
    (compiled / "x.pyc").touch()
    done = system.dpkg("--install", second)
    assert done.returncode == 0, done.stderr
    assert (system.version or "").startswith("1.1.0-")
    assert len(list((system.root / "opt/osteo-edge/versions").iterdir())) == 1
    assert settings.read_text() == "FOLDER=/srv/xray\n"

    assert system.dpkg("--remove", "osteo-edge").returncode == 0
    assert not (system.root / "opt/osteo-edge").exists()
    assert system.started_at_boot == []
    assert settings.exists()
    assert film.read_bytes() == b"film"

    assert system.dpkg("--install", second).returncode == 0
    assert system.started_at_boot == ["osteo-edge-watch.service"]

    done = system.dpkg("--purge", "osteo-edge")
    assert done.returncode == 0, done.stderr
    assert "patients' data stays in /var/lib/osteo-edge" in done.stdout
    assert film.read_bytes() == b"film"
    assert not settings.parent.exists()
    left = [path for path in system.root.rglob("*osteo-edge*") if "var/lib" not in str(path)]
    assert left == []


@needs_root
def test_a_watcher_that_was_switched_off_stays_off_over_an_upgrade(
    system: System, packaged: Callable[[str], Path]
) -> None:
    assert system.dpkg("--install", packaged("1.0.0")).returncode == 0
    subprocess.run(["systemctl", f"--root={system.root}", "--quiet", "disable", "osteo-edge-watch.service"], check=True)
    assert system.dpkg("--install", packaged("1.1.0")).returncode == 0
    assert system.started_at_boot == []


@needs_root
def test_a_purge_takes_patients_data_only_if_told_to(system: System, packaged: Callable[[str], Path]) -> None:
    assert system.dpkg("--install", packaged("1.0.0")).returncode == 0
    assert system.dpkg("--purge", "osteo-edge", OSTEO_EDGE_PURGE_DATA="1").returncode == 0
    assert not (system.root / "var/lib/osteo-edge").exists()


@needs_root
def test_a_device_with_a_kit_on_it_is_left_as_it_is(system: System, packaged: Callable[[str], Path]) -> None:
    kit = system.root / "usr/local/bin/osteo-edge"
    kit.parent.mkdir(parents=True)
    kit.symlink_to("/opt/osteo-edge/current/bin/osteo-edge")
    done = system.dpkg("--install", packaged("1.0.0"))
    assert done.returncode != 0
    assert "was installed here from a kit; remove that first" in done.stderr
    assert system.version is None


def test_a_kit_with_one_byte_changed_is_refused(tmp_path: Path) -> None:
    kit = write_small_kit(tmp_path / "kit")
    (kit.path / "bundle" / "manifest.json").write_bytes(b'{"name": "smalL"}')
    with pytest.raises(KitError, match=r"manifest\.json: altered"):
        build_deb_for("3.11", kit.path, tmp_path / "out", MAINTAINER)
    assert not (tmp_path / "out").exists()


def test_a_python_that_the_kit_is_not_for_is_refused(tmp_path: Path) -> None:
    kit = write_small_kit(tmp_path / "kit")
    with pytest.raises(KitError, match=r"holds nothing for Python 3\.12"):
        build_deb_for("3.12", kit.path, tmp_path / "out", MAINTAINER)


def test_without_dpkg_or_space_one_line_says_so_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit = write_small_kit(tmp_path / "kit")
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "which", lambda name: None)
        with pytest.raises(OsteoEdgeError, match="needs dpkg-deb"):
            build_deb_for("3.11", kit.path, tmp_path / "out", MAINTAINER)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(deb, "unpack_packages", full)
    with pytest.raises(OsteoEdgeError, match="No space left on device"):
        build_deb_for("3.11", kit.path, tmp_path / "out", MAINTAINER)
    assert list((tmp_path / "out").iterdir()) == []
