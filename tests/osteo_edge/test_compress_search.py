import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from osteo_edge.bundle import Bundle, read_bundle, read_manifest, write_bundle
from osteo_edge.compress_measuring import Images, read_images
from osteo_edge.compress_recipes import RECIPES, STEPS, choose_recipes
from osteo_edge.compress_record import Subject, sole_search
from osteo_edge.compress_search import Found, Plan, least_seconds, search
from osteo_edge.errors import DatasetError, OsteoEdgeError
from osteo_edge.hashing import sha256_bytes
from osteo_edge.manifest import Manifest, Precision
from osteo_edge.subcommand import Ended

GOLDEN = Path(__file__).resolve().parent.parent / "data"
KERAS = sha256_bytes(b"keras")
SUBJECT = Subject(KERAS, "data", "b" * 64, "validation", None, "0")


@dataclass
class Commands:
    """Stands in for the project's commands: writes golden bundles, each step taking 10 s of a clock of its own.

    Steps in `failing` end with an error, those in `interrupted` with Ctrl-C half-way, those in `missing_parity` with a
    bundle that says so.
    """

    manifest: Manifest
    now: float = 0.0
    slow: dict[str, float] = field(default_factory=dict)
    failing: tuple[str, ...] = ()
    interrupted: tuple[str, ...] = ()
    missing_parity: tuple[str, ...] = ()
    called: list[str] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def run(self, words: Sequence[str], *, log: Path, timeout_s: float) -> Ended:
        out = Path(words[-1])
        self.called.append(out.name)
        assert not out.exists(), "what an earlier attempt left is in the way"
        assert log == out.with_name(f"{out.name}.log")
        seconds = self.slow.get(out.name, 10.0)
        self.now += min(seconds, timeout_s)
        if seconds > timeout_s:
            (out / "half").mkdir(parents=True)
            return Ended(None, timeout_s)
        if out.name in self.interrupted:
            (out / "half").mkdir(parents=True)
            out.with_name(f".{out.name}.1234.partial").mkdir()
            raise KeyboardInterrupt
        if out.name in self.failing:
            log.write_text("osteo-edge: no such thing; mend it\n", "utf-8")
            return Ended(1, seconds)
        self._write(out, Path(words[1]))
        return Ended(1 if out.name in self.missing_parity else 0, seconds)

    def _write(self, out: Path, source: Path) -> None:
        precision: Precision = "float32" if out.name == "float32" else "int8"
        model = (GOLDEN / f"golden-{precision}.tflite").read_bytes()
        about = replace(self.manifest.model, sha256=sha256_bytes(model), precision=precision)
        assert self.manifest.parity is not None
        agreement = 0.5 if out.name in self.missing_parity else 1.0
        parity = replace(self.manifest.parity, decision_agreement=agreement, verdict=None).judged(0.98, 1.0)
        parent = replace(self.manifest.parent, sha256=read_manifest(source).model.sha256)
        described = replace(self.manifest, model=about, parity=parity, parent=parent)
        write_bundle(out, described, {"model.tflite": model})


@pytest.fixture
def commands(manifest: Manifest) -> Commands:
    return Commands(manifest)


@pytest.fixture
def images(source: Bundle, films: tuple[Path, Path]) -> Images:
    return read_images(source, *films, "validation")


Searching = Callable[..., Found]


@pytest.fixture
def searching(
    source: Bundle, films: tuple[Path, Path], images: Images, commands: Commands, tmp_path: Path
) -> Searching:
    """Search among some recipes with the stand-in commands."""

    def start(*names: str, budget_s: float = 1000.0, subject: Subject = SUBJECT) -> Found:
        plan = Plan(source.path, *films, tmp_path / "out", choose_recipes(names), None, budget_s)
        return search(
            plan, subject, images, run=commands.run, clock=commands.clock, on_progress=lambda *args, **words: None
        )

    return start


def test_every_recipe_is_made_measured_and_timed_beside_the_reference(searching: Searching, tmp_path: Path) -> None:
    found = searching("int8", "pruned-50-int8")
    assert not found.interrupted
    assert list(found.record.candidates) == ["float32", "int8", "pruned-50-int8"]
    int8, reference = found.record.candidates["int8"], found.record.candidates["float32"]
    assert int8.size_bytes == (GOLDEN / "golden-int8.tflite").stat().st_size
    assert set(int8.aurocs) == {"osteopenia or osteoporosis", "osteoporosis"}
    assert int8.decisions.n == 6
    assert reference.auroc_drop == 0
    for candidate in (int8, reference):
        assert candidate.latency is not None
        assert candidate.latency.ratio.n > 20
    assert reference.latency is not None
    assert reference.latency.ratio.value == 1
    assert found.record.candidates["pruned-50-int8"].seconds == 20
    assert found.record.spent_s == 40
    assert json.loads((tmp_path / "out/search.json").read_text("utf-8"))["spent_s"] == 40


