"""Runs natively: `python -m unittest discover -s tests`, with `src` and the SDK on the path."""

import unittest

from tidegate import InvalidRecord
from tidegate.testing import Harness

from total import total


class TotalTest(unittest.TestCase):
    def test_each_key_has_a_total_of_its_own(self) -> None:
        harness = Harness(total)
        harness.send_all([("apples", "3"), ("pears", "5"), ("apples", "4")])
        values = [value for _key, value in harness.take_text()]
        self.assertEqual(values, ["3", "5", "7"])

    def test_a_total_goes_on_after_a_failure(self) -> None:
        harness = Harness(total)
        harness.send("apples", "3")
        restored = Harness(total, restore=harness.snapshot())
        restored.send("apples", "4")
        self.assertEqual(restored.take_text(), [("apples", "7")])

    def test_what_is_no_number_is_refused(self) -> None:
        with self.assertRaisesRegex(InvalidRecord, "not a decimal number"):
            Harness(total).send("apples", "many")


if __name__ == "__main__":
    unittest.main()
