import pytest

from osteo_edge.portable_names import MAX_LETTERS, clashing, is_portable


@pytest.mark.parametrize(
    "path", ["install.sh", "wheels/any.tar.xz", "a-1.0+local-py3.whl", "units/stick@.service", "_a/b~", "console.txt"]
)
def test_the_names_of_kits_and_bundles_are_portable(path: str) -> None:
    assert is_portable(path)


@pytest.mark.parametrize(
    "path",
    [
        *("", "/a", "a/", "a//b", ".", "..", ".hidden", "a/../b", "a\\b", "C:a", "a b", "a\n", "é", "a.", "x" * 256),
        *("con", "CON.txt", "a/Nul", "com1.tar.xz", "LPT9", "prn.", "aux"),
    ],
)
def test_a_name_that_some_system_takes_for_something_else_is_not(path: str) -> None:
    assert not is_portable(path)


def test_the_longest_name_is_portable() -> None:
    assert is_portable("x" * MAX_LETTERS)


def test_names_clash_by_their_letters_whatever_their_capitals() -> None:
    assert clashing(["a", "b", "c"]) is None
    assert clashing(["a", "b", "a"]) == "a"
    assert clashing(["model.tflite", "MODEL.tflite"]) == "MODEL.tflite"
