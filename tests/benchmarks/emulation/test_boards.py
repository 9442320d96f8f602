from pathlib import Path

import pytest

from osteo_edge.benchmarks.emulation.boards import BOARDS, find_board, write_board
from osteo_edge.errors import OsteoEdgeError


def test_only_the_newer_board_has_dot_products_and_half_precision() -> None:
    features = {cpu: set(board.features.split()) for cpu, board in BOARDS.items()}
    assert features["cortex-a76"] >= {"asimddp", "asimdhp", "fphp"}
    assert not features["cortex-a72"] & {"asimddp", "asimdhp", "fphp"}


def test_the_oldest_board_is_counted_on_only_where_it_is_asked_for() -> None:
    assert find_board("cortex-a53").part == 0xD03
    assert "cortex-a53" not in BOARDS


def test_a_program_sees_the_roots_files_and_the_boards_processors(tmp_path: Path) -> None:
    root, folder = tmp_path / "root", tmp_path / "board"
    for path in (root / "usr" / "bin", root / "proc", root / "home", folder):
        path.mkdir(parents=True)
    (root / "usr" / "bin" / "python3").touch()
    write_board(find_board("cortex-a72"), root, folder)
    assert (folder / "usr" / "bin" / "python3").exists()
    assert not (folder / "home").exists()
    cpuinfo = (folder / "proc" / "cpuinfo").read_text("ascii")
    assert [line for line in cpuinfo.splitlines() if line.startswith("processor")] == [
        f"processor\t: {core}" for core in range(4)
    ]
    assert cpuinfo.count("CPU part\t: 0xd08\n") == 4
    assert (folder / "sys" / "devices" / "system" / "cpu" / "possible").read_text("ascii") == "0-3\n"


def test_an_unknown_processor_is_one_line() -> None:
    with pytest.raises(OsteoEdgeError, match="cortex-m4: no such emulated processor; there are cortex-a72, cortex-a76"):
        find_board("cortex-m4")
