"""Runs natively: `python -m unittest discover -s tests`, with `src` and the SDK on the path."""

import unittest

from tidegate.testing import Harness

from shout import Shout


class ShoutTest(unittest.TestCase):
    def test_the_records_before_a_failure_are_counted(self) -> None:
        harness = Harness(Shout)
        harness.send("a", "The tide")
        harness.restart()
        harness.send("b", "gate 2")
        harness.finish()
        expected = [("a", "THE TIDE"), ("b", "GATE 2"), ("", "2 records in all")]
        self.assertEqual(harness.take_text(), expected)


if __name__ == "__main__":
    unittest.main()
