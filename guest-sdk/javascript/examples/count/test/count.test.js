// The counter of word-count, run in a harness.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Harness } from "@tidegate/sdk/testing";
import count from "../src/count.js";

test("updates carry the count so far", () => {
  const harness = Harness.open(count);
  harness.sendAll([
    ["tide", ""],
    ["gate", ""],
    ["tide", ""],
  ]);
  harness.finish();
  assert.deepEqual(harness.takeText(), [
    ["tide", "1"],
    ["gate", "1"],
    ["tide", "2"],
  ]);
});

test("final counts come once and sorted", () => {
  const harness = Harness.open(count, { config: { emit: "final" } });
  harness.sendAll([
    ["tide", ""],
    ["gate", ""],
    ["tide", ""],
  ]);
  assert.deepEqual(harness.takeText(), []);
  harness.finish();
  assert.deepEqual(harness.takeText(), [
    ["gate", "1"],
    ["tide", "2"],
  ]);
});

test("a count goes on after a failure", () => {
  const harness = Harness.open(count);
  harness.sendAll([
    ["tide", ""],
    ["tide", ""],
  ]);
  const restored = Harness.restore(count, harness.snapshot());
  restored.send("tide", "");
  assert.deepEqual(restored.takeText(), [["tide", "3"]]);
});

test("a misspelt setting is refused", () => {
  const open = () => Harness.open(count, { config: { emits: "final" } });
  assert.throws(open, { message: /unknown field `emits`, expected `emit`/ });
});
