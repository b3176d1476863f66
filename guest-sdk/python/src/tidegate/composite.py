"""Types of the state that are made of others: options, lists, maps, tuples and dataclasses."""

import dataclasses
import types
from collections.abc import Callable, Sequence
from typing import (
    Annotated,
    Any,
    Generic,
    TypeAlias,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)  # fmt: skip

from .codec import (
    BOOL,
    BYTES,
    F32,
    F64,
    I8,
    I16,
    I32,
    I64,
    STRING,
    U8,
    U16,
    U32,
    U64,
    UNIT,
    Bool,
    Bytes,
    Codec,
    Integer,
    NotWritable,
    String,
    Unit,
    read_flag,
    read_length,
    varint,
)  # fmt: skip

__all__ = [
    "List", "Map", "Option", "Some", "Struct", "Tuple",
    "f32", "f64", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64",
]  # fmt: skip

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")

# Annotations for the fields of a dataclass, which give the width of a number.
u8: TypeAlias = Annotated[int, U8]
u16: TypeAlias = Annotated[int, U16]
u32: TypeAlias = Annotated[int, U32]
u64: TypeAlias = Annotated[int, U64]
i8: TypeAlias = Annotated[int, I8]
i16: TypeAlias = Annotated[int, I16]
i32: TypeAlias = Annotated[int, I32]
i64: TypeAlias = Annotated[int, I64]
f32: TypeAlias = Annotated[float, F32]
f64: TypeAlias = Annotated[float, F64]


@dataclasses.dataclass(frozen=True, slots=True)
class Some(Generic[T]):
    """The value of an option, where it may itself be `None`: an option of an option, or of unit."""

    #: The value.
    value: T


class Option(Codec[T | None], Generic[T]):
    """A value or `None`. A value that can be `None` itself is in a `Some`."""

    smallest = 1

    def __init__(self, some: Codec[T]) -> None:
        self.name = f"option of {some}"
        self.some = some
        self.wraps = isinstance(some, Option | Unit)

    def default(self) -> T | None:
        return None

    def write(self, out: bytearray, value: T | None) -> None:
        if value is None:
            out.append(0)
            return
        out.append(1)
        if self.wraps:
            if not isinstance(value, Some):
                raise NotWritable(f"{value!r} in a {self.name} is not in a Some")
            value = cast(T, value.value)
        self.some.write(out, value)

    def read(self, data: bytes, at: int) -> tuple[T | None, int]:
        if not read_flag(data, at):
            return None, at + 1
        value, at = self.some.read(data, at + 1)
        return (cast(T, Some(value)) if self.wraps else value), at


class List(Codec[list[T]], Generic[T]):
    """A list."""

    smallest = 1

    def __init__(self, item: Codec[T]) -> None:
        self.name = f"list of {item}"
        self.item = item

    def default(self) -> list[T]:
        return []

    def write(self, out: bytearray, value: list[T]) -> None:
        if not isinstance(value, list | tuple):
            raise NotWritable(f"{value!r} is not a list")
        out += varint(len(value))
        write = self.item.write
        for item in value:
            write(out, item)

    def read(self, data: bytes, at: int) -> tuple[list[T], int]:
        length, at = read_length(data, at, self.item.smallest)
        read, items = self.item.read, []
        for _ in range(length):
            item, at = read(data, at)
            items.append(item)
        return items, at


class Map(Codec[dict[K, V]], Generic[K, V]):
    """A dict, written in the order of its keys, whatever order they came in."""

    smallest = 1

    def __init__(self, key: Codec[K], value: Codec[V]) -> None:
        if not _is_key(key):
            raise TypeError(f"{key} can't be a key of a map")
        self.name = f"map of {key} to {value}"
        self.key = key
        self.value = value

    def default(self) -> dict[K, V]:
        return {}

    def write(self, out: bytearray, value: dict[K, V]) -> None:
        if not isinstance(value, dict):
            raise NotWritable(f"{value!r} is not a dict")
        out += varint(len(value))
        try:
            # Python compares text by code points, which is the order of its UTF-8 bytes.
            keys = sorted(cast("Any", value))
        except TypeError as error:
            raise NotWritable(f"the keys of a map: {error}") from None
        for key in keys:
            self.key.write(out, key)
            self.value.write(out, value[key])

    def read(self, data: bytes, at: int) -> tuple[dict[K, V], int]:
        length, at = read_length(data, at, self.key.smallest + self.value.smallest)
        entries = {}
        for _ in range(length):
            key, at = self.key.read(data, at)
            entries[key], at = self.value.read(data, at)
        return entries, at


def _is_key(codec: Codec[Any]) -> bool:
    if isinstance(codec, Tuple):
        return all(map(_is_key, codec.parts))
    return isinstance(codec, Bool | Integer | String | Bytes)


