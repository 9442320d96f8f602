import json
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.dataset import Case
from osteo_edge.errors import DatasetError
from osteo_edge.gate import DEFAULT_GATE
from osteo_edge.manifest import Manifest
from osteo_edge.runtime import Interpreter, open_interpreter
from osteo_edge.screening import screen
from osteo_edge.train.disturbances import DISTURBANCES, STRENGTHS, Disturbance
from osteo_edge.train.stress import StressTest, choose_evenly, reply_to, stress_test
from tests.cascade import UNCLEAR, draw_limb, write_cascade

Draw = Callable[..., Path]
DARKER = next(disturbance for disturbance in DISTURBANCES if disturbance.name == "darker")
NOTHING = Disturbance("nothing", "none", (1, 2, 3, 4, 5), lambda film, amount, chance: film)


@pytest.fixture
def interpreter(bundle: Bundle) -> Interpreter:
    return open_interpreter(bundle)


@pytest.fixture
def cases(draw_film: Draw) -> list[Case]:
    brightnesses = {"normal": (0.2, 0.3), "osteoporosis": (0.7, 0.9)}
    return [
        Case(draw_film(f"{label}{number}.png", brightness=brightness), f"{label}{number}.png", label)
        for label, of_label in brightnesses.items()
        for number, brightness in enumerate(of_label)
    ]


def run(cases: list[Case], bundle: Bundle, interpreter: Interpreter, *kinds: Disturbance, seed: int = 0) -> StressTest:
    return stress_test(cases, [case.name for case in cases], bundle, interpreter, kinds, seed=seed)


def labelled(**counts: int) -> list[Case]:
    names = [(label, f"{label}{number}") for label, count in counts.items() for number in range(count)]
    return [Case(Path(name), name, label) for label, name in names]


@pytest.mark.parametrize(
    ("limit", "counts"),
    [(3, (1, 1, 1)), (9, (3, 4, 2)), (20, (7, 11, 2)), (100, (10, 50, 2))],
)
def test_films_are_chosen_evenly_over_their_labels(limit: int, counts: tuple[int, ...]) -> None:
    cases = labelled(a=10, b=50, c=2)
    chosen = choose_evenly(cases, limit, seed=0)
    found = Counter(case.label for case in chosen)
    assert sum(found.values()) == min(limit, len(cases))
    assert found["c"] == min(2, counts[2])
    assert abs(found["a"] - found["b"]) <= 1 or found["a"] == 10
    assert chosen == [case for case in cases if case in chosen]


def test_the_seed_decides_which_films_are_chosen() -> None:
    cases = labelled(a=40, b=40)
    assert choose_evenly(cases, 10, seed=1) == choose_evenly(cases, 10, seed=1)
    assert choose_evenly(cases, 10, seed=1) != choose_evenly(cases, 10, seed=2)


def test_every_film_is_screened_untouched_and_at_every_strength(
    cases: list[Case], bundle: Bundle, interpreter: Interpreter
) -> None:
    test = run(cases[1:3], bundle, interpreter, *DISTURBANCES)
    assert len(test.levels) == len(DISTURBANCES) * STRENGTHS
    assert [(level.disturbance, level.strength) for level in test.levels] == [
        (disturbance, strength) for disturbance in DISTURBANCES for strength in range(1, STRENGTHS + 1)
    ]
    assert {len(level.replies) for level in test.levels} == {2}
    assert test.positive.tolist() == [False, True]
    assert test.question == "osteopenia or osteoporosis"


def test_what_is_not_disturbed_is_answered_as_the_film_itself(
    cases: list[Case], bundle: Bundle, interpreter: Interpreter
) -> None:
    test = run(cases, bundle, interpreter, NOTHING)
    for level in test.levels:
        assert level.replies == test.untouched


