"""The life of an operator: records, watermarks, snapshots, restores, and failures."""

import unittest
from dataclasses import dataclass
from typing import Any

import tidegate
from tidegate import (
    BOOL,
    I64,
    U32,
    U64,
    Context,
    IncompatibleState,
    InvalidRecord,
    Items,
    KeyedState,
    Level,
    Operator,
    Option,
    OtherFailure,
    Output,
    Record,
    RestoredItems,
    State,
    Struct,
    i64,
    operator,
    read_state,
    u64,
    unknown_version,
)  # fmt: skip
from tidegate.raw import Batch, Column, Emission, RawOperator, StateChunk
from tidegate.testing import Harness


@operator(state=U64)
def count(record: Record, state: State[int], out: Output) -> None:
    state.value += 1
    out.emit(record.key, state.value)


class Max(Operator[int | None]):
    state = Option(I64)

    def on_record(self, record: Record, state: State[int | None], out: Output) -> None:
        value = record.value_int()
        if state.value is None or value > state.value:
            state.value = value
            out.emit(record.key, value)


@dataclass
class Window:
    end: i64 = 0
    count: u64 = 0


class Windows(Operator[Window]):
    state = Struct(Window)

    def on_record(self, record: Record, state: State[Window], out: Output) -> None:
        state.value.end = 10
        state.value.count += 1

    def on_watermark(self, watermark: int, keys: KeyedState[Window], out: Output) -> None:
        for key, window in keys.extract(lambda _key, window: window.end <= watermark):
            out.emit(key, window.count, timestamp=window.end - 1)


class EveryOther(Operator[bool]):
    state = BOOL

    def on_record(self, record: Record, state: State[bool], out: Output) -> None:
        if not state.value:
            out.emit(record.key, record.value)
        state.value = not state.value

    def is_vacant(self, value: bool) -> bool:
        return not value

    def on_watermark(self, watermark: int, keys: KeyedState[bool], out: Output) -> None:
        for _key, state in keys.items():
            state.value = False


class Numbering(Operator[None]):
    def open(self, config: None, context: Context) -> None:
        self.next = 0

    def on_record(self, record: Record, state: State[None], out: Output) -> None:
        out.emit(self.next, record.value)
        self.next += 1

    def operator_state(self, items: Items) -> None:
        items.push(U64, self.next)

    def restore_operator_state(self, items: RestoredItems) -> None:
        self.next = sum(items.read(U64))


