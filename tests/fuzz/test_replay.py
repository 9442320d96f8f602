"""Every target takes or refuses its corpus, and thousands of damaged copies of it, as it promises."""

import gc
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.fuzz.__main__ import MAX_BYTES, main
from tests.fuzz.mutation import mutations
from tests.fuzz.promise import BrokenPromiseError, keep
from tests.fuzz.registry import CORPUS, TARGETS, corpus, target

pytest.importorskip("pydicom")

SEED = 20_261_122
FEW, MANY = 60, 2000
CORPUS_BYTES = 350_000


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus_is_taken_or_refused_as_promised(name: str) -> None:
    taken = [keep(target(name).read, data) for data in corpus(name)]
    assert any(taken)


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_copies_of_the_corpus_are_taken_or_refused_as_promised(name: str) -> None:
    _replay(name, FEW)


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_two_thousand_damaged_copies_are_taken_or_refused_as_promised(name: str) -> None:
    _replay(name, MANY)


def _replay(name: str, count: int) -> None:
    read = target(name).read
    for number, data in enumerate(mutations(corpus(name), count, SEED)):
        try:
            keep(read, data)
        except BrokenPromiseError as error:
            raise AssertionError(f"{name}, input {number}: {error}") from error
    gc.collect()


def test_the_corpus_is_small() -> None:
    sizes = [path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()]
    assert max(sizes) <= MAX_BYTES
    assert sum(sizes) <= CORPUS_BYTES


def test_damage_is_the_same_in_every_run() -> None:
    files = corpus("kit")
    assert list(mutations(files, 50, 1)) == list(mutations(files, 50, 1))
    assert list(mutations(files, 50, 1)) != list(mutations(files, 50, 2))


@pytest.mark.parametrize("problem", [KeyError("x"), RecursionError(), MemoryError(), AssertionError("outside")])
def test_what_is_no_line_for_the_user_is_a_finding(problem: Exception) -> None:
    def broken(_: bytes) -> None:
        raise problem

    with pytest.raises(BrokenPromiseError):
        keep(broken, b"")


@pytest.mark.parametrize("message", ["two\nlines", "\x1b[2J", "x" * 3000, "\ud800"])
def test_a_line_that_no_user_can_read_is_a_finding(message: str) -> None:
    from osteo_edge.errors import RadiographError

    def broken(_: bytes) -> None:
        raise RadiographError(message)

    with pytest.raises(BrokenPromiseError):
        keep(broken, b"")


def test_the_command_says_how_many_inputs_were_tried_and_writes_down_what_breaks_a_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.fuzz.__main__.find_spec", lambda name: None)
    done = CliRunner().invoke(main, ["kit", "--runs", "20", "--findings", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "kit: 20 inputs" in done.output

    def broken(_: bytes) -> None:
        raise KeyError("x")

    monkeypatch.setattr("tests.fuzz.targets.kit.read", broken)
    done = CliRunner().invoke(main, ["kit", "--runs", "20", "--findings", str(tmp_path)])
    assert isinstance(done.exception, BrokenPromiseError)
    assert [path.name for path in tmp_path.iterdir()] == ["crash-kit-0"]
