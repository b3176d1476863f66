import assert from "node:assert/strict";
import { test } from "node:test";
import { Harness } from "@tidegate/sdk/testing";
import deliveries from "../src/operator.ts";

const ORDERS = { input: 0 };
const CUSTOMERS = { input: 1 };

test("an order waits for the city, also over a failure", () => {
  const harness = Harness.open(deliveries);
  harness.send("ann", "lamp", ORDERS);
  assert.deepEqual(harness.takeText(), []);
  harness.restart();
  harness.send("ann", "Oslo", CUSTOMERS);
  harness.send("ann", "rug", ORDERS);
  assert.deepEqual(harness.takeText(), [
    ["ann", "lamp to Oslo"],
    ["ann", "rug to Oslo"],
  ]);
});
