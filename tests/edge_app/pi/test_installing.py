import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.edge_app.pi import installing, versions
from osteo_edge.edge_app.pi.installing import go_back, install
from osteo_edge.edge_app.pi.kit import Kit, KitError
from osteo_edge.edge_app.pi.versions import Places, version_of
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.locking import sole_use

NOBODY = 65534
Usage = namedtuple("Usage", "total used free")
WATCH = Path("etc", "systemd", "system", "multi-user.target.wants", "osteo-edge-watch.service")
INSTALL = """\
import sys
from pathlib import Path
from osteo_edge.edge_app.pi.installing import install
from osteo_edge.edge_app.pi.versions import Places
install(Path(sys.argv[1]), Places(Path(sys.argv[2])))
"""


@pytest.fixture(scope="module")
def first(make_kit: Any) -> Kit:
    made: Kit = make_kit("1.0.0")
    return made


@pytest.fixture(scope="module")
def second(make_kit: Any) -> Kit:
    made: Kit = make_kit("1.1.0")
    return made


def says(places: Places) -> str:
    """What the installed command says of its version."""
    command = [str(places.current / "bin" / "osteo-edge"), "--version"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def names(places: Places) -> list[str]:
    return sorted(path.name for path in places.versions.iterdir())


def at_home(places: Places) -> list[str]:
    return sorted(path.name for path in places.home.iterdir())


def use_services(places: Places) -> None:
    (places.root / WATCH).parent.mkdir(parents=True)
    (places.root / WATCH).symlink_to("/nowhere")


def test_a_kit_is_installed(first: Kit, places: Places) -> None:
    lines: list[str] = []
    version = install(first.path, places, say=lines.append)
    assert says(places) == "osteo-edge, version 1.0.0"
    assert (version.name, names(places)) == (first.name, [first.name])
    assert {path.name for path in version.iterdir()} == {"bin", "bundle", "kit.json", "lib", "uninstall.sh", "units"}
    assert list(version.glob("lib/package/__pycache__/module_0.*.pyc"))
    assert places.command.readlink() == Path("/opt/osteo-edge/current/bin/osteo-edge")
    assert "the drawn film scores 0.7500, as it should" in lines
    assert at_home(places) == [".lock", "current", "versions"]


def test_installed_files_can_be_read_by_all_whatever_the_mask(first: Kit, places: Places) -> None:
    before = os.umask(0o077)
    try:
        version = install(first.path, places)
    finally:
        os.umask(before)
    assert all(path.stat().st_mode & 0o044 == 0o044 for path in version.rglob("*"))
    assert os.umask(before) == before


def test_a_second_time_changes_nothing(first: Kit, places: Places) -> None:
    version = install(first.path, places)
    made = (version / "kit.json").stat().st_mtime_ns
    lines: list[str] = []
    assert install(first.path, places, say=lines.append) == version
    assert (version / "kit.json").stat().st_mtime_ns == made
    assert f"{first.name} is installed already, and works" in lines


def test_what_was_damaged_is_installed_again(first: Kit, places: Places) -> None:
    version = install(first.path, places)
    (version / "lib" / "filler.py").unlink()
    shutil.rmtree(version / "lib" / "__pycache__")
    lines: list[str] = []
    assert install(first.path, places, say=lines.append).name == f"{first.name}.2"
    assert says(places) == "osteo-edge, version 1.0.0"
    assert "is installed, but damaged" in lines[0]


def test_an_update_keeps_the_version_from_before_and_no_other(
    first: Kit, second: Kit, make_kit: Any, places: Places
) -> None:
    install(first.path, places)
    install(second.path, places)
    assert says(places) == "osteo-edge, version 1.1.0"
    assert version_of(places.previous) == places.versions / first.name
    third = make_kit("1.2.0")
    install(third.path, places)
    assert names(places) == [second.name, third.name]


def test_one_can_go_back_and_forth(first: Kit, second: Kit, places: Places) -> None:
    install(first.path, places)
    with pytest.raises(OsteoEdgeError, match="no version from before"):
        go_back(places)
    install(second.path, places)
    go_back(places)
    assert says(places) == "osteo-edge, version 1.0.0"
    go_back(places)
    assert says(places) == "osteo-edge, version 1.1.0"
    go_back(places)
    install(second.path, places)
    assert says(places) == "osteo-edge, version 1.1.0"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"score": 0.5}, r"its score for the drawn film is 0\.5000, 0\.7500 is known for it"),
        ({"score": '"nan"'}, "gives no number"),
        ({"score": "True and None"}, "gives no number"),
        ({"code": 3}, r"`osteo-edge screen` fails \("),
    ],
)
def test_a_version_that_does_not_work_is_never_used(
    first: Kit, make_kit: Any, places: Places, changes: dict[str, Any], words: str
) -> None:
    install(first.path, places)
    bad = make_kit("1.1.0", **changes)
    with pytest.raises(KitError, match=words):
        install(bad.path, places)
    assert says(places) == "osteo-edge, version 1.0.0"
    assert names(places) == [first.name]