class _Fields(Codec[T]):
    """Values of several types, one after the other."""

    def __init__(self, name: str, parts: Sequence[Codec[Any]]) -> None:
        self.name = name
        self.parts = tuple(parts)
        self.smallest = sum(part.smallest for part in parts)
        self.is_unit = all(part.is_unit for part in parts)

    def read_parts(self, data: bytes, at: int) -> tuple[list[Any], int]:
        """Returns the values, and their end."""
        values = []
        for part in self.parts:
            value, at = part.read(data, at)
            values.append(value)
        return values, at


class Tuple(_Fields[tuple[Any, ...]]):
    """A tuple with a type for each place: `Tuple(STRING, U64)`."""

    def __init__(self, *parts: Codec[Any]) -> None:
        super().__init__(f"tuple of ({', '.join(map(repr, parts))})", parts)

    def default(self) -> tuple[Any, ...]:
        return tuple(part.default() for part in self.parts)

    def write(self, out: bytearray, value: tuple[Any, ...]) -> None:
        if not isinstance(value, tuple) or len(value) != len(self.parts):
            raise NotWritable(f"{value!r} is not a {self.name}")
        for part, field in zip(self.parts, value, strict=True):
            part.write(out, field)

    def read(self, data: bytes, at: int) -> tuple[tuple[Any, ...], int]:
        values, at = self.read_parts(data, at)
        return tuple(values), at


class Struct(_Fields[T]):
    """A dataclass, its fields in the order in which the class names them.

    Each field's annotation is its type: `u64` and similar, `bool`, `str`, `bytes`, `float`,
    `X | None`, `list[X]`, `dict[K, V]`, `tuple[A, B]`, another dataclass, or `Annotated[X, codec]`.
    A plain `int` is rejected, since it has no width.

    A key starts with the dataclass without arguments, so each field needs a default, or a type with
    a default; a mutable default needs `dataclasses.field(default_factory=list)`.
    """

    def __init__(self, kind: type[T]) -> None:
        if not dataclasses.is_dataclass(kind):
            raise TypeError(f"{kind!r} is not a dataclass")
        hints = get_type_hints(kind, include_extras=True)
        fields = [field for field in dataclasses.fields(kind) if field.init]
        parts = [_field_codec(f"{kind.__name__}.{f.name}", hints[f.name]) for f in fields]
        super().__init__(kind.__name__, parts)
        self.kind: Callable[..., T] = kind
        self.names = tuple(field.name for field in fields)
        self.undefaulted = {
            field.name: part
            for field, part in zip(fields, parts, strict=True)
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        }

    def default(self) -> T:
        return self.kind(**{name: part.default() for name, part in self.undefaulted.items()})

    def write(self, out: bytearray, value: T) -> None:
        for name, part in zip(self.names, self.parts, strict=True):
            try:
                part.write(out, getattr(value, name))
            except AttributeError:
                raise NotWritable(f"{value!r} is not a {self.name}") from None
            except NotWritable as error:
                raise NotWritable(f"{name}: {error}") from None

    def read(self, data: bytes, at: int) -> tuple[T, int]:
        values, at = self.read_parts(data, at)
        return self.kind(**dict(zip(self.names, values, strict=True))), at


def codec_of(annotation: Any) -> Codec[Any]:
    """Returns the type of the state that an annotation means. Raises `TypeError` without one."""
    if isinstance(annotation, Codec):
        return annotation
    plain = _PLAIN.get(annotation) if isinstance(annotation, type) else None
    if plain is not None:
        return plain
    if annotation is None:
        return UNIT
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        codecs = [extra for extra in arguments[1:] if isinstance(extra, Codec)]
        return codecs[0] if codecs else codec_of(arguments[0])
    if origin in (Union, types.UnionType):
        return _option_of(annotation, arguments)
    if origin is list:
        return List(codec_of(arguments[0]))
    if origin is dict:
        return Map(codec_of(arguments[0]), codec_of(arguments[1]))
    if origin is tuple and Ellipsis not in arguments:
        return Tuple(*map(codec_of, arguments))
    if isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
        return Struct(annotation)
    if annotation is int:
        raise TypeError("say how wide the number is: u64, i64, u32, ...")
    raise TypeError(f"{annotation!r} is no type of the state")


_PLAIN: dict[type, Codec[Any]] = {
    bool: BOOL,
    str: STRING,
    bytes: BYTES,
    float: F64,
    type(None): UNIT,
}


def _option_of(annotation: Any, arguments: tuple[Any, ...]) -> Codec[Any]:
    some = [argument for argument in arguments if argument is not type(None)]
    if len(some) != 1 or len(arguments) != 2:
        raise TypeError(f"{annotation!r} is no type of the state; of unions only `X | None` is")
    return Option(codec_of(some[0]))


def _field_codec(field: str, annotation: Any) -> Codec[Any]:
    try:
        return codec_of(annotation)
    except TypeError as error:
        raise TypeError(f"{field}: {error}") from None
