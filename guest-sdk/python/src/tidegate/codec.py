"""The written form of a value of the state: the types of `guest-sdk/FORMAT.md`.

A codec is a type of the state: it writes a Python value as bytes, and reads it again. All SDKs
write the same bytes, so that an operator in another language can continue from the same state.
Reading trusts no length: whatever the bytes are, it ends with a value or with `Malformed`.
"""

import struct
from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from .failure import IncompatibleState

__all__ = [
    "BOOL", "BYTES", "F32", "F64", "I8", "I16", "I32", "I64", "STRING", "U8", "U16", "U32", "U64",
    "UNIT", "Codec", "Float", "Integer", "Malformed", "read_state",
]  # fmt: skip

T = TypeVar("T")


class Malformed(ValueError):
    """Bytes that are no value of the type."""


class NotWritable(ValueError):
    """A value that is not of the type."""


class Codec(ABC, Generic[T]):
    """A type of the state; the module has all of them."""

    #: The name of the type in messages.
    name: str
    #: The fewest bytes that a value takes.
    smallest: int
    #: True if there is only one value, of no bytes. Such a state is not kept.
    is_unit: bool = False

    @abstractmethod
    def default(self) -> T:
        """Returns the first value of a key: 0, false, empty, or `None`."""

    @abstractmethod
    def write(self, out: bytearray, value: T) -> None:
        """Appends the bytes of `value`. Raises `ValueError` if it is not of the type."""

    @abstractmethod
    def read(self, data: bytes, at: int) -> tuple[T, int]:
        """Returns the value at `at`, and its end. Raises `Malformed`."""

    def encode(self, value: T) -> bytes:
        """Returns the bytes of `value`. Raises `ValueError` if it is not of the type."""
        out = bytearray()
        self.write(out, value)
        return bytes(out)

    def decode(self, data: bytes) -> T:
        """Returns the value that is all of `data`. Raises `Malformed`."""
        value, end = self.read(data, 0)
        if end != len(data):
            raise Malformed(f"a value has {len(data) - end} bytes more than its type")
        return value

    def __repr__(self) -> str:
        return self.name


def read_state(codec: Codec[T], data: bytes) -> T:
    """Reads a value that an earlier version of the operator wrote, to the last byte.

    For `Operator.migrate`. Raises `IncompatibleState` if the bytes are not exactly one value.
    """
    try:
        return codec.decode(data)
    except Malformed as error:
        raise IncompatibleState(str(error)) from None


#: All bytes, each as a `bytes` of its own.
BYTE = [bytes([byte]) for byte in range(256)]


def varint(number: int) -> bytes:
    """Returns unsigned LEB128 in its shortest form; `number` is not negative."""
    if number < 0x80:
        return BYTE[number]
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def truncated() -> Malformed:
    """Returns the exception for bytes that end too early."""
    return Malformed("a value can't be read: it ends too early")


def read_varint(data: bytes, at: int, bits: int) -> tuple[int, int]:
    """Returns an unsigned LEB128 number of at most `bits` bits, in any form, and its end."""
    number = shift = 0
    while True:
        if at >= len(data):
            raise truncated()
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
        if shift >= bits:
            raise Malformed(f"a value can't be read: a number of more than {bits} bits")
    if number >> bits:
        raise Malformed(f"a value can't be read: a number of more than {bits} bits")
    return number, at


def read_length(data: bytes, at: int, smallest: int) -> tuple[int, int]:
    """Returns a number of values that take `smallest` bytes each, or more, and its end."""
    length, at = read_varint(data, at, 64)
    # Values of no size could be any number; no one keeps this many of them.
    if length * max(smallest, 1) > len(data) - at and (smallest or length > MAX_UNITS):
        raise truncated()
    return length, at


#: The longest list of values that take no bytes.
MAX_UNITS = 1 << 20


class Integer(Codec[int]):
    """An integer of a given width."""

    def __init__(self, name: str, bits: int, signed: bool) -> None:
        self.name = name
        self.smallest = 1
        self.bits = bits
        #: The smallest number.
        self.lowest = -(1 << bits - 1) if signed else 0
        #: The largest number.
        self.highest = (1 << bits - signed) - 1

    def default(self) -> int:
        return 0

    def check(self, value: int) -> int:
        """Returns the number, or raises `NotWritable`."""
        if not isinstance(value, int) or isinstance(value, bool):
            raise NotWritable(f"{value!r} is not a number of type {self.name}")
        if not self.lowest <= value <= self.highest:
            raise NotWritable(f"{value} does not fit in {self.name}")
        return value

    def write(self, out: bytearray, value: int) -> None:
        out += self.encode(value)

    def encode(self, value: int) -> bytes:
        value = self.check(value)
        if self.bits == 8:
            return BYTE[value & 0xFF]
        if self.lowest < 0:
            value = value << 1 if value >= 0 else (-value << 1) - 1
        return varint(value)

    def read(self, data: bytes, at: int) -> tuple[int, int]:
        if self.bits == 8:
            if at >= len(data):
                raise truncated()
            byte = data[at]
            return byte if byte <= self.highest else byte - 256, at + 1
        number, end = read_varint(data, at, self.bits)
        if self.lowest < 0:
            number = number >> 1 ^ -(number & 1)
        return number, end


