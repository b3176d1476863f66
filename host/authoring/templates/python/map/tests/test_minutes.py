"""Runs natively: `python -m unittest discover -s tests`, with `src` and the SDK on the path."""

import unittest

from tidegate import InvalidRecord
from tidegate.testing import Harness

from minutes import minutes


class MinutesTest(unittest.TestCase):
    def test_seconds_have_two_digits(self) -> None:
        harness = Harness(minutes)
        harness.send_all([("ann", "75"), ("bob", "9"), ("ann", "3600")])
        values = [value for _key, value in harness.take_text()]
        self.assertEqual(values, ["1:15", "0:09", "60:00"])

    def test_a_value_that_is_no_number_is_rejected(self) -> None:
        with self.assertRaisesRegex(InvalidRecord, "not a decimal number"):
            Harness(minutes).send("ann", "an hour")


if __name__ == "__main__":
    unittest.main()
