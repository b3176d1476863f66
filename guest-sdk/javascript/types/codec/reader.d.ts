/**
 * Reads encoded values from a binary string. Trusts no length: whatever the bytes are, the reader
 * ends, and reserves no more than the bytes could hold.
 *
 * @module
 */
/** The error that bytes are no value of a type. */
export declare class Malformed extends Error {
}
/** Reads `binary` from `at` up to `end`. */
export declare class Reader {
    binary: string;
    at: number;
    end: number;
    /**
     * @param {string} binary
     * @param {number} [at]
     * @param {number} [end]
     */
    constructor(binary: string, at?: number, end?: number);
    /** The number of bytes left. @returns {number} */
    get left(): number;
    /** @returns {number} */
    byte(): number;
    /**
     * @param {number} length
     * @returns {string} a binary string
     */
    take(length: number): string;
    /**
     * Reads a varint below 2^`bits`, for up to 32 bits.
     *
     * @param {16 | 32} bits
     * @returns {number}
     */
    varint(bits: 16 | 32): number;
    /**
     * Reads a varint below 2^64.
     *
     * @returns {bigint}
     */
    varint64(): bigint;
    /**
     * Reads the length of a value that takes at least `size` bytes for each unit.
     *
     * @param {number} size
     * @returns {number}
     */
    length(size: number): number;
}
