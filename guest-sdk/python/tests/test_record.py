"""The readings of a record's key and value, with the words of the Rust SDK."""

import math
import unittest
from collections.abc import Callable
from typing import Any

from tidegate import I8, I64, U8, U64, InvalidRecord, Record, le64


def value(data: bytes) -> Record:
    return Record(b"key", data, row=3)


class RecordTest(unittest.TestCase):
    def refused(self, read: Callable[[], Any], reason: str) -> None:
        with self.assertRaises(InvalidRecord) as refusal:
            read()
        self.assertEqual((refusal.exception.row, refusal.exception.reason), (3, reason))

    def test_integers_are_decimal_text_of_a_width(self) -> None:
        self.assertEqual(value(b"-9223372036854775808").value_int(), I64.lowest)
        self.assertEqual(value(b"18446744073709551615").value_int(U64), U64.highest)
        self.assertEqual(value(b"-128").value_int(I8), -128)
        self.assertEqual(value(b"-0").value_int(), 0)
        self.assertEqual(value(b"00000000000000000012").value_int(), 12)

    def test_what_is_no_integer_is_refused(self) -> None:
        for data in (
            b"", b"-", b"+1", b" 1", b"1 ", b"1.0", b"--1", b"1_0", b"9223372036854775808",
            b"-9223372036854775809", b"000000000000000000012", b"\xd9\xa1", b"1\n",
        ):  # fmt: skip
            with self.subTest(data=data):
                self.refused(value(data).value_int, "the value is not a decimal number of type i64")
        self.refused(
            lambda: value(b"256").value_int(U8), "the value is not a decimal number of type u8"
        )
        self.refused(
            lambda: value(b"-1").value_int(U64), "the value is not a decimal number of type u64"
        )
        self.refused(
            lambda: Record(b"x", b"", row=3).key_int(),
            "the key is not a decimal number of type i64",
        )

    def test_floats_are_what_rust_reads(self) -> None:
        for data, number in (
            (b"1.5", 1.5), (b"-.5e1", -5.0), (b"+2.", 2.0), (b"inf", math.inf),
            (b"-Infinity", -math.inf), (b"1E400", math.inf),
        ):  # fmt: skip
            with self.subTest(data=data):
                self.assertEqual(value(data).value_float(), number)
        self.assertTrue(math.isnan(value(b"NaN").value_float()))
        for data in (b"", b".", b"1_0", b" 1", b"1e", b"0x1", b"infin", b"1\n"):
            with self.subTest(data=data):
                self.refused(
                    value(data).value_float, "the value is not a decimal number of type f64"
                )

    def test_eight_bytes_are_a_number(self) -> None:
        self.assertEqual(value(le64(-2)).value_le64(), -2)
        self.assertEqual(value(le64(2**64 - 1)).value_le64(U64), 2**64 - 1)
        self.assertEqual(value(le64(1.5)).value_le64_float(), 1.5)
        self.refused(value(b"abc").value_le64, "the value is not eight little-endian bytes but 3")
        with self.assertRaises(OverflowError):
            le64(2**64)

    def test_text_is_utf8(self) -> None:
        self.assertEqual(value("né".encode()).value_text(), "né")
        self.refused(value(b"\xff").value_text, "the value is not UTF-8 text")

    def test_json_is_read_and_nothing_else(self) -> None:
        self.assertEqual(value(b'{"a": [1, "x"]}').value_json(), {"a": [1, "x"]})
        for data in (b"", b"{", b"NaN", b"\xff", b"1 2", "{}".encode("utf-16"), b"1" * 5000):
            with self.subTest(data=data[:9]), self.assertRaises(InvalidRecord):
                value(data).value_json()

    def test_json_that_would_exhaust_the_stack_is_refused(self) -> None:
        self.assertEqual(value(b'["' + b"[" * 500 + b'\\"[[[[["]').value_json()[0][:2], "[[")
        self.assertIsInstance(value(b"[" * 127 + b"]" * 127).value_json(), list)
        self.assertEqual(len(value(b"[" + b"[]," * 500 + b"[]]").value_json()), 501)
        for data in (b"[" * 128 + b"]" * 128, b"[" * 1_000_000, b'{"a":' * 1_000_000):
            self.refused(value(data).value_json, "the value: recursion limit exceeded")

    def test_a_record_without_a_timestamp_has_none(self) -> None:
        self.assertIsNone(value(b"").timestamp)
        self.assertEqual(Record(b"", b"", 0).timestamp, 0)


if __name__ == "__main__":
    unittest.main()
