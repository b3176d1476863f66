"""The functions that the host lends an operator: a log, counters, and the key groups of keys.

In a component the calls go to the host. Natively they go to a recorder, which the test harness
reads.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Protocol

from .key_group import key_group

__all__ = ["Level", "count", "log"]


class Level(IntEnum):
    """The severity of a log message. The job's settings decide which messages are shown."""

    #: Every step.
    TRACE = 0
    #: Details that help to find a fault.
    DEBUG = 1
    #: Facts that a user may want to know.
    INFO = 2
    #: Facts that a user should know.
    WARN = 3
    #: A failure. Just before a trap the message becomes part of the host's error message.
    ERROR = 4


class Backend(Protocol):
    """The functions behind this module."""

    def log(self, level: Level, message: str) -> None: ...

    def count(self, metric: str, delta: int) -> None: ...

    def key_groups(self, keys: Sequence[bytes], max_parallelism: int) -> list[int]: ...


class Recorder:
    """Stands in for the host natively."""

    def __init__(self) -> None:
        self.logs: list[tuple[Level, str]] = []
        self.counters: dict[str, int] = {}

    def log(self, level: Level, message: str) -> None:
        self.logs.append((level, message))

    def count(self, metric: str, delta: int) -> None:
        self.counters[metric] = min(self.counters.get(metric, 0) + delta, 2**64 - 1)

    def key_groups(self, keys: Sequence[bytes], max_parallelism: int) -> list[int]:
        return [key_group(key, max_parallelism) for key in keys]


backend: Backend = Recorder()


def use(new_backend: Backend) -> None:
    """Sends all calls from now on to `new_backend`."""
    global backend
    backend = new_backend


def log(level: Level, message: object) -> None:
    """Writes a message to the job's log, under the operator's and the subtask's name.

    The host cuts messages of more than 8 KiB, and drops messages above the operator's log rate.
    """
    backend.log(Level(level), str(message))


def count(metric: str, delta: int = 1) -> None:
    """Adds to a counter that the job's metrics show under the operator's name.

    A counter starts at 0 with each attempt of the job and is no part of the state. A call costs
    more than a record: add up over a batch, rather than count each record.
    Raises `ValueError` if `delta` is negative or does not fit in 64 bits.
    """
    if not 0 <= delta < 2**64:
        raise ValueError(f"a counter can't grow by {delta}")
    backend.count(metric, delta)


def key_groups(keys: Sequence[bytes], max_parallelism: int) -> list[int]:
    """Returns the key group of each key."""
    return backend.key_groups(keys, max_parallelism)
