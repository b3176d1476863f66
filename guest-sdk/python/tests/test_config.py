"""The config table, and serde's words for its mistakes."""

import unittest
from dataclasses import dataclass, field
from typing import Any, Literal

from tidegate import Operator, OtherFailure, u8
from tidegate.config import read_config
from tidegate.testing import Harness


@dataclass
class Inner:
    at: float


@dataclass
class Config:
    name: str
    emit: Literal["updates", "final"] = "updates"
    limit: u8 = 1
    on: bool = False
    inner: Inner | None = None
    tags: list[str] = field(default_factory=list)
    rates: dict[str, float] = field(default_factory=dict)


class ConfigTest(unittest.TestCase):
    def test_a_table_becomes_the_dataclass(self) -> None:
        text = (
            '{"name": "n", "emit": "final", "limit": 255, "on": true, "inner": {"at": 1}, '
            '"tags": ["a"], "rates": {"EUR": 1.5}}'
        )
        self.assertEqual(
            read_config(Config, text),
            Config("n", "final", 255, True, Inner(1.0), ["a"], {"EUR": 1.5}),
        )
        self.assertEqual(read_config(Config, '{"name": "n", "inner": null}'), Config("n"))

    def test_what_is_wrong_is_said_as_serde_says_it(self) -> None:
        for table, said in (
            ("{}", "missing field `name`"),
            ('{"name": 1}', "config: `name`: invalid type: integer `1`, expected a string"),
            ('{"name": "n", "names": 1}', "unknown field `names`, expected one of `name`, `emit`"),
            (
                '{"name": "n", "emit": "x"}',
                "unknown variant `x`, expected `updates` or `final`",
            ),
            ('{"name": "n", "limit": 256}', "invalid value: integer `256`, expected u8"),
            ('{"name": "n", "limit": true}', "invalid type: boolean `true`, expected an integer"),
            ('{"name": "n", "on": "yes"}', 'invalid type: string "yes", expected a boolean'),
            ('{"name": "n", "inner": {}}', "missing field `at`"),
            ('{"name": "n", "tags": "a"}', 'invalid type: string "a", expected a sequence'),
            ("[]", "invalid type: sequence, expected struct Config"),
            ("{", "the operator's config: "),
        ):
            with self.subTest(table=table):
                with self.assertRaises(OtherFailure) as refusal:
                    read_config(Config, table)
                self.assertIn(said, str(refusal.exception))

    def test_an_operator_without_config_takes_an_empty_table_only(self) -> None:
        for table in ("", "{}", "null"):
            self.assertIsNone(read_config(None, table))
        with self.assertRaisesRegex(OtherFailure, "unknown field `emits`, there are no fields"):
            Harness(Operator, config={"emits": 1})

    def test_a_class_that_is_no_config_is_a_fault_of_the_author(self) -> None:
        kinds: list[Any] = [int, dict]
        for kind in kinds:
            with self.subTest(kind=kind), self.assertRaises(TypeError):
                read_config(kind, "{}")


if __name__ == "__main__":
    unittest.main()
