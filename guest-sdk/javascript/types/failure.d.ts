/**
 * The reasons why a call into an operator fails.
 *
 * @module
 */
/**
 * The reason why a call into an operator failed; throw it. The job's reaction depends on `kind`.
 *
 * - `"invalid-record"`: one record can't be processed. The job fails, or sends the record to its
 *   dead-letter output. Made by `record.invalid` and by the readings of a {@link Field}.
 * - `"incompatible-state"`: restored state can't be read. The job does not start.
 * - `"other"`: the attempt ends, and the job restarts from its last checkpoint.
 *
 * Any other error that an operator throws is a fault of the operator: the SDK logs its type,
 * message and stack, and the instance traps.
 *
 * ```js
 * throw new Failure("no rates loaded");
 * ```
 */
export declare class Failure extends Error {
    /** @type {"invalid-record" | "incompatible-state" | "other"} */
    kind: "invalid-record" | "incompatible-state" | "other";
    /** The row of the batch, for an invalid record. @type {number} */
    row: number;
    /**
     * Makes a failure of kind `"other"`.
     *
     * @param {string} reason the reason, for the user
     */
    constructor(reason: string);
    /**
     * Makes the failure of one record that can't be processed.
     *
     * @param {number} row its row in the batch
     * @param {string} reason the reason, for the user
     * @returns {Failure}
     */
    static invalidRecord(row: number, reason: string): Failure;
    /**
     * Makes the failure to read restored state.
     *
     * @param {string} reason the reason, for the user
     * @returns {Failure}
     */
    static incompatibleState(reason: string): Failure;
}
