/**
 * Plays the host: opens an operator, hands it records, and collects what it emits.
 *
 * @module
 */

import { encodeText, toBinary } from "../binary.js";
import { columnOf } from "../column.js";
import { owns } from "../context.js";
import { setHost } from "../host.js";
import { NO_TIMESTAMP } from "../raw.js";
import { hash, keyGroup } from "./key-group.js";

/** @typedef {import("../context.js").Context} Context */
/** @typedef {import("../host.js").Level} Level */
/** @typedef {import("../raw.js").Batch} Batch */
/** @typedef {import("../raw.js").Emission} Emission */
/** @typedef {import("../raw.js").OperatorModule} OperatorModule */
/** @typedef {import("../raw.js").RawOperator} RawOperator */
/** @typedef {import("../raw.js").StateChunk} StateChunk */

/**
 * The place where the operator runs. By default there is one subtask, one input, one output, and no
 * config.
 *
 * @typedef {object} HarnessOptions
 * @property {object} [config] the operator's `config` table
 * @property {number} [subtask] index of the parallel instance, from 0
 * @property {number} [parallelism] number of parallel instances
 * @property {number} [maxParallelism] number of key groups, 128 by default
 * @property {string[]} [inputs] names of the inputs
 * @property {string[]} [outputs] names of the output ports
 * @property {number | bigint} [watermark] the watermark of the restored snapshots, of several
 *   subtasks the smallest: the instance receives it again, before any record, as from the host
 * @property {number} [hashSeed] the seed of hash tables; nothing that is observed may depend on it
 */

/**
 * Text, or bytes.
 *
 * @typedef {string | Uint8Array} Bytes
 */

/**
 * An emitted record.
 *
 * @typedef {object} Emitted
 * @property {number} port
 * @property {number | undefined} timestamp
 * @property {Uint8Array<ArrayBuffer>} key
 * @property {Uint8Array<ArrayBuffer>} value
 */

/**
 * Runs an operator in an ordinary test, without WebAssembly.
 *
 * ```js
 * const count = Harness.open(operator);
 * count.sendAll([["a", ""], ["b", ""], ["a", ""]]);
 * assert.deepEqual(count.takeText(), [["a", "1"], ["b", "1"], ["a", "2"]]);
 *
 * // A failure: a new instance takes over from the snapshot.
 * const restored = Harness.restore(operator, count.snapshot());
 * ```
 */
export class Harness {
  /**
   * Opens an instance.
   *
   * @param {OperatorModule} module
   * @param {HarnessOptions} [options]
   * @returns {Harness}
   * @throws the operator's error
   */
  static open(module, options = {}) {
    return new Harness(module, options);
  }

  /**
   * Opens an instance, and restores its own part of the snapshots: the chunks of the key groups
   * that it owns, and its share of the operator state.
   *
   * @param {OperatorModule} module
   * @param {readonly StateChunk[]} chunks of all subtasks
   * @param {HarnessOptions} [options]
   * @returns {Harness}
   * @throws the operator's error
   */
  static restore(module, chunks, options = {}) {
    const harness = new Harness(module, options);
    const { subtask, parallelism } = harness.context;
    const keyed = chunks.filter(
      (chunk) => chunk.keyGroup !== null && owns(harness.context, chunk.keyGroup),
    );
    const items = chunks.filter((chunk) => chunk.keyGroup === null);
    const share = items.filter((_item, at) => at % parallelism === subtask);
    harness.#play(() => harness.#operator.restore([...keyed, ...share]));
    if (options.watermark !== undefined) harness.watermark(options.watermark);
    return harness;
  }

  /** @type {RawOperator} */
  #operator;
  /** @type {Emitted[]} */
  #emitted = [];
  /** @type {[Level, string][]} */
  #logs = [];
  /** @type {Map<string, number>} */
  #counters = new Map();
  #checkpoint = 0;
  /** @type {OperatorModule} */
  #module;
  /** The watermark that a new instance receives again. @type {number | bigint | undefined} */
  #watermark;

