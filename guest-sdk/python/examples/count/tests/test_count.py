"""The counter of word-count, run in a harness."""

import unittest

from count import Count

from tidegate import OtherFailure
from tidegate.testing import Harness


class CountTest(unittest.TestCase):
    def test_updates_carry_the_count_so_far(self) -> None:
        count = Harness(Count)
        count.send_all([("tide", ""), ("gate", ""), ("tide", "")])
        count.finish()
        self.assertEqual(count.take_text(), [("tide", "1"), ("gate", "1"), ("tide", "2")])

    def test_final_counts_come_once_and_sorted(self) -> None:
        count = Harness(Count, config={"emit": "final"})
        count.send_all([("tide", ""), ("gate", ""), ("tide", "")])
        self.assertEqual(count.take_text(), [])
        count.finish()
        self.assertEqual(count.take_text(), [("gate", "1"), ("tide", "2")])

    def test_a_count_goes_on_after_a_failure(self) -> None:
        count = Harness(Count)
        count.send_all([("tide", ""), ("tide", "")])
        restored = Harness(Count, restore=count.snapshot())
        restored.send("tide", "")
        self.assertEqual(restored.take_text(), [("tide", "3")])

    def test_a_misspelt_setting_is_refused(self) -> None:
        with self.assertRaisesRegex(OtherFailure, "unknown field `emits`"):
            Harness(Count, config={"emits": "final"})


if __name__ == "__main__":
    unittest.main()
