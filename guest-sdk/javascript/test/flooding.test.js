// Chosen keys, and the hash seed that no output shows.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@tidegate/sdk";
import { Harness } from "@tidegate/sdk/testing";
import { KeyedState } from "../src/state/keyed.js";

const counter = sdk.operator({
  state: sdk.u64.asNumber,
  isVacant: (count) => count === 4,
  onRecord(record, count, out) {
    count.value += 1;
    out.emit(record.key, count.value);
  },
  onWatermark(_watermark, keys, out) {
    for (const [key, count] of keys.extract((count) => count === 1)) out.emit(key, count);
    for (const [, state] of keys.states()) state.value += 1;
  },
  onFinish(keys, out) {
    for (const [key, count] of keys) out.emit(key, count);
  },
});

/** @param {Harness} harness */
function drive(harness) {
  for (let round = 0; round < 3000; round++) harness.send(`key ${(round * 7919) % 701}`, "");
  harness.watermark(1);
  for (let round = 0; round < 500; round++) harness.send(`${(round * 104729) % 499}`, "");
  const snapshot = harness.snapshot();
  harness.finish();
  return { snapshot, output: harness.takeText(), keys: harness.keys() };
}

test("nothing that is observed depends on the hash seed", () => {
  const [first, second] = [1, 2].map((hashSeed) => drive(Harness.open(counter, { hashSeed })));
  assert.ok(first.keys.length > 100);
  assert.deepEqual(second, first);
  const [third, fourth] = [3, 4].map((hashSeed) =>
    drive(Harness.restore(counter, first.snapshot, { hashSeed })),
  );
  assert.deepEqual(fourth, third);
});

test("keys with one hash are kept apart, whichever of them goes", () => {
  const keys = ["a", "b", "c", "d"];
  for (const gone of keys) {
    const { context } = Harness.open(counter);
    const state = new KeyedState(sdk.u64, context);
    for (const key of keys) state._insert(7, key);
    assert.equal(state._remove(7, gone)?._name, gone);
    assert.equal(state._remove(7, gone), undefined);
    const left = keys.filter((key) => state._at(7, key)?._name === key);
    assert.deepEqual([left.length, state.size, left.includes(gone)], [3, 3, false]);
  }
});