  /**
   * @internal
   * @param {OperatorModule} module
   * @param {HarnessOptions} options
   */
  constructor(module, options) {
    /** The context in which the instance runs. @type {Context} */
    this.context = contextOf(options);
    this.#module = module;
    this.#operator = this.#play(() => module.openRaw(this.context));
  }

  /**
   * Returns true if a record with this key reaches this subtask over a `hash` edge.
   *
   * @param {Bytes} key
   * @returns {boolean}
   */
  owns(key) {
    const bytes = typeof key === "string" ? new TextEncoder().encode(key) : key;
    return owns(this.context, keyGroup(bytes, this.context.maxParallelism));
  }

  /**
   * Hands the operator one record.
   *
   * @param {Bytes} key
   * @param {Bytes} value
   * @param {{ timestamp?: number | bigint, input?: number }} [options] no timestamp and input 0 by
   *   default
   * @throws the operator's error; an instance that failed is not to be used again
   */
  send(key, value, { timestamp, input = 0 } = {}) {
    const batch = batchOf([[key, value]]);
    if (timestamp !== undefined) batch.timestamps[0] = BigInt(timestamp);
    this.sendBatch(input, batch);
  }

  /**
   * Hands the operator records of one batch, without timestamps, on input 0.
   *
   * @param {readonly (readonly [key: Bytes, value: Bytes])[]} records
   * @throws the operator's error; the row of an invalid record counts from the first of `records`
   */
  sendAll(records) {
    this.sendBatch(0, batchOf(records));
  }

  /**
   * Hands the operator a batch, as the host does.
   *
   * @param {number} input
   * @param {Batch} batch
   * @throws the operator's error
   */
  sendBatch(input, batch) {
    this.#collect(this.#play(() => this.#operator.process(input, batch)));
  }

  /**
   * Advances event time.
   *
   * @param {number | bigint} watermark milliseconds since the Unix epoch
   * @throws the operator's error
   */
  watermark(watermark) {
    this.#watermark = watermark;
    this.#collect(this.#play(() => this.#operator.advanceWatermark?.(BigInt(watermark)) ?? []));
  }

  /**
   * Ends all inputs.
   *
   * @throws the operator's error
   */
  finish() {
    this.#watermark = undefined;
    this.#collect(this.#play(() => this.#operator.finish?.() ?? []));
  }

  /**
   * Takes a snapshot, as a checkpoint does. Equal state gives equal chunks.
   *
   * @returns {StateChunk[]}
   * @throws the operator's error
   */
  snapshot() {
    this.#checkpoint += 1;
    return this.#play(() => this.#operator.snapshot(this.#checkpoint));
  }

