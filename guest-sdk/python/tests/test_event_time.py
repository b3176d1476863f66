"""After a failure an operator knows as much of event time as before."""

import unittest

from tidegate import U64, Context, KeyedState, Operator, Output, Record, State
from tidegate.testing import Harness


class OnTime(Operator[int]):
    """Passes on records in time. A restored instance receives its watermark again."""

    state = U64

    def open(self, config: None, context: Context) -> None:
        self.watermark: int | None = None

    def on_record(self, record: Record, state: State[int], out: Output) -> None:
        at = record.timestamp
        if self.watermark is not None and at is not None and at < self.watermark:
            return
        state.value += 1
        out.emit(record.key, state.value)

    def on_watermark(self, watermark: int, keys: KeyedState[int], out: Output) -> None:
        self.watermark = watermark


class EventTimeTest(unittest.TestCase):
    def test_a_record_that_is_late_before_a_restart_is_late_after_it(self) -> None:
        harness = Harness(OnTime)
        harness.restart()
        harness.send("a", "", timestamp=5)
        harness.watermark(10)
        harness.restart()
        harness.send("a", "", timestamp=9)
        harness.send("a", "", timestamp=10)
        self.assertEqual(harness.take_text(), [("a", "1"), ("a", "2")])

    def test_an_instance_of_another_parallelism_is_told_the_watermark_after_its_state(
        self,
    ) -> None:
        one = Harness(OnTime)
        one.send("a", "", timestamp=5)
        one.watermark(10)
        chunks = one.snapshot()
        two = [Harness(OnTime, subtask=(i, 2), restore=chunks, watermark=10) for i in range(2)]
        owner = next(subtask for subtask in two if subtask.owns("a"))
        owner.send("a", "", timestamp=9)
        owner.send("a", "", timestamp=10)
        self.assertEqual(owner.take_text(), [("a", "2")])


if __name__ == "__main__":
    unittest.main()
