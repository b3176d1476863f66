"""The examples of the README run."""

import re
import unittest
from pathlib import Path
from typing import Any

from tidegate.testing import Harness

README = Path(__file__).parents[1] / "README.md"


class ReadmeTest(unittest.TestCase):
    def test_the_examples_do_what_they_say(self) -> None:
        blocks = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
        self.assertEqual(len(blocks), 3)
        names: dict[str, Any] = {"__name__": __name__}
        for block in blocks:
            exec(compile(block, str(README), "exec"), names)
        windows = Harness(names["Windows"], config={"window_ms": 10})
        windows.send("a", "2", timestamp=5)
        windows.send("a", "3", timestamp=6)
        windows.watermark(15)
        self.assertEqual(
            [(e.text(), e.timestamp) for e in windows.take_output()], [(("a", "5"), 14)]
        )


if __name__ == "__main__":
    unittest.main()