class Float(Codec[float]):
    """A float of 32 or 64 bits. Every NaN is written with the same bits."""

    def __init__(self, name: str, code: str, nan: bytes) -> None:
        self.name = name
        self.smallest = len(nan)
        self.code = struct.Struct(code)
        self.nan = nan

    def default(self) -> float:
        return 0.0

    def write(self, out: bytearray, value: float) -> None:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise NotWritable(f"{value!r} is not a number of type {self.name}")
        try:
            out += self.nan if value != value else self.code.pack(value)
        except (OverflowError, struct.error):
            raise NotWritable(f"{value!r} does not fit in {self.name}") from None

    def read(self, data: bytes, at: int) -> tuple[float, int]:
        end = at + self.smallest
        if end > len(data):
            raise truncated()
        value: float = self.code.unpack_from(data, at)[0]
        return value, end


class Bool(Codec[bool]):
    """`True` or `False`."""

    name = "bool"
    smallest = 1

    def default(self) -> bool:
        return False

    def write(self, out: bytearray, value: bool) -> None:
        if not isinstance(value, bool):
            raise NotWritable(f"{value!r} is not a bool")
        out.append(value)

    def read(self, data: bytes, at: int) -> tuple[bool, int]:
        return read_flag(data, at), at + 1


def read_flag(data: bytes, at: int) -> bool:
    """Returns the byte of a bool or of an option."""
    if at >= len(data):
        raise truncated()
    if data[at] > 1:
        raise Malformed("a value can't be read: neither yes nor no")
    return data[at] == 1


class _Run(Codec[T]):
    """Bytes behind their length."""

    smallest = 1

    @abstractmethod
    def pack(self, value: T) -> bytes:
        """Returns the bytes without the length."""

    @abstractmethod
    def unpack(self, data: bytes) -> T:
        """Returns the value of the bytes without the length."""

    def write(self, out: bytearray, value: T) -> None:
        data = self.pack(value)
        out += varint(len(data))
        out += data

    def read(self, data: bytes, at: int) -> tuple[T, int]:
        length, at = read_length(data, at, 1)
        end = at + length
        return self.unpack(data[at:end]), end


class String(_Run[str]):
    """Text."""

    name = "string"

    def default(self) -> str:
        return ""

    def pack(self, value: str) -> bytes:
        if not isinstance(value, str):
            raise NotWritable(f"{value!r} is not a string")
        try:
            return value.encode()
        except UnicodeEncodeError:
            raise NotWritable(f"{value!r} has half of a character") from None

    def unpack(self, data: bytes) -> str:
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise Malformed("a value can't be read: text that is not UTF-8") from None


class Bytes(_Run[bytes]):
    """Bytes."""

    name = "bytes"

    def default(self) -> bytes:
        return b""

    def pack(self, value: bytes) -> bytes:
        if not isinstance(value, bytes | bytearray):
            raise NotWritable(f"{value!r} is not bytes")
        return bytes(value)

    def unpack(self, data: bytes) -> bytes:
        return data


class Unit(Codec[None]):
    """`None`: the state of an operator that keeps no state."""

    name = "unit"
    smallest = 0
    is_unit = True

    def default(self) -> None:
        return None

    def write(self, out: bytearray, value: None) -> None:
        if value is not None and value != ():
            raise NotWritable(f"{value!r} is not None")

    def read(self, data: bytes, at: int) -> tuple[None, int]:
        return None, at


U8 = Integer("u8", 8, signed=False)
U16 = Integer("u16", 16, signed=False)
U32 = Integer("u32", 32, signed=False)
U64 = Integer("u64", 64, signed=False)
I8 = Integer("i8", 8, signed=True)
I16 = Integer("i16", 16, signed=True)
I32 = Integer("i32", 32, signed=True)
I64 = Integer("i64", 64, signed=True)
F32 = Float("f32", "<f", bytes.fromhex("0000c07f"))
F64 = Float("f64", "<d", bytes.fromhex("000000000000f87f"))
BOOL = Bool()
STRING = String()
BYTES = Bytes()
UNIT = Unit()
