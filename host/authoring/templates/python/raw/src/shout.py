"""Turns all values into upper case, a whole column at once.

Writes the number of records at the end.
"""

from tidegate import IncompatibleState
from tidegate.raw import NO_TIMESTAMP, Batch, Column, Emission, RawOperator, StateChunk

#: The name and the version of the one chunk of state.
CHUNK = ("records", 1)


class Shout(RawOperator):
    def __init__(self) -> None:
        self.records = 0

    def process(self, input: int, records: Batch) -> list[Emission]:
        self.records += len(records)
        # Upper case is as long as before, so that the offsets of the rows stay as they are.
        values = Column(records.values.offsets, records.values.data.upper())
        return [Emission(0, Batch(records.timestamps, records.keys, values))]

    def snapshot(self, checkpoint: int) -> list[StateChunk]:
        # Equal state must give equal bytes.
        name, version = CHUNK
        return [StateChunk(name, version, None, self.records.to_bytes(8, "little"))]

    def restore(self, chunks: list[StateChunk]) -> None:
        # After a rescale, a subtask gets the chunks of several subtasks, or none.
        for chunk in chunks:
            if (chunk.name, chunk.schema_version) != CHUNK:
                raise IncompatibleState(f"a chunk of another operator: {chunk.name}")
            self.records += int.from_bytes(chunk.bytes, "little")

    def finish(self) -> list[Emission]:
        sentence = f"{self.records} records in all"
        return [Emission(0, Batch.of([(b"", sentence.encode(), NO_TIMESTAMP)]))]
