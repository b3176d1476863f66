"""One record of the stream, and the readings of its key and value.

The errors have the same words in all SDKs, because people and tests compare them.
"""

import json
import re
import struct
from typing import Any

from .codec import F64, I64, Integer
from .failure import InvalidRecord
from .raw import NO_TIMESTAMP

__all__ = ["Record", "le64"]

#: The floats that Rust's `f64` reads; Python's `float` takes more: underscores, spaces, other
#: digits.
_FLOAT = re.compile(
    rb"[+-]?(?:inf|infinity|nan|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?)", re.IGNORECASE
)

#: Brackets of JSON, and strings, which may contain brackets.
_JSON_NESTING = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]')

#: The most levels of nested JSON.
_MAX_DEPTH = 127

#: The most digits of a number of 64 bits.
_MAX_DIGITS = 20


class Record:
    """One record of the stream.

    An instance has one such object, and each call of `on_record` gets it with other fields: keep
    its key and its value, not the record.

    Every method that can't read a field raises `InvalidRecord` with the record's row, so that
    exactly this record goes to the dead-letter output if the job has one.
    """

    __slots__ = ("_timestamp", "input", "key", "row", "value")

    #: The index of the input that the record came from, for an operator with several inputs.
    input: int
    #: The row of the record in its batch; it serves only for an `InvalidRecord`.
    row: int
    #: The key; empty for a record without a key.
    key: bytes
    #: The value.
    value: bytes

    def __init__(
        self,
        key: bytes,
        value: bytes,
        timestamp: int | None = None,
        *,
        input: int = 0,
        row: int = 0,
    ) -> None:
        self.key = key
        self.value = value
        self.input = input
        self.row = row
        self._timestamp = NO_TIMESTAMP if timestamp is None else timestamp

    @property
    def timestamp(self) -> int | None:
        """Event time in milliseconds since the Unix epoch, if the record has a timestamp."""
        timestamp = self._timestamp
        return None if timestamp == NO_TIMESTAMP else timestamp

    def key_text(self) -> str:
        """Returns the key as UTF-8 text."""
        return self._text("key", self.key)

    def value_text(self) -> str:
        """Returns the value as UTF-8 text."""
        return self._text("value", self.value)

    def key_int(self, kind: Integer = I64) -> int:
        """Returns the key as a decimal number that fits in `kind`."""
        return self._int("key", self.key, kind)

    def value_int(self, kind: Integer = I64) -> int:
        """Returns the value as a decimal number that fits in `kind`."""
        return self._int("value", self.value, kind)

    def key_float(self) -> float:
        """Reads the key as a decimal number of 64 bits, with or without fraction and exponent."""
        return self._float("key", self.key)

    def value_float(self) -> float:
        """Reads the value as a decimal number of 64 bits, with or without fraction and exponent."""
        return self._float("value", self.value)

    def key_le64(self, kind: Integer = I64) -> int:
        """Returns the key as a number of eight little-endian bytes."""
        return self._le64("key", self.key, kind)

    def value_le64(self, kind: Integer = I64) -> int:
        """Returns the value as a number of eight little-endian bytes."""
        return self._le64("value", self.value, kind)

    def key_le64_float(self) -> float:
        """Returns the key as a float of eight little-endian bytes."""
        return self._le64_float("key", self.key)

    def value_le64_float(self) -> float:
        """Returns the value as a float of eight little-endian bytes."""
        return self._le64_float("value", self.value)

    def value_json(self) -> Any:
        """Returns the value as JSON, of Python's own types."""
        if _nests_deeply(self.value):
            raise self.invalid("the value: recursion limit exceeded")
        try:
            return json.loads(self.value.decode(), parse_constant=_refuse_constant)
        except ValueError as error:
            raise self.invalid(f"the value: {error}") from None

    def invalid(self, reason: object) -> InvalidRecord:
        """Makes the failure that rejects this record for a reason; raise it."""
        return InvalidRecord(self.row, str(reason))

    def _unexpected(self, field: str, expected: str) -> InvalidRecord:
        return self.invalid(f"the {field} is not {expected}")

    def _text(self, field: str, data: bytes) -> str:
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise self._unexpected(field, "UTF-8 text") from None

    def _int(self, field: str, data: bytes, kind: Integer) -> int:
        digits = data[1:] if kind.lowest < 0 and data[:1] == b"-" else data
        if digits.isdigit() and len(digits) <= _MAX_DIGITS:
            number = int(data)
            if kind.lowest <= number <= kind.highest:
                return number
        raise self._unexpected(field, f"a decimal number of type {kind.name}")

    def _float(self, field: str, data: bytes) -> float:
        if _FLOAT.fullmatch(data) is None:
            raise self._unexpected(field, f"a decimal number of type {F64.name}")
        return float(data)

    def _le64(self, field: str, data: bytes, kind: Integer) -> int:
        self._check_eight(field, data)
        number = int.from_bytes(data, "little", signed=kind.lowest < 0)
        if not kind.lowest <= number <= kind.highest:
            raise self._unexpected(field, f"a number of type {kind.name}")
        return number

    def _le64_float(self, field: str, data: bytes) -> float:
        self._check_eight(field, data)
        number: float = struct.unpack("<d", data)[0]
        return number

    def _check_eight(self, field: str, data: bytes) -> None:
        if len(data) != 8:
            raise self._unexpected(field, f"eight little-endian bytes but {len(data)}")


def _nests_deeply(text: bytes) -> bool:
    """Returns true if lists and objects are nested deeper than in any SDK; the stack is finite."""
    if text.count(b"[") + text.count(b"{") <= _MAX_DEPTH:
        return False
    depth = 0
    for token in _JSON_NESTING.finditer(text):
        bracket = token.group()
        depth += (bracket in b"[{") - (bracket in b"]}")
        if depth > _MAX_DEPTH:
            return True
    return False


def le64(number: int | float) -> bytes:
    """Returns a 64-bit number as eight little-endian bytes, for a key or a value.

    It costs the reader half the work of decimal text, and has a fixed width. Raises `OverflowError`
    if an integer does not fit in 64 bits, signed or unsigned.
    """
    if isinstance(number, float):
        return struct.pack("<d", number)
    return number.to_bytes(8, "little", signed=number < 0)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
