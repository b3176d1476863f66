"""Runs natively: `python -m unittest discover -s tests`, with `src` and the SDK on the path."""

import unittest

from tidegate.testing import Harness

from deliveries import ORDERS, deliveries

CUSTOMERS = 1


class DeliveriesTest(unittest.TestCase):
    def test_an_order_waits_for_the_city_also_over_a_failure(self) -> None:
        harness = Harness(deliveries)
        harness.send("ann", "lamp", input=ORDERS)
        self.assertEqual(harness.take_text(), [])
        harness.restart()
        harness.send("ann", "Oslo", input=CUSTOMERS)
        harness.send("ann", "rug", input=ORDERS)
        expected = [("ann", "lamp to Oslo"), ("ann", "rug to Oslo")]
        self.assertEqual(harness.take_text(), expected)


if __name__ == "__main__":
    unittest.main()
