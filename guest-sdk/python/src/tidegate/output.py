"""The output ports of an operator, out of which it sends its records.

Collects emitted records in lists, and makes the columns that the host takes of them once per call.
The records of one port are in the order in which they were emitted.
"""

from typing import Final, TypeAlias, final

from .failure import OtherFailure
from .raw import NO_TIMESTAMP, Batch, Column, Emission

__all__ = ["INHERIT", "Field", "Output"]

#: A key or a value: bytes and text go out as they are, an integer as decimal text, `None` as an
#: empty field, and a tuple as its parts, one after the other. A float has no text that is the same
#: in all languages: write it with `le64`, or format it yourself.
Field: TypeAlias = bytes | str | int | tuple["Field", ...] | None


@final
class Inherit:
    """The type of `INHERIT`."""

    def __repr__(self) -> str:
        return "INHERIT"


#: The timestamp of the record that is being processed; outside of `on_record`, no timestamp.
INHERIT: Final = Inherit()


class _Port:
    """The records that were emitted to one port."""

    __slots__ = ("keys", "timestamps", "values")

    def __init__(self) -> None:
        self.keys: list[bytes] = []
        self.values: list[bytes] = []
        self.timestamps: list[int] = []

    def batch(self) -> Batch:
        return Batch(self.timestamps, Column.of(self.keys), Column.of(self.values))


class Output:
    """The output ports of an operator, out of which it sends its records.

    ```python
    out.emit(record.key, state.value)
    out.emit_to(1, record.key, "too late")
    ```
    """

    __slots__ = ("_inherited", "_main", "_ports", "_side", "_unknown_port")

    def __init__(self, ports: int = 1) -> None:
        self._ports = max(ports, 1)
        self._main = _Port()
        self._side: dict[int, _Port] = {}
        self._inherited = NO_TIMESTAMP
        self._unknown_port: int | None = None

    def emit(self, key: Field, value: Field, timestamp: int | Inherit | None = INHERIT) -> None:
        """Sends a record out of port 0, the main output.

        `timestamp` is in milliseconds since the Unix epoch; `None` is no timestamp. Raises
        `TypeError` for a value that can't be a key or a value.
        """
        main = self._main
        main.keys.append(key if type(key) is bytes else field_bytes(key))
        main.values.append(b"%d" % value if type(value) is int else field_bytes(value))
        main.timestamps.append(
            self._inherited if timestamp is INHERIT else _timestamp(timestamp, self._inherited)
        )

    def emit_to(
        self, port: int, key: Field, value: Field, timestamp: int | Inherit | None = INHERIT
    ) -> None:
        """Sends a record out of `port`, an index of `Context.outputs`.

        If the operator has no such port in the job file, the call fails after it has returned.
        """
        if not 0 <= port < self._ports:
            if self._unknown_port is None:
                self._unknown_port = port
            return
        side = self._main if port == 0 else self._side.get(port)
        if side is None:
            side = self._side[port] = _Port()
        side.keys.append(field_bytes(key))
        side.values.append(field_bytes(value))
        side.timestamps.append(_timestamp(timestamp, self._inherited))

    def take(self) -> list[Emission]:
        """Takes everything that was emitted since the last call. Called by the SDK."""
        main, side, unknown_port = self._main, self._side, self._unknown_port
        self.discard()
        if unknown_port is not None:
            raise OtherFailure(
                f"a record was emitted to output port {unknown_port}, but the operator has "
                f"{self._ports}"
            )
        emissions = [Emission(0, main.batch())] if main.keys else []
        emissions.extend(Emission(port, side[port].batch()) for port in sorted(side))
        return emissions

    def discard(self) -> None:
        """Drops everything that was emitted by a call that failed. Called by the SDK."""
        self._main = _Port()
        self._side = {}
        self._inherited = NO_TIMESTAMP
        self._unknown_port = None


def field_bytes(field: Field) -> bytes:
    """Returns the bytes of a key or a value."""
    if isinstance(field, bytes):
        return bytes(field)
    if isinstance(field, str):
        return field.encode()
    if isinstance(field, int) and not isinstance(field, bool):
        return b"%d" % field
    if field is None:
        return b""
    if isinstance(field, tuple):
        return b"".join(map(field_bytes, field))
    raise TypeError(
        f"a key or a value is bytes, text, an integer, None or a tuple of these, and not a "
        f"{type(field).__name__}"
    )


def _timestamp(timestamp: int | Inherit | None, inherited: int) -> int:
    if isinstance(timestamp, Inherit):
        return inherited
    if timestamp is None:
        return NO_TIMESTAMP
    if not isinstance(timestamp, int) or not -(2**63) <= timestamp < 2**63:
        raise TypeError(f"a timestamp is an integer of 64 bits, and not {timestamp!r}")
    return timestamp
