// Watermarks over restarts and another parallelism.

import assert from "node:assert/strict";
import { test } from "node:test";
import { operator, u64 } from "@tidegate/sdk";
import { Harness } from "@tidegate/sdk/testing";

/** Passes on records in time. Its watermark is no state: a restored instance receives it again. */
const onTime = operator({
  state: u64.asNumber,
  open: () => {
    /** @type {number | undefined} */
    let now;
    return {
      onRecord(record, passed, out) {
        const { timestamp } = record;
        if (now !== undefined && timestamp !== undefined && timestamp < now) return;
        passed.value += 1;
        out.emit(record.key, passed.value);
      },
      onWatermark(watermark) {
        now = watermark;
      },
    };
  },
});

test("a record that is late before a restart is late after it", () => {
  const harness = Harness.open(onTime);
  harness.restart();
  harness.send("a", "", { timestamp: 5 });
  harness.watermark(10);
  harness.restart();
  harness.send("a", "", { timestamp: 9 });
  harness.send("a", "", { timestamp: 10 });
  assert.deepEqual(harness.takeText(), [
    ["a", "1"],
    ["a", "2"],
  ]);
});

test("an instance of another parallelism is told the watermark after its state", () => {
  const one = Harness.open(onTime);
  one.send("a", "", { timestamp: 5 });
  one.watermark(10);
  const chunks = one.snapshot();
  const two = [0, 1].map((subtask) =>
    Harness.restore(onTime, chunks, { subtask, parallelism: 2, watermark: 10 }),
  );
  const owner = two.find((subtask) => subtask.owns("a"));
  owner?.send("a", "", { timestamp: 9 });
  owner?.send("a", "", { timestamp: 10 });
  assert.deepEqual(owner?.takeText(), [["a", "2"]]);
});
