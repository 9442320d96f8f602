import configparser
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from osteo_edge.cli import run
from osteo_edge.edge_app import watch_command
from osteo_edge.edge_app.browsing.places import REMOVABLE
from osteo_edge.edge_app.pi import sticks

PI = Path(__file__).resolve().parents[3] / "edge_app" / "pi"
UNITS = PI / "units"
SERVICES = ("osteo-edge-watch.service", "osteo-edge-kiosk.service")
STICK = "osteo-edge-stick@.service"
STICK_RULE = "etc/udev/rules.d/90-osteo-edge-stick.rules"
SAFEST, WORST = 0.0, 10.0
BOUNDS = {"osteo-edge-watch.service": 0.5, "osteo-edge-kiosk.service": 2.3, STICK: 4.5}
"""The exposure level of `systemd-analyze security`, from 0 to 10, that a service must stay below."""
BLOCKS_WRITABLE_CODE = """
import ctypes, os, sys
if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0):
    sys.exit(77)
os.execv(sys.executable, [sys.executable, "-m", "osteo_edge", *sys.argv[1:]])
"""
"""PR_SET_MDWE of Linux 6.3: what MemoryDenyWriteExecute= does, without systemd."""

needs_systemd = pytest.mark.skipif(
    any(
        shutil.which(tool) is None for tool in ("systemd-analyze", "systemctl", "systemd-sysusers", "systemd-tmpfiles")
    ),
    reason="needs systemd: make packaging",
)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="files of other users can be made by root alone")


@pytest.fixture
def device(tmp_path: Path) -> Path:
    """The root of a system with systemd and an installed osteo-edge, whose program prints what it is given."""
    root = tmp_path / "root"
    current = root / "opt" / "osteo-edge" / "current"
    shutil.copytree(UNITS, current / "units")
    program = current / "bin" / "osteo-edge"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "$SDL_VIDEODRIVER: $*"\n')
    program.chmod(0o755)
    (root / "etc").mkdir()
    (root / "usr" / "lib" / "systemd").mkdir(parents=True)
    (root / "lib").symlink_to("usr/lib")
    for name in ("bin/sh", "usr/bin/python3"):
        (root / name).parent.mkdir()
        (root / name).write_text("#!/bin/sh\n")
        (root / name).chmod(0o755)
    if Path("/lib/systemd/system").is_dir():
        shutil.copytree("/lib/systemd/system", root / "lib" / "systemd" / "system", symlinks=True)
    return root


