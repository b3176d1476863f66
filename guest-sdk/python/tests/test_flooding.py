"""Keys that an attacker has chosen, and the secret seed that makes them harmless."""

import unittest

from tidegate import U64, KeyedState, Operator, Output, Record, State
from tidegate.raw import StateChunk
from tidegate.testing import Emitted, Harness


class Count(Operator[int]):
    """Counts, takes out keys with a count of one, and forgets keys with a count of four."""

    state = U64

    def on_record(self, record: Record, state: State[int], out: Output) -> None:
        state.value += 1
        out.emit(record.key, state.value)

    def is_vacant(self, value: int) -> bool:
        return value == 4

    def on_watermark(self, watermark: int, keys: KeyedState[int], out: Output) -> None:
        for key, value in keys.extract(lambda _key, value: value == 1):
            out.emit(key, value)
        for _key, state in keys.items():
            state.value += 1

    def on_finish(self, keys: KeyedState[int], out: Output) -> None:
        for key in keys:
            out.emit(key, keys[key].value)


def run(
    seed: int, restore: list[StateChunk] | None = None
) -> tuple[list[Emitted], list[StateChunk]]:
    """Returns the emissions of an instance, and its snapshot before it finishes."""
    harness = Harness(Count, hash_seed=seed, restore=restore)
    harness.send_all((f"key {number * 7919 % 701}", "") for number in range(3000))
    harness.watermark(1)
    for number in range(500):
        harness.send(f"{number * 104729 % 499}", "")
    snapshot = harness.snapshot()
    harness.finish()
    return harness.take_output(), snapshot


class TestFlooding(unittest.TestCase):
    def test_nothing_that_is_observed_depends_on_the_hash_seed(self) -> None:
        output, snapshot = run(1)
        self.assertGreater(len(output), 3500)
        self.assertEqual(run(2), (output, snapshot))
        self.assertEqual(run(3, snapshot), run(4, snapshot))

    def test_the_interpreter_never_hashes_a_key_without_the_seed(self) -> None:
        for seed in (1, 2**64 - 1):
            salt = seed.to_bytes(8, "little")
            harness = Harness(Count, hash_seed=seed)
            keys = [b"", b"a", b"somewhat longer", b"\0" * 8]
            harness.send_all((key, "") for key in keys)
            restored = Harness(Count, hash_seed=seed, restore=harness.snapshot())
            for each in (harness, restored):
                table = each._typed().keys.table
                self.assertEqual(sorted(table), sorted(salt + key for key in keys))
                self.assertEqual(each.keys(), sorted(keys))
                self.assertEqual([each.state(key) for key in keys], [1] * 4)


if __name__ == "__main__":
    unittest.main()
