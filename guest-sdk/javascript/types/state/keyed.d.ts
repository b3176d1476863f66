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
import { Field } from "../field.js";
export type Context = import("../context.js").Context;
export type Codec<T> = import("../codec/codec.js").Codec<T>;
export type Key = string | Uint8Array | Field;
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
export declare class State<T> {
    /** The value that is kept for the key. @type {T} */
    value: T;
    /** The key group; -1 until the host has reported it. @internal */
    _keyGroup: number;
    /** The binary string of the key. @internal */
    _name: string;
    /** Another state whose key has the same hash. @internal @type {State<T> | undefined} */
    _next: State<T> | undefined;
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
export declare class KeyedState<T> {
    _codec: import("../index.js").Codec<T>;
    _context: import("../context.js").Context;
    /** The states by the hash of the key. @type {Map<number, State<T>>} */
    _map: Map<number, State<T>>;
    _size: number;
    /** States whose key group is not known yet. @type {State<T>[]} */
    _new: State<T>[];
    /** True if a state was lent out to be changed, and may have become vacant. */
    _lent: boolean;
    /** The number of keys. @returns {number} */
    get size(): number;
    /**
     * Returns the state of one key, or undefined. Assign to its `value` to change it.
     *
     * @param {Key} key
     * @returns {State<T> | undefined}
     */
    get(key: Key): State<T> | undefined;
    /**
     * Returns true if there is a state for the key.
     *
     * @param {Key} key
     * @returns {boolean}
     */
    has(key: Key): boolean;
    /**
     * Forgets one key.
     *
     * @param {Key} key
     * @returns {boolean} true if there was a state
     */
    delete(key: Key): boolean;
    /** Forgets all keys. */
    clear(): void;
    /**
     * Yields all keys with their values, sorted by key. To change a value that is no object, use
     * `states`.
     *
     * @returns {Generator<[key: Field, value: T]>}
     */
    [Symbol.iterator](): Generator<[key: Field, value: T]>;
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
    states(): Generator<[key: Field, state: State<T>]>;
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
    extract(isDue: (value: T) => boolean): [key: Field, value: T][];
}
