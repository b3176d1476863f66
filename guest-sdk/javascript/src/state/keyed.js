/**
 * Record path: batch → record → [state of its key] → `onRecord`.
 *
 * One value for each key. Invariant: between two calls, each entry's key group is known, and is one
 * that this instance owns. Every iteration is in the order of the key bytes.
 *
 * @module
 */

import { encodeText, toBinary } from "../binary.js";
import { columnOf } from "../column.js";
import { owns } from "../context.js";
import { Failure } from "../failure.js";
import { Field, keyField } from "../field.js";
import { keyGroups } from "../host.js";

/** @typedef {import("../context.js").Context} Context */

/**
 * @template T
 * @typedef {import("../codec/codec.js").Codec<T>} Codec
 */

/**
 * A key: text, bytes, or a field as it is.
 *
 * @typedef {string | Uint8Array | Field} Key
 */

/**
 * The state of one key. Assign to `value`, or change what is in it.
 *
 * @template T
 */
export class State {
  /**
   * @internal
   * @param {T} value
   */
  constructor(value) {
    /** What is remembered for the key. @type {T} */
    this.value = value;
    /** -1 until the host has said it. @internal */
    this._keyGroup = -1;
  }
}

/**
 * The state of all keys that this instance has seen, as `onWatermark` and `onFinish` get it.
 *
 * Iteration is in canonical order: sorted by the bytes of the key, whatever order the keys arrived
 * in. It sorts, so for an operator with many keys that looks at few of them, `extract` is cheaper.
 *
 * ```js
 * for (const [key, count] of keys) out.emit(key, count);
 * ```
 *
 * @template T
 */
export class KeyedState {
  /**
   * @internal
   * @param {Codec<T>} codec
   * @param {Context} context
   */
  constructor(codec, context) {
    this._codec = codec;
    this._context = context;
    /** By the binary string of the key. @type {Map<string, State<T>>} */
    this._map = new Map();
    /** Keys whose group is not known yet. @type {string[]} */
    this._new = [];
    /** True if a state was lent out to be changed, and may have become vacant. */
    this._lent = false;
  }

  /** Number of keys. @returns {number} */
  get size() {
    return this._map.size;
  }

  /**
   * The state of one key, or nothing. Assign to its `value` to change it.
   *
   * @param {Key} key
   * @returns {State<T> | undefined}
   */
  get(key) {
    this._lent = true;
    return this._map.get(binaryOf(key));
  }

  /**
   * True if there is a state for the key.
   *
   * @param {Key} key
   * @returns {boolean}
   */
  has(key) {
    return this._map.has(binaryOf(key));
  }

  /**
   * Forgets one key.
   *
   * @param {Key} key
   * @returns {boolean} true if there was a state
   */
  delete(key) {
    return this._map.delete(binaryOf(key));
  }

  /** Forgets all keys. */
  clear() {
    this._map.clear();
  }

  /**
   * All keys with what is remembered for them, sorted by key. To change a value that is no object,
   * use `states`.
   *
   * @returns {Generator<[key: Field, value: T]>}
   */
  *[Symbol.iterator]() {
    for (const [key, state] of this.states()) yield [key, state.value];
  }

  /**
   * All keys with their state, sorted by key, to be changed.
   *
   * ```js
   * for (const [key, count] of keys.states()) {
   *   out.emit(key, count.value);
   *   count.value = 0;
   * }
   * ```
   *
   * @returns {Generator<[key: Field, state: State<T>]>}
   */
  *states() {
    this._lent = true;
    for (const binary of [...this._map.keys()].sort()) {
      const state = this._map.get(binary);
      if (state !== undefined) yield [keyField(binary), state];
    }
  }

  /**
   * Takes out the keys that `isDue` picks, and gives them sorted by key.
   *
   * `isDue` sees the keys in no particular order, so it must answer each by itself. Only what it
   * picks is sorted.
   *
   * ```js
   * for (const [key, window] of keys.extract((window) => window.end <= watermark)) {
   *   out.emit(key, window.count, window.end - 1);
   * }
   * ```
   *
   * @param {(value: T) => boolean} isDue
   * @returns {[key: Field, value: T][]}
   */
  extract(isDue) {
    /** @type {string[]} */
    const due = [];
    this._map.forEach((state, binary) => {
      if (isDue(state.value)) due.push(binary);
    });
    return due.sort().map((binary) => {
      const state = /** @type {State<T>} */ (this._map.get(binary));
      this._map.delete(binary);
      return [keyField(binary), state.value];
    });
  }

  /**
   * The state of a key that is not there yet.
   *
   * @internal
   * @param {string} binary
   * @returns {State<T>}
   */
  _insert(binary) {
    const state = new State(this._codec.initial());
    this._map.set(binary, state);
    this._new.push(binary);
    return state;
  }

  /**
   * Asks the host for the key groups of new keys, all at once.
   *
   * @internal
   * @throws {Failure} if this instance does not own one of them
   */
  _settle() {
    const binaries = this._new;
    if (binaries.length === 0) return;
    this._new = [];
    const groups = keyGroups(columnOf(binaries));
    for (const [at, binary] of binaries.entries()) {
      const group = groups[at];
      if (!owns(this._context, group)) throw notOwned(binary, group, this._context);
      const state = this._map.get(binary);
      if (state !== undefined) state._keyGroup = group;
    }
  }

  /**
   * Forgets every key whose state is vacant. Looks at none if none was lent out since the last call.
   *
   * @internal
   * @param {(value: T) => boolean} isVacant
   */
  _forget(isVacant) {
    if (!this._lent) return;
    this._lent = false;
    this._map.forEach((state, binary) => {
      if (isVacant(state.value)) this._map.delete(binary);
    });
  }
}

/**
 * @param {Key} key
 * @returns {string}
 */
function binaryOf(key) {
  if (typeof key === "string") return encodeText(key);
  return key instanceof Field ? key.binary() : toBinary(key);
}

/**
 * @param {string} binary
 * @param {number} group
 * @param {Context} context
 * @returns {Failure}
 */
function notOwned(binary, group, context) {
  return new Failure(
    `the key "${escaped(binary)}" belongs to key group ${group}, and this subtask owns ` +
      `${context.firstKeyGroup}..=${context.lastKeyGroup}; every input whose records use state ` +
      'by key needs `partition = "hash"`',
  );
}

/**
 * A key for people, with escapes as Rust writes those of bytes.
 *
 * @param {string} binary
 * @returns {string}
 */
function escaped(binary) {
  const short = new Map([
    ["\t", "\\t"],
    ["\n", "\\n"],
    ["\r", "\\r"],
    ["'", "\\'"],
    ['"', '\\"'],
    ["\\", "\\\\"],
  ]);
  return binary.replace(/[^\x20-\x7e]|["'\\]/g, (character) => {
    const code = character.charCodeAt(0).toString(16).padStart(2, "0");
    return short.get(character) ?? `\\x${code}`;
  });
}
