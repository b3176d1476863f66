// The vectors of guest-sdk/vectors, which every SDK must reproduce to the byte.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as sdk from "@tidegate/sdk";
import { Harness } from "@tidegate/sdk/testing";
import { keyGroup } from "../src/testing/key-group.js";
import { codecOf, fromJson, isRead, toJson } from "./support/vectors.js";

/** @param {string} name */
function vectors(name) {
  return JSON.parse(readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), "utf8"));
}

/** @param {string} text */
function hex(text) {
  return Uint8Array.from(Buffer.from(text, "hex"));
}

/** @param {Uint8Array} bytes */
function toHex(bytes) {
  return Buffer.from(bytes).toString("hex");
}

const values = vectors("values");
const chunks = vectors("chunks");

test("a value is written as the vectors say, and read again", () => {
  assert.ok(values.written.length > 50);
  for (const { type, value, bytes } of values.written) {
    const codec = codecOf(type);
    const about = `${JSON.stringify(type)} ${bytes}`;
    assert.equal(toHex(sdk.writeState(codec, fromJson(type, value))), bytes, about);
    assert.deepEqual(toJson(type, sdk.readState(codec, hex(bytes))), value, about);
  }
});

test("other forms that the format allows are read", () => {
  assert.ok(values["also-read"].length > 5);
  for (const { type, value, bytes } of values["also-read"]) {
    const read = sdk.readState(codecOf(type), hex(bytes));
    const about = `${JSON.stringify(type)} ${bytes}`;
    assert.ok(isRead(type, read, value), about);
  }
});

test("what is no value of its type is refused", () => {
  assert.ok(values.refused.length > 20);
  for (const { type, bytes, because } of values.refused) {
    const read = () => sdk.readState(codecOf(type), hex(bytes));
    assert.throws(read, { name: "Failure", kind: "incompatible-state" }, because);
  }
});

test("64-bit integers as numbers have the same bytes, and refuse what passes 2^53", () => {
  let refused = 0;
  for (const { type, value, bytes } of values.written) {
    if (type !== "u64" && type !== "i64") continue;
    const codec = (type === "u64" ? sdk.u64 : sdk.i64).asNumber;
    if (Number.isSafeInteger(Number(value))) {
      assert.equal(toHex(sdk.writeState(codec, Number(value))), bytes);
      assert.equal(sdk.readState(codec, hex(bytes)), Number(value));
    } else {
      refused += 1;
      assert.throws(() => sdk.writeState(codec, Number(value)), /no value of type/);
      assert.throws(() => sdk.readState(codec, hex(bytes)), /passes 2\^53/);
    }
  }
  assert.ok(refused > 3);
});

/** @param {any} type */
function last(type) {
  return sdk.operator({
    state: codecOf(type),
    onRecord(record, state) {
      state.value = fromJson(type, JSON.parse(record.value.text()));
    },
  });
}

test("a snapshot has the chunks of the vectors, whatever the order of arrival", () => {
  assert.ok(chunks.snapshots.length > 2);
  for (const {
    type,
    "max-parallelism": maxParallelism,
    entries,
    chunks: wanted,
  } of chunks.snapshots) {
    for (const arrival of [entries, entries.toReversed()]) {
      const harness = Harness.open(last(type), { maxParallelism });
      for (const { key, value } of arrival) harness.send(hex(key), JSON.stringify(value));
      const snapshot = harness.snapshot();
      const seen = snapshot.map(({ keyGroup: group, bytes }) => {
        return { "key-group": group, bytes: toHex(bytes) };
      });
      assert.deepEqual(seen, wanted);
      const restored = Harness.restore(last(type), snapshot, { maxParallelism });
      assert.deepEqual(restored.snapshot(), snapshot);
    }
  }
});

test("an item has the bytes of the vectors", () => {
  assert.ok(chunks.items.length > 2);
  for (const { type, value, bytes } of chunks.items) {
    /** @type {any[]} */
    let read = [];
    const keeper = sdk.operator({
      onRecord() {},
      operatorState: (items) => items.push(codecOf(type), fromJson(type, value)),
      restoreOperatorState(items) {
        read = items.read(codecOf(type));
      },
    });
    const snapshot = Harness.open(keeper).snapshot();
    assert.deepEqual(
      snapshot.map((chunk) => toHex(chunk.bytes)),
      [bytes],
    );
    Harness.restore(keeper, snapshot);
    assert.deepEqual(
      read.map((item) => toJson(type, item)),
      [value],
    );
  }
});

test("a chunk that breaks a rule is refused, and the rule is named", () => {
  const { type, "max-parallelism": maxParallelism, cases } = chunks["refused-keyed"];
  assert.ok(cases.length > 20);
  for (const { because, "key-group": group, bytes, says } of cases) {
    const chunk = { name: "keyed", schemaVersion: 1, keyGroup: group, bytes: hex(bytes) };
    assert.throws(
      () => Harness.restore(last(type), [chunk], { maxParallelism }),
      (/** @type {sdk.Failure} */ failure) => {
        assert.equal(failure.kind, "incompatible-state", because);
        assert.ok(failure.message.includes(says), `${because}: ${failure.message}`);
        return true;
      },
    );
  }
});

test("an item that breaks a rule is refused, and the rule is named", () => {
  const { type, cases } = chunks["refused-items"];
  const keeper = sdk.operator({
    onRecord() {},
    restoreOperatorState: (items) => {
      items.read(codecOf(type));
    },
  });
  for (const { because, bytes, says } of cases) {
    const chunk = { name: "items", schemaVersion: 1, keyGroup: null, bytes: hex(bytes) };
    assert.throws(
      () => Harness.restore(keeper, [chunk]),
      (/** @type {sdk.Failure} */ failure) => {
        assert.equal(failure.kind, "incompatible-state", because);
        assert.ok(failure.message.includes(says), `${because}: ${failure.message}`);
        return true;
      },
    );
  }
});

const keyGroups = vectors("key-groups");

test("the harness has the host's key groups", () => {
  assert.ok(keyGroups.keys.length > 100);
  for (const { key, "max-parallelism": maxParallelism, "key-group": group } of keyGroups.keys) {
    assert.equal(keyGroup(hex(key), maxParallelism), group, `${key} of ${maxParallelism}`);
  }
});

test("a subtask of the harness owns the key groups that the host gives it", () => {
  assert.ok(keyGroups.ranges.length > 20);
  for (const { "max-parallelism": maxParallelism, parallelism, ranges } of keyGroups.ranges) {
    const owned = Array.from({ length: parallelism }, (_, subtask) => {
      const options = { subtask, parallelism, maxParallelism };
      const { context } = Harness.open(last("u64"), options);
      return [context.firstKeyGroup, context.lastKeyGroup];
    });
    assert.deepEqual(owned, ranges, `${parallelism} of ${maxParallelism}`);
  }
});
