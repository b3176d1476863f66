"""Reads the operator's `config` table, which is JSON, into a dataclass.

The words of the errors are serde's, as in all SDKs, because people and tests compare them.
"""

import dataclasses
import json
import types
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin, get_type_hints

from .codec import Integer
from .failure import OtherFailure

__all__ = ["read_config"]


class _Invalid(ValueError):
    """The mistake in a value, in serde's words."""


def read_config(kind: type[Any] | None, text: str) -> Any:
    """Returns an object of the dataclass `kind`, or `None` without one. Raises `OtherFailure`."""
    try:
        table = json.loads(text) if text.strip() else {}
        if table is None:
            table = {}
        if kind is None:
            return _unit(table)
        if not dataclasses.is_dataclass(kind):
            raise TypeError(f"config: {kind!r} is not a dataclass")
        return _struct(cast(type[Any], kind), table)
    except (ValueError, RecursionError) as error:
        raise OtherFailure(f"the operator's config: {error}") from None


def _unit(table: Any) -> None:
    if isinstance(table, dict):
        for name in table:
            raise _unknown("field", name, [])
    else:
        raise _Invalid(f"invalid type: {_what(table)}, expected a map")


def _struct(kind: type[Any], table: Any) -> Any:
    if not isinstance(table, dict):
        raise _Invalid(f"invalid type: {_what(table)}, expected struct {kind.__name__}")
    hints = get_type_hints(kind, include_extras=True)
    fields = {field.name: field for field in dataclasses.fields(kind) if field.init}
    for name in table:
        if name not in fields:
            raise _unknown("field", name, list(fields))
    for name, field in fields.items():
        missing = name not in table
        has_default = not (
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        )
        if missing and not has_default:
            raise _Invalid(f"missing field `{name}`")
    return kind(**{name: _field(hints[name], name, value) for name, value in table.items()})


def _field(kind: Any, name: str, value: Any) -> Any:
    try:
        return _value(kind, value)
    except _Invalid as error:
        raise _Invalid(f"`{name}`: {error}") from None


def _value(kind: Any, value: Any) -> Any:
    """Returns the JSON value as an annotation defines it."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if origin is Annotated:
        return _annotated(arguments, value)
    if origin is Literal:
        return _literal(arguments, value)
    if origin in (Union, types.UnionType):
        return _option(kind, arguments, value)
    if kind is list or origin is list:
        item = arguments[0] if arguments else Any
        return [_value(item, one) for one in _checked(value, list, "a sequence")]
    if kind is dict or origin is dict:
        of = arguments[1] if arguments else Any
        return {name: _value(of, one) for name, one in _checked(value, dict, "a map").items()}
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _struct(kind, value)
    reader = _SCALARS.get(kind) if isinstance(kind, type) else None
    if reader is None:
        raise TypeError(f"a config can't have a field of type {kind!r}")
    return reader(value)


def _annotated(arguments: tuple[Any, ...], value: Any) -> Any:
    read = _value(arguments[0], value)
    for extra in arguments[1:]:
        if isinstance(extra, Integer) and not extra.lowest <= read <= extra.highest:
            raise _Invalid(f"invalid value: {_what(value)}, expected {extra.name}")
    return read


def _literal(choices: tuple[Any, ...], value: Any) -> Any:
    for choice in choices:
        if type(choice) is type(value) and choice == value:
            return choice
    if isinstance(value, str):
        raise _unknown("variant", value, [str(choice) for choice in choices])
    raise _Invalid(f"invalid type: {_what(value)}, expected {_one_of(list(map(str, choices)))}")


def _option(kind: Any, arguments: tuple[Any, ...], value: Any) -> Any:
    if value is None and type(None) in arguments:
        return None
    some = [argument for argument in arguments if argument is not type(None)]
    if len(some) != 1:
        raise TypeError(f"a config can't have a field of type {kind!r}; of unions only `X | None`")
    return _value(some[0], value)


def _checked(value: Any, kind: type[Any], expected: str) -> Any:
    if not isinstance(value, kind):
        raise _Invalid(f"invalid type: {_what(value)}, expected {expected}")
    return value


def _bool(value: Any) -> bool:
    return cast(bool, _checked(value, bool, "a boolean"))


def _int(value: Any) -> int:
    if isinstance(value, bool):
        raise _Invalid(f"invalid type: {_what(value)}, expected an integer")
    return cast(int, _checked(value, int, "an integer"))


def _float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Invalid(f"invalid type: {_what(value)}, expected f64")
    return float(value)


def _str(value: Any) -> str:
    return cast(str, _checked(value, str, "a string"))


_SCALARS: dict[type, Callable[[Any], Any]] = {
    bool: _bool,
    int: _int,
    float: _float,
    str: _str,
}


def _what(value: Any) -> str:
    """Describes a JSON value as serde does."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return f"boolean `{str(value).lower()}`"
    if isinstance(value, int):
        return f"integer `{value}`"
    if isinstance(value, float):
        return f"floating point `{value}`"
    if isinstance(value, str):
        return f"string {json.dumps(value, ensure_ascii=False)}"
    return "sequence" if isinstance(value, list) else "map"


def _unknown(what: str, name: str, known: Sequence[str]) -> _Invalid:
    expected = f"expected {_one_of(known)}" if known else f"there are no {what}s"
    return _Invalid(f"unknown {what} `{name}`, {expected}")


def _one_of(names: Sequence[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    if len(quoted) > 2:
        return "one of " + ", ".join(quoted)
    return " or ".join(quoted)