  /**
   * Takes a snapshot and continues with a new instance, as after a failure: the new instance is
   * restored, and receives the last watermark again, if any. Its emissions then are part of the
   * output.
   *
   * @throws the operator's error
   */
  restart() {
    const chunks = this.snapshot();
    this.#operator = this.#play(() => this.#module.openRaw(this.context));
    this.#play(() => this.#operator.restore(chunks));
    if (this.#watermark !== undefined) this.watermark(this.#watermark);
  }

  /**
   * Notifies the operator that its last snapshot is durable everywhere.
   *
   * @throws the operator's error
   */
  checkpointComplete() {
    this.#play(() => this.#operator.checkpointComplete?.(this.#checkpoint));
  }

  /**
   * Takes everything that was emitted since the last call.
   *
   * @returns {Emitted[]}
   */
  takeOutput() {
    const emitted = this.#emitted;
    this.#emitted = [];
    return emitted;
  }

  /**
   * Takes the keys and values of `takeOutput`, as text.
   *
   * @returns {[key: string, value: string][]}
   */
  takeText() {
    const text = (/** @type {Uint8Array} */ bytes) => new TextDecoder().decode(bytes);
    return this.takeOutput().map(({ key, value }) => [text(key), text(value)]);
  }

  /**
   * Takes the messages that the operator has logged since the last call.
   *
   * @returns {[Level, string][]}
   */
  takeLogs() {
    const logs = this.#logs;
    this.#logs = [];
    return logs;
  }

  /**
   * Returns the sum that the operator has added to a counter.
   *
   * @param {string} metric
   * @returns {number}
   */
  counter(metric) {
    return this.#counters.get(metric) ?? 0;
  }

  /**
   * Returns the value that the operator keeps for `key`, or undefined.
   *
   * @param {Bytes} key
   * @returns {any}
   */
  state(key) {
    return this.#keys().get(key)?.value;
  }

  /**
   * Returns the keys that the operator keeps state for, as text, sorted.
   *
   * @returns {string[]}
   */
  keys() {
    return [...this.#keys().states()].map(([key]) => key.text());
  }

  #keys() {
    const typed = /** @type {import("../typed.js").Typed<any>} */ (this.#operator);
    if (typed._keys === undefined) throw new TypeError("a raw operator keeps its own state");
    return typed._keys;
  }

  /**
   * Runs a call with this harness as the host.
   *
   * @template T
   * @param {() => T} call
   * @returns {T}
   */
  #play(call) {
    setHost({
      log: (level, message) => this.#logs.push([level, message]),
      count: (metric, delta) => this.#counters.set(metric, this.counter(metric) + delta),
      keyGroups: (keys) => {
        const total = this.context.maxParallelism;
        return Uint32Array.from(rowsOf(keys), (key) => keyGroup(key, total));
      },
      hashKeys: (seed, keys) => Int32Array.from(rowsOf(keys), (key) => hash(seed, key)),
    });
    return call();
  }

  /** @param {readonly Emission[]} emissions */
  #collect(emissions) {
    for (const { port, records } of emissions) {
      const cut = (/** @type {Batch["keys"]} */ { offsets, data }, /** @type {number} */ row) =>
        data.slice(offsets[row], offsets[row + 1]);
      for (const [row, time] of records.timestamps.entries()) {
        const timestamp = time === NO_TIMESTAMP ? undefined : Number(time);
        const key = cut(records.keys, row);
        const value = cut(records.values, row);
        this.#emitted.push({ port, timestamp, key, value });
      }
    }
  }
}

/**
 * @param {import("../column.js").RawColumn} column
 * @returns {Uint8Array[]}
 */
function rowsOf({ offsets, data }) {
  return Array.from(offsets.subarray(1), (end, row) => data.subarray(offsets[row], end));
}

/**
 * Makes the batch of these records, without timestamps.
 *
 * @param {readonly (readonly [key: Bytes, value: Bytes])[]} records
 * @returns {Batch}
 */
export function batchOf(records) {
  const binary = (/** @type {Bytes} */ bytes) =>
    typeof bytes === "string" ? encodeText(bytes) : toBinary(bytes);
  return {
    timestamps: new BigInt64Array(records.length).fill(NO_TIMESTAMP),
    keys: columnOf(records.map(([key]) => binary(key))),
    values: columnOf(records.map(([, value]) => binary(value))),
  };
}

/**
 * @param {HarnessOptions} options
 * @returns {Context}
 */
function contextOf(options) {
  const { subtask = 0, parallelism = 1, maxParallelism = 128 } = options;
  if (!(subtask >= 0 && subtask < parallelism)) {
    throw new RangeError(`subtask ${subtask} of ${parallelism}`);
  }
  return {
    job: "test",
    operator: "operator",
    subtask,
    parallelism,
    maxParallelism,
    firstKeyGroup: Math.floor((subtask * maxParallelism + parallelism - 1) / parallelism),
    lastKeyGroup: Math.floor(((subtask + 1) * maxParallelism - 1) / parallelism),
    inputs: options.inputs ?? ["input"],
    outputs: options.outputs ?? ["output"],
    config: JSON.stringify(options.config ?? {}),
    // The default is not 0, which an operator may take for no seed.
    hashSeed: options.hashSeed ?? 0x7469_6465,
  };
}
