import math
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from osteo_edge.intervals import Estimate
from osteo_edge.strict import FieldError, from_dict, to_dict


@dataclass(frozen=True)
class Inner:
    share: float

    def __post_init__(self) -> None:
        if self.share > 1:
            raise ValueError("share must be at most 1")


@dataclass(frozen=True)
class Outer:
    name: str
    count: int
    on: bool
    kind: Literal["a", "b"]
    version: Literal[1]
    maybe: float | None
    inner: Inner
    many: tuple[Inner, ...]
    named: dict[str, int]
    free: dict[str, Any]
    later: float | None = None
    limit: int = 3


PLAIN: dict[str, Any] = {
    "name": "knee",
    "count": 3,
    "on": True,
    "kind": "a",
    "version": 1,
    "maybe": None,
    "inner": {"share": 0.5},
    "many": [{"share": 0.25}, {"share": 1.0}],
    "named": {"x": 1},
    "free": {"anything": [1, {"goes": None}]},
    "later": 0.5,
    "limit": 4,
}


def problem_of(**changes: object) -> str:
    with pytest.raises(FieldError) as caught:
        from_dict(Outer, PLAIN | changes)
    return str(caught.value)


def test_a_dataclass_survives_the_round_trip() -> None:
    assert to_dict(from_dict(Outer, PLAIN)) == PLAIN


def test_a_whole_number_is_read_where_a_float_is_declared() -> None:
    read = from_dict(Outer, PLAIN | {"maybe": 2})
    assert type(read.maybe) is float


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("name", 1, "name must be a text, not a whole number"),
        ("count", 1.0, "count must be a whole number, not a number"),
        ("count", True, "count must be a whole number, not true or false"),
        ("count", "1", "count must be a whole number, not a text"),
        ("on", 1, "on must be true or false, not a whole number"),
        ("kind", "c", "kind must be one of a, b, not 'c'"),
        ("kind", [], "kind must be one of a, b, not []"),
        ("version", 1.0, "version must be one of 1, not 1.0"),
        ("version", True, "version must be one of 1, not True"),
        ("maybe", "x", "maybe must be a number, not a text"),
        ("maybe", float("nan"), "maybe must be a finite number"),
        ("maybe", float("inf"), "maybe must be a finite number"),
        ("maybe", 10**400, "maybe must be a finite number"),
        ("inner", None, "inner must be an object, not null"),
        ("inner", {}, "missing field 'share' in inner"),
        ("inner", {"share": 0.1, "more": 1}, "unknown field 'more' in inner"),
        ("inner", {"share": False}, "inner.share must be a number, not true or false"),
        ("inner", {"share": 2}, "inner.share must be at most 1"),
        ("many", {}, "many must be a list, not an object"),
        ("many", [{"share": 1}, 3], "many[1] must be an object, not a whole number"),
        ("many", [{"share": "x"}], "many[0].share must be a number, not a text"),
        ("named", [], "named must be an object, not a list"),
        ("named", {"x": None}, "named.x must be a whole number, not null"),
        ("extra", 1, "unknown field 'extra'"),
    ],
)
def test_an_error_names_the_field_and_the_type(field: str, value: object, problem: str) -> None:
    assert problem_of(**{field: value}) == problem


def test_a_missing_field_is_named() -> None:
    with pytest.raises(FieldError, match="missing field 'count'"):
        from_dict(Outer, {name: value for name, value in PLAIN.items() if name != "count"})


def test_only_a_field_whose_default_is_none_may_be_left_out() -> None:
    assert from_dict(Outer, {name: value for name, value in PLAIN.items() if name != "later"}).later is None
    with pytest.raises(FieldError, match="missing field 'limit'"):
        from_dict(Outer, {name: value for name, value in PLAIN.items() if name != "limit"})


def test_the_whole_document_must_be_an_object() -> None:
    with pytest.raises(FieldError, match="the document must be an object, not a list"):
        from_dict(Outer, [])


def test_free_content_may_not_be_nested_without_end() -> None:
    deep: object = 0
    for _ in range(100):
        deep = {"deeper": [deep]}
    assert problem_of(free={"deep": deep}) == "free.deep is nested more than 64 levels deep"


def test_null_stands_for_an_undefined_number_only_where_the_class_says_so() -> None:
    undefined = from_dict(Estimate, {"value": None, "low": None, "high": 1, "n": 3})
    assert math.isnan(undefined.value)
    assert math.isnan(undefined.low)
    assert undefined.high == 1.0
    with pytest.raises(FieldError, match="n must be a whole number, not null"):
        from_dict(Estimate, {"value": None, "low": None, "high": None, "n": None})
    with pytest.raises(FieldError, match="share must be a number, not null"):
        from_dict(Inner, {"share": None})
