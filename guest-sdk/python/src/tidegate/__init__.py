"""Write Tidegate operators in Python.

An operator is a subclass of `Operator`, or a function with a decorator: its behaviour for each
record, and its state for each key. It is compiled to a sandboxed WebAssembly component, and its
state is exactly-once: the host snapshots and restores it, and the author writes no code for that.
`README.md` explains the steps; `tidegate.testing` runs an operator in an ordinary test, and
`tidegate.raw` is the level below.
"""

from ._host import Level, count, log
from ._operator import Operator, operator, stateless
from .codec import (
    BOOL,
    BYTES,
    F32,
    F64,
    I8,
    I16,
    I32,
    I64,
    STRING,
    U8,
    U16,
    U32,
    U64,
    UNIT,
    Codec,
    read_state,
)  # fmt: skip
from .composite import (
    List,
    Map,
    Option,
    Some,
    Struct,
    Tuple,
    f32,
    f64,
    i8,
    i16,
    i32,
    i64,
    u8,
    u16,
    u32,
    u64,
)  # fmt: skip
from .context import Context
from .failure import Failure, IncompatibleState, InvalidRecord, OtherFailure, unknown_version
from .output import INHERIT, Field, Output
from .record import Record, le64
from .state import Items, KeyedState, RestoredItems, State

__all__ = [
    "BOOL",
    "BYTES",
    "F32",
    "F64",
    "I8",
    "I16",
    "I32",
    "I64",
    "INHERIT",
    "STRING",
    "U8",
    "U16",
    "U32",
    "U64",
    "UNIT",
    "Codec",
    "Context",
    "Failure",
    "Field",
    "IncompatibleState",
    "InvalidRecord",
    "Items",
    "KeyedState",
    "Level",
    "List",
    "Map",
    "Operator",
    "Option",
    "OtherFailure",
    "Output",
    "Record",
    "RestoredItems",
    "Some",
    "State",
    "Struct",
    "Tuple",
    "count",
    "f32",
    "f64",
    "i8",
    "i16",
    "i32",
    "i64",
    "le64",
    "log",
    "operator",
    "read_state",
    "stateless",
    "u8",
    "u16",
    "u32",
    "u64",
    "unknown_version",
]  # fmt: skip
