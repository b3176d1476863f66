"""Runs an operator in an ordinary Python test, without WebAssembly.

`Harness` plays the host: it opens the operator, hands it records, and collects what it emits. A
snapshot can be taken anywhere and restored into a new instance, also at another parallelism, where
each instance gets the key groups that it owns.

```python
from tidegate.testing import Harness

harness = Harness(count)
harness.send_all([("a", ""), ("b", "")])
harness.take_output()

# A failure: a new instance takes over from the snapshot.
restored = Harness(count, restore=harness.snapshot())
restored.send("a", "")
assert restored.take_text() == [("a", "2")]
```
"""

from .harness import Emitted, Harness

__all__ = ["Emitted", "Harness"]
