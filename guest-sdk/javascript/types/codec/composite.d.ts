/**
 * Types that are made of others.
 *
 * @module
 */
import { Codec } from "./codec.js";
export type Reader = import("./reader.js").Reader;
export type CodecValue<C> = import("./codec.js").CodecValue<C>;
/**
 * Makes the type of a value or `null`. Where null is a value of the type itself, as in an option of
 * an option, the value is `{ some: value }`.
 *
 * @template T
 * @param {Codec<T>} inner
 * @returns {Codec<(null extends T ? { some: T } : T) | null>}
 */
export declare function option<T>(inner: Codec<T>): Codec<(null extends T ? {
    some: T;
} : T) | null>;
/**
 * Makes the type of an array of values of one type.
 *
 * @template T
 * @param {Codec<T>} item
 * @returns {Codec<T[]>}
 */
export declare function list<T>(item: Codec<T>): Codec<T[]>;
/**
 * Makes the type of a `Map`, written in the order of its keys, whatever the order in which they
 * came. Keys are bool, integers, string, bytes, or tuples of these.
 *
 * A JavaScript `Map` finds bytes and tuples by identity, not by their contents: prefer keys that
 * are strings or numbers. Two equal keys can't be written.
 *
 * @template K, V
 * @param {Codec<K>} key
 * @param {Codec<V>} value
 * @returns {Codec<Map<K, V>>}
 * @throws {TypeError} if values of the key's type can't be keys
 */
export declare function map<K, V>(key: Codec<K>, value: Codec<V>): Codec<Map<K, V>>;
/**
 * Makes the type of an array of values of different types, in this order.
 *
 * @template {readonly Codec<any>[]} T
 * @param {T} parts
 * @returns {Codec<{ -readonly [I in keyof T]: CodecValue<T[I]> }>}
 */
export declare function tuple<T extends readonly Codec<any>[]>(...parts: T): Codec<{ -readonly [I in keyof T]: CodecValue<T[I]>; }>;
/**
 * Makes the type of an object with these fields. They are written in the order in which they stand
 * here; names are not written.
 *
 * ```js
 * const stats = struct({ count: u64.asNumber, lastSeen: option(i64) });
 * ```
 *
 * @template {{ [name: string]: Codec<any> }} F
 * @param {F} fields
 * @returns {Codec<{ -readonly [N in keyof F]: CodecValue<F[N]> }>}
 * @throws {TypeError} if a name is a whole number, which JavaScript would put first
 */
export declare function struct<F extends {
    [name: string]: Codec<any>;
}>(fields: F): Codec<{ -readonly [N in keyof F]: CodecValue<F[N]>; }>;
