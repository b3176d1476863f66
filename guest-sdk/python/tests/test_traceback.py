"""An exception as the host's log shows it."""

import unittest
from collections.abc import Callable

from tidegate import Record, State, operator
from tidegate._traceback import MAX_MESSAGE, describe
from tidegate.codec import U64
from tidegate.output import Output
from tidegate.testing import Harness


def divide(total: int) -> int:
    return 1 // total


@operator(state=U64)
def broken(record: Record, state: State[int], out: Output) -> None:
    try:
        divide(state.value)
    except ZeroDivisionError as error:
        raise ValueError("no total") from error


def call_itself(times: int) -> None:
    if times:
        call_itself(times - 1)
    raise KeyError("deep")


def described(call: Callable[[], None]) -> str:
    """Returns the description of a call's exception; `assertRaises` would forget the calls."""
    try:
        call()
    except Exception as error:
        return describe(error)
    raise AssertionError("it raises nothing")


class TracebackTest(unittest.TestCase):
    def test_the_innermost_call_comes_first_and_the_sdk_is_left_out(self) -> None:
        lines = described(lambda: Harness(broken).send("a", "")).splitlines()
        self.assertEqual(lines[0], "ValueError: no total")
        self.assertRegex(lines[1], r"^  at broken \(.*test_traceback.py:\d+\)")
        cause = lines.index("caused by ZeroDivisionError: integer division or modulo by zero")
        self.assertRegex(lines[cause + 1], r"^  at divide \(.*test_traceback.py:\d+\)")
        self.assertFalse([line for line in lines if "/tidegate/" in line])

    def test_a_function_that_calls_itself_is_shown_once(self) -> None:
        lines = described(lambda: call_itself(500)).splitlines()
        self.assertLess(len(lines), 6)
        self.assertIn("(500 times)", lines[2])

    def test_a_long_message_leaves_room_for_the_calls(self) -> None:
        message = describe(ValueError("x" * 100_000))
        self.assertLess(len(message), MAX_MESSAGE + 100)
        self.assertIn("98000 characters more", message)

    def test_an_exception_without_a_message_is_still_described(self) -> None:
        class SilentError(Exception):
            def __str__(self) -> str:
                raise RuntimeError

        self.assertIn("its message can't be had", describe(SilentError()))
        self.assertEqual(describe(MemoryError()), "MemoryError")


if __name__ == "__main__":
    unittest.main()
