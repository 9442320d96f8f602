"""USB sticks for an emulated machine: files that hold what a stick does, plugged in and pulled while it runs."""

import json
import struct
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.edge_app.pi.booted import HARDWARE, MONITOR, Machine, MachineError
from tests.edge_app.pi.booted_image import find_tool, make_disk

PORTS: Final = ("-device", "qemu-xhci")
STICK_BYTES: Final = 64 << 20
SECTOR_BYTES: Final = 512
FIRST_SECTOR: Final = 2048
"""Where the only partition begins: 1 MiB, as most programs have it."""
MAKERS: Final = {
    "vfat": ("mkfs.vfat", "-F", "32", "-n"),
    "exfat": ("mkfs.exfat", "-L"),
    "ntfs": ("mkfs.ntfs", "--force", "--fast", "--quiet", "--label"),
    "ext4": ("mke2fs", "-q", "-t", "ext4", "-L"),
}
PARTITION_TYPES: Final = {"vfat": 0x0C, "exfat": 0x07, "ntfs": 0x07, "ext4": 0x83}
LETTERS_OF_FAT: Final = 11
GONE_LIMIT_S: Final = 30.0


@dataclass(frozen=True)
class Stick:
    """A stick by the name that the machine has for it, and the file that holds it."""

    name: str
    file: Path

    @property
    def drive(self) -> dict[str, Any]:
        """What QEMU wants to know of the file."""
        return {"driver": "raw", "node-name": self.name, "file": {"driver": "file", "filename": str(self.file)}}


class MachineWithPorts(Machine):
    """A machine with USB ports; `plugged` are the sticks that are in them when it is switched on."""

    plugged: tuple[Stick, ...] = ()

    def switch_on(self) -> float:
        sticks = [
            word
            for stick in self.plugged
            for word in (
                "-blockdev",
                json.dumps(stick.drive),
                "-device",
                f"usb-storage,id={stick.name},drive={stick.name}",
            )
        ]
        self.hardware = (*HARDWARE, *PORTS, *sticks)
        return super().switch_on()

    def plug_in(self, stick: Stick) -> None:
        """Plug a stick into the running machine."""
        self._ask(MONITOR, "blockdev-add", stick.drive)
        self._ask(MONITOR, "device_add", {"driver": "usb-storage", "id": stick.name, "drive": stick.name})

    def pull(self, stick: Stick) -> None:
        """Pull a stick without asking anybody; what had not reached it is lost."""
        self._ask(MONITOR, "device_del", {"id": stick.name})
        until = time.monotonic() + GONE_LIMIT_S
        while True:
            try:
                self._ask(MONITOR, "blockdev-del", {"node-name": stick.name})
            except MachineError:  # still in use for a moment
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
            else:
                return


def make_stick(folder: Path, name: str, kind: str, label: str, content: Path | None = None) -> Stick:
    """A stick with one partition; `content` for ext4 alone. A label that the tools refuse is written all the same."""
    file, partition = folder / f"{name}.usb", folder / f"{name}.partition"
    if content is not None:
        make_disk(content, partition, STICK_BYTES, label)
    else:
        with partition.open("wb") as empty:
            empty.truncate(STICK_BYTES)
        tool, *options = MAKERS[kind]
        stand_in = "X" * LETTERS_OF_FAT if kind == "vfat" else label
        subprocess.run([find_tool(tool) or tool, *options, stand_in, str(partition)], check=True, capture_output=True)
        if kind == "vfat":
            wanted = label.encode().ljust(LETTERS_OF_FAT)
            partition.write_bytes(partition.read_bytes().replace(stand_in.encode(), wanted))
    entry = struct.pack("<4xB3xII", PARTITION_TYPES[kind], FIRST_SECTOR, STICK_BYTES // SECTOR_BYTES)
    with file.open("wb") as whole:
        whole.write(bytes(446) + entry + bytes(48) + b"\x55\xaa")
        whole.seek(FIRST_SECTOR * SECTOR_BYTES)
        whole.write(partition.read_bytes())
    partition.unlink()
    return Stick(name, file)