def test_steps_that_recipes_share_are_taken_once(searching: Searching, commands: Commands) -> None:
    searching("pruned-50-int8", "pruned-50-qat-int8")
    assert commands.called == ["float32", "pruned-50", "pruned-50-int8", "pruned-50-qat", "pruned-50-qat-int8"]


def test_an_interrupted_search_keeps_what_it_finished_and_goes_on(searching: Searching, commands: Commands) -> None:
    commands.interrupted = ("pruned-50-qat",)
    names = ("int8", "pruned-50-int8", "pruned-50-qat-int8")
    found = searching(*names)
    assert found.interrupted
    assert list(found.record.candidates) == ["float32", "int8", "pruned-50-int8"]
    commands.called, commands.interrupted = [], ()
    again = searching(*names)
    assert commands.called == ["pruned-50-qat", "pruned-50-qat-int8"]
    assert list(again.record.candidates) == ["float32", "int8", "pruned-50-int8", "pruned-50-qat-int8"]
    assert again.record.candidates["pruned-50-qat-int8"].seconds == 30


def test_what_an_interrupted_command_left_is_removed(searching: Searching, commands: Commands, tmp_path: Path) -> None:
    commands.interrupted = ("int8",)
    searching("int8")
    assert (tmp_path / "out/int8/half").is_dir()
    commands.interrupted = ()
    searching("int8")
    assert read_bundle(tmp_path / "out/int8").manifest.model.precision == "int8"
    assert list((tmp_path / "out").glob("*.partial")) == []


def test_a_folder_is_a_search_from_the_first_command_on(
    searching: Searching, commands: Commands, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def killed(words: Sequence[str], *, log: Path, timeout_s: float) -> Ended:
        assert (tmp_path / "out/search.json").is_file()
        return Commands.run(commands, words, log=log, timeout_s=timeout_s)

    monkeypatch.setattr(commands, "run", killed)
    assert len(searching("int8").record.candidates) == 2


def test_a_search_that_is_done_runs_nothing_again(searching: Searching, commands: Commands) -> None:
    first = searching("int8")
    commands.called = []
    again = searching("int8")
    assert commands.called == []
    assert again.record.candidates["int8"].aurocs == first.record.candidates["int8"].aurocs


def test_other_recipes_are_added_and_only_those_asked_for_are_shown(searching: Searching, commands: Commands) -> None:
    searching("int8")
    found = searching("float16")
    assert list(found.record.candidates) == ["float32", "float16"]
    assert commands.called == ["float32", "int8", "float16"]
    assert list(searching("int8", "float16").record.candidates) == ["float32", "int8", "float16"]


@pytest.mark.parametrize("harm", ["gone", "altered", "exchanged"])
def test_a_bundle_that_is_no_longer_what_was_measured_is_made_again(
    harm: str, searching: Searching, commands: Commands, tmp_path: Path
) -> None:
    searching("int8", "float16")
    bundle = tmp_path / "out/int8"
    if harm == "altered":
        (bundle / "model.tflite").write_bytes(b"x")
    else:
        bundle.rename(tmp_path / "away")
    if harm == "exchanged":
        (tmp_path / "out/float32").rename(bundle)
    commands.called = []
    found = searching("int8", "float16")
    assert commands.called == {"exchanged": ["float32"]}.get(harm, ["int8"])
    assert set(found.record.candidates) == {"float32", "int8", "float16"}


@pytest.mark.parametrize("harm", ["gone", "altered", "exchanged"])
def test_what_was_made_from_a_bundle_that_is_lost_is_made_again_too(
    harm: str, searching: Searching, commands: Commands, tmp_path: Path
) -> None:
    names = ("int8", "pruned-50-int8", "pruned-50-qat-int8")
    searching(*names)
    bundle = tmp_path / "out/pruned-50"
    if harm == "gone":
        bundle.rename(tmp_path / "away")
    elif harm == "altered":
        (bundle / "model.tflite").write_bytes(b"x")
    else:
        shutil.copytree(tmp_path / "out/float32", bundle, dirs_exist_ok=True)
    commands.called = []
    found = searching(*names)
    made = ["pruned-50", "pruned-50-int8", "pruned-50-qat", "pruned-50-qat-int8"]
    assert commands.called == (made[1:] if harm == "exchanged" else made)
    assert list(found.record.candidates) == ["float32", *names]


def test_a_step_is_stopped_when_the_time_is_over_and_goes_on_with_more(
    searching: Searching, commands: Commands, tmp_path: Path
) -> None:
    commands.slow = {"pruned-50": 500}
    names = ("int8", "pruned-50-int8", "pruned-50-qat-int8")
    found = searching(*names, budget_s=100)
    assert commands.now == 100
    assert list(found.record.candidates) == ["float32", "int8"]
    assert found.record.untried == {
        "pruned-50-int8": "pruned-50 was stopped after 1.4 min, when the time was over",
        "pruned-50-qat-int8": "no time was left",
    }
    assert not (tmp_path / "out/pruned-50").exists()
    commands.called = []
    assert "pruned-50-int8" in searching(*names, budget_s=100).record.untried
    assert commands.called == []
    more = searching(*names, budget_s=1000).record
    assert (len(more.candidates), more.untried) == (4, {})


def test_what_cannot_fit_any_more_is_not_begun(searching: Searching, commands: Commands) -> None:
    commands.slow = {"pruned-25": 60}
    found = searching("pruned-25-int8", "pruned-50-int8", budget_s=100)
    assert "pruned-50" not in commands.called
    assert found.record.untried == {"pruned-50-int8": "takes 1.2 min or more, 0.4 min were left"}


def test_the_least_time_is_that_of_steps_of_the_same_kind() -> None:
    steps = RECIPES["pruned-50-int8"].steps
    assert least_seconds(steps, {}) == 0
    assert least_seconds(steps, {"float32": 5, "dynamic": 20}) == 5
    assert least_seconds(steps, {"float32": 5, "int8": 30, "pruned-25": 100, "pruned-25-int8": 25}) == 130
    assert least_seconds(steps, {"float32": 5, "qat": 70}) == 5
    assert set(STEPS) > {"qat", "pruned-25"}


def test_a_recipe_that_fails_is_noted_and_tried_again_later(searching: Searching, commands: Commands) -> None:
    commands.failing = ("int8",)
    found = searching("int8", "mixed")
    assert found.record.failed == {"int8": "int8: no such thing; mend it"}
    assert list(found.record.candidates) == ["float32", "mixed"]
    commands.failing = ()
    assert searching("int8", "mixed").record.failed == {}


@pytest.mark.parametrize("how", ["fails", "has no time"])
def test_without_the_reference_there_is_nothing_to_search(how: str, searching: Searching, commands: Commands) -> None:
    commands.failing = ("float32",) if how == "fails" else ()
    said = "float32: no such thing; mend it" if how == "fails" else "raise --time-budget-min"
    with pytest.raises(OsteoEdgeError, match=said):
        searching("int8", budget_s=1000 if how == "fails" else 5)


def test_a_conversion_that_misses_parity_is_kept_and_marked(searching: Searching, commands: Commands) -> None:
    commands.missing_parity = ("int8",)
    found = searching("int8")
    shortfall = found.record.candidates["int8"].shortfall
    assert shortfall is not None
    assert "decisions agree on 50.0%" in shortfall
    assert found.record.failed == {}


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (replace(SUBJECT, bundle_sha256="c" * 64), f"another bundle sha256 ({KERAS[:10]}..., now cccccccccc...)"),
        (replace(SUBJECT, epochs=3), "another epochs (not given, now 3)"),
        (replace(SUBJECT, part="train"), "another part (validation, now train)"),
    ],
)
def test_a_search_about_something_else_is_refused(
    other: Subject, words: str, searching: Searching, tmp_path: Path
) -> None:
    searching("float32")
    before = (tmp_path / "out/search.json").read_bytes()
    with pytest.raises(OsteoEdgeError) as error:
        searching("float32", subject=other)
    assert words in str(error.value)
    assert (tmp_path / "out/search.json").read_bytes() == before


