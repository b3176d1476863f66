"""The lower level: the columnar batch in, emissions and state chunks out.

Use it for an operator that works on whole columns, or that lays out its state itself. Everything
that [`Operator`][tidegate.Operator] does is built on [`RawOperator`][tidegate.raw.RawOperator].
`wit/types.wit` has the rules of the columns; the host checks every column that it gets back.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from .context import Context

__all__ = ["NO_TIMESTAMP", "Batch", "Column", "Emission", "RawOperator", "StateChunk"]

#: The raw timestamp of a record without a timestamp.
NO_TIMESTAMP = -(2**63)


@dataclass(slots=True)
class Column:
    """A column of byte strings: row `i` is `data[offsets[i]:offsets[i + 1]]`."""

    #: One more than there are rows; the first is 0, the last the length of `data`.
    offsets: list[int] = field(default_factory=lambda: [0])
    #: All rows, one after the other.
    data: bytes = b""

    @classmethod
    def of(cls, rows: Sequence[bytes]) -> "Column":
        """Makes the column with these rows."""
        return cls(list(accumulate(map(len, rows), initial=0)), b"".join(rows))

    def rows(self) -> list[bytes]:
        """Returns the rows, copied out."""
        data = self.data
        return [data[start:end] for start, end in pairwise(self.offsets)]

    def __len__(self) -> int:
        """Returns the number of rows."""
        return len(self.offsets) - 1


@dataclass(slots=True)
class Batch:
    """Records in arrival order. All three columns have the same number of rows."""

    #: Milliseconds since the Unix epoch, or `NO_TIMESTAMP`.
    timestamps: list[int] = field(default_factory=list)
    #: The keys; empty for a record without a key.
    keys: Column = field(default_factory=Column)
    #: The values.
    values: Column = field(default_factory=Column)

    @classmethod
    def of(cls, records: Iterable[tuple[bytes, bytes, int]]) -> "Batch":
        """Makes the batch of these records: key, value, and timestamp or `NO_TIMESTAMP`."""
        rows = list(records)
        return cls(
            [timestamp for _key, _value, timestamp in rows],
            Column.of([key for key, _value, _timestamp in rows]),
            Column.of([value for _key, value, _timestamp in rows]),
        )

    def __len__(self) -> int:
        """Returns the number of records."""
        return len(self.timestamps)


@dataclass(slots=True)
class Emission:
    """Records that an operator sends out of one of its output ports."""

    #: The index in `Context.outputs`.
    port: int
    #: The records.
    records: Batch


@dataclass(slots=True)
class StateChunk:
    """One piece of an operator's state in a checkpoint."""

    #: The author's name for this state.
    name: str
    #: Version of the layout of `bytes`.
    schema_version: int
    #: The key group of all keys of the chunk; `None` for operator state.
    key_group: int | None
    #: The state.
    bytes: bytes


class RawOperator:
    """An operator as the host sees it. `wit/operator.wit` defines its calls and their order.

    ```python
    from tidegate.raw import Batch, Emission, RawOperator


    class Echo(RawOperator):
        def process(self, input: int, records: Batch) -> list[Emission]:
            return [Emission(0, records)]
    ```
    """

    def open(self, context: Context) -> None:
        """Prepares the operator; the first call, once. Does nothing by default."""

    def process(self, input: int, records: Batch) -> list[Emission]:
        """Processes one batch, all from input `input`.

        Raises `InvalidRecord` to blame one row. The host drops the instance after any failure.
        """
        raise NotImplementedError

    def advance_watermark(self, watermark: int) -> list[Emission]:
        """Handles a new watermark: a record older than `watermark`, in milliseconds, is late now.

        Emits nothing by default. A restored instance is called with the last watermark again,
        before any record. The host sends the output of that call too, so emit only what the call
        takes out of the state.
        """
        return []

    def snapshot(self, checkpoint: int) -> list[StateChunk]:
        """Returns the state after every record, in canonical order: equal state, equal bytes."""
        return []

    def restore(self, chunks: list[StateChunk]) -> None:
        """Restores what `snapshot` returned, for the key groups that this instance owns."""

    def checkpoint_complete(self, checkpoint: int) -> None:
        """Learns that the checkpoint is durable in every subtask. Does nothing by default."""

    def finish(self) -> list[Emission]:
        """Handles the end of all inputs. Emits nothing by default."""
        return []
