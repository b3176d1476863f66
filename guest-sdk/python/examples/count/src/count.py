"""Counts how often each key was seen.

Config `emit`: `"updates"` (the default) sends the new count with each record, `"final"` sends one
count for each key when the input has ended.
"""

from dataclasses import dataclass
from typing import Literal

from tidegate import U64, Context, KeyedState, Operator, Output, Record, State


@dataclass
class Config:
    emit: Literal["updates", "final"] = "updates"


class Count(Operator[int]):
    config = Config
    state = U64

    def open(self, config: Config, context: Context) -> None:
        self.emits_updates = config.emit == "updates"

    def on_record(self, record: Record, state: State[int], out: Output) -> None:
        state.value += 1
        if self.emits_updates:
            out.emit(record.key, state.value)

    def on_finish(self, keys: KeyedState[int], out: Output) -> None:
        if not self.emits_updates:
            for key, state in keys.items():
                out.emit(key, state.value)
