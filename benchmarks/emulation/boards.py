"""The emulated boards: what their processors say of themselves, which decides on the kernels that a runtime takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from osteo_edge.errors import OsteoEdgeError

LINKED = ("bin", "etc", "lib", "lib64", "sbin", "usr")


@dataclass(frozen=True)
class Board:
    """A board by the name of its processor, as QEMU knows it; the rest is as its own /proc/cpuinfo has it."""

    cpu: str
    title: str
    features: str
    variant: int
    part: int
    revision: int
    cores: int = 4

    @property
    def cpuinfo(self) -> str:
        """The text of /proc/cpuinfo."""
        about = (
            "BogoMIPS\t: 108.00\n"
            f"Features\t: {self.features}\n"
            "CPU implementer\t: 0x41\n"
            "CPU architecture: 8\n"
            f"CPU variant\t: {self.variant:#x}\n"
            f"CPU part\t: {self.part:#x}\n"
            f"CPU revision\t: {self.revision}\n"
        )
        blocks = "".join(f"processor\t: {core}\n{about}\n" for core in range(self.cores))
        return f"{blocks}Model\t\t: {self.title}\n"


BOARDS: Mapping[str, Board] = MappingProxyType(
    {
        board.cpu: board
        for board in (
            Board("cortex-a72", "Raspberry Pi 4 Model B Rev 1.5", "fp asimd evtstrm crc32 cpuid", 0, 0xD08, 3),
            Board(
                "cortex-a76",
                "Raspberry Pi 5 Model B Rev 1.0",
                "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp",
                4,
                0xD0B,
                1,
            ),
        )
    }
)
"""What is counted on unless something else is asked for."""
OLDER_BOARDS: Mapping[str, Board] = MappingProxyType(
    {
        board.cpu: board
        for board in (
            Board("cortex-a53", "Raspberry Pi 3 Model B Plus Rev 1.3", "fp asimd evtstrm crc32 cpuid", 0, 0xD03, 4),
        )
    }
)
"""The same core is in the Raspberry Pi 3B+ and in the Zero 2 W; XNNPACK has kernels of its own for it."""
CPUS = (*BOARDS, *OLDER_BOARDS)


def find_board(cpu: str) -> Board:
    """The board with that processor; `OsteoEdgeError` if there is none."""
    try:
        return BOARDS.get(cpu) or OLDER_BOARDS[cpu]
    except KeyError as error:
        raise OsteoEdgeError(f"{cpu}: no such emulated processor; there are {', '.join(CPUS)}") from error


def write_board(board: Board, root: Path, folder: Path) -> None:
    """Make the empty `folder` what a program on that board sees: the files of `root`, and the board's processors.

    QEMU's user mode looks for every absolute path in such a folder first. Without the processors in /proc and /sys,
    LiteRT's XNNPACK finds the host's or none, and stays out or breaks.
    """
    for name in LINKED:
        if (root / name).exists():
            (folder / name).symlink_to(root / name)
    processors = folder / "sys" / "devices" / "system" / "cpu"
    processors.mkdir(parents=True)
    for name in ("possible", "present", "online"):
        (processors / name).write_text(f"0-{board.cores - 1}\n", "ascii")
    (folder / "proc").mkdir()
    (folder / "proc" / "cpuinfo").write_text(board.cpuinfo, "ascii")
