"""The exports of the component; for the module that `tidegate build` writes, and only there.

An instance has one operator, which `open` makes. A call before `open`, or a second `open`, is the
host's mistake and fails without touching the operator.
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

from componentize_py_types import Err
from wit_world.imports import host as wit_host
from wit_world.imports import types as wit

from . import _host, _sandbox
from ._traceback import describe
from ._typed import raw_operator
from .context import Context
from .failure import Failure, IncompatibleState, InvalidRecord
from .raw import Batch, Column, Emission, RawOperator, StateChunk

T = TypeVar("T")

_LEVELS = {level: wit_host.Level[level.name] for level in _host.Level}


class _Host:
    """The host of the component."""

    def log(self, level: _host.Level, message: str) -> None:
        # Half of a surrogate pair can't cross the boundary.
        wit_host.log(_LEVELS[level], message.encode(errors="replace").decode())

    def count(self, metric: str, delta: int) -> None:
        wit_host.count(metric, delta)

    def key_groups(self, keys: Sequence[bytes], max_parallelism: int) -> list[int]:
        column = Column.of(keys)
        return wit_host.key_groups(wit.Column(column.offsets, column.data))


class Exports:
    """The exports of the component. Each exported function has an object of this class."""

    #: The class or function from which `open` makes the operator.
    kind: ClassVar[Any] = None
    #: The operator of the instance, once it is open.
    operator: ClassVar[RawOperator | None] = None

    def open(self, context: wit.Context) -> None:
        if Exports.operator is not None:
            raise Err(wit.Failure_Other("the operator was opened twice"))
        _host.use(_Host())
        operator = _guard(lambda: raw_operator(self.kind))
        _guard(lambda: operator.open(_context(context)))
        Exports.operator = operator

    def process(self, input: int, records: wit.Batch) -> list[Emission]:
        operator = _opened()
        return _guard(lambda: operator.process(input, _batch(records)))

    def advance_watermark(self, watermark: int) -> list[Emission]:
        operator = _opened()
        return _guard(lambda: operator.advance_watermark(watermark))

    def snapshot(self, checkpoint: int) -> list[StateChunk]:
        operator = _opened()
        return _guard(lambda: operator.snapshot(checkpoint))

    def restore(self, chunks: list[wit.StateChunk]) -> None:
        operator = _opened()
        read = [StateChunk(c.name, c.schema_version, c.key_group, c.bytes) for c in chunks]
        _guard(lambda: operator.restore(read))

    def checkpoint_complete(self, checkpoint: int) -> None:
        operator = _opened()
        _guard(lambda: operator.checkpoint_complete(checkpoint))

    def finish(self) -> list[Emission]:
        operator = _opened()
        return _guard(operator.finish)


class Fault(Exception):
    """The exception that the runtime turns into a trap."""


def export(kind: Any) -> type[Exports]:
    """Returns the exports of an operator. Raises `TypeError` for anything else."""
    raw_operator(kind)
    _sandbox.close()
    return type("Operator", (Exports,), {"kind": kind})


def _opened() -> RawOperator:
    if Exports.operator is None:
        raise Err(wit.Failure_Other("the operator was called before it was opened"))
    return Exports.operator


def _guard(call: Callable[[], T]) -> T:
    """Runs the call, with a failure as the interface requires it, and a fault in the host's log."""
    try:
        return call()
    except Failure as failure:
        raise Err(_lower(failure)) from None
    except BaseException as error:
        # A trap carries no message: the host takes it from the log.
        _host.log(_host.Level.ERROR, describe(error))
        # Any exception becomes a `Fault`: `SystemExit` would end the interpreter in its own way.
        raise Fault from None


def _lower(failure: Failure) -> Any:
    if isinstance(failure, InvalidRecord):
        return wit.Failure_InvalidRecord((failure.row, failure.reason))
    if isinstance(failure, IncompatibleState):
        return wit.Failure_IncompatibleState(failure.reason)
    return wit.Failure_Other(str(failure))


def _batch(batch: wit.Batch) -> Batch:
    return Batch(
        batch.timestamps,
        Column(batch.keys.offsets, batch.keys.data),
        Column(batch.values.offsets, batch.values.data),
    )


def _context(context: wit.Context) -> Context:
    return Context(
        job=context.job,
        operator=context.operator,
        subtask=context.subtask,
        parallelism=context.parallelism,
        max_parallelism=context.max_parallelism,
        first_key_group=context.first_key_group,
        last_key_group=context.last_key_group,
        inputs=tuple(context.inputs),
        outputs=tuple(context.outputs),
        config=context.config,
        hash_seed=context.hash_seed,
    )
