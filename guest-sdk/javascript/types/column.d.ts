/**
 * A column of byte strings, with its bytes as a binary string.
 *
 * @module
 */
export type RawColumn = {
    /**
     * one more than there are rows, starting at 0
     */
    offsets: Uint32Array<ArrayBuffer>;
    /**
     * the bytes of all rows
     */
    data: Uint8Array<ArrayBuffer>;
};
/**
 * A column as it crosses the boundary: row `i` is `data[offsets[i]]` up to `data[offsets[i + 1]]`.
 *
 * @typedef {object} RawColumn
 * @property {Uint32Array<ArrayBuffer>} offsets one more than there are rows, starting at 0
 * @property {Uint8Array<ArrayBuffer>} data the bytes of all rows
 */
/** The rows of a column, one after the other. */
export declare class Column {
    #private;
    /** All rows, as one binary string. */
    binary: string;
    /**
     * @param {string} binary
     * @param {Uint8Array<ArrayBuffer>} [data] the same as bytes, if they are there already
     */
    constructor(binary: string, data?: Uint8Array<ArrayBuffer>);
    /**
     * @param {Uint8Array<ArrayBuffer>} data
     * @returns {Column}
     */
    static ofBytes(data: Uint8Array<ArrayBuffer>): Column;
    /**
     * Returns all rows, as bytes.
     *
     * @returns {Uint8Array<ArrayBuffer>}
     */
    data(): Uint8Array<ArrayBuffer>;
    /**
     * Returns true if all rows are ASCII; checked once, and only if a caller asks.
     *
     * @returns {boolean}
     */
    isAscii(): boolean;
}
/**
 * Makes the column with these rows.
 *
 * @param {readonly string[]} rows binary strings
 * @returns {RawColumn}
 */
export declare function columnOf(rows: readonly string[]): RawColumn;
