/**
 * Record path: batch → record → [state of its key] → `onRecord`.
 *
 * One value for each key. Invariant: between two calls, each entry's key group is known, and is one
 * that this instance owns. Every iteration is in the order of the key bytes.
 *
 * The engine's own maps find strings by a hash that anyone can foresee. The author of the records
 * could choose keys that collide, and every lookup would pass over all of them. So the states are
 * found by a hash that depends on the instance's secret seed, which is computed for many keys at
 * once; the few keys with the same hash are linked.
 *
 * @module
 */

import { encodeText, toBinary } from "../binary.js";
import { columnOf } from "../column.js";
import { owns } from "../context.js";
import { Failure } from "../failure.js";
import { Field, keyField } from "../field.js";
import { hashKeys, keyGroups } from "../host.js";

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
 * The state of one key. Assign to `value`, or change its contents.
 *
 * @template T
 */
export class State {
  /**
   * @internal
   * @param {T} value
   */
  constructor(value) {
    /** The value that is kept for the key. @type {T} */
    this.value = value;
    /** The key group; -1 until the host has reported it. @internal */
    this._keyGroup = -1;
    /** The binary string of the key. @internal */
    this._name = "";
    /** Another state whose key has the same hash. @internal @type {State<T> | undefined} */
    this._next = undefined;
  }
}

/**
 * The state of all keys that this instance has seen, as `onWatermark` and `onFinish` get it.
 *
 * Iteration is in canonical order: sorted by the bytes of the key, whatever order the keys arrived
 * in. Sorting has a cost: for an operator with many keys that looks at few of them, `extract` is
 * cheaper.
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
    /** The states by the hash of the key. @type {Map<number, State<T>>} */
    this._map = new Map();
    this._size = 0;
    /** States whose key group is not known yet. @type {State<T>[]} */
    this._new = [];
    /** True if a state was lent out to be changed, and may have become vacant. */
    this._lent = false;
  }

  /** The number of keys. @returns {number} */
  get size() {
    return this._size;
  }

  /**
   * Returns the state of one key, or undefined. Assign to its `value` to change it.
   *
   * @param {Key} key
   * @returns {State<T> | undefined}
   */
  get(key) {
    this._lent = true;
    return this._find(binaryOf(key));
  }

  /**
   * Returns true if there is a state for the key.
   *
   * @param {Key} key
   * @returns {boolean}
   */
  has(key) {
    return this._find(binaryOf(key)) !== undefined;
  }

  /**
   * Forgets one key.
   *
   * @param {Key} key
   * @returns {boolean} true if there was a state
   */
  delete(key) {
    const binary = binaryOf(key);
    const [hash] = this._hashes(columnOf([binary]));
    return this._remove(hash, binary) !== undefined;
  }

  /** Forgets all keys. */
  clear() {
    this._map.clear();
    this._size = 0;
  }

  /**
   * Yields all keys with their values, sorted by key. To change a value that is no object, use
   * `states`.
   *
   * @returns {Generator<[key: Field, value: T]>}
   */
  *[Symbol.iterator]() {
    for (const [key, state] of this.states()) yield [key, state.value];
  }

  /**
   * Yields all keys with their state, sorted by key, to be changed.
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
    const names = this._names(() => true).sort();
    const hashes = this._hashes(columnOf(names));
    for (const [at, name] of names.entries()) {
      const state = this._at(hashes[at], name);
      if (state !== undefined) yield [keyField(name), state];
    }
  }

  /**
   * Takes out the keys that `isDue` picks, and returns them sorted by key.
   *
   * `isDue` sees the keys in no particular order, so it must judge each key alone. Only the keys
   * that it picks are sorted.
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
    const due = this._names(isDue).sort();
    const hashes = this._hashes(columnOf(due));
    return due.map((name, at) => {
      const state = /** @type {State<T>} */ (this._remove(hashes[at], name));
      return [keyField(name), state.value];
    });
  }

  /**
   * Returns the hashes under which the states of these keys are found.
   *
   * @internal
   * @param {import("../column.js").RawColumn} keys
   * @returns {Int32Array}
   */
  _hashes(keys) {
    return hashKeys(this._context.hashSeed, keys);
  }

  /**
   * Returns the state of a key with this hash, or undefined.
   *
   * @internal
   * @param {number} hash
   * @param {string} name
   * @returns {State<T> | undefined}
   */
  _at(hash, name) {
    let state = this._map.get(hash);
    while (state !== undefined && state._name !== name) state = state._next;
    return state;
  }

  /**
   * @internal
   * @param {string} name
   * @returns {State<T> | undefined}
   */
  _find(name) {
    const [hash] = this._hashes(columnOf([name]));
    return this._at(hash, name);
  }

  /**
   * Adds a new key, and returns its state.
   *
   * @internal
   * @param {number} hash
   * @param {string} name
   * @returns {State<T>}
   */
  _insert(hash, name) {
    const state = new State(this._codec.initial());
    this._add(hash, name, state);
    this._new.push(state);
    return state;
  }

  /**
   * Adds the state of a new key.
   *
   * @internal
   * @param {number} hash
   * @param {string} name
   * @param {State<T>} state
   */
  _add(hash, name, state) {
    state._name = name;
    state._next = this._map.get(hash);
    this._map.set(hash, state);
    this._size += 1;
  }

  /**
   * Takes out the state of a key, if there is one.
   *
   * @internal
   * @param {number} hash
   * @param {string} name
   * @returns {State<T> | undefined}
   */
  _remove(hash, name) {
    const removed = this._at(hash, name);
    if (removed === undefined) return undefined;
    this._size -= 1;
    let before = /** @type {State<T>} */ (this._map.get(hash));
    if (before !== removed) {
      while (before._next !== removed) before = /** @type {State<T>} */ (before._next);
      before._next = removed._next;
    } else if (removed._next === undefined) this._map.delete(hash);
    else this._map.set(hash, removed._next);
    return removed;
  }

  /**
   * Calls `each` with every state, in no particular order.
   *
   * @internal
   * @param {(state: State<T>) => void} each
   */
  _forEach(each) {
    this._map.forEach((first) => {
      for (let state = /** @type {State<T> | undefined} */ (first); state !== undefined; ) {
        each(state);
        state = state._next;
      }
    });
  }

  /**
   * Returns the keys whose value is wanted, in no particular order.
   *
   * @internal
   * @param {(value: T) => boolean} isWanted
   * @returns {string[]}
   */
  _names(isWanted) {
    /** @type {string[]} */
    const names = [];
    this._forEach((state) => {
      if (isWanted(state.value)) names.push(state._name);
    });
    return names;
  }

  /**
   * Asks the host for the key groups of new keys, all at once.
   *
   * @internal
   * @throws {Failure} if this instance does not own a key
   */
  _settle() {
    const added = this._new;
    if (added.length === 0) return;
    this._new = [];
    const groups = keyGroups(columnOf(added.map((state) => state._name)));
    for (const [at, state] of added.entries()) {
      const group = groups[at];
      if (!owns(this._context, group)) throw notOwned(state._name, group, this._context);
      state._keyGroup = group;
    }
  }

  /**
   * Forgets every key whose state is vacant. Looks at no key if no state was lent out since the
   * last call.
   *
   * @internal
   * @param {(value: T) => boolean} isVacant
   */
  _forget(isVacant) {
    if (!this._lent) return;
    this._lent = false;
    const vacant = this._names(isVacant);
    const hashes = this._hashes(columnOf(vacant));
    for (const [at, name] of vacant.entries()) this._remove(hashes[at], name);
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
 * Writes a key for messages, with the escapes of Rust for bytes.
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
