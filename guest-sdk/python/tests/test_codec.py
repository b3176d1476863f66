"""Cases beyond the shared vectors: dataclasses, and values that are not of their type."""

import random
import unittest
from dataclasses import dataclass, field
from typing import Any

from tidegate import (
    BOOL,
    BYTES,
    F32,
    F64,
    I64,
    STRING,
    U8,
    U64,
    UNIT,
    Codec,
    IncompatibleState,
    List,
    Map,
    Option,
    Some,
    Struct,
    Tuple,
    i64,
    read_state,
    u32,
    u64,
)  # fmt: skip
from tidegate.codec import Malformed


@dataclass
class Visit:
    page: str
    at: i64 | None = None


@dataclass
class Stats:
    count: u64 = 0
    last: Visit | None = None
    seen: dict[str, u32] = field(default_factory=dict)
    pair: tuple[bool, float] = (False, 0.0)
    tags: list[bytes] = field(default_factory=list)


class CodecTest(unittest.TestCase):
    def test_a_dataclass_is_its_fields_in_order(self) -> None:
        codec = Struct(Stats)
        same = Tuple(
            U64, Option(Tuple(STRING, Option(I64))), Map(STRING, U64), Tuple(BOOL, F64),
            List(BYTES),
        )  # fmt: skip
        stats = Stats(300, Visit("a", -1), {"b": 2, "a": 1}, (True, 1.5), [b"x"])
        fields = (300, ("a", -1), {"b": 2, "a": 1}, (True, 1.5), [b"x"])
        self.assertEqual(codec.encode(stats), same.encode(fields))
        self.assertEqual(read_state(codec, codec.encode(stats)), stats)
        self.assertEqual(codec.default(), Stats())

    def test_a_field_without_a_default_has_that_of_its_type(self) -> None:
        self.assertEqual(Struct(Visit).default(), Visit("", None))

    def test_an_annotation_that_says_no_width_is_refused(self) -> None:
        @dataclass
        class Bare:
            count: int

        @dataclass
        class Either:
            it: int | str

        with self.assertRaisesRegex(TypeError, "Bare.count: say how wide"):
            Struct(Bare)
        with self.assertRaisesRegex(TypeError, r"Either.it: .* of unions only"):
            Struct(Either)
        with self.assertRaisesRegex(TypeError, "not a dataclass"):
            Struct(int)
        with self.assertRaisesRegex(TypeError, "can't be a key"):
            Map(F64, U8)

    def test_a_value_that_is_not_of_the_type_is_not_written(self) -> None:
        codec: Codec[Any]
        value: Any
        for codec, value in (
            (U8, 256), (U8, -1), (U64, 2**64), (I64, 2**63), (U64, True), (U64, 1.0), (U64, "1"),
            (F64, "1"), (F64, True), (F32, 1e39), (BOOL, 1), (STRING, b"a"), (STRING, "\ud800"),
            (BYTES, "a"), (UNIT, 1), (List(U8), b"a"), (List(U8), [1, None]),
            (Map(STRING, U8), [("a", 1)]), (Map(STRING, U8), {1: 1, "a": 2}), (Tuple(U8), (1, 2)),
            (Struct(Visit), Stats()), (Option(Option(U8)), 1), (Option(U8), Some(1)),
        ):  # fmt: skip
            with self.subTest(codec=codec, value=value), self.assertRaises(ValueError):
                codec.encode(value)

    def test_a_field_that_is_not_of_its_type_is_named(self) -> None:
        with self.assertRaisesRegex(
            ValueError, "last: at: 9223372036854775808 does not fit in i64"
        ):
            Struct(Stats).encode(Stats(last=Visit("a", 2**63)))

    def test_a_count_of_nothings_is_limited(self) -> None:
        self.assertEqual(read_state(List(UNIT), b"\x02"), [None, None])
        with self.assertRaises(IncompatibleState):
            read_state(List(UNIT), bytes.fromhex("ffffffffffffffffff01"))

    def test_any_bytes_are_a_value_or_are_refused(self) -> None:
        seed = random.randrange(2**32)
        generator = random.Random(seed)
        codecs: list[Codec[Any]] = [
            Struct(Stats), Map(Tuple(STRING, U8), List(Option(F32))), List(List(UNIT)),
        ]  # fmt: skip
        for _ in range(3_000):
            data = generator.randbytes(generator.randrange(12))
            for codec in codecs:
                with self.subTest(seed=seed, codec=codec, data=data.hex()):
                    try:
                        value = codec.decode(data)
                    except Malformed:
                        continue
                    self.assertEqual(codec.encode(codec.decode(codec.encode(value))),
                                     codec.encode(value))  # fmt: skip


if __name__ == "__main__":
    unittest.main()
