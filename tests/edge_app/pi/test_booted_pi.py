"""The kit on a whole emulated machine that boots: its services, their limits and memory, its screen, and a power cut.

    python -m pytest tests/edge_app/pi/test_booted_pi.py        prints its figures; make machine brings what it needs

QEMU's `virt` board with a Cortex-A72, 1 GB and a screen of 800x480, and Debian 12 with its own kernel, as Raspberry Pi
OS 12 is made from. No privilege is needed. The tests follow one another: what one has done, the next finds.
"""

import json
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from osteo_edge.cache import cache_folder
from osteo_edge.edge_app.demo_bundle import FOLDER, demo_bundle
from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.edge_app.pi.kit import Kit
from osteo_edge.edge_app.pi.making import PYTHONS, make_kit
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.hashing import sha256_file
from osteo_edge.runtime import open_interpreter
from osteo_edge.screening import screen
from osteo_edge.train.phantoms import draw_phantom
from tests.edge_app.pi.booted import EMULATOR, Machine, Service
from tests.edge_app.pi.booted_image import TOOLS, find_tool, make_disk, system_files

pytestmark = [pytest.mark.release, pytest.mark.device, pytest.mark.slow]

REPOSITORY: Final = Path(__file__).resolve().parents[3]
SHOWN: Final = REPOSITORY / "docs" / "screens"
SEEN: Final = REPOSITORY / "build" / "screens"

STICK, STICK_BYTES = "/media/stick", 512 << 20
CURRENT: Final = "/opt/osteo-edge/current"
DATA: Final = "/var/lib/osteo-edge"
WATCH, KIOSK = "osteo-edge-watch", "osteo-edge-kiosk"
FILMS: Final = {"small": (-3.5, 640), "clear": (0.5, 640), "middle": (-1.5, 1024), "large": (-3.5, 2048)}
"""T-score, and height in pixels: 2048 is what a plate for a knee has."""

MAX_IDLE_MB, MAX_SCREENING_MB = 120, 180
MAX_SCORE_DIFFERENCE: Final = 0.05
"""ARM rounds the reduction of a film otherwise, which moves single values of the network's input by one step."""
MAX_JOURNAL_BYTES: Final = 64 << 20
FLOOD_BYTES: Final = 96 << 20
INSTALL_LIMIT_S: Final = 1500.0
PATIENCE_S: Final = 30
"""After which the watchdog takes the watcher for dead here, instead of three minutes."""

TOP: Final = (slice(0, 80), slice(None))
HISTORY, BACK = (600, 150), (74, 53)
"""The screen of 800x480: the part with the heading, and where two of its buttons are."""
SAME, BLANK = 2.0, 8.0
"""Pictures whose grey values differ by less on average are the same; one that varies by less shows nothing."""

Picture = NDArray[np.uint8]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Drawn films, and the one that the app brings."""
    folder = tmp_path_factory.mktemp("films")
    paths = [folder / "drawn.jpg"]
    shutil.copy(DRAWN_FILM, paths[0])
    for seed, (name, (t_score, size)) in enumerate(FILMS.items()):
        paths.append(folder / f"{name}.png")
        paths[-1].write_bytes(cv2.imencode(".png", draw_phantom(t_score, size=size, seed=seed).pixels)[1].tobytes())
    return paths


@pytest.fixture(scope="module")
def kits(tmp_path_factory: pytest.TempPathFactory) -> tuple[Kit, Kit]:
    """Two kits with the demonstration's bundle, the second made after the first."""
    if missing := [tool for tool in (EMULATOR, *TOOLS) if find_tool(tool) is None]:
        pytest.skip(f"no {', '.join(missing)}: make machine")
    folders = [tmp_path_factory.mktemp(name) for name in ("old", "new")]
    try:
        old = make_kit(FOLDER, folders[0], pythons=PYTHONS, wheels=cache_folder() / "pi-wheels")
        time.sleep(1.1)  # kits are told apart by the second in which they were made
        new = make_kit(FOLDER, folders[1], pythons=PYTHONS, wheels=cache_folder() / "pi-wheels")
    except OsteoEdgeError as error:
        if "pip finds no wheels" in str(error):
            pytest.skip(str(error))
        raise
    return old, new


