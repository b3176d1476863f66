/**
 * Record path: output → [columns] → emissions.
 *
 * The columns of the batch that is being built. Most operators send each record on with the key,
 * the value or the timestamp that it came with. As long as row `n` of the output is equal to row
 * `n` of the input, a column only counts its rows; at the end it is the input's own column.
 *
 * @module
 */
import { Field } from "./field.js";
export type RawColumn = import("./column.js").RawColumn;
export type Record = import("./record.js").Record;
export type Emittable = string | number | bigint | Uint8Array | Field | Le64 | null;
/** @typedef {import("./column.js").RawColumn} RawColumn */
/** @typedef {import("./record.js").Record} Record */
/**
 * A value that a key or a value can be made of: text, bytes, a field as it is, integers as decimal
 * text, `le64(…)` as eight bytes, and `null` as an empty field.
 *
 * @typedef {string | number | bigint | Uint8Array | Field | Le64 | null} Emittable
 */
/** A 64-bit number as eight little-endian bytes; made by {@link le64}. */
export declare class Le64 {
    /** @internal */
    _binary: string;
}
/**
 * Makes a 64-bit number as eight little-endian bytes: half the work of decimal text, and a fixed
 * width.
 *
 * ```js
 * out.emit(record.key, le64(42));
 * out.emit(record.key, le64(1.5, "f64"));
 * ```
 *
 * @param {number | bigint} number
 * @param {"i64" | "u64" | "f64"} [type] `"i64"` by default
 * @returns {Le64}
 * @throws {RangeError} if `number` is not of the type
 */
export declare function le64(number: number | bigint, type?: "i64" | "u64" | "f64"): Le64;
/** The keys or the values of a batch. */
export declare class OutputColumn {
    mirror: Field | undefined;
    /** The number of rows equal to the input's; -1 after a row that differs. */
    mirrored: number;
    /** @type {string[]} */
    rows: string[];
    /** The rows that are text, and may have to be encoded. @type {number[]} */
    texts: number[];
    /** @param {Field | undefined} mirror the field of the input that the column may be equal to */
    constructor(mirror: Field | undefined);
    /**
     * @param {Emittable} field
     * @param {number} row the row of the input that is being processed
     */
    push(field: Emittable, row: number): void;
    /**
     * Returns the column with the rows that were pushed.
     *
     * @param {RawColumn | undefined} input the column that `mirror` reads
     * @returns {RawColumn}
     */
    finish(input: RawColumn | undefined): RawColumn;
    stopMirroring(): void;
    /** Encodes texts. Most text is ASCII, so one check covers all of it. */
    encodeTexts(): void;
}
/** The timestamps of a batch, as low and high halves. */
export declare class OutputTimes {
    record: import("./record.js").Record | undefined;
    mirrored: number;
    /** @type {number[]} */
    halves: number[];
    /** @param {Record | undefined} record the record that timestamps are inherited from */
    constructor(record: Record | undefined);
    /**
     * @param {number | null | undefined} timestamp a timestamp, null for none, or the record's own
     * @param {number} row the row of the input that is being processed
     */
    push(timestamp: number | null | undefined, row: number): void;
    /** @returns {BigInt64Array<ArrayBuffer>} */
    finish(): BigInt64Array<ArrayBuffer>;
    stopMirroring(): void;
}