class OperatorTest(unittest.TestCase):
    def test_a_function_with_a_decorator_is_an_operator(self) -> None:
        harness = Harness(count)
        harness.send_all([("a", ""), ("b", ""), ("a", "")])
        self.assertEqual(harness.take_text(), [("a", "1"), ("b", "1"), ("a", "2")])
        self.assertEqual(
            (count.__name__, harness.state("a"), harness.state("x")), ("count", 2, None)
        )

    def test_state_may_be_none(self) -> None:
        harness = Harness(Max)
        harness.send_all([("a", "3"), ("a", "2"), ("a", "5")])
        self.assertEqual(harness.take_text(), [("a", "3"), ("a", "5")])

    def test_a_watermark_takes_out_what_is_due_sorted(self) -> None:
        harness = Harness(Windows)
        harness.send_all([("b", ""), ("a", ""), ("b", "")])
        harness.watermark(9)
        self.assertEqual(harness.take_output(), [])
        harness.watermark(10)
        self.assertEqual(harness.take_text(), [("a", "1"), ("b", "2")])
        self.assertEqual(harness.snapshot(), [])

    def test_a_vacant_state_is_forgotten(self) -> None:
        harness = Harness(EveryOther)
        harness.send_all([("a", "1"), ("a", "2"), ("b", "3")])
        self.assertEqual(harness.keys(), [b"b"])
        harness.watermark(0)
        self.assertEqual(harness.keys(), [])

    def test_state_moves_with_its_key_group_when_the_parallelism_changes(self) -> None:
        keys = [f"key-{number}" for number in range(200)]
        one = Harness(count)
        one.send_all([(key, "") for key in keys])
        chunks = one.snapshot()
        three = [Harness(count, subtask=(index, 3), restore=chunks) for index in range(3)]
        for key in keys:
            (owner,) = [subtask for subtask in three if subtask.owns(key)]
            owner.send(key, "")
            self.assertEqual(owner.take_text(), [(key, "2")])
        together = [chunk for subtask in three for chunk in subtask.snapshot()]
        back = Harness(count, restore=together)
        self.assertEqual([back.state(key) for key in keys], [2] * 200)
        self.assertEqual(back.snapshot(), together, "equal state gives equal bytes")

    def test_a_key_of_another_subtask_is_refused_at_its_row(self) -> None:
        harness = Harness(Max, subtask=(1, 2))
        other = next(key for key in ("a", "b", "c", "d", "e") if not harness.owns(key))
        own = next(key for key in ("a", "b", "c", "d", "e", "f", "g", "h") if harness.owns(key))
        with self.assertRaisesRegex(
            OtherFailure, f'the key "{other}" belongs .*partition = "hash"'
        ):
            harness.send_all([(own, "1"), (other, "2")])
        with self.assertRaises(InvalidRecord):
            Harness(Max, subtask=(1, 2)).send_all([(own, "x"), (other, "2")])

    def test_operator_state_is_dealt_out_item_by_item(self) -> None:
        harness = Harness(Numbering)
        harness.send_all([("", "a"), ("", "b")])
        chunks = harness.snapshot() * 2
        restored = Harness(Numbering, restore=chunks)
        restored.send("", "c")
        self.assertEqual(restored.take_text(), [("4", "c")])
        one_of_two = Harness(Numbering, subtask=(1, 2), restore=chunks)
        one_of_two.send("", "d")
        self.assertEqual(one_of_two.take_text(), [("2", "d")])

    def test_state_that_an_operator_does_not_keep_is_refused(self) -> None:
        counted = Harness(count)
        counted.send("a", "")
        numbered = Harness(Numbering)
        for kind, chunks, said in (
            (Numbering, counted.snapshot(), "it has keyed state, and this operator keeps none"),
            (count, numbered.snapshot(), "it has 1 items of operator state"),
            (count, [StateChunk("mine", 1, None, b"")], "it has a chunk `mine`"),
            (count, [StateChunk("keyed", 1, None, b"")], "it has a chunk `keyed`"),
            (count, counted.snapshot() * 2, "it is there twice"),
        ):
            with self.subTest(said=said), self.assertRaisesRegex(IncompatibleState, said):
                Harness(kind, restore=chunks)

    def test_an_older_version_is_migrated_or_refused(self) -> None:
        class Both(Operator[Window]):
            state = Struct(Window)
            STATE_VERSION = 2

            def migrate(self, version: int, data: bytes) -> Window:
                if version == 1:
                    return Window(count=read_state(U64, data))
                raise unknown_version(version)

        counted = Harness(count)
        counted.send_all([("a", ""), ("a", "")])
        chunks = counted.snapshot()
        self.assertEqual(Harness(Both, restore=chunks).state("a"), Window(0, 2))
        chunks[0].schema_version = 3
        with self.assertRaisesRegex(IncompatibleState, "does not read version 3"):
            Harness(Both, restore=chunks)
        with self.assertRaisesRegex(IncompatibleState, "has version 3, .* reads version 1"):
            Harness(count, restore=chunks)

    def test_items_of_an_older_version_are_read_by_asking_for_it(self) -> None:
        items = RestoredItems(2)
        self.assertEqual((items.read(U32), items.version), ([], 0))
        items.add(StateChunk("items", 1, None, b"TGI\x01\x07"))
        with self.assertRaisesRegex(IncompatibleState, "does not read version 1"):
            items.read(U32)
        self.assertEqual(items.read(U32, version=1), [7])
        with self.assertRaisesRegex(IncompatibleState, "different versions"):
            items.add(StateChunk("items", 2, None, b"TGI\x01\x07"))

    def test_a_state_that_can_not_be_written_fails_the_checkpoint(self) -> None:
        @operator(state=U64)
        def below_zero(record: Record, state: State[int], out: Output) -> None:
            state.value -= 1

        harness = Harness(below_zero)
        harness.send("a", "")
        with self.assertRaisesRegex(OtherFailure, "the state can't be written: -1 does not fit"):
            harness.snapshot()

    def test_what_a_failed_call_emitted_is_dropped(self) -> None:
        harness = Harness(Max)
        with self.assertRaises(InvalidRecord) as refusal:
            harness.send_all([("a", "1"), ("b", "x")])
        self.assertEqual(refusal.exception.row, 1)
        harness.send("c", "2")
        self.assertEqual(harness.take_text(), [("c", "2")])

    def test_all_states_are_seen_sorted_by_the_bytes_of_the_key(self) -> None:
        class Last(Operator[int]):
            state = U64

            def on_record(self, record: Record, state: State[int], out: Output) -> None:
                state.value += 1

            def on_finish(self, keys: KeyedState[int], out: Output) -> None:
                assert list(keys) == [key for key, _state in keys.items()]
                assert b"a" in keys
                assert b"x" not in keys
                assert keys.get(b"x") is None
                assert len(keys) == 3
                del keys[b"a"]
                keys[b"\xff"].value = 7
                for key, state in keys.items():
                    out.emit(key, state.value)
                keys.clear()

        harness = Harness(Last)
        harness.send_all([(b"\xff", ""), ("b", ""), ("a", "")])
        harness.finish()
        values = [(emitted.key, emitted.value) for emitted in harness.take_output()]
        self.assertEqual(values, [(b"b", b"1"), (b"\xff", b"7")])
        self.assertEqual(harness.keys(), [])

    def test_logs_and_counters_go_to_the_harness(self) -> None:
        class Notes(Operator[None]):
            def on_record(self, record: Record, state: State[None], out: Output) -> None:
                tidegate.log(Level.WARN, record.value_text())
                tidegate.count("seen", 2)

            def on_checkpoint_complete(self, checkpoint: int) -> None:
                tidegate.log(Level.INFO, checkpoint)

        harness, other = Harness(Notes), Harness(Notes)
        harness.send("", "x")
        harness.snapshot()
        harness.checkpoint_complete()
        self.assertEqual(harness.take_logs(), [(Level.WARN, "x"), (Level.INFO, "1")])
        self.assertEqual((harness.counter("seen"), other.counter("seen")), (2, 0))
        with self.assertRaises(ValueError):
            tidegate.count("seen", -1)

    def test_a_raw_operator_has_the_columns(self) -> None:
        class Echo(RawOperator):
            def process(self, input: int, records: Batch) -> list[Emission]:
                return [Emission(input, records)]

        harness = Harness(Echo)
        harness.send_batch(Batch([5], Column([0, 1], b"k"), Column([0, 2], b"vv")))
        (emitted,) = harness.take_output()
        self.assertEqual((emitted.timestamp, emitted.text()), (5, ("k", "vv")))

    def test_what_is_no_operator_is_refused(self) -> None:
        kinds: list[Any] = [int, count.on_record, "count"]
        for kind in kinds:
            with self.subTest(kind=kind), self.assertRaisesRegex(TypeError, "is no operator"):
                Harness(kind)


if __name__ == "__main__":
    unittest.main()