@pytest.fixture(scope="module")
def figures() -> dict[str, str]:
    return {}


@pytest.fixture(scope="module")
def machine(
    kits: tuple[Kit, Kit], films: list[Path], tmp_path_factory: pytest.TempPathFactory, figures: dict[str, str]
) -> Iterator[Machine]:
    """A machine that has started, and in which a stick is plugged with kits and films. Nothing of ours is installed."""
    try:
        system = system_files()
    except OsteoEdgeError as error:
        pytest.skip(f"no arm64 Debian can be made here: {error}")
    content = tmp_path_factory.mktemp("content")
    for kit, name in zip(kits, ("old", "new"), strict=True):
        shutil.copytree(kit.path, content / name)
    shutil.copytree(films[0].parent, content / "films")
    stick = content.with_name("stick")
    make_disk(content, stick, STICK_BYTES, "stick")
    with Machine(system, stick, tmp_path_factory.mktemp("machine")) as made:
        figures["start of the machine without our services"] = f"{made.switch_on():.0f} s"
        made.tell("ldconfig")
        yield made


@pytest.fixture
def watcher(installed: Machine) -> Service:
    return Service(installed, WATCH)


@pytest.fixture
def kiosk(installed: Machine) -> Service:
    return Service(installed, KIOSK)


@pytest.fixture(scope="module")
def installed(machine: Machine, figures: dict[str, str]) -> Machine:
    """The machine with the kit and both services, started once more since."""
    start = time.monotonic()
    said = machine.tell(f"sh {STICK}/old/install.sh --units", limit_s=INSTALL_LIMIT_S)
    figures["installation"] = f"{time.monotonic() - start:.0f} s"
    assert "Screening would use LiteRT" in said
    assert Service(machine, WATCH).is_active
    machine.tell(f"sh {CURRENT}/units/enable.sh --kiosk")
    machine.shut_down()
    figures["start of the machine with them"] = f"{machine.switch_on():.0f} s"
    return machine


def test_the_watcher_starts_with_the_machine(watcher: Service, figures: dict[str, str]) -> None:
    figures["until the watcher is ready, from then on"] = f"{watcher.wait():.0f} s"
    said = watcher.says("SubState", "StatusText", "NRestarts", "User")
    assert said["StatusText"].startswith("waiting for films, with LiteRT")
    assert (said["SubState"], said["NRestarts"], said["User"]) == ("running", "0", "osteo-edge")


