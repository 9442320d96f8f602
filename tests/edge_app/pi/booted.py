"""A whole emulated machine: switched on, told what to do, looked at, and cut off from its power.

Commands go in through QEMU's guest agent, and the screen comes out through QEMU's own protocol (QMP); both are lines of
JSON over a socket. It has no network.
"""

import base64
import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.edge_app.pi.booted_image import SystemFiles

EMULATOR: Final = "qemu-system-aarch64"
CPU: Final = "cortex-a72"
WIDTH, HEIGHT = 800, 480
"""The panel that is sold for the Raspberry Pi."""
MEMORY_MB: Final = 1024
LIMIT_S: Final = 600.0
"""For one step, the start included, where many share this machine's processors; alone none takes a tenth of that."""
LOOK_EVERY_S: Final = 0.3
SUM_OF_PSS: Final = (
    "sum=0; for pid in $(cat {group}/cgroup.procs); do while read -r key kib unit; do "
    'if test "$key" = Pss:; then sum=$((sum + kib)); fi; '
    "done < /proc/$pid/smaps_rollup; done 2> /dev/null; echo $sum"
)
"""In shell, in KiB, of all processes of a control group; one that ends meanwhile counts for nothing."""

AGENT, MONITOR = "agent", "monitor"
HARDWARE: Final = (
    *("-machine", "virt", "-cpu", CPU, "-smp", "2", "-m", str(MEMORY_MB), "-accel", "tcg,thread=multi"),
    *("-nodefaults", "-display", "none", "-nic", "none", "-no-reboot", "-serial", "file:serial.log"),
    *("-device", f"virtio-gpu-pci,xres={WIDTH},yres={HEIGHT}"),
    *("-device", "virtio-keyboard-pci", "-device", "virtio-tablet-pci", "-device", "virtio-rng-pci"),
    *("-device", "virtio-serial-pci", "-device", f"virtserialport,chardev={AGENT},name=org.qemu.guest_agent.0"),
    *("-mon", f"chardev={MONITOR},mode=control"),
)
ENVIRONMENT: Final = ("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8")
KERNEL_OPTIONS: Final = "console=ttyAMA0 loglevel=4 panic=-1 audit=0 mitigations=off systemd.show_status=no"


class MachineError(Exception):
    """What the machine should have done by now, and the end of what it said on its serial port."""


@dataclass(frozen=True)
class Done:
    """What became of a command: its exit code, and what it wrote to both streams."""

    code: int
    text: str


