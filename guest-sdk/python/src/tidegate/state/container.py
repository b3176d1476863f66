"""The bytes of a chunk, as `guest-sdk/FORMAT.md` draws them. Knows no operator.

A given content has one encoding, and the reader accepts only that encoding. The reader trusts no
length: whatever the bytes are, it ends.
"""

from collections.abc import Iterable, Iterator

from tidegate.codec import Malformed, varint

#: The first bytes of a chunk of keyed state, format version 1.
KEYED_MAGIC = b"TGK\x01"

#: The first bytes of a chunk that is one item of operator state, format version 1.
ITEM_MAGIC = b"TGI\x01"

#: The bytes of the smallest entry: the length of an empty key, and that of an empty value.
MIN_ENTRY = 2

#: The largest LEB128 form of a length.
MAX_VARINT = 5


def keyed_chunk(entries: int, parts: Iterable[bytes]) -> bytes:
    """Makes the chunk of the entries; `parts` are length and key, length and value of each."""
    return b"".join((KEYED_MAGIC, varint(entries), *parts))


def read_keyed(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yields the entries of a chunk: keys strictly rise, nothing is left over. Raises `Malformed`.

    Errors in the start of the chunk are raised before the first entry is requested.
    """
    if not data.startswith(KEYED_MAGIC):
        raise Malformed("it does not begin as a chunk of this format does")
    entries, at = _length(data, len(KEYED_MAGIC))
    if entries == 0:
        raise Malformed("it has no entries")
    if entries * MIN_ENTRY > len(data) - at:
        raise _truncated()
    return _entries(data, at, entries)


def _entries(data: bytes, at: int, entries: int) -> Iterator[tuple[bytes, bytes]]:
    size = len(data)
    last: bytes | None = None
    for _ in range(entries):
        # Nearly every length is one byte.
        length, start = (data[at], at + 1) if at < size and data[at] < 0x80 else _length(data, at)
        at = start + length
        key = data[start:at]
        length, start = (data[at], at + 1) if at < size and data[at] < 0x80 else _length(data, at)
        at = start + length
        if at > size:
            raise _truncated()
        if last is not None and key <= last:
            raise Malformed("its keys do not strictly rise")
        last = key
        yield key, data[start:at]
    if at != size:
        raise Malformed(f"{size - at} bytes are left over")


def item_chunk(item: bytes) -> bytes:
    """Returns the chunk of one item of operator state."""
    return ITEM_MAGIC + item


def read_item(data: bytes) -> bytes:
    """Returns the value of one item of operator state. Raises `Malformed`."""
    if not data.startswith(ITEM_MAGIC):
        raise Malformed("it does not begin as a chunk of this format does")
    return data[len(ITEM_MAGIC) :]


def _length(data: bytes, at: int) -> tuple[int, int]:
    """Returns a length below 2^32 in its shortest form, and its end."""
    number = 0
    for index in range(MAX_VARINT):
        if at + index >= len(data):
            raise _truncated()
        byte = data[at + index]
        number |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            # A last group of zeros adds nothing to the bytes before it.
            if number >> 32 or (index and byte == 0):
                break
            return number, at + index + 1
    raise Malformed("a length is not written in its shortest form")


def _truncated() -> Malformed:
    return Malformed("it ends too early")