def test_its_limits_are_in_force(installed: Machine, watcher: Service) -> None:
    """As the kernel has them, whatever the unit says."""
    pid = watcher.pid
    status = fields(installed.tell(f"cat /proc/{pid}/status"))
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert {status[name] for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {"0" * 16}
    assert installed.tell(f"grep 'Max core file size' /proc/{pid}/limits").split()[4:6] == ["0", "0"]

    seen = f"nsenter --target {pid} --mount"
    for folder in ("/etc", "/opt/osteo-edge", f"{DATA}/in"):
        refused = installed.run(f"{seen} touch {folder}/written")
        assert refused.code != 0
        assert "Read-only file system" in refused.text
    installed.tell(f"{seen} touch {DATA}/results/written && {seen} rm {DATA}/results/written")
    installed.tell(f"test -e /dev/vda && {seen} test ! -e /dev/vda -a -c /dev/null")
    assert installed.tell(f"{seen} stat --format=%a /home") == "0"

    interfaces = installed.tell(f"nsenter --target {pid} --net cat /proc/net/dev").splitlines()[2:]
    assert [line.split(":")[0].strip() for line in interfaces] == ["lo"]
    assert installed.tell(f"readlink /proc/{pid}/ns/net") != installed.tell("readlink /proc/1/ns/net")
    limits = installed.tell(f"cd {watcher.control_group} && cat memory.high memory.max").split()
    assert limits == [str(256 << 20), str(384 << 20)]


def test_it_takes_little_memory_while_it_waits(watcher: Service, figures: dict[str, str]) -> None:
    waiting_mb = watcher.memory_mb()
    figures["watcher, waiting"] = f"{waiting_mb:.0f} MB in all its processes, {watcher.charged}"
    assert waiting_mb <= MAX_IDLE_MB


def test_films_are_answered_as_on_this_machine(
    installed: Machine, watcher: Service, films: list[Path], figures: dict[str, str]
) -> None:
    bundle = demo_bundle()
    interpreter = open_interpreter(bundle, threads=1)
    expected = {film.name: screen(film, bundle, interpreter)[1] for film in films}
    start = time.monotonic()
    with watcher.most_memory() as most_mb:
        installed.tell(f"cp {STICK}/films/* {DATA}/in/")
        answers = ledger(installed, *expected)
        peak_mb = most_mb()
    figures[f"{len(films)} films, from their arrival on"] = f"{time.monotonic() - start:.0f} s"
    assert [answers[name]["outcome"] for name in expected] == [screening.outcome for screening in expected.values()]
    scores = [(answers[name]["score"], screening.score) for name, screening in expected.items()]
    difference = max(abs(there - here) for there, here in scores if here is not None)
    figures["largest difference of a score"] = f"{difference:.4f}"
    assert difference <= MAX_SCORE_DIFFERENCE
    figures["watcher, screening"] = f"{peak_mb:.0f} MB in all its processes at most, {watcher.charged}"
    figures["watcher, waiting again"] = f"{watcher.memory_mb():.0f} MB in all its processes"
    assert peak_mb <= MAX_SCREENING_MB
    assert f"{len(films)} events since the start" in watcher.says("StatusText")["StatusText"]


def test_the_journal_tells_films_by_their_hashes(installed: Machine, films: list[Path]) -> None:
    said = installed.tell(f"journalctl --boot --no-pager --all --unit={WATCH}")
    shown_to_all = installed.run(f"systemctl status --no-pager --full {WATCH}").text
    assert [film.name for film in films if f"film {sha256_file(film)[:8]}" not in said] == []
    assert [film.name for film in films if film.name in said + shown_to_all] == []


def test_a_watcher_that_hangs_is_ended_and_started_again_without_a_core_dump(
    installed: Machine, watcher: Service, figures: dict[str, str]
) -> None:
    """Where a core would be written, had the watcher a right to one."""
    cores = f"{DATA}/results/core"
    installed.tell(f"sysctl --quiet --write kernel.core_pattern={cores}.%p")
    dumping = "systemd-run --quiet --wait --property=User=osteo-edge --property=LimitCORE=infinity"
    assert installed.run(f"{dumping} /bin/sh -c 'kill -ABRT $$$$'").code != 0
    installed.tell(f"test -s {cores}.* && rm {cores}.*")

    patience = f"/run/systemd/system/{WATCH}.service.d/patience.conf"
    installed.tell(f"mkdir -p {Path(patience).parent} && printf '[Service]\nWatchdogSec={PATIENCE_S}\n' > {patience}")
    installed.tell(f"systemctl daemon-reload && systemctl restart {WATCH}")
    hanging = watcher.pid
    installed.tell(f"systemctl kill --signal=STOP {WATCH}")
    back_s = watcher.wait_for_other(hanging)
    figures[f"watcher back after it hung, with a watchdog of {PATIENCE_S} s"] = f"{back_s:.0f} s"
    assert "Watchdog timeout" in installed.tell(f"journalctl --boot --no-pager --unit={WATCH}")
    assert installed.run(f"ls {cores}.*").code != 0
    installed.tell(f"rm {patience} && systemctl daemon-reload && systemctl restart {WATCH}")


def test_a_watcher_that_is_killed_comes_back_and_goes_on(
    installed: Machine, watcher: Service, figures: dict[str, str]
) -> None:
    killed = watcher.pid
    installed.tell(f"kill -KILL {killed}")
    figures["watcher back after it was killed"] = f"{watcher.wait_for_other(killed):.0f} s"
    installed.tell(f"cp {DATA}/in/drawn.jpg {DATA}/in/again.jpg")
    assert ledger(installed, "again.jpg")["again.jpg"]["outcome"] == "seen_before"


def test_the_kiosk_shows_the_app_and_takes_a_touch(installed: Machine, kiosk: Service, figures: dict[str, str]) -> None:
    waited_s = until_shown(installed, "home")
    figures["until the home screen is there, after the tests of the watcher"] = f"{waited_s:.0f} s"
    SEEN.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(SEEN / "booted-home.png"), installed.screen())
    assert kiosk.says("User", "NRestarts") == {"User": "osteo-edge", "NRestarts": "0"}
    assert installed.tell(f"stat --format=%U /proc/{kiosk.pid}") == "osteo-edge"
    allowed = int(installed.tell(f"cat {kiosk.control_group}/../memory.max"))
    assert allowed < 0.8 * 1024 * int(installed.tell("sed -n 's/^MemTotal: *//p' /proc/meminfo").split()[0])
    figures["kiosk"] = f"{kiosk.memory_mb():.0f} MB in all its processes, {kiosk.charged}"
    installed.touch(*HISTORY)
    until_shown(installed, "history", TOP)
    installed.touch(*BACK)
    until_shown(installed, "home")


