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
 * The same object is used for all records: it is valid until `onRecord` returns. Keep the results
 * of your readings, not the record.
 */
export declare class Record {
    /** The key; empty for a record without a key. @type {Field} */
    key: Field;
    /** The value. @type {Field} */
    value: Field;
    /** Index of the input of the record, for an operator with several inputs. @type {number} */
    input: number;
    /**
     * The row of the record in its batch. Batches are cut anywhere: a row means nothing in the
     * stream, and serves only for a failure.
     *
     * @type {number}
     */
    row: number;
    /** The low and the high half of each timestamp. @internal @type {Int32Array} */
    _times: Int32Array;
    /**
     * Event time in milliseconds since the Unix epoch, if the record has a timestamp. Exact within
     * 2^53 of the epoch, and rounded beyond; emitted records inherit the timestamp exactly.
     *
     * @returns {number | undefined}
     */
    get timestamp(): number | undefined;
    /**
     * Makes the failure that rejects this record for a reason; throw it.
     *
     * ```js
     * if (record.value.length === 0) throw record.invalid("an empty value");
     * ```
     *
     * @param {string} reason the reason, for the user
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
