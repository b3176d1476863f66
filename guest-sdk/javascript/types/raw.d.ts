/**
 * The lower level: the columnar batch in, emissions and state chunks out.
 *
 * Use it for an operator that works on whole columns, or that lays out its state itself.
 *
 * @module
 */
export type RawColumn = import("./column.js").RawColumn;
export type Context = import("./context.js").Context;
export type Batch = {
    /**
     * milliseconds since the Unix epoch, or
     * `NO_TIMESTAMP`
     */
    timestamps: BigInt64Array<ArrayBuffer>;
    /**
     * the keys; empty for a record without a key
     */
    keys: RawColumn;
    /**
     * the values
     */
    values: RawColumn;
};
export type Emission = {
    /**
     * index into `context.outputs`
     */
    port: number;
    /**
     * in the order in which they are sent
     */
    records: Batch;
};
export type StateChunk = {
    /**
     * the author's name for this state
     */
    name: string;
    /**
     * version of the layout of `bytes`, chosen by the author
     */
    schemaVersion: number;
    /**
     * the key group that all keys of the chunk have in common; null
     * for operator state
     */
    keyGroup: number | null;
    /**
     * the state itself
     */
    bytes: Uint8Array<ArrayBuffer>;
};
export type RawOperator = {
    /**
     * processes one batch, all from
     * one input
     */
    process: (input: number, records: Batch) => Emission[];
    /**
     * an older record is late from now
     * on; a restored instance is called with the last watermark again, before any record, and the
     * output of that call is sent too
     */
    advanceWatermark?: (watermark: bigint) => Emission[];
    /**
     * returns the state in canonical order
     */
    snapshot: (checkpoint: number) => StateChunk[];
    /**
     * restores the chunks that `snapshot` returned;
     * at most once, before any record
     */
    restore: (chunks: StateChunk[]) => void;
    /**
     * the checkpoint is durable
     * everywhere
     */
    checkpointComplete?: (checkpoint: number) => void;
    /**
     * all inputs have ended
     */
    finish?: () => Emission[];
};
export type OperatorModule = {
    /**
     * the first call to an instance, once
     */
    openRaw: (context: Context) => RawOperator;
};
/** @typedef {import("./column.js").RawColumn} RawColumn */
/** @typedef {import("./context.js").Context} Context */
/**
 * Records in arrival order. All three columns have the same number of rows.
 *
 * @typedef {object} Batch
 * @property {BigInt64Array<ArrayBuffer>} timestamps milliseconds since the Unix epoch, or
 *   `NO_TIMESTAMP`
 * @property {RawColumn} keys the keys; empty for a record without a key
 * @property {RawColumn} values the values
 */
/**
 * Records that an operator sends out of one of its output ports. Port 0 is the main output.
 *
 * @typedef {object} Emission
 * @property {number} port index into `context.outputs`
 * @property {Batch} records in the order in which they are sent
 */
/**
 * One piece of an operator's state in a checkpoint.
 *
 * @typedef {object} StateChunk
 * @property {string} name the author's name for this state
 * @property {number} schemaVersion version of the layout of `bytes`, chosen by the author
 * @property {number | null} keyGroup the key group that all keys of the chunk have in common; null
 *   for operator state
 * @property {Uint8Array<ArrayBuffer>} bytes the state itself
 */
/**
 * An operator as the host sees it. `wit/operator.wit` defines its calls and their order. Throw a
 * `Failure` for a failure of that contract; any other error is a trap.
 *
 * @typedef {object} RawOperator
 * @property {(input: number, records: Batch) => Emission[]} process processes one batch, all from
 *   one input
 * @property {(watermark: bigint) => Emission[]} [advanceWatermark] an older record is late from now
 *   on; a restored instance is called with the last watermark again, before any record, and the
 *   output of that call is sent too
 * @property {(checkpoint: number) => StateChunk[]} snapshot returns the state in canonical order
 * @property {(chunks: StateChunk[]) => void} restore restores the chunks that `snapshot` returned;
 *   at most once, before any record
 * @property {(checkpoint: number) => void} [checkpointComplete] the checkpoint is durable
 *   everywhere
 * @property {() => Emission[]} [finish] all inputs have ended
 */
/**
 * An operator that can be exported: a module's default export.
 *
 * @typedef {object} OperatorModule
 * @property {(context: Context) => RawOperator} openRaw the first call to an instance, once
 */
/** The raw timestamp of a record without a timestamp. */
export declare const NO_TIMESTAMP = -9223372036854775808n;
/**
 * Makes the default export of an operator's module from an operator at the raw level.
 *
 * ```js
 * export default rawOperator(() => ({
 *   process: (_input, records) => [{ port: 0, records }],
 *   snapshot: () => [],
 *   restore: () => {},
 * }));
 * ```
 *
 * @param {(context: Context) => RawOperator} open the first call to an instance, once
 * @returns {OperatorModule}
 */
export declare function rawOperator(open: (context: Context) => RawOperator): OperatorModule;
