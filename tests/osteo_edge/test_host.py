import sys
from pathlib import Path

from osteo_edge.host import Host, output_of


def test_a_command_gives_what_it_prints() -> None:
    assert output_of([sys.executable, "-c", "print('temp=48.3')"]) == "temp=48.3"


def test_a_command_that_fails_or_is_not_there_gives_nothing() -> None:
    assert output_of([sys.executable, "-c", "print('half'); raise SystemExit(1)"]) is None
    assert output_of(["/no/vcgencmd"]) is None


def test_files_are_read_below_the_root_and_nothing_is_made_of_what_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(b"Raspberry Pi 5 Model B Rev 1.0\0")
    (tmp_path / "count").write_text("12\n")
    host = Host(tmp_path)
    assert host.read("model") == "Raspberry Pi 5 Model B Rev 1.0"
    assert (host.read_number("count"), host.read_number("model"), host.read_number("none")) == (12, None, None)
    assert host.read("none") is None
    assert host.find("*o*") == ("count", "model")
