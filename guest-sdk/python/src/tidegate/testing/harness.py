"""Plays the host for one operator instance."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tidegate import _host
from tidegate._host import Level, Recorder
from tidegate._operator import Operator
from tidegate._typed import Typed, raw_operator
from tidegate.context import Context
from tidegate.key_group import key_group
from tidegate.raw import NO_TIMESTAMP, Batch, Emission, RawOperator, StateChunk

__all__ = ["Emitted", "Harness"]


@dataclass(frozen=True, slots=True)
class Emitted:
    """One record that an operator emitted."""

    #: The output port.
    port: int
    #: Milliseconds since the Unix epoch.
    timestamp: int | None
    #: The key.
    key: bytes
    #: The value.
    value: bytes

    def text(self) -> tuple[str, str]:
        """Returns key and value as text; bytes that are not UTF-8 are replaced."""
        return self.key.decode(errors="replace"), self.value.decode(errors="replace")


class Harness:
    """Runs an operator natively; see the module.

    The operator is opened at once, with the `config` table of a job file, as subtask `subtask` of
    `parallelism`. `restore` are the snapshots of all subtasks of an earlier parallelism together;
    the instance restores its own part. `watermark` is the watermark of these snapshots (of several
    subtasks the smallest): the instance receives it again, before any record, as from the host.
    Nothing that can be observed depends on `hash_seed`.
    """

    def __init__(
        self,
        operator: type[Operator[Any]] | type[RawOperator],
        *,
        config: Mapping[str, Any] | None = None,
        subtask: tuple[int, int] = (0, 1),
        max_parallelism: int = 128,
        inputs: Sequence[str] = ("input",),
        outputs: Sequence[str] = ("output",),
        restore: Iterable[StateChunk] | None = None,
        watermark: int | None = None,
        hash_seed: int = 0x7469646567617465,
    ) -> None:
        index, parallelism = subtask
        if not 0 <= index < parallelism <= max_parallelism:
            raise ValueError(f"subtask {index} of {parallelism}, {max_parallelism} key groups")
        #: The context in which the operator runs.
        self.context = Context(
            job="test",
            operator="operator",
            subtask=index,
            parallelism=parallelism,
            max_parallelism=max_parallelism,
            # The key groups are dealt out as by the host.
            first_key_group=-(-index * max_parallelism // parallelism),
            last_key_group=((index + 1) * max_parallelism - 1) // parallelism,
            inputs=tuple(inputs),
            outputs=tuple(outputs),
            config=json.dumps(config or {}),
            hash_seed=hash_seed,
        )
        self._recorder = Recorder()
        self._emitted: list[Emitted] = []
        self._checkpoint = 0
        # The watermark that a new instance receives again; `None` before the first and after the
        # end.
        self._watermark: int | None = None
        self._class = operator
        self._operator = self._opened()
        if restore is not None:
            self._operator.restore(self._own(restore))
        if watermark is not None:
            self.watermark(watermark)

    def send(
        self, key: str | bytes, value: str | bytes, timestamp: int | None = None, input: int = 0
    ) -> None:
        """Hands the operator one record. Raises the operator's exception."""
        self.send_all([(key, value)], timestamp, input)

    def send_all(
        self,
        records: Iterable[tuple[str | bytes, str | bytes]],
        timestamp: int | None = None,
        input: int = 0,
    ) -> None:
        """Hands the operator records of one batch, all with the same timestamp.

        Raises the operator's exception; the row of an invalid record counts from the first record.
        """
        at = NO_TIMESTAMP if timestamp is None else timestamp
        self.send_batch(Batch.of((_bytes(key), _bytes(value), at) for key, value in records), input)

    def send_batch(self, batch: Batch, input: int = 0) -> None:
        """Hands the operator a batch, as the host does."""
        self._collect(self._enter(self._operator).process(input, batch))

    def watermark(self, watermark: int) -> None:
        """Advances event time, in milliseconds."""
        self._watermark = watermark
        self._collect(self._enter(self._operator).advance_watermark(watermark))

    def finish(self) -> None:
        """Ends all inputs."""
        self._watermark = None
        self._collect(self._enter(self._operator).finish())

    def snapshot(self) -> list[StateChunk]:
        """Takes a snapshot, as a checkpoint does. Equal state gives equal chunks."""
        self._checkpoint += 1
        return self._enter(self._operator).snapshot(self._checkpoint)

    def restart(self) -> None:
        """Takes a snapshot and continues with a new instance, as after a failure.

        The new instance is restored, and receives the last watermark again, if any. Its emissions
        then are part of the output.
        """
        chunks = self.snapshot()
        self._operator = self._opened()
        self._operator.restore(chunks)
        if self._watermark is not None:
            self.watermark(self._watermark)

    def checkpoint_complete(self) -> None:
        """Notifies the operator that its last snapshot is durable everywhere."""
        self._enter(self._operator).checkpoint_complete(self._checkpoint)

    def take_output(self) -> list[Emitted]:
        """Takes everything that was emitted since the last call."""
        emitted, self._emitted = self._emitted, []
        return emitted

    def take_text(self) -> list[tuple[str, str]]:
        """Takes the keys and values of `take_output`, as text."""
        return [emitted.text() for emitted in self.take_output()]

    def take_logs(self) -> list[tuple[Level, str]]:
        """Takes the messages that the operator has logged since the last call."""
        logs, self._recorder.logs = self._recorder.logs, []
        return logs

    def counter(self, metric: str) -> int:
        """Returns the sum that the operator has added to a counter."""
        return self._recorder.counters.get(metric, 0)

    def owns(self, key: str | bytes) -> bool:
        """Returns true if a record with this key reaches this subtask over a `hash` edge."""
        return self.context.owns(key_group(_bytes(key), self.context.max_parallelism))

    def state(self, key: str | bytes) -> Any:
        """Returns the value that the operator keeps for `key`, or `None`."""
        state = self._typed().keys.get(_bytes(key))
        return None if state is None else state.value

    def keys(self) -> list[bytes]:
        """Returns the keys that the operator keeps state for, sorted."""
        return list(self._typed().keys)

    def _typed(self) -> Typed[Any]:
        if not isinstance(self._operator, Typed):
            raise TypeError("a RawOperator lays out its state itself")
        return self._operator

    def _opened(self) -> RawOperator:
        operator = self._enter(raw_operator(self._class))
        operator.open(self.context)
        return operator

    def _enter(self, operator: RawOperator) -> RawOperator:
        """Returns the operator, whose logs and counts go to this harness from now on."""
        _host.use(self._recorder)
        return operator

    def _own(self, chunks: Iterable[StateChunk]) -> list[StateChunk]:
        """Returns the chunks of this subtask's key groups, and its share of the operator state."""
        chunks = list(chunks)
        keyed = [c for c in chunks if c.key_group is not None and self.context.owns(c.key_group)]
        items = [chunk for chunk in chunks if chunk.key_group is None]
        return keyed + items[self.context.subtask :: self.context.parallelism]

    def _collect(self, emissions: list[Emission]) -> None:
        for emission in emissions:
            records = emission.records
            for key, value, timestamp in zip(
                records.keys.rows(), records.values.rows(), records.timestamps, strict=True
            ):
                at = None if timestamp == NO_TIMESTAMP else timestamp
                self._emitted.append(Emitted(emission.port, at, key, value))


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text
