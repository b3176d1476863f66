// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { Harness } from "@tidegate/sdk/testing";
import total from "../src/operator.js";

test("each key has a total of its own", () => {
  const harness = Harness.open(total);
  harness.sendAll([
    ["apples", "3"],
    ["pears", "5"],
    ["apples", "4"],
  ]);
  const values = harness.takeText().map(([, value]) => value);
  assert.deepEqual(values, ["3", "5", "7"]);
});

test("a total goes on after a failure", () => {
  const harness = Harness.open(total);
  harness.send("apples", "3");
  const restored = Harness.restore(total, harness.snapshot());
  restored.send("apples", "4");
  assert.deepEqual(restored.takeText(), [["apples", "7"]]);
});