def test_a_colour_file_is_compared_with_its_own_pixels_in_grey(
    cases: list[Case], bundle: Bundle, interpreter: Interpreter
) -> None:
    grey = cv2.imread(str(cases[0].path), cv2.IMREAD_GRAYSCALE)
    assert grey is not None
    cv2.imwrite(str(cases[0].path), np.stack([grey // 2, grey // 3, grey], axis=-1))
    refused = reply_to(cases[0].path, bundle, interpreter)
    assert refused.refusal == "a colour picture, not a radiograph"
    test = run(cases[:1], bundle, interpreter, NOTHING)
    assert [reply.refusal for reply in test.untouched] == [None]
    for level in test.levels:
        assert level.replies == test.untouched


def test_films_that_the_gate_refuses_untouched_are_known(
    cases: list[Case], golden_bundle: Callable[..., Bundle], interpreter: Interpreter, draw_film: Draw
) -> None:
    small = Case(draw_film("small.png", height=200, width=150), "small.png", "normal")
    strict = golden_bundle("strict", gate=replace(DEFAULT_GATE, min_side_px=170))
    assert run([*cases, small], strict, interpreter, DARKER).refused.tolist() == [False] * 4 + [True]


def test_a_reply_is_that_of_the_screening(film: Path, bundle: Bundle, interpreter: Interpreter) -> None:
    _, screening = screen(film, bundle, interpreter)
    reply = reply_to(film, bundle, interpreter)
    assert (reply.score, reply.outcome, reply.refusal) == (screening.score, screening.outcome, None)


def test_a_film_that_the_gate_refuses_still_has_the_answer_that_it_would_have_had(
    film: Path, bundle: Bundle, golden_bundle: Callable[..., Bundle], interpreter: Interpreter
) -> None:
    free = reply_to(film, bundle, interpreter)
    strict = golden_bundle("strict", gate=replace(DEFAULT_GATE, min_side_px=5000))
    refused = reply_to(film, strict, interpreter)
    assert (refused.score, refused.outcome) == (free.score, free.outcome)
    assert refused.refusal is not None
    assert refused.refusal.startswith("too small")


def test_darkness_that_turns_an_answer_is_seen_in_the_score(
    cases: list[Case], bundle: Bundle, interpreter: Interpreter
) -> None:
    test = run(cases, bundle, interpreter, DARKER)
    scores = np.array([[reply.score for reply in level.replies] for level in test.levels])
    assert (np.diff(scores, axis=0) <= 1e-9).all()
    assert [test.untouched[3].outcome, test.levels[-1].replies[3].outcome] == ["refer", "no_finding"]


@pytest.fixture
def limbs(tmp_path: Path) -> list[Case]:
    return [
        Case(draw_limb(tmp_path / f"{bone}{brightness}.png", bone, brightness), f"{bone}{brightness}.png", label)
        for bone, brightness, label in (("elbow", 0.3, "elbow normal"), ("wrist", 0.8, "wrist abnormal"))
    ]


def test_a_model_of_several_bones_is_tested_too(manifest: Manifest, tmp_path: Path, limbs: list[Case]) -> None:
    cascade = write_cascade(tmp_path / "cascade", manifest)
    test = run(limbs, cascade, open_interpreter(cascade), DARKER)
    assert test.question == "any finding"
    assert test.positive.tolist() == [False, True]
    assert test.bones == ("elbow", "wrist")
    assert test.strata.tolist() == [0, 1]
    assert [(reply.bone, reply.outcome) for reply in test.untouched] == [("elbow", "no_finding"), ("wrist", "refer")]
    assert test.levels[-1].replies[1].outcome != "refer"


def test_a_reply_of_a_model_of_several_bones_is_that_of_the_screening(
    manifest: Manifest, tmp_path: Path, limbs: list[Case]
) -> None:
    cascade = write_cascade(tmp_path / "cascade", manifest)
    interpreter = open_interpreter(cascade)
    for case in limbs:
        _, screening = screen(case.path, cascade, interpreter)
        reply = reply_to(case.path, cascade, interpreter)
        assert (reply.score, reply.outcome, reply.bone) == (screening.score, screening.outcome, screening.bone)
    unclear = reply_to(draw_limb(tmp_path / "unclear.png", "elbow", 0.5, contrast=UNCLEAR), cascade, interpreter)
    assert (unclear.outcome, unclear.bone) == ("uncertain", None)


def test_a_film_that_another_head_answers_is_known(manifest: Manifest, tmp_path: Path, limbs: list[Case]) -> None:
    cascade = write_cascade(tmp_path / "cascade", manifest)
    on_its_side = Disturbance("fall", "times", (1, 2, 3, 4, 5), lambda film, amount, chance: film.T)
    test = run(limbs, cascade, open_interpreter(cascade), on_its_side)
    assert [reply.bone for reply in test.untouched] == ["elbow", "wrist"]
    assert [reply.bone for reply in test.levels[0].replies] == ["wrist", "elbow"]
    assert test.bones == ("elbow", "wrist")


def test_the_same_seed_gives_the_same_test_and_other_films_change_nothing(
    cases: list[Case], bundle: Bundle, interpreter: Interpreter
) -> None:
    noise = next(disturbance for disturbance in DISTURBANCES if disturbance.name == "noise")
    test = run(cases, bundle, interpreter, noise)
    assert run(cases, bundle, interpreter, noise) == test
    alone = run(cases[2:], bundle, interpreter, noise)
    assert [level.replies for level in alone.levels] == [level.replies[2:] for level in test.levels]
    assert run(cases, bundle, interpreter, noise, seed=1).levels != test.levels


def test_a_film_that_cannot_be_read_is_left_out_and_named(
    cases: list[Case], bundle: Bundle, interpreter: Interpreter
) -> None:
    cases[1].path.write_bytes(b"no image")
    test = run(cases, bundle, interpreter, NOTHING)
    assert [case.name for case in test.cases] == ["normal0.png", "osteoporosis0.png", "osteoporosis1.png"]
    assert test.groups == tuple(case.name for case in test.cases)
    assert len(test.skipped) == 1
    assert "normal1.png" in test.skipped[0]
    for case in cases:
        case.path.write_bytes(b"no image")
    with pytest.raises(DatasetError, match=r"none of 4 images can be screened: .*normal0\.png"):
        run(cases, bundle, interpreter, NOTHING)


def test_an_interruption_leaves_no_file_behind(
    cases: list[Case], bundle: Bundle, interpreter: Interpreter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "temporary"
    own.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(own))
    seen = []

    def interrupt(done: int, total: int) -> None:
        seen.append([path.name for path in own.rglob("*")])
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stress_test(cases, [case.name for case in cases], bundle, interpreter, [NOTHING], on_progress=interrupt)
    assert "film.png" in seen[-1]
    assert list(own.iterdir()) == []


def test_the_replies_can_be_written_as_json(cases: list[Case], bundle: Bundle, interpreter: Interpreter) -> None:
    test = run(cases, bundle, interpreter, NOTHING)
    assert json.loads(json.dumps([vars(reply) for reply in test.untouched]))
