"""The state of all keys of an instance.

Nothing that can be observed depends on the order in which the keys arrived: every iteration is in
the order of the key bytes.

The interpreter draws the secret of its hash function when a component is built, and anyone who has
the component has the secret. The author of the records could then choose keys that collide. So a
lookup puts the secret seed of the instance in front of the key, eight bytes that go into the hash
before it.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from tidegate._host import key_groups
from tidegate.codec import Codec
from tidegate.context import Context
from tidegate.failure import OtherFailure
from tidegate.raw import Column

S = TypeVar("S")

#: Bytes of the seed in front of a key.
SALT = 8

#: A key group that the host has not been asked for yet.
UNKNOWN = -1


class State(Generic[S]):
    """The state of one key, to be read and to be set.

    ```python
    state.value += 1
    ```
    """

    __slots__ = ("group", "value")

    #: The value that is kept for the key.
    value: S
    #: The key group of the key.
    group: int

    def __init__(self, value: S, group: int = UNKNOWN) -> None:
        self.value = value
        self.group = group

    def __repr__(self) -> str:
        return f"State({self.value!r})"


class KeyedState(Generic[S]):
    """The state of all keys, as `on_watermark` and `on_finish` get it.

    It is like a dict of `State` by key that can't be added to. Iteration is sorted by the bytes of
    the key. Sorting has a cost: for an operator with many keys that looks at few of them,
    [`extract`][tidegate.KeyedState.extract] is cheaper.
    """

    def __init__(self, codec: Codec[S], context: Context) -> None:
        #: The bytes in front of each key of the table.
        self.salt = context.hash_seed.to_bytes(SALT, "little")
        self.table: dict[bytes, State[S]] = {}
        self._codec = codec
        self._context = context
        self._groups: dict[bytes, int] = {}
        #: True if a state was lent out to be changed, and may have become vacant.
        self.lent = False

    def __len__(self) -> int:
        """Returns the number of keys."""
        return len(self.table)

    def __contains__(self, key: bytes) -> bool:
        """Returns true if there is state for the key."""
        return self.salt + key in self.table

    def __iter__(self) -> Iterator[bytes]:
        """Returns the keys, sorted."""
        return iter([salted[SALT:] for salted in sorted(self.table)])

    def __getitem__(self, key: bytes) -> State[S]:
        """Returns the state of one key. Raises `KeyError` if it has none."""
        self.lent = True
        return self.table[self.salt + key]

    def __delitem__(self, key: bytes) -> None:
        """Forgets one key. Raises `KeyError` if it has no state."""
        del self.table[self.salt + key]

    def get(self, key: bytes) -> State[S] | None:
        """Returns the state of one key, if it has one."""
        self.lent = True
        return self.table.get(self.salt + key)

    def items(self) -> Iterator[tuple[bytes, State[S]]]:
        """Yields all keys with their state, sorted by key. Keys may be deleted meanwhile."""
        self.lent = True
        for salted in sorted(self.table):
            state = self.table.get(salted)
            if state is not None:
                yield salted[SALT:], state

    def clear(self) -> None:
        """Forgets all keys."""
        self.table.clear()

    def extract(self, is_due: Callable[[bytes, S], bool]) -> list[tuple[bytes, S]]:
        """Takes out the keys that `is_due` picks, and returns them sorted by key.

        `is_due` sees the keys in no particular order, so it must judge each key alone. Only the
        keys that it picks are sorted.
        """
        due = sorted(
            salted for salted, state in self.table.items() if is_due(salted[SALT:], state.value)
        )
        return [(salted[SALT:], self.table.pop(salted).value) for salted in due]

    def forget(self, is_vacant: Callable[[S], bool]) -> None:
        """Forgets vacant keys, if states were lent out since the last call. For the SDK."""
        if self.lent:
            self.lent = False
            vacant = [salted for salted, state in self.table.items() if is_vacant(state.value)]
            for salted in vacant:
                del self.table[salted]

    def admit(self, key: bytes, keys: Column, row: int) -> State[S]:
        """Adds the state of a new key, which is in this row of `keys`. For the SDK.

        It asks for the key groups of all new keys that follow at once, since a call of the host
        costs as much as several records.
        """
        salted = self.salt + key
        group = self._groups.pop(salted, UNKNOWN)
        if group == UNKNOWN:
            rest = dict.fromkeys([self.salt + key for key in keys.rows()[row:]])
            new = [salted for salted in rest if salted not in self.table]
            groups = self.groups_of([salted[SALT:] for salted in new])
            self._groups = dict(zip(new, groups, strict=True))
            group = self._groups.pop(salted)
        if not self._context.owns(group):
            raise self._not_owned(key, group)
        state = self.table[salted] = State(self._codec.default(), group)
        return state

    def end_batch(self) -> None:
        """Forgets the key groups that were asked for and not needed. For the SDK."""
        self._groups = {}

    def groups_of(self, keys: Sequence[bytes]) -> list[int]:
        """Returns the key group of each key, whichever instance owns it."""
        return key_groups(keys, self._context.max_parallelism)

    def _not_owned(self, key: bytes, group: int) -> OtherFailure:
        first, last = self._context.first_key_group, self._context.last_key_group
        return OtherFailure(
            f'the key "{_escaped(key)}" belongs to key group {group}, and this subtask owns '
            f"{first}..={last}; every input whose records use state by key needs "
            '`partition = "hash"`'
        )


def _escaped(key: bytes) -> str:
    """Returns the key with the escapes of Rust for bytes."""
    special = {0x09: "\\t", 0x0A: "\\n", 0x0D: "\\r", 0x22: '\\"', 0x27: "\\'", 0x5C: "\\\\"}
    return "".join(
        special.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}")
        for byte in key
    )