def test_a_kiosk_that_is_killed_comes_back(installed: Machine, kiosk: Service, figures: dict[str, str]) -> None:
    killed = kiosk.pid
    installed.tell(f"kill -KILL {killed}")
    back_s = kiosk.wait_for_other(killed) + until_shown(installed, "home")
    figures["home screen back after the kiosk was killed"] = f"{back_s:.0f} s"


def test_a_kiosk_that_is_stopped_gives_the_login_back(installed: Machine) -> None:
    login = Service(installed, "getty@tty1")
    assert not login.is_active
    installed.tell(f"systemctl stop {KIOSK}")
    login.wait()
    installed.wait_for("cat /dev/vcs1", lambda text: "pi login:" in text, "the login's question")
    assert not looks_like(installed.screen(), shown("home"))
    installed.tell(f"systemctl start {KIOSK}")
    until_shown(installed, "home")
    assert not login.is_active


def test_the_journal_stays_below_its_bound(installed: Machine, figures: dict[str, str]) -> None:
    flood = f"head --bytes={FLOOD_BYTES * 3 // 4} /dev/urandom | base64 --wrap=40000 | systemd-cat --identifier=flood"
    installed.tell(f"{flood} && journalctl --flush --sync", limit_s=INSTALL_LIMIT_S)
    size = int(installed.tell("du --summarize --block-size=1 /var/log/journal").split()[0])
    figures["journal"] = f"{size / 1e6:.0f} MB, after {FLOOD_BYTES / 1e6:.0f} MB were written to it"
    assert MAX_JOURNAL_BYTES / 4 < size <= MAX_JOURNAL_BYTES


def test_a_power_cut_while_an_update_is_unpacked_leaves_the_old_version(
    installed: Machine, kits: tuple[Kit, Kit], figures: dict[str, str]
) -> None:
    start_update(installed, "compiling")
    installed.cut_power()
    figures["start of the machine after a power cut"] = f"{installed.switch_on():.0f} s"
    assert version_in_use(installed).startswith(kits[0].name)
    assert_works(installed, "after-the-first-cut.jpg")


