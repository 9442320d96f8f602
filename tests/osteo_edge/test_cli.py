import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from osteo_edge import cli
from osteo_edge.bundle import Bundle
from osteo_edge.cli import COMMANDS, run
from osteo_edge.version import VERSION


def leaves(group: click.Group, *words: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, with the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from leaves(command, *words, name)
        else:
            yield (*words, name), command


LEAVES = dict(leaves(cli.cli))


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Let `osteo-edge inspect` end in an exception."""

    def install(error: BaseException) -> None:
        def fail(path: Path) -> Bundle:
            raise error

        monkeypatch.setattr("osteo_edge.inspect_command.read_bundle", fail)

    return install


@pytest.fixture(autouse=True)
def quiet_logging() -> Iterator[None]:
    """-v changes the level of the package's logger: put it back."""
    logger = logging.getLogger("osteo_edge")
    yield
    logger.setLevel(logging.NOTSET)


def lines_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


PROGRAM = """
import gc, sys
from osteo_edge import cli
code = cli.run(sys.argv[1:])
print(code, gc.isenabled(), *({"logging", "numpy.ma"} & sys.modules.keys()))
"""


def test_a_screening_loads_nothing_large_that_it_does_not_need(film: Path, bundle: Bundle) -> None:
    command = [sys.executable, "-c", PROGRAM, "screen", str(bundle.path), str(film), "--any-film"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed.splitlines()[-1] == "0 True"


def test_the_program_ends_without_looking_for_what_could_be_freed() -> None:
    program = "import atexit, gc; from osteo_edge import cli; atexit.register(lambda: print(gc.get_freeze_count()))"
    command = [sys.executable, "-c", f"{program}; cli.main()", "--version"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert int(printed.splitlines()[-1]) > 1000


def test_the_overview_says_what_no_model_is_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    about, _, _ = capsys.readouterr().out.partition("Start here:")
    assert "A referral aid, never a diagnosis and never a rule-out." in about
    assert "density" not in about


def test_the_overview_lists_every_command_with_its_summary(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    printed = capsys.readouterr().out
    for name, entry in COMMANDS.items():
        assert f"{name} " in printed
        assert entry.summary in printed
    assert "never a diagnosis" in printed


@pytest.mark.parametrize("name", COMMANDS)
def test_the_summary_is_the_short_help_of_the_command(name: str) -> None:
    command = cli.cli.get_command(click.Context(cli.cli), name)
    assert command is not None
    assert COMMANDS[name].summary == command.get_short_help_str(limit=200)


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_every_command_has_help_with_an_example_and_verbose(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*words, "--help"]) == 0
    printed = capsys.readouterr().out
    assert f"\n    osteo-edge {' '.join(words)} " in printed.partition("  Example:")[2].replace("\n\n", " ")
    assert printed.count("-v, --verbose") == 1
    assert max(len(line) for line in printed.splitlines()) <= 100


def test_a_second_call_does_not_add_verbose_again() -> None:
    for _ in range(2):
        command = cli.cli.get_command(click.Context(cli.cli), "inspect")
    assert command is not None
    assert [option.name for option in command.params].count("verbose") == 1


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert VERSION in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["frobnicate"], ["inspect"], ["inspect", "--frobnicate", "x"], ["screen", "x"], ["--frobnicate"]]
)
def test_wrong_usage_is_told_and_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Error: " in printed.err
    assert "Traceback" not in printed.err


def test_a_success_ends_with_0(bundle: Bundle) -> None:
    assert run(["inspect", str(bundle.path)]) == 0


def test_what_a_user_can_mend_is_one_line_and_ends_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", str(tmp_path / "gone")]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"osteo-edge: {tmp_path / 'gone'}: no such bundle")
    assert len(lines_of(printed.err)) == 1


def test_what_an_error_names_cannot_write_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", "gone\x07\r\u202e"]) == 1
    assert capsys.readouterr().err.startswith("osteo-edge: gone\\x07\\r\\u202e: no such bundle")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interruption_ends_with_130(
    error: BaseException, failing: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    failing(error)
    assert run(["inspect", "x"]) == 130
    assert lines_of(capsys.readouterr().err) == ["osteo-edge: interrupted; nothing half-written was left behind"]


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (PermissionError(13, "Permission denied", "/some/file"), "osteo-edge: /some/file: Permission denied"),
        (OSError(28, "No space left on device"), "osteo-edge: a file, or standard output: No space left on device"),
        (MemoryError(), "osteo-edge: there is not enough memory for this; free some, or name a smaller file"),
        (OSError("odd"), "osteo-edge: a file, or standard output: odd"),
    ],
)
def test_what_the_system_refuses_is_one_line(
    error: Exception, line: str, failing: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    failing(error)
    assert run(["inspect", "x"]) == 1
    assert lines_of(capsys.readouterr().err) == [line]


def test_our_own_mistakes_are_not_hidden(failing: Callable[[BaseException], None]) -> None:
    failing(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        run(["inspect", "x"])


def test_verbose_shows_the_error_behind_the_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "osteo_edge", "inspect", "-v", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert done.stderr.splitlines()[-1].startswith(f"osteo-edge: {tmp_path}: not a bundle")


def test_a_reader_that_goes_away_is_no_error_to_talk_about(bundle: Bundle) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "osteo_edge", "inspect", str(bundle.path), "--json"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")


def test_a_full_disk_behind_standard_output_is_one_line(bundle: Bundle) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    command = f"{sys.executable} -m osteo_edge inspect {bundle.path} --json > /dev/full"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "osteo-edge: a file, or standard output: No space left on device\n")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_stream_that_is_closed_takes_nothing_and_ends_nothing(closed: str, tmp_path: Path, bundle: Bundle) -> None:
    out = tmp_path / "card.md"
    command = f"{sys.executable} -m osteo_edge inspect {bundle.path} --card {out} {closed}"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert out.read_text("utf-8").startswith("#")


def test_a_command_that_is_terminated_tidies_up_as_one_that_failed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "osteo_edge", "data", "phantom", "films", "--per-class", "500"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE) as process:
        for _ in range(3000):
            if any(tmp_path.rglob("*.png")):
                break
            time.sleep(0.01)
        assert any(tmp_path.rglob("*.png"))
        process.terminate()
        assert process.communicate(timeout=30)[1] == b""
    assert process.returncode == 143
    assert list(tmp_path.iterdir()) == []


def test_a_loop_of_links_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert run(["data", "phantom", str(loop), "--per-class", "1"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "loop" in line


@pytest.mark.parametrize("stated", ["abc", "9" * 20, ""])
def test_a_time_that_is_none_is_told_before_a_library_stumbles_over_it(
    stated: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", stated)
    assert run(["doctor"]) == 1
    assert "must be seconds since 1970; set it so, or unset it" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["screen", "", "film.png"], ["inspect", ""], ["train", "films", "--out", ""]])
def test_a_name_that_is_empty_is_not_the_current_folder(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words) == 2
    assert "the name is empty; name a file or folder" in capsys.readouterr().err


def test_a_name_that_is_no_text_can_be_shown(tmp_path: Path, bundle: Bundle, film: Path) -> None:
    name = os.fsencode(tmp_path) + b"/kn\xe9e.png"
    os.rename(os.fsencode(film), name)  # noqa: PTH104 - bytes, not a path
    for options in ([], ["--json"]):
        command = [sys.executable, "-m", "osteo_edge", "screen", str(bundle.path), os.fsdecode(name), *options]
        done = subprocess.run(command, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"kn\\udce9e.png" in done.stdout
