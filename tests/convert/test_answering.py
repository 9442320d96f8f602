from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.convert.answering import Asked, ask
from osteo_edge.dataset import Case
from osteo_edge.evaluation import predict
from osteo_edge.preprocessing import to_tensor
from osteo_edge.radiograph import read_radiograph
from osteo_edge.runtime import open_interpreter


@pytest.fixture
def cases(draw_film: Callable[..., Path]) -> list[Case]:
    paths = [draw_film(f"{number}.png", brightness=0.1 + 0.08 * number) for number in range(10)]
    return [Case(path, path.name, "osteopenia" if path.stem > "4" else "normal") for path in paths]


def asked(bundles: Sequence[Bundle], cases: Sequence[Case], keep: int = 4) -> Asked:
    return ask(bundles, cases, [f"patient {case.name}" for case in cases], keep=keep)


def test_the_answers_are_those_of_an_evaluation(bundle: Bundle, cases: list[Case]) -> None:
    answers = asked([bundle], cases).answers(0, bundle)
    expected = predict(cases, [case.name for case in cases], bundle.manifest, open_interpreter(bundle))
    np.testing.assert_array_equal(answers.probabilities, expected.probabilities)
    assert answers.truth.tolist() == [0] * 5 + [1] * 5
    assert set(answers.threshold) == {bundle.manifest.decision.threshold}


def test_every_bundle_answers_in_its_place(
    bundle: Bundle, golden_bundle: Callable[..., Bundle], cases: list[Case]
) -> None:
    float32 = golden_bundle("float32", precision="float32")
    both, alone = asked([float32, bundle], cases), asked([bundle], cases)
    np.testing.assert_array_equal(both.answers(1, bundle).probabilities, alone.answers(0, bundle).probabilities)
    assert (both.answers(0, float32).probabilities != alone.answers(0, bundle).probabilities).any()


@pytest.mark.parametrize(("keep", "places"), [(1, [0]), (4, [0, 2, 5, 7]), (99, list(range(10)))])
def test_the_images_that_are_kept_come_from_all_over(
    keep: int, places: list[int], bundle: Bundle, cases: list[Case]
) -> None:
    expected = [to_tensor(read_radiograph(cases[place].path).pixels, bundle.manifest.input) for place in places]
    np.testing.assert_array_equal(asked([bundle], cases, keep).tensors, expected)


def test_an_unreadable_image_is_made_up_for_by_the_next(bundle: Bundle, cases: list[Case]) -> None:
    cases[0].path.write_bytes(b"no image")
    found = asked([bundle], cases, keep=1)
    assert len(found.tensors) == 1
    assert [case.name for case in found.cases] == [case.name for case in cases[1:]]
    assert found.groups[0] == "patient 1.png"
    assert len(found.predictions[0]) == 9
