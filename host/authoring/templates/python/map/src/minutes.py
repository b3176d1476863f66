"""Turns the seconds of each record into minutes and seconds."""

from tidegate import U32, Output, Record, stateless


@stateless
def minutes(record: Record, out: Output) -> None:
    seconds = record.value_int(U32)
    out.emit(record.key, f"{seconds // 60}:{seconds % 60:02}")
