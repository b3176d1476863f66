/**
 * Record path: host → batch → [typed] → `onRecord` → output → host.
 *
 * Makes a raw operator of an author's: reads the columns row by row, finds the state of each
 * record's key once, and writes and reads the state at checkpoints. Invariant: the state holds a
 * key only if a record of it was processed and its state is not vacant.
 *
 * @module
 */

import { Column } from "./column.js";
import { readConfig } from "./config.js";
import { Failure } from "./failure.js";
import { Output } from "./output.js";
import { Record } from "./record.js";
import { readKeyedState, sortOut, writeItems, writeKeyedState } from "./state/chunks.js";
import { Items } from "./state/items.js";
import { KeyedState, State } from "./state/keyed.js";

/** @typedef {import("./context.js").Context} Context */
/** @typedef {import("./field.js").Field} Field */
/** @typedef {import("./raw.js").Batch} Batch */
/** @typedef {import("./raw.js").Emission} Emission */
/** @typedef {import("./raw.js").StateChunk} StateChunk */

/**
 * @template T
 * @typedef {import("./codec/codec.js").Codec<T>} Codec
 */

/**
 * @template T
 * @typedef {import("./operator.js").Handlers<T>} Handlers
 */

/**
 * @template T
 * @typedef {object} Parts
 * @property {Codec<T>} state
 * @property {number} stateVersion
 * @property {import("./config.js").Settings} settings
 * @property {((value: T) => boolean) | undefined} isVacant
 * @property {(version: number, bytes: Uint8Array<ArrayBuffer>) => T} migrate
 * @property {(config: any, context: Context) => Handlers<T>} handlers
 */

/**
 * An operator as a raw operator.
 *
 * @template T
 */
export class Typed {
  /**
   * @internal
   * @param {Parts<T>} parts
   * @param {Context} context
   */
  constructor(parts, context) {
    this._parts = parts;
    this._handlers = checked(parts.handlers(readConfig(context.config, parts.settings), context));
    /** @type {KeyedState<T>} */
    this._keys = new KeyedState(parts.state, context);
    this._record = new Record();
    this._out = new Output(context.outputs.length, this._record);
    this._keepsState = parts.state.size > 0;
  }

  /**
   * @internal
   * @param {number} input
   * @param {Batch} batch
   * @returns {Emission[]}
   */
  process(input, batch) {
    const record = this._record;
    record.input = input;
    record._times = halves(batch.timestamps);
    readColumn(record.key, batch.keys);
    readColumn(record.value, batch.values);
    this._out._begin(batch);
    try {
      if (this._keepsState) this._processKeyed(batch);
      else this._processStateless(batch);
    } finally {
      // A key that belongs elsewhere is the job's mistake, whatever the outcome of its record.
      this._keys._settle();
    }
    return this._out._take();
  }

  /**
   * @internal
   * @param {bigint} watermark
   * @returns {Emission[]}
   */
  advanceWatermark(watermark) {
    this._out._begin(undefined);
    finished(this._handlers.onWatermark?.(Number(watermark), this._keys, this._out));
    return this._emitted();
  }

  /**
   * @internal
   * @param {number} _checkpoint
   * @returns {StateChunk[]}
   */
  snapshot(_checkpoint) {
    const items = new Items();
    finished(this._handlers.operatorState?.(items));
    const { stateVersion } = this._parts;
    const keyed = writeKeyedState(this._keys, stateVersion);
    return [...keyed, ...writeItems(items._chunks, stateVersion)];
  }

  /**
   * @internal
   * @param {StateChunk[]} chunks
   */
  restore(chunks) {
    const { stateVersion, migrate } = this._parts;
    const { keyed, items } = sortOut(chunks, stateVersion);
    if (!this._keepsState && keyed.length > 0) {
      throw Failure.incompatibleState("it has keyed state, and this operator keeps none");
    }
    readKeyedState(this._keys, keyed, stateVersion, migrate);
    if (items.length === 0) return;
    const { restoreOperatorState } = this._handlers;
    if (restoreOperatorState === undefined) {
      throw Failure.incompatibleState(
        `it has ${items.length} items of operator state, and this operator keeps none`,
      );
    }
    finished(restoreOperatorState.call(this._handlers, items));
  }

  /**
   * @internal
   * @param {number} checkpoint
   */
  checkpointComplete(checkpoint) {
    finished(this._handlers.onCheckpointComplete?.(checkpoint));
  }

  /**
   * @internal
   * @returns {Emission[]}
   */
  finish() {
    this._out._begin(undefined);
    finished(this._handlers.onFinish?.(this._keys, this._out));
    return this._emitted();
  }

  /**
   * @internal
   * @returns {Emission[]}
   */
  _emitted() {
    const { isVacant } = this._parts;
    if (isVacant !== undefined) this._keys._forget(isVacant);
    return this._out._take();
  }

  /** @param {Batch} batch */
  _processKeyed(batch) {
    const { _record: record, _keys: keys, _out: out, _handlers: handlers } = this;
    const { isVacant } = this._parts;
    const { key, value } = record;
    const { _map: map } = keys;
    const { binary } = key._column;
    const keyOffsets = batch.keys.offsets;
    const valueOffsets = batch.values.offsets;
    const rows = batch.timestamps.length;
    const hashes = keys._hashes(batch.keys);
    for (let row = 0; row < rows; row++) {
      record.row = row;
      key._start = key._end;
      key._end = keyOffsets[row + 1];
      value._start = value._end;
      value._end = valueOffsets[row + 1];
      const name = binary.substring(key._start, key._end);
      const hash = hashes[row];
      let state = map.get(hash);
      while (state !== undefined && state._name !== name) state = state._next;
      state ??= keys._insert(hash, name);
      const promise = handlers.onRecord(record, state, out);
      if (promise !== undefined) finished(promise);
      if (isVacant?.(state.value)) keys._remove(hash, name);
    }
  }

  /** @param {Batch} batch */
  _processStateless(batch) {
    const { _record: record, _out: out, _handlers: handlers } = this;
    const { state: codec } = this._parts;
    const { key, value } = record;
    const keyOffsets = batch.keys.offsets;
    const valueOffsets = batch.values.offsets;
    const rows = batch.timestamps.length;
    const state = new State(codec.initial());
    for (let row = 0; row < rows; row++) {
      record.row = row;
      key._start = key._end;
      key._end = keyOffsets[row + 1];
      value._start = value._end;
      value._end = valueOffsets[row + 1];
      const promise = handlers.onRecord(record, state, out);
      if (promise !== undefined) finished(promise);
    }
  }
}

/**
 * @param {Field} field
 * @param {import("./raw.js").RawColumn} raw
 */
function readColumn(field, raw) {
  field._column = Column.ofBytes(raw.data);
  field._offsets = raw.offsets;
  field._end = 0;
}

/**
 * @param {BigInt64Array<ArrayBuffer>} timestamps
 * @returns {Int32Array<ArrayBuffer>}
 */
function halves(timestamps) {
  return new Int32Array(timestamps.buffer, timestamps.byteOffset, timestamps.length * 2);
}

/**
 * Rejects a promise: the SDK does not wait for handlers.
 *
 * @param {unknown} returned
 */
function finished(returned) {
  if (returned instanceof Promise) {
    throw new TypeError(
      "a handler is async, and nothing in an operator waits; make it a plain one",
    );
  }
}

/**
 * @template T
 * @param {Handlers<T>} handlers
 * @returns {Handlers<T>}
 */
function checked(handlers) {
  if (typeof handlers?.onRecord !== "function") {
    throw new TypeError("operator: `open` gave no `onRecord`");
  }
  return handlers;
}
