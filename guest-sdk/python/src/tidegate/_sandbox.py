"""Closes parts of the system in a component once its modules are loaded.

A component has no files, no clock and no randomness: a call of a Python program to the system would
end in a trap without a message. Where possible, this module puts an answer or an exception in its
place.
"""

import builtins
import errno
import io
import linecache
import os
import random
import sys
import time
from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any, NoReturn

from . import _host

# Modules that the standard library loads only when they are first needed.
import _strptime  # noqa: F401  isort: skip
import encodings.ascii
import encodings.idna
import encodings.latin_1
import encodings.utf_16

import encodings.utf_32  # noqa: F401  isort: skip


def close() -> None:
    """Closes the sandbox. Called last while the component is built."""
    _remember_sources(sys.modules.values())
    sys.meta_path[:] = [*sys.meta_path[:2], _NoFiles]
    sys.path[:] = []
    sys.stdout, sys.stderr = _Log(_host.Level.INFO), _Log(_host.Level.WARN)
    # The log already has the stack of a fault; the runtime would write it to no file.
    sys.excepthook = lambda *_fault: None
    builtins.open = io.open = _no_file
    os.urandom = _no_randomness
    for clock in ("time", "monotonic", "perf_counter", "process_time", "thread_time"):
        setattr(time, clock, lambda: 0.0)
        setattr(time, f"{clock}_ns", lambda: 0)
    random.seed(0)


def _remember_sources(modules: Iterable[ModuleType]) -> None:
    """Keeps the lines of the author's modules, for the stack of an exception."""
    for module in list(modules):
        file = getattr(module, "__file__", None)
        if file is not None and not file.startswith((sys.prefix, "/bundled")):
            linecache.getlines(file)


class _NoFiles:
    """The finder of all modules that were not loaded when the component was built."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: Any = None) -> NoReturn:
        raise ModuleNotFoundError(
            f"module `{name}` is not in the component: import it at the top of a module, for "
            "there are no files when the operator runs",
            name=name,
        )


class _Log(io.TextIOBase):
    """Writes printed text to the job's log, line by line."""

    def __init__(self, level: _host.Level) -> None:
        super().__init__()
        self._level = level
        self._line = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            _host.log(self._level, line)
        return len(text)


def _no_file(file: Any, *arguments: Any, **named: Any) -> NoReturn:
    raise FileNotFoundError(errno.ENOENT, "an operator has no files", str(file))


def _no_randomness(size: int) -> NoReturn:
    raise NotImplementedError("an operator has no randomness")
