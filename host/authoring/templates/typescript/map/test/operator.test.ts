import assert from "node:assert/strict";
import { test } from "node:test";
import { Harness } from "@tidegate/sdk/testing";
import minutes from "../src/operator.ts";

test("seconds have two digits", () => {
  const harness = Harness.open(minutes);
  harness.sendAll([
    ["ann", "75"],
    ["bob", "9"],
    ["ann", "3600"],
  ]);
  const values = harness.takeText().map(([, value]) => value);
  assert.deepEqual(values, ["1:15", "0:09", "60:00"]);
});

test("a value that is no number is rejected", () => {
  const harness = Harness.open(minutes);
  assert.throws(() => harness.send("ann", "an hour"), /not a decimal number/);
});
