"""USB sticks on a whole emulated machine that boots: plugged in, written to by the kiosk's user, and pulled.

    python -m pytest tests/edge_app/pi/test_booted_stick.py       make machine brings what it needs

In place of the app runs a program that waits, in the kiosk's service with all its limits; what the app would see of a
stick is looked at from within. The tests follow one another.
"""

import json
import shlex
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from osteo_edge.edge_app.pi.own_wheel import package_files
from osteo_edge.errors import OsteoEdgeError
from tests.edge_app.pi.booted import EMULATOR
from tests.edge_app.pi.booted_image import TOOLS, find_tool, make_disk, system_files
from tests.edge_app.pi.usb_sticks import MAKERS, MachineWithPorts, Stick, make_stick

pytestmark = [pytest.mark.release, pytest.mark.device, pytest.mark.slow]

UNITS: Final = Path(__file__).resolve().parents[3] / "edge_app" / "pi" / "units"
CURRENT, VERSION = "/opt/osteo-edge/current", "/opt/osteo-edge/versions/1"
MEDIA: Final = "/run/media/osteo-edge"
MOUNTED: Final = f"grep --count ' {MEDIA}/' /proc/mounts"
JOURNAL: Final = "journalctl --no-pager --boot --unit 'osteo-edge-stick@*'"
KIOSK, WATCH = "osteo-edge-kiosk", "osteo-edge-watch"
LABEL: Final = "X-RAY 1"
CONTENT_BYTES: Final = 48 << 20
PROGRAM: Final = """\
#!/usr/bin/python3
import os, socket, time
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
    while True:
        if "NOTIFY_SOCKET" in os.environ:
            systemd.sendto(b"READY=1\\nWATCHDOG=1", os.environ["NOTIFY_SOCKET"])
        time.sleep(30)
"""
"""What stands in for the app and the watcher."""
STICKS: Final = """
import json, sys
sys.path.insert(0, "/opt/osteo-edge/current/lib")
from osteo_edge.edge_app.browsing.places import sticks
print(json.dumps({place.name: str(place.path) for place in sticks()}))
"""
BACK_UP: Final = """
import sys
from pathlib import Path
sys.path.insert(0, "/opt/osteo-edge/current/lib")
from osteo_edge.edge_app.exports.backup import write_backup
from osteo_edge.edge_app.history.store import History
history = Path("/var/lib/osteo-edge/app/history")
History(history).close()
write_backup(history, Path(sys.argv[1], "backup.zip"))
"""
CHECK_BACKUP: Final = """
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    assert archive.testzip() is None
    print(len(archive.namelist()))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sticks")


@pytest.fixture(scope="module")
def machine(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MachineWithPorts]:
    """A machine with the kiosk's service, and the watcher's, switched on with a stick plugged in."""
    tools = (EMULATOR, *TOOLS, *(tool for tool, *_ in MAKERS.values()))
    if missing := [tool for tool in tools if find_tool(tool) is None]:
        pytest.skip(f"no {', '.join(missing)}: make machine")
    try:
        system = system_files()
    except OsteoEdgeError as error:
        pytest.skip(f"no arm64 Debian can be made here: {error}")
    content = folder / "content"
    for name, path in package_files().items():
        (content / "lib" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, content / "lib" / name)
    shutil.copytree(UNITS, content / "units")
    (content / "bin").mkdir()
    (content / "bin" / "osteo-edge").write_text(PROGRAM, "utf-8")
    (content / "bin" / "osteo-edge").chmod(0o755)
    disk = folder / "disk"
    make_disk(content, disk, CONTENT_BYTES, "stick")
    made = MachineWithPorts(system, disk, tmp_path_factory.mktemp("machine"))
    with made:
        made.plugged = (make_stick(folder, "first", "vfat", "FIRST"),)
        made.switch_on()
        made.tell("systemctl start media-stick.mount")
        made.tell(f"mkdir -p {VERSION} && cp -r /media/stick/* {VERSION} && ln -s {VERSION} {CURRENT}")
        yield made


def within(machine: MachineWithPorts, service: str, *words: str) -> str:
    """What a program prints that the user of the kiosk runs, with the files as the service sees them."""
    user = "setpriv --reuid=osteo-edge --regid=osteo-edge --init-groups --no-new-privs"
    pid = machine.tell(f"systemctl show --property MainPID --value {service}")
    return machine.tell(f"nsenter --target {pid} --mount {user} {shlex.join(words)}")


def seen(machine: MachineWithPorts, service: str = KIOSK) -> dict[str, str]:
    """The sticks that the app finds: their names and where they are."""
    found: dict[str, str] = json.loads(within(machine, service, "python3", "-I", "-c", STICKS))
    return {name: path for name, path in found.items() if path != "/media/stick"}


def wait_until(machine: MachineWithPorts, names: Sequence[str]) -> None:
    """Wait until there are so many sticks, and see that the app finds exactly these."""
    machine.wait_for(MOUNTED, lambda count: count == str(len(names)), f"the sticks {names}")
    assert sorted(seen(machine)) == sorted(names), machine.run(JOURNAL).text


@contextmanager
def plugged(machine: MachineWithPorts, *sticks: Stick) -> Iterator[None]:
    """Plug sticks in, and pull them without asking when the block ends."""
    for stick in sticks:
        machine.plug_in(stick)
    try:
        yield
    finally:
        for stick in sticks:
            machine.pull(stick)


def test_a_stick_that_is_there_already_appears_with_the_kiosk_and_goes_with_it(machine: MachineWithPorts) -> None:
    machine.tell(f"sh {CURRENT}/units/enable.sh")
    assert machine.tell(f"ls {MEDIA}") == ""
    machine.tell(f"sh {CURRENT}/units/enable.sh --kiosk")
    wait_until(machine, ["FIRST"])
    machine.tell(f"sh {CURRENT}/units/enable.sh --no-kiosk")
    machine.wait_for(f"ls {MEDIA}", lambda text: text == "", "no stick without the kiosk")
    machine.tell(f"sh {CURRENT}/units/enable.sh --kiosk")
    wait_until(machine, ["FIRST"])


@pytest.mark.parametrize("kind", MAKERS)
def test_the_app_writes_to_a_stick_which_keeps_it_when_pulled(
    machine: MachineWithPorts, folder: Path, kind: str
) -> None:
    stick = make_stick(folder, kind, kind, LABEL)
    with plugged(machine, stick):
        wait_until(machine, ["FIRST", LABEL])
        place = seen(machine)[LABEL]
        within(machine, KIOSK, "python3", "-I", "-c", BACK_UP, place)
        within(machine, KIOSK, "sh", "-c", f"mkdir '{place}/knees' && cp -r {CURRENT}/units '{place}/knees/été'")
    wait_until(machine, ["FIRST"])

    with plugged(machine, stick):
        wait_until(machine, ["FIRST", LABEL])
        assert seen(machine)[LABEL] == place
        assert within(machine, KIOSK, "python3", "-I", "-c", CHECK_BACKUP, f"{place}/backup.zip") == "2"
        kept = within(machine, KIOSK, "sh", "-c", f"cd '{place}/knees/été' && cksum *")
        assert kept == machine.tell(f"cd {CURRENT}/units && cksum *")
    wait_until(machine, ["FIRST"])


def test_a_hostile_label_names_no_other_folder(machine: MachineWithPorts, folder: Path) -> None:
    labels = ("../../etc", "..", "a\nb`id`$(id")
    sticks = [make_stick(folder, f"hostile{at}", "vfat", label) for at, label in enumerate(labels)]
    with plugged(machine, *sticks):
        wait_until(machine, ["FIRST", "USB", "_.._etc", "a_b`id`$(id"])
        found = machine.tell("findmnt --list --noheadings --output SOURCE,TARGET").splitlines()
        mounted = [line.split(maxsplit=1)[1] for line in found if line.startswith("/dev/sd")]
        assert len(mounted) == 4
        assert {str(Path(place).parent) for place in mounted} == {MEDIA}
    wait_until(machine, ["FIRST"])


def test_what_is_on_a_stick_is_neither_a_program_nor_a_link(machine: MachineWithPorts, folder: Path) -> None:
    content = folder / "hostile"
    content.mkdir()
    (content / "settings").symlink_to("/var/lib/osteo-edge/app")
    (content / "program").write_text("#!/bin/sh\nid\n")
    (content / "program").chmod(0o6755)
    place = f"{MEDIA}/PROGRAMS"
    with plugged(machine, make_stick(folder, "programs", "ext4", "PROGRAMS", content)):
        wait_until(machine, ["FIRST", "PROGRAMS"])
        for command in (f"{place}/program", f"ls {place}/settings/", f"echo x > {place}/settings/x"):
            with pytest.raises(AssertionError, match=r"Permission denied|Too many levels of symbolic links"):
                within(machine, KIOSK, "sh", "-c", command)
        options = set(machine.tell(f"findmnt --noheadings --output OPTIONS {place}").split(","))
        assert {"nosuid", "nodev", "noexec", "nosymfollow"} <= options
    wait_until(machine, ["FIRST"])


def test_two_of_one_name_are_both_there_and_what_a_system_starts_from_is_not(
    machine: MachineWithPorts, folder: Path
) -> None:
    sticks = [make_stick(folder, name, "vfat", label) for name, label in (("card", "bootfs"), ("twin", "FIRST"))]
    with plugged(machine, *sticks):
        wait_until(machine, ["FIRST", "FIRST 2"])
        machine.tell("udevadm settle")
        assert "bootfs" in machine.tell("lsblk --noheadings --output LABEL")
        wait_until(machine, ["FIRST", "FIRST 2"])
    wait_until(machine, ["FIRST"])


def test_the_watcher_sees_no_stick(machine: MachineWithPorts) -> None:
    """It runs as the same user, and writes to the folder of its results alone."""
    assert seen(machine)["FIRST"] == f"{MEDIA}/FIRST"
    with pytest.raises(AssertionError, match="Permission denied"):
        within(machine, WATCH, "ls", MEDIA)


def test_a_stick_that_is_plugged_in_at_the_start_is_there(machine: MachineWithPorts) -> None:
    machine.shut_down()
    machine.switch_on()
    machine.wait_for(f"systemctl is-active {KIOSK}", lambda state: state == "active", "the kiosk")
    wait_until(machine, ["FIRST"])
    within(machine, KIOSK, "touch", f"{MEDIA}/FIRST/film.dcm")
    machine.tell(f"systemctl restart {KIOSK}")
    wait_until(machine, ["FIRST"])
    within(machine, KIOSK, "rm", f"{MEDIA}/FIRST/film.dcm")
    assert machine.tell("systemctl list-units --failed --plain --no-legend 'osteo-edge-*'") == ""
