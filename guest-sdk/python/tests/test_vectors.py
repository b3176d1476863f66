"""The shared vectors of the state format: every SDK writes and reads these bytes."""

import json
import struct
import unittest
from pathlib import Path
from typing import Any

from tidegate import (
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
    Codec,
    IncompatibleState,
    Items,
    List,
    Map,
    Operator,
    Option,
    RestoredItems,
    Some,
    Tuple,
    read_state,
)  # fmt: skip
from tidegate.key_group import key_group
from tidegate.raw import StateChunk
from tidegate.testing import Harness

VECTORS = Path(__file__).parents[2] / "vectors"

PLAIN: dict[str, Codec[Any]] = {
    "unit": UNIT, "bool": BOOL, "f32": F32, "f64": F64, "string": STRING, "bytes": BYTES,
    "u8": U8, "u16": U16, "u32": U32, "u64": U64, "i8": I8, "i16": I16, "i32": I32, "i64": I64,
}  # fmt: skip


def load(name: str) -> Any:
    return json.loads((VECTORS / name).read_text())


def codec_of(kind: Any) -> Codec[Any]:
    if isinstance(kind, str):
        return PLAIN[kind]
    ((name, inner),) = kind.items()
    if name == "option":
        return Option(codec_of(inner))
    if name == "list":
        return List(codec_of(inner))
    if name == "map":
        return Map(*map(codec_of, inner))
    return Tuple(*map(codec_of, inner))


def value_of(kind: Any, value: Any) -> Any:
    """Returns the Python value of a vector's value."""
    if isinstance(kind, dict):
        ((name, inner),) = kind.items()
        if name == "option":
            some = None if value is None else value_of(inner, value[0])
            wraps = inner == "unit" or (isinstance(inner, dict) and "option" in inner)
            return Some(some) if wraps and value is not None else some
        if name == "list":
            return [value_of(inner, item) for item in value]
        if name == "map":
            return {value_of(inner[0], k): value_of(inner[1], v) for k, v in value}
        return tuple(value_of(part, item) for part, item in zip(inner, value, strict=True))
    if kind == "unit":
        return None
    if kind in ("bool", "string"):
        return value
    if kind == "bytes":
        return bytes.fromhex(value)
    if kind in ("f32", "f64"):
        bits: float = struct.unpack(">f" if kind == "f32" else ">d", bytes.fromhex(value))[0]
        return bits
    return int(value)


def operator_of(codec: Codec[Any]) -> type[Operator[Any]]:
    class Keeps(Operator[Any]):
        state = codec

        def on_record(self, record: Any, state: Any, out: Any) -> None:
            state.value = read_state(codec, record.value)

        def restore_operator_state(self, items: RestoredItems) -> None:
            items.read(codec)

    return Keeps


class VectorsTest(unittest.TestCase):
    def test_values_are_written_and_read(self) -> None:
        for case in load("values.json")["written"]:
            with self.subTest(**case):
                codec, value = codec_of(case["type"]), value_of(case["type"], case["value"])
                data = bytes.fromhex(case["bytes"])
                self.assertEqual(codec.encode(value), data)
                # A NaN is not equal to itself, so the value that was read is written again.
                self.assertEqual(codec.encode(read_state(codec, data)), data)
                if value == value:
                    self.assertEqual(read_state(codec, data), value)

    def test_other_forms_are_read(self) -> None:
        for case in load("values.json")["also-read"]:
            with self.subTest(**case):
                codec, value = codec_of(case["type"]), value_of(case["type"], case["value"])
                read = read_state(codec, bytes.fromhex(case["bytes"]))
                self.assertEqual(codec.encode(read), codec.encode(value))

    def test_what_is_no_value_is_refused(self) -> None:
        for case in load("values.json")["refused"]:
            with self.subTest(**case), self.assertRaises(IncompatibleState):
                read_state(codec_of(case["type"]), bytes.fromhex(case["bytes"]))

    def test_a_snapshot_is_these_chunks_in_any_order_of_arrival(self) -> None:
        for case in load("chunks.json")["snapshots"]:
            with self.subTest(type=case["type"]):
                codec, total = codec_of(case["type"]), case["max-parallelism"]
                kind = operator_of(codec)
                chunks = [
                    StateChunk("keyed", 1, chunk["key-group"], bytes.fromhex(chunk["bytes"]))
                    for chunk in case["chunks"]
                ]
                for entries in (case["entries"], case["entries"][::-1]):
                    harness = Harness(kind, max_parallelism=total)
                    for entry in entries:
                        value = codec.encode(value_of(case["type"], entry["value"]))
                        harness.send(bytes.fromhex(entry["key"]), value)
                    self.assertEqual(harness.snapshot(), chunks)
                restored = Harness(kind, max_parallelism=total, restore=chunks[::-1])
                self.assertEqual(restored.snapshot(), chunks)
                self.assertEqual(len(restored.keys()), len(case["entries"]))

    def test_an_item_is_these_bytes(self) -> None:
        for case in load("chunks.json")["items"]:
            with self.subTest(**case):
                codec, value = codec_of(case["type"]), value_of(case["type"], case["value"])
                items, data = Items(), bytes.fromhex(case["bytes"])
                items.push(codec, value)
                self.assertEqual(items.chunks, [data])
                restored = RestoredItems(1)
                restored.add(StateChunk("items", 1, None, data))
                self.assertEqual(restored.read(codec), [value])

    def test_chunks_that_break_a_rule_are_refused(self) -> None:
        refused = load("chunks.json")["refused-keyed"]
        kind = operator_of(codec_of(refused["type"]))
        for case in refused["cases"]:
            with self.subTest(**case):
                chunk = StateChunk("keyed", 1, case["key-group"], bytes.fromhex(case["bytes"]))
                with self.assertRaises(IncompatibleState) as refusal:
                    Harness(kind, max_parallelism=refused["max-parallelism"], restore=[chunk])
                self.assertIn(case["says"], str(refusal.exception))

    def test_items_that_break_a_rule_are_refused(self) -> None:
        refused = load("chunks.json")["refused-items"]
        kind = operator_of(codec_of(refused["type"]))
        for case in refused["cases"]:
            with self.subTest(**case):
                chunk = StateChunk("items", 1, None, bytes.fromhex(case["bytes"]))
                with self.assertRaises(IncompatibleState) as refusal:
                    Harness(kind, restore=[chunk])
                self.assertIn(case["says"], str(refusal.exception))

    def test_keys_are_in_these_key_groups(self) -> None:
        cases = load("key-groups.json")["keys"]
        self.assertGreater(len(cases), 100)
        for case in cases:
            with self.subTest(**case):
                group = key_group(bytes.fromhex(case["key"]), case["max-parallelism"])
                self.assertEqual(group, case["key-group"])

    def test_subtasks_of_the_harness_own_these_key_groups(self) -> None:
        kind = operator_of(U64)
        cases = load("key-groups.json")["ranges"]
        self.assertGreater(len(cases), 20)
        for case in cases:
            total, parallelism = case["max-parallelism"], case["parallelism"]
            with self.subTest(max_parallelism=total, parallelism=parallelism):
                contexts = [
                    Harness(kind, subtask=(index, parallelism), max_parallelism=total).context
                    for index in range(parallelism)
                ]
                ranges = [[c.first_key_group, c.last_key_group] for c in contexts]
                self.assertEqual(ranges, case["ranges"])


if __name__ == "__main__":
    unittest.main()