def test_a_power_cut_right_after_the_switch_leaves_the_new_version(
    installed: Machine, kits: tuple[Kit, Kit], figures: dict[str, str]
) -> None:
    start = time.monotonic()
    start_update(installed, "starting the services")
    installed.cut_power()
    figures["update, until the switch"] = f"{time.monotonic() - start:.0f} s"
    installed.switch_on()
    assert version_in_use(installed).startswith(kits[1].name)
    assert_works(installed, "after-the-second-cut.jpg")
    said = installed.tell(f"osteo-edge update {STICK}/new", limit_s=INSTALL_LIMIT_S)
    assert f"{kits[1].name} is installed already, and works" in said
    left = installed.tell("ls --almost-all /opt/osteo-edge/versions").split()
    assert sorted(left) == sorted(kit.name for kit in kits)
    until_shown(installed, "home")


def test_the_version_from_before_is_used_again_when_asked(installed: Machine, kits: tuple[Kit, Kit]) -> None:
    installed.tell("osteo-edge update --rollback", limit_s=INSTALL_LIMIT_S)
    assert version_in_use(installed) == kits[0].name
    assert Service(installed, WATCH).is_active
    until_shown(installed, "home")


@pytest.mark.usefixtures("installed")
def test_figures(figures: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """Last: what the others have measured."""
    assert {"installation", "watcher, waiting"} <= set(figures)
    with capsys.disabled():
        sys.stdout.write("".join(f"\n  {name}: {value}" for name, value in figures.items()) + "\n")


def fields(text: str) -> dict[str, str]:
    """The fields of /proc/PID/status."""
    return {name: value.strip() for name, _, value in (line.partition(":") for line in text.splitlines())}


def ledger(machine: Machine, *names: str) -> dict[str, dict[str, Any]]:
    """What the watcher has noted of each film, as soon as it has noted these."""
    read = f"cat {DATA}/results/ledger.jsonl"
    machine.wait_for(read, lambda text: all(f'"{name}"' in text for name in names), f"{', '.join(names)} in the ledger")
    return {line["name"]: line for line in map(json.loads, machine.tell(read).splitlines())}


def shown(name: str, part: tuple[slice, slice] = (slice(None), slice(None))) -> Picture:
    """What the documentation shows of a screen."""
    return np.asarray(cv2.imread(str(SHOWN / f"{name}.png")), np.uint8)[part]


def looks_like(picture: Picture, other: Picture) -> bool:
    return float(np.abs(picture.astype(float) - other).mean()) < SAME and float(picture.std()) > BLANK


def until_shown(machine: Machine, name: str, part: tuple[slice, slice] = (slice(None), slice(None))) -> float:
    """Wait until the screen is as the documentation shows it; gives the seconds that this took."""
    return machine.wait_for_screen(
        lambda picture: looks_like(picture[part], shown(name, part)), f"the screen {name}", SEEN / "booted-wrong.png"
    )


def start_update(machine: Machine, until: str) -> None:
    """Start an update and come back when it says that it is at that point."""
    machine.start(f"osteo-edge update {STICK}/new > /root/update.log 2>&1")
    machine.wait_for("cat /root/update.log", lambda said: until in said, until, limit_s=INSTALL_LIMIT_S)


def version_in_use(machine: Machine) -> str:
    return Path(machine.tell(f"readlink {CURRENT}")).name


def assert_works(machine: Machine, film: str) -> None:
    """The version in use screens, and so does its service, which still knows what it has seen."""
    answer = json.loads(machine.tell(f"osteo-edge screen {CURRENT}/bundle {STICK}/films/drawn.jpg --json"))
    assert answer["outcome"] == "refer"
    Service(machine, WATCH).wait()
    machine.tell(f"cp {STICK}/films/drawn.jpg {DATA}/in/{film}")
    assert ledger(machine, film)[film]["outcome"] == "seen_before"