def test_the_first_kit_that_does_not_work_leaves_nothing(make_kit: Any, places: Places) -> None:
    with pytest.raises(KitError, match="does not work on this device"):
        install(make_kit(score=0.5).path, places)
    assert names(places) == []
    assert not places.command.is_symlink()


def test_an_older_kit_is_refused_unless_forced(first: Kit, second: Kit, places: Places) -> None:
    install(second.path, places)
    with pytest.raises(KitError, match=r"is older than .* add --force"):
        install(first.path, places)
    assert says(places) == "osteo-edge, version 1.1.0"
    install(first.path, places, force=True)
    assert says(places) == "osteo-edge, version 1.0.0"


def test_an_older_kit_of_the_same_version_is_refused_too(first: Kit, make_kit: Any, places: Places) -> None:
    install(first.path, places)
    with pytest.raises(KitError, match="is older than"):
        install(make_kit("1.0.0", made_at="2026-11-20T10:00:00+00:00").path, places)


def test_a_kit_older_than_this_program_can_tell_is_refused(first: Kit, second: Kit, places: Places) -> None:
    about = install(first.path, places) / "kit.json"
    about.write_text(about.read_text("utf-8").replace('"schema": 1', '"schema": 2'), "utf-8")
    with pytest.raises(KitError, match="is older than"):
        install(second.path, places)
    about.write_text("{}", "utf-8")
    install(second.path, places)
    assert says(places) == "osteo-edge, version 1.1.0"


def test_a_damaged_kit_is_refused(second: Kit, first: Kit, places: Places, tmp_path: Path) -> None:
    install(first.path, places)
    copied = Path(shutil.copytree(second.path, tmp_path / "kit"))
    pack = next(copied.glob("wheels/*.tar.xz"))
    pack.write_bytes(pack.read_bytes()[:-1] + b"x")
    with pytest.raises(KitError, match="altered since the kit was made"):
        install(copied, places)
    assert (says(places), names(places)) == ("osteo-edge, version 1.0.0", [first.name])


def test_a_kit_for_another_machine_is_refused(make_kit: Any, places: Places) -> None:
    with pytest.raises(KitError, match="the kit is for m68k"):
        install(make_kit(machine="m68k").path, places)
    assert not places.home.exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"machine": "m68k"}, "the kit is for m68k"),
        ({"python": "3.99"}, r"the kit is for Python 3\.99, and this is"),
        ({"glibc": "2.999"}, r"the kit needs glibc 2\.999, and this system has"),
        ({"installed_bytes": 1 << 60}, "not enough space"),
    ],
)
def test_a_kit_that_cannot_run_here_leaves_what_is_in_use(
    first: Kit, make_kit: Any, places: Places, changes: dict[str, Any], words: str
) -> None:
    install(first.path, places)
    with pytest.raises(OsteoEdgeError, match=words):
        install(make_kit("1.1.0", **changes).path, places)
    assert (says(places), names(places)) == ("osteo-edge, version 1.0.0", [first.name])
    assert at_home(places) == [".lock", "current", "versions"]


def test_a_full_disk_is_found_out_before(first: Kit, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(1 << 30, 1 << 30, 65 << 20))
    install(first.path, places)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(1 << 30, 1 << 30, 64 << 20))
    with pytest.raises(OsteoEdgeError, match=r"not enough space \(65 MiB are needed, 64 MiB are free\)"):
        install(first.path, Places(places.root / "other"))


def test_what_was_left_is_taken_out_before_space_is_looked_at(
    first: Kit, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = places.versions / ".0.9.0-00000000.partial"
    left.mkdir(parents=True)
    free = {True: 0, False: 1 << 30}
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(1 << 30, 0, free[left.exists()]))
    install(first.path, places)


