/**
 * Record path: column → [field] → author.
 *
 * A key or a value, read in place.
 *
 * @module
 */
import { Column } from "./column.js";
export type IntegerType = import("./decimal.js").IntegerType;
/** @typedef {import("./decimal.js").IntegerType} IntegerType */
/**
 * A key or a value: bytes, which can be read as text, numbers or JSON.
 *
 * The fields of a record are valid until the next record: the SDK uses the same two objects for all
 * records. Keep the result of a reading, not the field. A reading that fails throws a `Failure`
 * that blames the record.
 *
 * ```js
 * const amount = record.value.integer("i64");
 * const country = record.key.text();
 * ```
 */
export declare class Field {
    /** @internal */
    _name: "key" | "value";
    /** @internal @type {Column} */
    _column: Column;
    /** @internal */
    _start: number;
    /** @internal */
    _end: number;
    /** The offsets of its column's rows. @internal @type {Uint32Array} */
    _offsets: Uint32Array;
    /** The record it belongs to. @internal @type {{ row: number } | undefined} */
    _record: {
        row: number;
    } | undefined;
    /** The number of bytes. @returns {number} */
    get length(): number;
    /**
     * Returns a copy of the bytes.
     *
     * @returns {Uint8Array<ArrayBuffer>}
     */
    bytes(): Uint8Array<ArrayBuffer>;
    /**
     * Returns the bytes as a binary string, one character below 256 for each.
     *
     * The fastest reading, for keys of a `Map` and for comparisons: it never fails, and orders like
     * the bytes.
     *
     * @returns {string}
     */
    binary(): string;
    /**
     * Returns the text.
     *
     * @returns {string}
     * @throws {Failure} if the field is not UTF-8
     */
    text(): string;
    /**
     * Reads the integer in decimal text, as a number.
     *
     * @param {IntegerType} [type] its type, whose range is checked; `"i64"` by default
     * @returns {number}
     * @throws {Failure} if it is not of the type, or passes 2^53 (`bigint` reads all 64 bits)
     */
    integer(type?: IntegerType): number;
    /**
     * Reads the integer in decimal text, as a bigint: exact.
     *
     * @param {IntegerType} [type] its type, whose range is checked; `"i64"` by default
     * @returns {bigint}
     * @throws {Failure} if it is not of the type
     */
    bigint(type?: IntegerType): bigint;
    /**
     * Reads the floating-point number in decimal text.
     *
     * @returns {number}
     * @throws {Failure} if the field is no such number
     */
    float(): number;
    /**
     * Reads the 64-bit number of eight little-endian bytes.
     *
     * @param {"i64" | "u64" | "f64"} [type] `"i64"` by default
     * @returns {number}
     * @throws {Failure} if there are not eight bytes, or an integer passes 2^53
     */
    le64(type?: "i64" | "u64" | "f64"): number;
    /**
     * Reads the 64-bit integer of eight little-endian bytes, exactly.
     *
     * @param {"i64" | "u64"} [type] `"i64"` by default
     * @returns {bigint}
     * @throws {Failure} if there are not eight bytes
     */
    le64Bigint(type?: "i64" | "u64"): bigint;
    /**
     * Reads the JSON value. Numbers beyond 2^53 are rounded, as `JSON.parse` does.
     *
     * @returns {any}
     * @throws {Failure} with the parser's message if the field is not JSON
     */
    json(): any;
}
/**
 * Makes a key outside of a record, which can be kept.
 *
 * @param {string} binary
 * @returns {Field}
 */
export declare function keyField(binary: string): Field;
