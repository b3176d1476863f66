"""Makes a `RawOperator` of an `Operator`.

Reads the columns row by row, finds the state of each record's key once, and writes and reads the
state at checkpoints. The state holds a key only if a record of it was processed and its state is
not vacant.
"""

from typing import Any, Generic, TypeVar

from ._operator import Operator
from .config import read_config
from .context import Context
from .failure import IncompatibleState
from .output import Output
from .raw import Batch, Emission, RawOperator, StateChunk
from .record import Record
from .state.chunk import decoder_of, read_chunks, sort_out, write_chunks
from .state.items import Items
from .state.keyed import KeyedState, State

__all__ = ["Typed"]

S = TypeVar("S")


class Typed(RawOperator, Generic[S]):
    """An `Operator` as the host sees it."""

    def __init__(self, operator: Operator[S]) -> None:
        self.operator = operator
        self.codec = operator.state
        self.out = Output()
        self.record = Record(b"", b"")
        self.unkept = State(self.codec.default())
        # Most operators have no vacant state, and are then not asked for it after each record.
        self.may_be_vacant = type(operator).is_vacant is not Operator.is_vacant

    def open(self, context: Context) -> None:
        self.context = context
        self.keys = KeyedState(self.codec, context)
        self.out = Output(len(context.outputs))
        self.operator.open(read_config(self.operator.config, context.config), context)

    def process(self, input: int, records: Batch) -> list[Emission]:
        self.record.input = input
        try:
            if self.codec.is_unit:
                self._process_stateless(records)
            else:
                self._process_keyed(records)
            return self.out.take()
        finally:
            self.out.discard()
            self.keys.end_batch()

    # The two loops take most of the time of a job. A `for` may assign to attributes, which is the
    # cheapest way to hand the fields of a row to the record.

    def _process_stateless(self, records: Batch) -> None:
        on_record, record, out, state = self.operator.on_record, self.record, self.out, self.unkept
        for record.row, record.key, record.value, timestamp in _rows(records):
            record._timestamp = out._inherited = timestamp
            on_record(record, state, out)

    def _process_keyed(self, records: Batch) -> None:
        on_record, record, out = self.operator.on_record, self.record, self.out
        table, salt, may_be_vacant = self.keys.table, self.keys.salt, self.may_be_vacant
        find = table.get
        for record.row, record.key, record.value, timestamp in _rows(records):
            key = record.key
            record._timestamp = out._inherited = timestamp
            state = find(salt + key)
            if state is None:
                state = self.keys.admit(key, records.keys, record.row)
            on_record(record, state, out)
            if may_be_vacant and self.operator.is_vacant(state.value):
                del table[salt + key]

    def advance_watermark(self, watermark: int) -> list[Emission]:
        try:
            self.operator.on_watermark(watermark, self.keys, self.out)
            self._forget()
            return self.out.take()
        finally:
            self.out.discard()

    def finish(self) -> list[Emission]:
        try:
            self.operator.on_finish(self.keys, self.out)
            self._forget()
            return self.out.take()
        finally:
            self.out.discard()

    def snapshot(self, checkpoint: int) -> list[StateChunk]:
        items = Items()
        self.operator.operator_state(items)
        return write_chunks(self.keys, self.codec, items, self.operator.STATE_VERSION)

    def restore(self, chunks: list[StateChunk]) -> None:
        operator = self.operator
        keyed, items = sort_out(chunks, operator.STATE_VERSION)
        if self.codec.is_unit and keyed:
            raise IncompatibleState("it has keyed state, and this operator keeps none")
        decoder = decoder_of(self.codec, operator.STATE_VERSION, operator.migrate)
        read_chunks(self.keys, keyed, self.context, decoder)
        if items:
            operator.restore_operator_state(items)

    def checkpoint_complete(self, checkpoint: int) -> None:
        self.operator.on_checkpoint_complete(checkpoint)

    def _forget(self) -> None:
        if self.may_be_vacant:
            self.keys.forget(self.operator.is_vacant)


def _rows(records: Batch) -> Any:
    """Yields row, key, value and timestamp of each record."""
    keys, values = records.keys.rows(), records.values.rows()
    return zip(range(len(records)), keys, values, records.timestamps, strict=True)


def raw_operator(kind: Any) -> RawOperator:
    """Makes the operator of a module's operator: a class, or a decorator's result for a function.

    Raises `TypeError` for anything else.
    """
    if isinstance(kind, type) and issubclass(kind, Operator):
        return Typed(kind())
    if isinstance(kind, type) and issubclass(kind, RawOperator):
        return kind()
    raise TypeError(f"{kind!r} is no operator: it must be a subclass of tidegate.Operator")
