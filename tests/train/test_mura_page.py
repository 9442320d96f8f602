"""The commands of docs/mura.md, as they stand there, on a few drawn limbs."""

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from osteo_edge.benchmarks.cascades.figures import cascade_figures
from osteo_edge.cli import run
from osteo_edge.dataset import read_dataset
from osteo_edge.table import write_table
from osteo_edge.train.limb_release import write_limbs

PAGE = Path(__file__).resolve().parents[2] / "docs" / "mura.md"
BONES = ("elbow", "hand")
QUICK = {
    "train": ("--weights", "none", "--backbone", "custom_cnn", "--side", "64", "--epochs", "1"),
    "convert": ("--precision", "float32"),
}
"""An untrained network that is not made to fit integers, since nothing is asked of its answers here."""


def _commands(name: str) -> list[str]:
    """The lines of the page's indented blocks that begin with the command; a line that goes on is one with the next."""
    text = PAGE.read_text("utf-8").replace("\\\n", " ")
    return [re.sub(" +", " ", line.strip()) for line in text.splitlines() if re.match(rf" {{4,}}{name} ", line)]


def _for_each(command: str) -> Iterator[list[str]]:
    """The words of a command; of one in the page's loop, for each of the models that there are here."""
    models = ("router", *BONES) if "$model" in command else ("",)
    yield from (shlex.split(command.replace("$model", model)) for model in models)


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """A drawn release called as MURA is, in the working folder; to be cut down to two bones once it was listed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OSTEO_EDGE_CACHE", str(tmp_path / "cache"))
    write_limbs(tmp_path / "MURA-v1.1", per_class=6, size=64, seed=1)

    def cut() -> None:
        columns = ("path", "label", "bone", "patient", "study", "published_part", "label_source")
        cases = [case for case in read_dataset(Path("mura.csv")).cases if case.bone in BONES]
        write_table(Path("mura.csv"), columns, (
            (case.name, case.label, case.bone, case.patient, case.study, case.published_part, "phantom")
            for case in cases
        ))  # fmt: skip

    return cut


@pytest.mark.tf
@pytest.mark.slow
def test_the_commands_lead_from_a_release_to_both_tables(
    release: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    page = [line for line in _commands("osteo-edge") if "mura.csv" in line or " bones" in line]
    assert [shlex.split(line)[1] for line in page] == [
        "data",
        "data",
        "train",
        "convert",
        "evaluate",
        "train",
        "convert",
    ]
    printed = ""
    for line in page:
        for _, *words in _for_each(line):
            assert run([*words, *QUICK.get(words[0], ())]) == 0, capsys.readouterr().err
        if words[:2] == ["data", "mura"]:
            release()
        printed += capsys.readouterr().out
    assert "By bone, study by study" in printed
    assert "Routed to their own bone" in printed
    assert "By bone, study by study" in Path("bones.html").read_text("utf-8")
    (line,) = _commands("python -m osteo_edge.benchmarks.cascades.figures")
    result = CliRunner().invoke(cascade_figures, [*shlex.split(line)[3:], "--runs", "3"])
    for text in ("shared: ", "separate: ", "all separate", "latency of the cascade", "training time, shared / all sep"):
        assert text in result.output
