"""An exception as a message for the host's log.

The host shows the first 8 KiB, so the important parts come first: the type and the message, and
then the calls, the innermost first. The host leaves out calls of other packages, and names files as
the project has them. Nothing here opens a file: in a component there are no files.
"""

import linecache
import os
from itertools import groupby
from types import TracebackType

#: The most characters of an exception's own message.
MAX_MESSAGE = 2_000

#: The most calls that are shown of one exception.
MAX_CALLS = 30

#: The most exceptions that are shown, each the cause of the exception before.
MAX_CAUSES = 4

_SDK = os.path.dirname(__file__) + os.sep


def describe(error: BaseException) -> str:
    """Returns the exception with the calls that led to it, and its causes."""
    lines: list[str] = []
    shown: BaseException | None = error
    for _ in range(MAX_CAUSES):
        if shown is None:
            break
        lines.append(_headline(shown) if not lines else f"caused by {_headline(shown)}")
        lines.extend(_calls(shown.__traceback__))
        hides_context = shown.__suppress_context__
        shown = shown.__cause__ or (None if hides_context else shown.__context__)
    return "\n".join(lines)


def _headline(error: BaseException) -> str:
    kind = type(error)
    name = kind.__qualname__
    if kind.__module__ not in ("builtins", "__main__"):
        name = f"{kind.__module__}.{name}"
    try:
        message = str(error)
    except Exception:
        message = "its message can't be had"
    if len(message) > MAX_MESSAGE:
        message = f"{message[:MAX_MESSAGE]}… ({len(message) - MAX_MESSAGE} characters more)"
    return f"{name}: {message}" if message else name


def _calls(traceback: TracebackType | None) -> list[str]:
    calls = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if not code.co_filename.startswith(_SDK):
            calls.append(_call(code.co_filename, traceback.tb_lineno, code.co_qualname))
        traceback = traceback.tb_next
    calls.reverse()
    calls = _without_repetitions(calls)
    if len(calls) > MAX_CALLS:
        left_out = len(calls) - MAX_CALLS
        calls[MAX_CALLS:] = [f"  … {left_out} calls more"]
    return calls


def _without_repetitions(calls: list[str]) -> list[str]:
    """Shows a function that calls itself once, with the number of its calls."""
    shown = []
    for call, repeated in groupby(calls):
        times = sum(1 for _ in repeated)
        shown.append(call if times == 1 else f"{call} ({times} times)")
    return shown


def _call(file: str, line: int, function: str) -> str:
    source = linecache.cache.get(file)
    text = ""
    if source is not None and len(source) == 4 and line <= len(source[2]):
        text = f": {source[2][line - 1].strip()}"
    return f"  at {function} ({file}:{line}){text}"
