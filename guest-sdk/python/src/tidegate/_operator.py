"""The class that an operator's author writes, and the short forms of it."""

from collections.abc import Callable
from typing import Any, ClassVar, Generic, TypeVar

from .codec import UNIT, Codec
from .context import Context
from .failure import IncompatibleState
from .output import Output
from .record import Record
from .state import Items, KeyedState, RestoredItems, State

__all__ = ["Operator", "operator", "stateless"]

S = TypeVar("S")


class Operator(Generic[S]):
    """A stream operator: its behaviour for each record, and its state for each key.

    `open` comes first, `on_record` for each record, `on_watermark` when event time advances, and
    `on_finish` when all inputs have ended. Snapshot and restore come free: the SDK writes the
    state of all keys at each checkpoint, and reads it before the first record after a failure.

    Everything that must survive a failure is in the state, or in the items of `operator_state`.
    Attributes of the object are for values that `open` can recreate.

    ```python
    class Max(Operator[int | None]):
        \"\"\"Emits the largest value that each key has had so far, whenever it grows.\"\"\"

        state = Option(I64)

        def on_record(self, record: Record, state: State[int | None], out: Output) -> None:
            value = record.value_int()
            if state.value is None or value > state.value:
                state.value = value
                out.emit(record.key, value)
    ```

    A method may raise a `Failure`. Any other exception is a fault of the operator: the SDK logs it
    with its stack, and the call traps.
    """

    #: The type of the state of each key, which starts as the codec's default. `UNIT` keeps no
    #: state.
    state: Codec[S] = UNIT  # type: ignore[assignment]

    #: Version of the layout of the state and of the items of operator state. Raise it when one
    #: of them changes, and read the older versions in `migrate`.
    STATE_VERSION: ClassVar[int] = 1

    #: A dataclass that the `config` table of the job file is read into; `None` takes no
    #: configuration. An unknown key, and a value of another type, are rejected when the job starts.
    config: ClassVar[type[Any] | None] = None

    def open(self, config: Any, context: Context) -> None:
        """Prepares the operator. Called once for each instance, first.

        `config` is an object of the class that `config` names, or `None`. Reject an invalid
        configuration here, with an `OtherFailure`.
        """

    def on_record(self, record: Record, state: State[S], out: Output) -> None:
        """Processes one record. `state` is the state of the record's key.

        An `InvalidRecord` blames the record; the host drops the instance, and with it the record's
        changes to the state.
        """
        raise NotImplementedError

    def is_vacant(self, value: S) -> bool:
        """Returns true if the state of a key is worth no more than no state.

        Such a key is forgotten as soon as a call leaves it so, and takes no room in memory or in
        checkpoints. By default no key is vacant.
        """
        return False

    def on_watermark(self, watermark: int, keys: KeyedState[S], out: Output) -> None:
        """Handles a new watermark: a record older than `watermark`, in milliseconds, is late now.

        After a failure the restored instance is called with the last watermark again, before any
        record, so that an attribute can hold the current watermark. Emit what is due in the state
        and take it out in the same call: the second call then finds nothing. The host still sends
        everything that the second call emits.
        """

    def on_finish(self, keys: KeyedState[S], out: Output) -> None:
        """Handles the end of all inputs. Called once, after the last record."""

    def on_checkpoint_complete(self, checkpoint: int) -> None:
        """Learns that a checkpoint is durable in every subtask of the job.

        A notice can be lost in a failure: the state must not depend on it.
        """

    def migrate(self, version: int, data: bytes) -> S:
        """Reads the state of one key that another version of the operator wrote.

        Called while restoring, for each key of a chunk that does not have `STATE_VERSION`; rejects
        every version by default.

        ```python
        def migrate(self, version: int, data: bytes) -> Stats:
            if version == 1:  # version 1 kept a bare count
                return Stats(count=read_state(U64, data))
            raise unknown_version(version)
        ```
        """
        raise IncompatibleState(
            f"it has version {version}, and this operator reads version {self.STATE_VERSION}"
        )

    def operator_state(self, items: Items) -> None:
        """Writes the state that belongs to no key, as a list of items. Called at each checkpoint.

        When the parallelism changes, the host deals the items out among the subtasks, so an item
        must be able to move alone: the offset of one partition, not the table of all.

        ```python
        def operator_state(self, items: Items) -> None:
            items.push(U64, self.next)

        def restore_operator_state(self, items: RestoredItems) -> None:
            self.next = sum(items.read(U64))
        ```
        """

    def restore_operator_state(self, items: RestoredItems) -> None:
        """Restores the items of `operator_state`: this subtask's share of them.

        Called once while restoring if there are any. The default rejects all items.
        """
        raise IncompatibleState(
            f"it has {len(items)} items of operator state, and this operator keeps none"
        )


OnRecord = Callable[[Record, State[S], Output], None]


def operator(*, state: Codec[S], version: int = 1) -> Callable[[OnRecord[S]], type[Operator[S]]]:
    """The short form: makes an operator of one function.

    ```python
    @operator(state=U64)
    def count(record: Record, state: State[int], out: Output) -> None:
        state.value += 1
        out.emit(record.key, state.value)
    ```
    """
    codec = state

    def decorate(function: OnRecord[S]) -> type[Operator[S]]:
        class Short(Operator[S]):
            __doc__ = function.__doc__
            state = codec
            STATE_VERSION = version
            on_record = staticmethod(function)  # type: ignore[assignment]

        return _named(Short, function)

    return decorate


def stateless(function: Callable[[Record, Output], None]) -> type[Operator[None]]:
    """The short form for an operator that keeps no state.

    ```python
    @stateless
    def shout(record: Record, out: Output) -> None:
        out.emit(record.key, record.value_text().upper())
    ```
    """

    class Short(Operator[None]):
        __doc__ = function.__doc__

        def on_record(self, record: Record, state: State[None], out: Output) -> None:
            function(record, out)

    return _named(Short, function)


def _named(kind: type[Operator[S]], function: Callable[..., None]) -> type[Operator[S]]:
    kind.__name__ = function.__name__
    kind.__qualname__ = function.__qualname__
    kind.__module__ = function.__module__
    return kind
