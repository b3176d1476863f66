"""The emitted records, and their ports."""

import unittest
from typing import Any

from tidegate import OtherFailure, Output, Record, stateless
from tidegate.raw import NO_TIMESTAMP
from tidegate.testing import Emitted, Harness


class OutputTest(unittest.TestCase):
    def test_fields_are_bytes_text_integers_and_tuples(self) -> None:
        out = Output()
        for field in (b"a", "é", -42, 0, 2**64, None, (), ("count ", 7, (b"!", None))):
            out.emit(field, field)
        (emission,) = out.take()
        rows = [b"a", "é".encode(), b"-42", b"0", b"18446744073709551616", b"", b"", b"count 7!"]
        self.assertEqual(emission.records.keys.rows(), rows)
        self.assertEqual(emission.records.values.rows(), rows)

    def test_what_has_no_one_text_is_refused(self) -> None:
        wrong: Any
        for wrong in (1.5, True, [b"a"], bytearray(b"a"), {"a"}):
            with self.subTest(wrong=wrong):
                with self.assertRaises(TypeError):
                    Output().emit(wrong, b"")
                with self.assertRaises(TypeError):
                    Output().emit(b"", wrong)
                with self.assertRaises(TypeError):
                    Output().emit_to(0, b"", wrong)

    def test_each_port_keeps_its_own_order(self) -> None:
        out = Output(3)
        out.emit_to(2, "a", 1)
        out.emit("b", 2)
        out.emit_to(2, "c", 3)
        out.emit_to(0, "d", 4)
        emissions = out.take()
        self.assertEqual([emission.port for emission in emissions], [0, 2])
        self.assertEqual(emissions[0].records.keys.data, b"bd")
        self.assertEqual(emissions[1].records.values.offsets, [0, 1, 2])
        self.assertEqual(out.take(), [])

    def test_a_port_that_is_not_there_fails_the_call_and_is_named(self) -> None:
        for port in (1, -1, 2**40):
            out = Output()
            out.emit_to(port, "a", 1)
            with self.assertRaisesRegex(
                OtherFailure, f"output port {port}, but the operator has 1"
            ):
                out.take()
            self.assertEqual(out.take(), [])

    def test_a_timestamp_is_inherited_unless_it_is_set(self) -> None:
        @stateless
        def stamp(record: Record, out: Output) -> None:
            out.emit("inherited", None)
            out.emit("none", None, timestamp=None)
            out.emit_to(0, "own", None, timestamp=9)

        harness = Harness(stamp)
        harness.send("", "", timestamp=7)
        self.assertEqual(
            harness.take_output(),
            [
                Emitted(0, 7, b"inherited", b""),
                Emitted(0, None, b"none", b""),
                Emitted(0, 9, b"own", b""),
            ],
        )

    def test_a_timestamp_is_an_integer_of_64_bits(self) -> None:
        wrong: Any
        for wrong in (1.5, 2**63, "now"):
            with self.subTest(wrong=wrong), self.assertRaises(TypeError):
                Output().emit("", "", timestamp=wrong)
        out = Output()
        out.emit("", "", timestamp=NO_TIMESTAMP)
        self.assertEqual(out.take()[0].records.timestamps, [NO_TIMESTAMP])


if __name__ == "__main__":
    unittest.main()