@dataclass
class Machine:
    """A machine whose disk keeps what was written to it, whatever becomes of the power; `stick` is its second disk.

    Its files lie in `folder`, which was empty. As a context it is without power at the end.
    """

    system: SystemFiles
    stick: Path
    folder: Path
    hardware: tuple[str, ...] = HARDWARE
    _process: "subprocess.Popen[bytes] | None" = None
    _lines: dict[str, "Lines"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Sparse as it is: the copy takes no more room than what is in it.
        subprocess.run(["cp", "--sparse=always", str(self.system.disk), str(self.folder / "disk")], check=True)

    def __enter__(self) -> "Machine":
        return self

    def __exit__(self, *_: object) -> None:
        self.cut_power()

    def switch_on(self) -> float:
        """Start the system and wait until it takes commands; gives the seconds that this took."""
        start = time.monotonic()
        theirs: list[socket.socket] = []
        words = [EMULATOR, *self.hardware, "-kernel", str(self.system.kernel), "-initrd", str(self.system.ramdisk)]
        words += ["-append", KERNEL_OPTIONS]
        for name, file, options in (("disk", "disk", ""), ("stick", str(self.stick), ",readonly=on")):
            words += ["-drive", f"if=none,id={name},file={file},format=raw{options}"]
            words += ["-device", f"virtio-blk-pci,drive={name}"]
        for name in (AGENT, MONITOR):
            mine, their = socket.socketpair()
            theirs.append(their)
            self._lines[name] = Lines(mine)
            words += ["-chardev", f"socket,id={name},fd={their.fileno()}"]
        with (self.folder / "qemu.log").open("ab") as log:
            self._process = subprocess.Popen(
                words, cwd=self.folder, stdin=subprocess.DEVNULL, stderr=log, pass_fds=[end.fileno() for end in theirs]
            )
        for end in theirs:
            end.close()
        try:
            self._lines[MONITOR].read(LIMIT_S)  # its greeting
            self._ask(MONITOR, "qmp_capabilities")
            self._ask(AGENT, "guest-sync", {"id": 1}, LIMIT_S)
        except OSError as error:
            raise self._error(f"the machine does not start ({error})") from error
        return time.monotonic() - start

    def cut_power(self) -> None:
        """Stop the machine between two instructions: what it had not written to the disk is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        for lines in self._lines.values():
            lines.close()
        self._lines.clear()

    def shut_down(self) -> None:
        """Let the system end its services and switch itself off."""
        assert self._process is not None
        self.start("systemctl poweroff")
        try:
            self._process.wait(LIMIT_S)
        except subprocess.TimeoutExpired as error:
            raise self._error("the machine does not switch itself off") from error
        self.cut_power()

    def run(self, script: str, *, limit_s: float = LIMIT_S) -> Done:
        """Run a shell script as root and wait for its end."""
        pid = self.start(script)
        until = time.monotonic() + limit_s
        while not (answer := self._ask(AGENT, "guest-exec-status", {"pid": pid}))["exited"]:
            if time.monotonic() > until:
                raise self._error(f"still running after {limit_s:.0f} s: {script}")
            time.sleep(LOOK_EVERY_S)
        texts = [base64.b64decode(answer.get(name, "")).decode("utf-8", "replace") for name in ("out-data", "err-data")]
        return Done(answer.get("exitcode", -answer.get("signal", 0)), "".join(texts))

    def tell(self, script: str, *, limit_s: float = LIMIT_S) -> str:
        """What a script that must not fail writes."""
        done = self.run(script, limit_s=limit_s)
        assert done.code == 0, f"{script}: {done.text}"
        return done.text.strip()

    def start(self, script: str) -> int:
        """Run a shell script as root without waiting; gives the number of its process."""
        words = {"path": "/bin/sh", "arg": ["-c", script], "env": ENVIRONMENT, "capture-output": True}
        return int(self._ask(AGENT, "guest-exec", words)["pid"])

    def wait_for(self, script: str, met: Callable[[str], bool], what: str, *, limit_s: float = LIMIT_S) -> float:
        """Run a script again and again until what it writes is as it should be; gives the seconds that this took."""
        start = time.monotonic()
        while not met(text := self.run(script).text.strip()):
            if time.monotonic() - start > limit_s:
                raise self._error(f"{what}: not within {limit_s:.0f} s, but: {text}")
            time.sleep(LOOK_EVERY_S)
        return time.monotonic() - start

    def wait_for_screen(self, met: Callable[[NDArray[np.uint8]], bool], what: str, kept: Path) -> float:
        """As `wait_for`, with what is on the screen, which is kept in a file if it is not as it should be in time."""
        start = time.monotonic()
        while not met(picture := self.screen()):
            if time.monotonic() - start > LIMIT_S:
                kept.parent.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(kept), picture)
                raise self._error(f"{what}: not within {LIMIT_S:.0f} s; see {kept}")
            time.sleep(LOOK_EVERY_S)
        return time.monotonic() - start

    def screen(self) -> NDArray[np.uint8]:
        """What is on the screen: (height, width, 3), blue first."""
        path = self.folder / "screen.ppm"
        self._ask(MONITOR, "screendump", {"filename": path.name})
        return np.asarray(cv2.imread(str(path)), np.uint8)

    def touch(self, x: int, y: int) -> None:
        """Touch the screen at a pixel for a moment."""
        at = [{"type": "abs", "data": {"axis": axis, "value": value}} for axis, value in self._on_tablet(x, y).items()]
        for down in (True, False):
            button = {"type": "btn", "data": {"button": "left", "down": down}}
            self._ask(MONITOR, "input-send-event", {"events": [*at, button]})
            time.sleep(LOOK_EVERY_S)

    @staticmethod
    def _on_tablet(x: int, y: int) -> Mapping[str, int]:
        return {"x": x * 0x7FFF // WIDTH, "y": y * 0x7FFF // HEIGHT}

    def _ask(
        self, name: str, command: str, arguments: Mapping[str, object] = MappingProxyType({}), limit_s: float = LIMIT_S
    ) -> Any:
        """The answer to a command of the agent or of QEMU itself, past what QEMU tells without being asked."""
        lines = self._lines[name]
        until = time.monotonic() + limit_s
        try:
            lines.write(json.dumps({"execute": command, "arguments": dict(arguments)}))
            while "event" in (answer := json.loads(lines.read(until - time.monotonic()))):
                pass
        except OSError as error:
            raise self._error(f"no answer to {command} ({error})") from error
        if "error" in answer:
            raise self._error(f"{command}: {answer['error']['desc']}")
        return answer["return"]

    def _error(self, what: str) -> MachineError:
        said = [
            path.read_text("utf-8", "replace")[-4000:]
            for path in (self.folder / "serial.log", self.folder / "qemu.log")
            if path.exists()
        ]
        return MachineError(f"{what}\n{''.join(said)}")


@dataclass(frozen=True)
class Service:
    """A service of systemd on a machine."""

    machine: Machine
    name: str

    def says(self, *properties: str) -> dict[str, str]:
        """What systemd says of it."""
        shown = self.machine.tell(f"systemctl show {self.name} {' '.join(f'-p {key}' for key in properties)}")
        return dict(line.split("=", 1) for line in shown.splitlines())

    @property
    def is_active(self) -> bool:
        return self.says("ActiveState")["ActiveState"] == "active"

    @property
    def pid(self) -> int:
        """The number of its main process; 0 where there is none."""
        return int(self.says("MainPID")["MainPID"])

    @property
    def control_group(self) -> str:
        """The folder of what the kernel counts for its main process, and allows it."""
        return f"/sys/fs/cgroup{self.machine.tell(f'cut -d: -f3 /proc/{self.pid}/cgroup')}"

    def memory_mb(self) -> float:
        """What its processes have in memory now, in 10^6 bytes: a page that several have counts once (PSS)."""
        found = self.machine.tell(SUM_OF_PSS.format(group=self.control_group))
        assert found != "0", f"{self.name} has no process"
        return int(found) * 1024 / 1e6

    @contextmanager
    def most_memory(self) -> Iterator[Callable[[], float]]:
        """Sample `memory_mb` every tenth of a second while the block runs; what it yields tells the most of it."""
        folder = self.machine.tell("mktemp -d")
        sample = SUM_OF_PSS.format(group=self.control_group)
        self.machine.start(f"until test -e {folder}/enough; do {sample}; sleep 0.1; done > {folder}/sums")
        try:
            yield lambda: max(map(int, self.machine.tell(f"cat {folder}/sums").split())) * 1024 / 1e6
        finally:
            self.machine.tell(f"touch {folder}/enough")

    @property
    def charged(self) -> str:
        """What the kernel counts for it, with the files that it has read and that are still in memory."""
        counted = self.machine.tell(f"cd {self.control_group} && cat memory.current memory.peak").split()
        now_mb, most_mb = (int(word) / 1e6 for word in counted)
        return f"{now_mb:.0f} MB with cached files, {most_mb:.0f} MB at most"

    def wait(self) -> float:
        """Wait until it is active; gives the seconds that this took."""
        command = f"systemctl is-active {self.name}"
        return self.machine.wait_for(command, lambda state: state == "active", f"{self.name} is active")

    def wait_for_other(self, pid: int) -> float:
        """Wait until it is active with another main process than `pid`; gives the seconds that this took."""
        return self.machine.wait_for(
            f"systemctl show {self.name} -p ActiveState -p MainPID --value",
            lambda said: "active" in said.split() and {str(pid), "0"}.isdisjoint(said.split()),
            f"{self.name} is active again",
        )


class Lines:
    """Lines over a socket."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._read = b""

    def write(self, line: str) -> None:
        self._end.sendall(line.encode() + b"\n")

    def read(self, limit_s: float) -> str:
        """The next line; `OSError` if there is none in time, or the other end is closed."""
        until = time.monotonic() + limit_s
        while b"\n" not in self._read:
            self._end.settimeout(max(0.001, until - time.monotonic()))
            got = self._end.recv(1 << 16)
            if not got:
                raise ConnectionError("the other end is closed")
            self._read += got
        line, _, self._read = self._read.partition(b"\n")
        return line.decode()

    def close(self) -> None:
        self._end.close()
