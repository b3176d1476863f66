"""Keeps a running total of the values of each key, and emits it with every record."""

from tidegate import I64, Output, Record, State, operator


@operator(state=I64)  # one number for each key, part of every checkpoint
def total(record: Record, state: State[int], out: Output) -> None:
    state.value += record.value_int()
    out.emit(record.key, state.value)
