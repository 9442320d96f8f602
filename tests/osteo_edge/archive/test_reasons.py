import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from osteo_edge import dicom, familiarity, gate, image_header, isolated_reading, radiograph
from osteo_edge.archive.film_tags import LEFT_OUT
from osteo_edge.archive.reasons import (
    ANSWERS,
    ENDS_WORKER,
    FAULT,
    OTHER,
    REJECTIONS,
    UNREADABLE,
    answer_code,
    error_code,
    rejection_code,
)
from osteo_edge.bundle import Bundle
from osteo_edge.manifest import Decision
from osteo_edge.screening import decide

SENTENCE_LETTERS = 18
JOINED = "7: 7 x 7 pixels is 7"
OF_NO_FILE = (
    "the process that decodes films does not start, or ends by itself; -v says why",
    "no process can be started that decodes films (7); close other programs",
)


def sentences(module: ModuleType, *functions: str) -> Iterator[str]:
    """The texts in some functions of a module, or in all of them, a 7 for each value; no docstrings, no names."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.FunctionDef) and (node.name in functions or not functions):
            inside = [
                part for statement in node.body[ast.get_docstring(node) is not None :] for part in ast.walk(statement)
            ]
            within = {id(value) for part in inside if isinstance(part, ast.JoinedStr) for value in part.values}
            for part in inside:
                if isinstance(part, ast.JoinedStr):
                    text = "".join(str(v.value) if isinstance(v, ast.Constant) else "7" for v in part.values)
                elif isinstance(part, ast.Constant) and isinstance(part.value, str) and id(part) not in within:
                    text = part.value
                else:
                    continue
                if len(text) >= SENTENCE_LETTERS and " " in text:
                    yield text


REFUSALS = [
    *sentences(gate, "rejections", "_wrong_picture", "_spoilt_film", "knee_rejections"),
    *sentences(familiarity, "_refusal"),
    *(familiarity.UNFAMILIAR, familiarity.UNFAMILIAR_BONE, familiarity.NOT_DRAWN),
]


@pytest.mark.parametrize("sentence", REFUSALS)
def test_each_sentence_of_the_gate_has_a_code(sentence: str) -> None:
    assert rejection_code(sentence) != OTHER


def test_the_sentences_of_the_gate_are_found() -> None:
    assert len(REFUSALS) >= 18


ERRORS = [
    sentence
    for module in (radiograph, image_header, dicom, isolated_reading)
    for sentence in sentences(module)
    if (sentence.startswith("7: ") or ";" in sentence) and sentence not in (JOINED, *OF_NO_FILE)
]


@pytest.mark.parametrize("sentence", ERRORS)
def test_each_reason_why_a_file_is_unreadable_has_a_code(sentence: str) -> None:
    assert error_code(sentence) != OTHER


def test_the_reasons_why_a_file_is_unreadable_are_found() -> None:
    assert len(ERRORS) >= 25


def test_each_answer_has_a_code(bundle: Bundle) -> None:
    decision = Decision(("osteoporosis",), 0.5, 0.9, 0.4, 0.6, "validation")
    codes = {answer_code(decide(score, decision)[1]) for score in (0.1, 0.5, 0.9, float("nan"))}
    assert codes == {"below_threshold", "abstain_band", "threshold_reached", "no_number"}
    assert answer_code("it is not clear which bone this shows: wrist (0.4) or elbow (0.3)") == "unclear_bone"
    assert set(ANSWERS.values()) == {*codes, "unclear_bone"}


def test_the_documentation_names_every_code() -> None:
    codes = {*ANSWERS.values(), *REJECTIONS.values(), *UNREADABLE.values(), *LEFT_OUT, ENDS_WORKER, FAULT, OTHER}
    text = (Path(__file__).parents[3] / "docs" / "archive.md").read_text("utf-8")
    assert {code for code in codes if f"`{code}`" not in text} == set()


def test_a_sentence_that_nobody_knows_is_counted_as_other() -> None:
    assert error_code("never said before") == OTHER
