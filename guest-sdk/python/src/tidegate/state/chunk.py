"""Turns the state of an operator into the chunks of a checkpoint, and back.

Equal state gives equal chunks, whatever order its keys arrived in, and reading accepts everything
or rejects everything.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, TypeVar

from tidegate.codec import BYTE, Codec, Malformed, NotWritable, read_state, varint
from tidegate.context import Context
from tidegate.failure import IncompatibleState, OtherFailure
from tidegate.raw import StateChunk

from .container import keyed_chunk, read_keyed
from .items import Items, RestoredItems
from .keyed import SALT, KeyedState, State

S = TypeVar("S")

#: Name of the chunks of keyed state.
KEYED = "keyed"

#: Name of the chunks of operator state.
ITEMS = "items"

#: Lengths below this are one byte.
SHORT = 0x80


def write_chunks(
    keys: KeyedState[S], codec: Codec[S], items: Items, version: int
) -> list[StateChunk]:
    """Returns all chunks of a snapshot: keyed state by key group, then the items in their order."""
    try:
        written = _write_groups(keys.table, codec)
    except NotWritable as error:
        raise OtherFailure(f"the state can't be written: {error}") from None
    chunks = [
        StateChunk(KEYED, version, group, keyed_chunk(len(parts) // 4, parts))
        for group, parts in sorted(written.items())
    ]
    chunks.extend(StateChunk(ITEMS, version, None, item) for item in items.chunks)
    return chunks


def _write_groups(table: dict[bytes, State[S]], codec: Codec[S]) -> dict[int, list[bytes]]:
    """Returns for each key group the parts of its entries, in the order of the keys."""
    groups: dict[int, list[bytes]] = {}
    encode = codec.encode
    for salted in sorted(table):
        state, key = table[salted], salted[SALT:]
        value = encode(state.value)
        parts = groups.get(state.group)
        if parts is None:
            parts = groups[state.group] = []
        length = len(key)
        parts.append(BYTE[length] if length < SHORT else varint(length))
        parts.append(key)
        length = len(value)
        parts.append(BYTE[length] if length < SHORT else varint(length))
        parts.append(value)
    return groups


def sort_out(chunks: list[StateChunk], version: int) -> tuple[list[StateChunk], RestoredItems]:
    """Returns the keyed chunks by rising key group, and the items."""
    keyed, items = [], RestoredItems(version)
    for chunk in chunks:
        if chunk.name == KEYED and chunk.key_group is not None:
            keyed.append(chunk)
        elif chunk.name == ITEMS and chunk.key_group is None:
            items.add(chunk)
        else:
            raise IncompatibleState(
                f"it has a chunk `{chunk.name}`, which this operator did not write"
            )
    keyed.sort(key=_group)
    return keyed, items


def read_chunks(
    keys: KeyedState[S],
    chunks: list[StateChunk],
    context: Context,
    decoder: Callable[[int], Callable[[bytes], S]],
) -> None:
    """Reads keyed state into `keys`, which is empty. `decoder` returns the reader of a version."""
    for chunk, following in pairwise(chunks):
        if chunk.key_group == following.key_group:
            raise _in_group(chunk, "it is there twice")
    readers = [(chunk, _reader(chunk)) for chunk in chunks]
    for chunk, entries in readers:
        if not context.owns(_group(chunk)):
            raise _in_group(chunk, "this subtask does not own it")
        _read_group(keys, chunk, entries, decoder(chunk.schema_version))


def decoder_of(
    codec: Codec[S], version: int, migrate: Callable[[int, bytes], S]
) -> Callable[[int], Callable[[bytes], S]]:
    """Returns the readers of values by version: the codec, or the operator's `migrate`."""

    def decoder(written: int) -> Callable[[bytes], S]:
        if written == version:
            return lambda data: read_state(codec, data)
        return lambda data: migrate(written, data)

    return decoder


def _read_group(
    keys: KeyedState[S],
    chunk: StateChunk,
    entries: Iterator[tuple[bytes, bytes]],
    decode: Callable[[bytes], S],
) -> None:
    group, table, salt = _group(chunk), keys.table, keys.salt
    try:
        read = list(entries)
    except Malformed as rule:
        raise _in_group(chunk, rule) from None
    if any(other != group for other in keys.groups_of([key for key, _value in read])):
        raise _in_group(chunk, "it has a key of another key group")
    for key, value in read:
        table[salt + key] = State(decode(value), group)


def _reader(chunk: StateChunk) -> Iterator[tuple[bytes, bytes]]:
    try:
        return read_keyed(chunk.bytes)
    except Malformed as rule:
        raise _in_group(chunk, rule) from None


def _group(chunk: StateChunk) -> int:
    if chunk.key_group is None:
        raise AssertionError("a chunk of keyed state has a key group")
    return chunk.key_group


def _in_group(chunk: StateChunk, reason: Any) -> IncompatibleState:
    return IncompatibleState(f"the chunk of key group {chunk.key_group}: {reason}")