def enable(device: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    script = device / "opt/osteo-edge/current/units/enable.sh"
    return subprocess.run(
        ["sh", str(script), *options],
        env={**os.environ, "ROOT": str(device)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def enabled(device: Path) -> list[str]:
    folder = device / "etc/systemd/system/multi-user.target.wants"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def user_id(device: Path) -> str:
    """The number of the services' user."""
    (line,) = (line for line in (device / "etc/passwd").read_text().splitlines() if line.startswith("osteo-edge:"))
    return line.split(":")[2]


def session_limits(device: Path) -> list[str]:
    """For which slices the memory of sessions is bounded."""
    found = (device / "etc/systemd/system").glob("*.slice.d/50-osteo-edge.conf")
    return [path.parent.name for path in found if "\nMemoryMax=75%\n" in path.read_text()]


def default_target(device: Path) -> str:
    command = ["systemctl", f"--root={device}", "get-default"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def unit(name: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNITS / name)
    return parser


@needs_systemd
@needs_root
def test_the_units_of_an_installed_program_pass_systemd_s_own_check(device: Path) -> None:
    done = enable(device)
    assert done.returncode == 0, done.stderr
    command = ["systemd-analyze", f"--root={device}", "verify", *SERVICES, STICK.replace("@", "@sda1")]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


@needs_systemd
@pytest.mark.parametrize("service", [*SERVICES, STICK])
def test_a_service_is_no_more_exposed_than_its_bound(service: str) -> None:
    command = ["systemd-analyze", "security", "--offline=true", str(UNITS / service)]
    printed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", printed)
    assert found is not None, printed
    assert SAFEST <= float(found[1]) <= BOUNDS[service] < WORST


@needs_systemd
@needs_root
def test_the_watcher_alone_is_started_unless_the_kiosk_is_asked_for(device: Path) -> None:
    for _ in range(2):
        assert enable(device).returncode == 0
        assert enabled(device) == ["osteo-edge-watch.service"]
    modes = {path.name: oct(path.stat().st_mode)[-4:] for path in (device / "var/lib/osteo-edge").iterdir()}
    assert modes == {"app": "0700", "in": "2770", "results": "0750"}
    assert "osteo-edge:x:" in (device / "etc/passwd").read_text()


@needs_systemd
@needs_root
def test_the_kiosk_takes_the_place_of_the_desktop_and_gives_it_back(device: Path) -> None:
    assert default_target(device) == "graphical.target"
    for _ in range(2):
        assert enable(device, "--kiosk").returncode == 0
        assert enabled(device) == sorted(SERVICES)
        assert default_target(device) == "multi-user.target"
        assert session_limits(device) == [f"user-{user_id(device)}.slice.d"]
    assert enable(device, "--no-kiosk").returncode == 0
    assert enabled(device) == ["osteo-edge-watch.service"]
    assert default_target(device) == "graphical.target"
    assert session_limits(device) == []
    assert list((device / "etc/systemd/system").glob("user-*")) == []


@needs_systemd
@needs_root
def test_the_kiosk_can_do_without_the_watcher(device: Path) -> None:
    assert enable(device).returncode == 0
    assert enable(device, "--kiosk", "--no-watch").returncode == 0
    assert enabled(device) == ["osteo-edge-kiosk.service"]
    assert enable(device, "--no-watch", "--kiosk").returncode == 0
    assert enabled(device) == ["osteo-edge-kiosk.service"]
    assert enable(device, "--kiosk").returncode == 0
    assert enabled(device) == sorted(SERVICES)
    assert enable(device, "--no-watch").returncode == 0
    assert enabled(device) == ["osteo-edge-kiosk.service"]
    assert enable(device, "--no-kiosk").returncode == 0
    assert enabled(device) == []


@needs_systemd
@needs_root
def test_settings_and_data_outlive_an_update_and_the_end(device: Path) -> None:
    enable(device, "--kiosk")
    settings = device / "etc/osteo-edge/watch.conf"
    settings.write_text("FOLDER=/srv/xray\n")
    film = device / "var/lib/osteo-edge/in/film.dcm"
    film.write_bytes(b"film")
    assert enable(device).returncode == 0
    assert enable(device, "--off").returncode == 0
    assert settings.read_text() == "FOLDER=/srv/xray\n"
    assert film.read_bytes() == b"film"
    assert default_target(device) == "graphical.target"
    left = sorted(path.name for name in ("systemd", "udev") for path in (device / "etc" / name).rglob("*osteo-edge*"))
    assert left == []
    assert enable(device, "--off").returncode == 0


@needs_systemd
@needs_root
def test_a_turned_panel_is_turned_for_x11_and_wayland(device: Path) -> None:
    enable(device)
    settings, rule = device / "etc/osteo-edge/kiosk.conf", device / "etc/udev/rules.d/61-osteo-edge-touch.rules"
    assert not rule.exists()
    plain = settings.read_text()
    settings.write_text(plain.replace("TOUCH_MATRIX=", 'TOUCH_MATRIX="0 1 0 -1 0 1.0"'))
    assert enable(device).returncode == 0
    assert 'ENV{LIBINPUT_CALIBRATION_MATRIX}="0 1 0 -1 0 1.0"' in rule.read_text()
    settings.write_text(plain.replace("TOUCH_MATRIX=", "TOUCH_MATRIX=0 1 0 -1 zero 1"))
    done = enable(device)
    assert (done.returncode, done.stderr) == (
        1,
        "osteo-edge: TOUCH_MATRIX=0 1 0 -1 zero 1 is not six numbers; see kiosk.conf\n",
    )
    settings.write_text(plain)
    assert enable(device).returncode == 0
    assert not rule.exists()


@pytest.mark.parametrize("words", [("--tv",), ("--no-kiosk", "--no-watch"), ("--kiosk", "--off"), ("--kiosk", "tv")])
def test_words_that_enable_does_not_know_give_one_line(device: Path, words: tuple[str, ...]) -> None:
    done = enable(device, *words)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "--kiosk" in done.stderr
    assert enabled(device) == []


STICK_OF_FAT = {
    "SUBSYSTEM": "block",
    "SUBSYSTEMS": "usb",
    "ACTION": "add",
    "ENV{ID_FS_USAGE}": "filesystem",
    "ENV{ID_FS_TYPE}": "vfat",
    "ENV{ID_FS_LABEL}": "XRAY",
    "ENV{ID_PART_ENTRY_TYPE}": "0xc",
}
"""What udev knows of the partition of a stick, by the names that rules have for it."""


def matches(device: Mapping[str, str]) -> bool:
    """Whether the rule for sticks takes a device, where the kiosk is enabled: as udev(7) reads a rule."""
    [rule] = [line for line in stick_rule() if not line.startswith("#")]
    conditions = re.findall(r'([A-Z]+(?:\{\w+\})?)(==|!=)"([^"]*)"', rule)
    assert len(conditions) == 8
    return all(
        (device.get(key, "") in value.split("|")) is (sign == "==") for key, sign, value in conditions if key != "TEST"
    )


def stick_rule() -> list[str]:
    return (UNITS / "stick.rules").read_text("utf-8").replace("\\\n", "").splitlines()


@pytest.mark.parametrize(
    ("different", "is_taken"),
    [
        ({}, True),
        ({"ACTION": "change"}, True),
        ({"ENV{ID_FS_TYPE}": "exfat", "ENV{ID_FS_LABEL}": "../../etc"}, True),
        ({"ENV{ID_FS_TYPE}": "ntfs", "ENV{ID_FS_LABEL}": ""}, True),
        ({"ACTION": "remove"}, False),
        ({"SUBSYSTEMS": "mmc"}, False),
        ({"SUBSYSTEMS": "nvme"}, False),
        ({"ENV{ID_FS_USAGE}": "crypto", "ENV{ID_FS_TYPE}": "crypto_LUKS"}, False),
        ({"ENV{ID_FS_USAGE}": "", "ENV{ID_FS_TYPE}": ""}, False),
        ({"ENV{ID_FS_TYPE}": "squashfs"}, False),
        ({"ENV{ID_FS_LABEL}": "bootfs"}, False),
        ({"ENV{ID_FS_LABEL}": "rootfs", "ENV{ID_FS_TYPE}": "ext4"}, False),
        ({"ENV{ID_PART_ENTRY_TYPE}": "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"}, False),
    ],
)
def test_the_rule_takes_sticks_and_nothing_that_a_system_starts_from(
    different: Mapping[str, str], is_taken: bool
) -> None:
    assert matches({**STICK_OF_FAT, **different}) is is_taken


@needs_systemd
@needs_root
def test_sticks_are_mounted_where_the_kiosk_is_started_at_boot(device: Path) -> None:
    """The rule looks for the link that `systemctl enable` makes; what it starts is there, and so is the folder."""
    assert enable(device, "--kiosk").returncode == 0
    rule = (device / STICK_RULE).read_text("utf-8")
    link = re.search(r'TEST=="/([^"]+)"', rule)
    assert link is not None
    assert (device / link[1]).is_symlink()
    wanted = re.search(r'ENV\{SYSTEMD_WANTS\}\+="(\S+)@%k\.service"', rule)
    assert wanted is not None
    assert (device / "etc/systemd/system" / f"{wanted[1]}@.service").is_file()
    assert (device / sticks.MEDIA).is_dir()
    assert enable(device, "--no-kiosk").returncode == 0
    assert not (device / link[1]).is_symlink()


@pytest.mark.skipif(
    shutil.which("udevadm") is None
    or subprocess.run(["udevadm", "verify", "--help"], capture_output=True, check=False).returncode != 0,
    reason="needs systemd 254",
)
@pytest.mark.parametrize("rules", sorted(UNITS.glob("*.rules")), ids=lambda path: path.name)
def test_the_rules_pass_udev_s_own_check(rules: Path) -> None:
    done = subprocess.run(["udevadm", "verify", str(rules)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_mounts_a_stick_sees_the_files_that_everybody_sees() -> None:
    """systemd.exec(5) names the settings that would give it a view of its own, in which nobody else saw the stick."""
    parsed = unit(STICK)
    of_its_own = re.compile(
        "Protect|Private|ReadWrite|ReadOnly|Inaccessible|Bind[A-Z]|TemporaryFile|MountFlags|Root|DynamicUser"
    )
    assert [name for name in parsed["Service"] if of_its_own.match(name)] == []
    assert parsed["Unit"]["BindsTo"] == "dev-%i.device"
    for command in (parsed["Service"]["ExecStart"], parsed["Service"]["ExecStop"]):
        python, option, program, word, name = command.split()
        assert (python, option, name) == ("/usr/bin/python3", "-I", "%I")
        assert program == "/opt/osteo-edge/current/lib/osteo_edge/edge_app/pi/sticks.py"
        assert word in ("mount", "unmount")


def test_sticks_are_shown_to_the_app_and_not_to_the_watcher() -> None:
    media = Path("/") / sticks.MEDIA
    assert f"{media}/".startswith(REMOVABLE)
    assert f"d {media} 0750 root {sticks.OWNER} -" in (UNITS / "tmpfiles.conf").read_text("utf-8")
    assert unit("osteo-edge-watch.service")["Service"]["InaccessiblePaths"] == f"-{media}"
    assert "-/run/media" in unit("osteo-edge-kiosk.service")["Service"]["ReadWritePaths"].split()
    assert unit("osteo-edge-kiosk.service")["Service"]["User"] == sticks.OWNER


def kiosk(
    device: Path, *, tools: Mapping[str, str] = MappingProxyType({}), **settings: str
) -> "subprocess.CompletedProcess[str]":
    """Start the kiosk with those settings, where of the programs that it may call only `tools` are installed."""
    programs = device / "programs"
    programs.mkdir(exist_ok=True)
    for name in ("sh", "dirname", "python3"):
        if not (programs / name).exists():
            (programs / name).symlink_to(shutil.which(name) or name)
    for name, body in tools.items():
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)
    (device / "dri").mkdir(exist_ok=True)
    environment = {"PATH": str(programs), "DRI": str(device / "dri"), "BUNDLE": "/b", "DATA": "/d", **settings}
    command = ["/bin/sh", str(device / "opt/osteo-edge/current/units/kiosk.sh")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)


def test_the_kiosk_draws_on_the_screen_itself(device: Path) -> None:
    (device / "dri").mkdir()
    (device / "dri" / "card1").touch()
    assert kiosk(device, OPTIONS="--keyboard --size 800x480").stdout == (
        "kmsdrm: app /b --data /d --fullscreen --keyboard --size 800x480\n"
    )
    assert kiosk(device, BUNDLE="").stdout == "kmsdrm: app --data /d --fullscreen\n"


def test_the_kiosk_takes_the_session_that_it_is_started_in(device: Path) -> None:
    assert kiosk(device, WAYLAND_DISPLAY="wayland-0").stdout.startswith("wayland: app")
    assert kiosk(device, DISPLAY=":0").stdout.startswith("x11: app")


def test_the_kiosk_starts_a_server_where_it_is_asked_to(device: Path) -> None:
    cage = {"cage": 'shift 2; WAYLAND_DISPLAY=wayland-1 exec "$@"'}
    assert kiosk(device, tools=cage, DISPLAY_SERVER="wayland").stdout.startswith("wayland: app /b")
    server = {"xinit": 'DISPLAY=:0 exec "$1" "$2"', "xset": 'echo "xset $*"'}
    assert kiosk(device, tools=server, DISPLAY_SERVER="x11", BLANK_MINUTES="10").stdout == (
        "xset s 600 +dpms dpms 0 0 600\nx11: app /b --data /d --fullscreen\n"
    )
    assert kiosk(device, tools=server, DISPLAY_SERVER="x11").stdout.startswith("xset s off -dpms\n")


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({}, "no screen to draw on"),
        ({"DISPLAY_SERVER": "wayland"}, "DISPLAY_SERVER=wayland needs cage: apt-get install cage"),
        ({"DISPLAY_SERVER": "x11"}, "DISPLAY_SERVER=x11 needs xinit: apt-get install xinit xserver-xorg"),
        ({"DISPLAY_SERVER": "tv"}, "is none of auto, kmsdrm, wayland, x11"),
        ({"BLANK_MINUTES": "ten"}, "BLANK_MINUTES=ten is no number of minutes"),
    ],
)
def test_what_is_wrong_with_the_kiosk_s_settings_is_one_line(
    device: Path, settings: dict[str, str], problem: str
) -> None:
    done = kiosk(device, tools={}, **settings)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert problem in done.stderr


def test_the_watcher_s_command_is_one_that_the_program_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = configparser.RawConfigParser()
    settings.optionxform = str  # type: ignore[assignment,method-assign]
    settings.read_string(f"[all]\n{(UNITS / 'watch.conf').read_text()}")
    command = unit("osteo-edge-watch.service")["Service"]["ExecStart"]
    for name, value in settings["all"].items():
        command = command.replace(f"${{{name}}}", value).replace(f"${name}", value)
    program, *words = command.split()
    assert program == "/opt/osteo-edge/current/bin/osteo-edge"
    assert "$" not in command
    called: list[Path] = []
    monkeypatch.setattr(watch_command, "read_bundle", called.append)
    run([*words, "--help"])
    with pytest.raises(AttributeError):
        run(words)
    assert called == [Path("/opt/osteo-edge/current/bundle")]


def test_the_results_are_all_that_the_watcher_may_write() -> None:
    service = unit("osteo-edge-watch.service")["Service"]
    folders = (UNITS / "tmpfiles.conf").read_text()
    assert service["ReadWritePaths"] == "-/var/lib/osteo-edge/results"
    assert "/var/lib/osteo-edge/results 0750 osteo-edge" in folders
    assert "ProcSubset" not in service


@pytest.mark.skipif(sys.platform != "linux", reason="Linux's prctl")
def test_a_screening_needs_no_memory_that_is_writable_and_executable(
    bundle: object, film: Path, tmp_path: Path
) -> None:
    words = ["screen", str(tmp_path / "golden"), str(film)]
    done = subprocess.run(
        [sys.executable, "-c", BLOCKS_WRITABLE_CODE, *words], capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode == 77:
        pytest.skip("needs Linux 6.3")
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="needs shellcheck: make packaging")
@pytest.mark.parametrize(
    "script", sorted([*UNITS.glob("*.sh"), *(PI / "debian").glob("*.in")]), ids=lambda path: path.name
)
def test_a_script_passes_shellcheck(script: Path) -> None:
    command = ["shellcheck", "--shell=sh", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout


def test_what_a_booted_system_has_taught_about_the_kiosk() -> None:
    """Systemd 252: a PAM session never tells that exec is over, and OnSuccess= acts between two starts as well."""
    parsed = unit("osteo-edge-kiosk.service")
    assert (parsed["Service"]["PAMName"], parsed["Service"]["Type"]) == ("login", "simple")
    assert "OnSuccess" not in parsed["Unit"]
    assert "--job-mode=fail start getty@tty1.service" in parsed["Service"]["ExecStopPost"]
    assert set(parsed["Service"]["SupplementaryGroups"].split()) == {"video", "render", "input"}
