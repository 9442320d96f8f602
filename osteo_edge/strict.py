"""Read JSON into frozen dataclasses strictly: no key missing, none unknown, every value of its declared type."""

import dataclasses
import math
import types
import typing
from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar

MAX_LEVELS = 64
MAX_SHOWN = 100
"""Letters of a value or a name that a message quotes."""

T = TypeVar("T")


class FieldError(ValueError):
    """A field that is missing, unknown, of the wrong type or out of range; the message starts with its path.

    It is one line of printable text, whatever stands in the document.
    """


def from_dict(cls: type[T], data: object, where: str = "") -> T:
    """Build the dataclass `cls` from `data`; `where` is the path of `data` inside the whole document.

    A `ValueError` from the dataclass's own checks becomes a `FieldError` too. Booleans are no numbers, numbers are
    finite, integers are accepted where a float is declared, and `tuple[X, ...]` is read from a JSON list. A field whose
    default is None may be left out: documents from before it had none. JSON has no NaN: in a dataclass whose
    `UNDEFINED_IS_NULL` is true, null stands for a float that is not defined.
    """
    if not isinstance(data, dict):
        raise FieldError(f"{where or 'the document'} must be an object, not {_kind(data)}")
    hints = _hints(cls)  # type: ignore[arg-type]
    fields = dataclasses.fields(cls)  # type: ignore[arg-type]
    _check_keys(fields, data, where)
    convert = _convert_undefined if getattr(cls, "UNDEFINED_IS_NULL", False) else _convert
    values = {
        field.name: convert(hints[field.name], data.get(field.name), f"{where}.{field.name}".lstrip("."))
        for field in fields
    }
    try:
        return cls(**values)
    except FieldError:
        raise
    except ValueError as error:
        raise FieldError(f"{where}.{error}".lstrip(".")) from error


def to_dict(value: Any) -> Any:
    """The inverse of `from_dict`: dataclasses to dicts, tuples to lists."""
    if dataclasses.is_dataclass(value):
        return {field.name: to_dict(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {key: to_dict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_dict(item) for item in value]
    return value


def shown(value: object, most: int = MAX_SHOWN) -> str:
    """A value as a message quotes it: one line, printable, and cut short.

    >>> shown("two\\nlines")
    "'two\\\\nlines'"
    """
    quoted = repr(value)
    return quoted if len(quoted) <= most else f"{quoted[: most - 2]}…{quoted[-1]}"


@cache
def _hints(cls: type[Any]) -> dict[str, Any]:
    """The declared types of a dataclass, which take longer to find out than a document to read."""
    return typing.get_type_hints(cls)


def _check_keys(fields: Sequence[dataclasses.Field[Any]], data: dict[Any, Any], where: str) -> None:
    inside = f" in {where}" if where else ""
    for field in fields:
        if field.name not in data and field.default is not None:
            raise FieldError(f"missing field {field.name!r}{inside}")
    names = {field.name for field in fields}
    for key in data:
        if key not in names:
            raise FieldError(f"unknown field {shown(key)}{inside}")


def _convert(declared: Any, value: object, where: str) -> Any:
    origin, arguments = typing.get_origin(declared), typing.get_args(declared)
    if origin in (types.UnionType, typing.Union):
        return _convert_optional(arguments, value, where)
    if origin is tuple:
        return tuple(
            _convert(arguments[0], item, f"{where}[{number}]")
            for number, item in enumerate(_expect(list, value, where))
        )
    if origin is dict:
        return {
            key: _convert(arguments[1], item, f"{where}.{shown(key)[1:-1]}")
            for key, item in _expect(dict, value, where).items()
        }
    if origin is typing.Literal:
        return _convert_literal(arguments, value, where)
    if dataclasses.is_dataclass(declared):
        return from_dict(declared, value, where)  # type: ignore[arg-type]
    if declared is Any:
        return _expect_shallow(value, where)
    return _convert_scalar(declared, value, where)


def _convert_undefined(declared: Any, value: object, where: str) -> Any:
    return math.nan if declared is float and value is None else _convert(declared, value, where)


def _convert_optional(arguments: tuple[Any, ...], value: object, where: str) -> Any:
    if value is None and type(None) in arguments:
        return None
    (declared,) = (argument for argument in arguments if argument is not type(None))
    return _convert(declared, value, where)


def _convert_literal(allowed: tuple[Any, ...], value: object, where: str) -> Any:
    if not any(value == one and type(value) is type(one) for one in allowed):
        raise FieldError(f"{where} must be one of {', '.join(map(str, allowed))}, not {shown(value)}")
    return value


def _convert_scalar(declared: type, value: object, where: str) -> Any:
    if declared is float and isinstance(value, float | int) and not isinstance(value, bool):
        return _finite(value, where)
    return _expect(declared, value, where)


def _finite(value: float, where: str) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise FieldError(f"{where} must be a finite number")
    return number


def _expect_shallow(value: Any, where: str, levels: int = MAX_LEVELS) -> Any:
    """Free content, but not so deep that whoever walks it runs out of stack."""
    if levels == 0:
        raise FieldError(f"{where} is nested more than {MAX_LEVELS} levels deep")
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in items:
        _expect_shallow(item, where, levels - 1)
    return value


def _expect(declared: type, value: Any, where: str) -> Any:
    if not isinstance(value, declared) or (isinstance(value, bool) and declared is not bool):
        raise FieldError(f"{where} must be {_NAMES[declared]}, not {_kind(value)}")
    return value


_NAMES = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
}


def _kind(value: object) -> str:
    return "null" if value is None else _NAMES.get(type(value), type(value).__name__)