def test_a_disk_that_fills_up_meanwhile_is_one_line(
    first: Kit, second: Kit, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(first.path, places)

    def fill(*args: Any) -> None:
        raise OSError(28, "No space left on device", "/somewhere")

    monkeypatch.setattr(installing, "unpack_packages", fill)
    with pytest.raises(OsteoEdgeError, match=r"/somewhere: cannot be written .* what was in use still is"):
        install(second.path, places)
    assert (says(places), names(places)) == ("osteo-edge, version 1.0.0", [first.name])


def test_without_permission_there_is_one_line(first: Kit, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(OsteoEdgeError, match="run it as root: sudo"):
        install(first.path, places)


@pytest.fixture
def as_nobody() -> Callable[..., None]:
    """Call something as a user without any right, who is told about it in one line."""

    def refused(call: Callable[[], object]) -> None:
        os.setresuid(NOBODY, NOBODY, 0)
        try:
            with pytest.raises(OsteoEdgeError, match=r"no permission to write there; run it as root: sudo$"):
                call()
        finally:
            os.setresuid(0, 0, 0)

    return refused


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_somebody_else_than_root_is_told_so_and_changes_nothing(
    first: Kit, second: Kit, as_nobody: Callable[..., None]
) -> None:
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are closed to others
        place = Path(folder)
        place.chmod(0o755)
        kit = Path(shutil.copytree(second.path, place / "kit"))
        (place / "device").mkdir()
        places = Places(place / "device")
        as_nobody(lambda: install(kit, places))
        assert list(places.root.iterdir()) == []
        install(first.path, places)
        as_nobody(lambda: install(kit, places))
        as_nobody(lambda: go_back(places))
        assert (says(places), names(places)) == ("osteo-edge, version 1.0.0", [first.name])


def test_two_installations_at_once_are_refused(first: Kit, places: Places) -> None:
    with sole_use(places.home, "held"), pytest.raises(OsteoEdgeError, match="another installation is running"):
        install(first.path, places)


def test_a_debian_package_is_left_to_its_own_tools(first: Kit, places: Places) -> None:
    listed = places.root / "var" / "lib" / "dpkg" / "info" / "osteo-edge.list"
    listed.parent.mkdir(parents=True)
    listed.touch()
    with pytest.raises(OsteoEdgeError, match="installed as a Debian package"):
        install(first.path, places)


def test_another_command_of_that_name_is_left_alone(first: Kit, places: Places) -> None:
    places.command.parent.mkdir(parents=True)
    places.command.write_text("somebody's own", "utf-8")
    lines: list[str] = []
    install(first.path, places, say=lines.append)
    assert places.command.read_text("utf-8") == "somebody's own"
    assert any("another osteo-edge, left as it is" in line for line in lines)


def test_services_are_started_when_asked_for_and_with_each_update(
    make_kit: Any, places: Places, tmp_path: Path
) -> None:
    note = f"echo $0 $ROOT >> {tmp_path}/started"
    one, two = make_kit("1.0.0", enable=note), make_kit("1.1.0", enable=note)
    install(one.path, places)
    assert not (tmp_path / "started").exists()
    install(one.path, places, units=True)
    use_services(places)
    install(two.path, places)
    go_back(places)
    started = (tmp_path / "started").read_text("utf-8").splitlines()
    scripts = [places.versions / kit.name / "units" / "enable.sh" for kit in (one, two, one)]
    assert started == [f"{script} {places.root}" for script in scripts]


def test_services_that_do_not_start_bring_back_the_version_from_before(
    first: Kit, second: Kit, make_kit: Any, places: Places
) -> None:
    bad = make_kit("1.2.0", enable="echo 'osteo-edge: no screen' >&2; exit 1")
    install(first.path, places)
    use_services(places)
    for before in ([], [second]):
        for kit in before:
            install(kit.path, places)
        kept, version = names(places), says(places)
        with pytest.raises(KitError, match=r"does not start .*no screen.* 1\.[01]\.0-\w+ is in use again"):
            install(bad.path, places)
        assert (names(places), says(places)) == (kept, version)
        assert version_of(places.previous) == (places.versions / first.name if before else None)


def test_services_that_do_not_start_with_what_is_in_use_change_nothing(
    first: Kit, make_kit: Any, places: Places
) -> None:
    install(first.path, places)
    second = make_kit("1.1.0", enable="exit 1")
    install(second.path, places)
    with pytest.raises(OsteoEdgeError, match="the services do not start"):
        install(second.path, places, units=True)
    assert says(places) == "osteo-edge, version 1.1.0"


def test_the_kiosk_is_started_again_where_it_was_in_use(make_kit: Any, places: Places, tmp_path: Path) -> None:
    use_services(places)
    (places.root / WATCH).with_name("osteo-edge-kiosk.service").symlink_to("/nowhere")
    install(make_kit(enable=f"echo $* > {tmp_path}/given").path, places)
    assert (tmp_path / "given").read_text("utf-8") == "--kiosk\n"


def test_what_an_interrupted_installation_left_is_taken_out(first: Kit, places: Places) -> None:
    left = (
        places.versions / f".{first.name}.partial",
        places.versions / ".0.9.0-00000000.removed",
        places.versions / "0.9.0-00000000",
    )
    for folder in left:
        (folder / "lib").mkdir(parents=True)
    (places.home / ".current.0.partial").symlink_to("nowhere")
    install(first.path, places)
    assert names(places) == [first.name]
    assert at_home(places) == [".lock", "current", "versions"]


@pytest.mark.slow
def test_killed_at_any_moment_a_version_that_works_is_left(first: Kit, make_kit: Any, places: Places) -> None:
    """Two first installations and ten updates, each killed at a random moment."""
    start = time.monotonic()
    subprocess.run([sys.executable, "-c", INSTALL, first.path, places.root / "timed"], check=True)
    whole_s, chance = time.monotonic() - start, random.Random(0)
    for _ in range(2):
        kill_installation(first, places, chance.uniform(0.1, 0.8) * whole_s)
        assert version_of(places.current) is None or says(places) == "osteo-edge, version 1.0.0"
    install(first.path, places)
    for number in range(2, 12):
        kit, before = make_kit(f"1.{number}.0"), says(places)
        kill_installation(kit, places, chance.uniform(0.1, 1.0) * whole_s)
        assert says(places) in (before, f"osteo-edge, version {kit.contents.version}")
    last = make_kit("2.0.0")
    install(last.path, places)
    assert says(places) == "osteo-edge, version 2.0.0"
    assert len(names(places)) == 2


def kill_installation(kit: Kit, places: Places, after_s: float) -> None:
    """Begin to install a kit, and kill that with all that it started."""
    process = subprocess.Popen(
        [sys.executable, "-c", INSTALL, kit.path, places.root],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(after_s)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_what_was_unpacked_is_on_the_disk_before_it_is_used(
    first: Kit, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def noted(owner: Any, name: str) -> None:
        call = getattr(owner, name)

        def note(*args: Any) -> Any:
            done.append(f"{name} {args[-1].name}" if args else name)
            return call(*args)

        monkeypatch.setattr(owner, name, note)

    noted(os, "sync")
    noted(Path, "rename")
    noted(versions, "sync_folder")
    noted(Path, "replace")
    install(first.path, places)
    assert done[:5] == [
        "sync",
        f"rename {first.name}",
        "sync_folder versions",
        "replace current",
        "sync_folder osteo-edge",
    ]


@pytest.mark.parametrize("moment", ["rename", "symlink", "sync", "prune"])
def test_a_power_cut_at_each_step_of_the_switch_leaves_a_version_that_works(
    first: Kit, second: Kit, places: Places, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PowerCutError(BaseException):
        pass

    install(first.path, places)
    with monkeypatch.context() as patched:

        def cut(*args: Any, **kwargs: Any) -> None:
            raise PowerCutError

        target: tuple[Any, str] = {
            "rename": (Path, "rename"),
            "symlink": (Path, "replace"),
            "sync": (versions, "sync_folder"),
            "prune": (installing, "run_version"),
        }[moment]
        patched.setattr(*target, cut)
        with pytest.raises(PowerCutError):
            install(second.path, places)
    assert says(places) in ("osteo-edge, version 1.0.0", "osteo-edge, version 1.1.0")
    install(second.path, places)
    assert (says(places), len(names(places))) == ("osteo-edge, version 1.1.0", 2)
    assert at_home(places) == [".lock", "current", "previous", "versions"]
