/**
 * Numbers and truth.
 *
 * Integers are varints of seven bits per byte, the lowest first; signed integers are in zigzag. 8
 * bits are a byte, and floats are IEEE 754.
 *
 * @module
 */
import { Codec } from "./codec.js";
export type Reader = import("./reader.js").Reader;
/**
 * Writes a whole number from 0 to 2^53 as a varint.
 *
 * @param {number} number
 * @returns {string}
 */
export declare function varint(number: number): string;
export type Wide = Codec<bigint> & {
    asNumber: Codec<number>;
};
/** An unsigned integer of 8 bits, a number. */
export declare const u8: Codec<number>;
/** An unsigned integer of 16 bits, a number. */
export declare const u16: Codec<number>;
/** An unsigned integer of 32 bits, a number. */
export declare const u32: Codec<number>;
/**
 * An unsigned integer of 64 bits, a bigint. `u64.asNumber` has the same bytes, is a number, and
 * several times as fast; it refuses to read or write numbers beyond 2^53.
 *
 * @type {Wide}
 */
export declare const u64: Wide;
/** A signed integer of 8 bits, a number. */
export declare const i8: Codec<number>;
/** A signed integer of 16 bits, a number. */
export declare const i16: Codec<number>;
/** A signed integer of 32 bits, a number. */
export declare const i32: Codec<number>;
/**
 * A signed integer of 64 bits, a bigint. `i64.asNumber` has the same bytes, is a number, and
 * several times as fast; it refuses to read or write numbers beyond 2^53.
 *
 * @type {Wide}
 */
export declare const i64: Wide;
/** True or false. @type {Codec<boolean>} */
export declare const bool: Codec<boolean>;
/** A floating-point number of 32 bits; numbers are rounded to 32 bits. */
export declare const f32: Codec<number>;
/** A floating-point number of 64 bits. */
export declare const f64: Codec<number>;
