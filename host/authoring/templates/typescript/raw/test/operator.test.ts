import assert from "node:assert/strict";
import { test } from "node:test";
import { Harness } from "@tidegate/sdk/testing";
import shout from "../src/operator.ts";

test("the records before a failure are counted", () => {
  const harness = Harness.open(shout);
  harness.send("a", "The tide");
  harness.restart();
  harness.send("b", "gate 2");
  harness.finish();
  assert.deepEqual(harness.takeText(), [
    ["a", "THE TIDE"],
    ["b", "GATE 2"],
    ["", "2 records in all"],
  ]);
});
