"""The state of an operator, which is written as chunks and read back.

`keyed` holds one value for each key, `items` the state of no key; `chunk` writes both as the
host takes them, and `container` knows the bytes of one chunk.
"""

from .items import Items, RestoredItems
from .keyed import KeyedState, State

__all__ = ["Items", "KeyedState", "RestoredItems", "State"]
