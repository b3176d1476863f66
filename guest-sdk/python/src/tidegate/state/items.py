"""Operator state: the state that belongs to no key, as a list of items that can move alone."""

from typing import TypeVar

from tidegate.codec import Codec, Malformed, NotWritable, read_state
from tidegate.failure import IncompatibleState, OtherFailure, unknown_version
from tidegate.raw import StateChunk

from .container import item_chunk, read_item

T = TypeVar("T")


class Items:
    """Takes the items of operator state at a checkpoint; see `Operator.operator_state`."""

    def __init__(self) -> None:
        #: The chunks of the items so far.
        self.chunks: list[bytes] = []

    def push(self, codec: Codec[T], item: T) -> None:
        """Adds an item. The order of the items is part of the state."""
        try:
            self.chunks.append(item_chunk(codec.encode(item)))
        except NotWritable as error:
            raise OtherFailure(f"the state can't be written: {error}") from None


class RestoredItems:
    """The items of operator state that this subtask receives at a restore.

    `len` is their number. See `Operator.restore_operator_state`.
    """

    def __init__(self, current: int) -> None:
        self._chunks: list[StateChunk] = []
        self._current = current

    def __len__(self) -> int:
        """Returns the number of items."""
        return len(self._chunks)

    @property
    def version(self) -> int:
        """The `STATE_VERSION` of the operator that wrote the items; 0 if there are no items."""
        return self._chunks[0].schema_version if self._chunks else 0

    def read(self, codec: Codec[T], version: int | None = None) -> list[T]:
        """Reads all items, in the order in which they were dealt out.

        `version` is this operator's version by default; set an older version to read its items.
        Raises `IncompatibleState` if another version wrote them, or if an item is not exactly of
        the type.
        """
        expected = self._current if version is None else version
        if self._chunks and self.version != expected:
            raise unknown_version(self.version)
        return [read_state(codec, _item(chunk)) for chunk in self._chunks]

    def add(self, chunk: StateChunk) -> None:
        """Adds a chunk. Called by the SDK."""
        if self._chunks and chunk.schema_version != self.version:
            raise IncompatibleState("its items of operator state have different versions")
        self._chunks.append(chunk)


def _item(chunk: StateChunk) -> bytes:
    try:
        return read_item(chunk.bytes)
    except Malformed as rule:
        raise IncompatibleState(f"an item: {rule}") from None