@pytest.mark.parametrize("what", ["a file", "a folder with something in it", "a link to nowhere", "a broken record"])
def test_a_place_that_holds_no_search_is_left_alone(what: str, searching: Searching, tmp_path: Path) -> None:
    out = tmp_path / "out"
    if what == "a file":
        out.write_text("mine", "utf-8")
    elif what == "a link to nowhere":
        out.symlink_to(tmp_path / "nowhere")
    else:
        out.mkdir()
        (out / ("mine" if what.endswith("in it") else "search.json")).write_text("{}", "utf-8")
    with pytest.raises(OsteoEdgeError, match="choose another --out"):
        searching("int8")
    assert not out.is_dir() or len(os.listdir(out)) == 1  # noqa: PTH208 - names alone


def test_an_empty_folder_can_be_searched_in(searching: Searching, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert len(searching("int8").record.candidates) == 2


def test_two_searches_in_one_folder_do_not_meet(searching: Searching, tmp_path: Path) -> None:
    with sole_search(tmp_path / "out"), pytest.raises(OsteoEdgeError, match="another search is at work there"):
        searching("int8")
    assert len(searching("int8").record.candidates) == 2


def test_another_split_than_the_trained_one_is_refused(source: Bundle, films: tuple[Path, Path]) -> None:
    films[1].write_bytes(films[1].read_bytes() + b"\n")
    with pytest.raises(DatasetError, match="not the split that"):
        read_images(source, *films, "validation")


def test_a_part_that_cannot_answer_a_question_is_refused(source: Bundle, films: tuple[Path, Path]) -> None:
    with pytest.raises(DatasetError, match="the train part cannot tell the AUROC of osteopenia or osteoporosis"):
        read_images(source, *films, "train")
