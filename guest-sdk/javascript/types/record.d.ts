/**
 * Record path: batch in → [record] → `onRecord` → output.
 *
 * @module
 */
import { Failure } from "./failure.js";
import { Field } from "./field.js";
/**
 * One record of the stream, read in place.
 *
 * The same object is used for all records: it is valid until `onRecord` returns. Keep what you read
 * from it.
 */
export declare class Record {
    /** The key; empty for a record without one. @type {Field} */
    key: Field;
    /** The value. @type {Field} */
    value: Field;
    /** Index of the input of the record, for an operator with several. @type {number} */
    input: number;
    /**
     * The row of the batch that the record is in. Batches are cut anywhere: it says nothing about
     * the stream, and is only good for a failure.
     *
     * @type {number}
     */
    row: number;
    /** Low and high half of each timestamp. @internal @type {Int32Array} */
    _times: Int32Array;
    /**
     * Event time in milliseconds since the Unix epoch, if the record has a timestamp. Exact within
     * 2^53 of the epoch, and rounded beyond; what is emitted inherits the timestamp exactly.
     *
     * @returns {number | undefined}
     */
    get timestamp(): number | undefined;
    /**
     * The failure that says that this record can't be processed, and why; throw it.
     *
     * ```js
     * if (record.value.length === 0) throw record.invalid("an empty value");
     * ```
     *
     * @param {string} reason why, for the user
     * @returns {Failure}
     */
    invalid(reason: string): Failure;
}
/** The high half of "no timestamp", -2^63. */
export declare const NO_TIMESTAMP_HIGH = -2147483648;
/**
 * @param {number} low the low 32 bits, of either sign
 * @param {number} high the high 32 bits, signed
 * @returns {number | undefined}
 */
export declare function timestampOf(low: number, high: number): number | undefined;
