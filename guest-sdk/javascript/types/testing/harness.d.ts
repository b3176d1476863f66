/**
 * Plays the host: opens an operator, hands it records, and collects what it emits.
 *
 * @module
 */
export type Context = import("../context.js").Context;
export type Level = import("../host.js").Level;
export type Batch = import("../raw.js").Batch;
export type Emission = import("../raw.js").Emission;
export type OperatorModule = import("../raw.js").OperatorModule;
export type RawOperator = import("../raw.js").RawOperator;
export type StateChunk = import("../raw.js").StateChunk;
export type HarnessOptions = {
    /**
     * the operator's `config` table
     */
    config?: object;
    /**
     * which of the parallel instances, from 0
     */
    subtask?: number;
    /**
     * how many there are
     */
    parallelism?: number;
    /**
     * number of key groups, 128 by default
     */
    maxParallelism?: number;
    /**
     * names of the inputs
     */
    inputs?: string[];
    /**
     * names of the output ports
     */
    outputs?: string[];
    /**
     * the one of the snapshots that are restored, of several
     * subtasks the smallest: the instance is told it again, before any record, as the host does
     */
    watermark?: number | bigint;
    /**
     * the seed of hash tables, on which nothing that is observed depends
     */
    hashSeed?: number;
};
export type Bytes = string | Uint8Array;
export type Emitted = {
    port: number;
    timestamp: number | undefined;
    key: Uint8Array<ArrayBuffer>;
    value: Uint8Array<ArrayBuffer>;
};
/** @typedef {import("../context.js").Context} Context */
/** @typedef {import("../host.js").Level} Level */
/** @typedef {import("../raw.js").Batch} Batch */
/** @typedef {import("../raw.js").Emission} Emission */
/** @typedef {import("../raw.js").OperatorModule} OperatorModule */
/** @typedef {import("../raw.js").RawOperator} RawOperator */
/** @typedef {import("../raw.js").StateChunk} StateChunk */
/**
 * Where the operator runs. By default there is one subtask, one input, one output, and no config.
 *
 * @typedef {object} HarnessOptions
 * @property {object} [config] the operator's `config` table
 * @property {number} [subtask] which of the parallel instances, from 0
 * @property {number} [parallelism] how many there are
 * @property {number} [maxParallelism] number of key groups, 128 by default
 * @property {string[]} [inputs] names of the inputs
 * @property {string[]} [outputs] names of the output ports
 * @property {number | bigint} [watermark] the one of the snapshots that are restored, of several
 *   subtasks the smallest: the instance is told it again, before any record, as the host does
 * @property {number} [hashSeed] the seed of hash tables, on which nothing that is observed depends
 */
/**
 * Text, or bytes.
 *
 * @typedef {string | Uint8Array} Bytes
 */
/**
 * A record that was emitted.
 *
 * @typedef {object} Emitted
 * @property {number} port
 * @property {number | undefined} timestamp
 * @property {Uint8Array<ArrayBuffer>} key
 * @property {Uint8Array<ArrayBuffer>} value
 */
/**
 * Runs an operator in an ordinary test, without WebAssembly.
 *
 * ```js
 * const count = Harness.open(operator);
 * count.sendAll([["a", ""], ["b", ""], ["a", ""]]);
 * assert.deepEqual(count.takeText(), [["a", "1"], ["b", "1"], ["a", "2"]]);
 *
 * // A failure: a new instance takes over from the snapshot.
 * const restored = Harness.restore(operator, count.snapshot());
 * ```
 */
export declare class Harness {
    #private;
    /** Where the instance runs. @type {Context} */
    context: Context;
    /**
     * Opens an instance.
     *
     * @param {OperatorModule} module
     * @param {HarnessOptions} [options]
     * @returns {Harness}
     * @throws what the operator throws
     */
    static open(module: OperatorModule, options?: HarnessOptions): Harness;
    /**
     * Opens an instance, and restores what of the snapshots is its own: chunks of the key groups that
     * it owns, and its share of the operator state.
     *
     * @param {OperatorModule} module
     * @param {readonly StateChunk[]} chunks of all subtasks
     * @param {HarnessOptions} [options]
     * @returns {Harness}
     * @throws what the operator throws
     */
    static restore(module: OperatorModule, chunks: readonly StateChunk[], options?: HarnessOptions): Harness;
    /**
     * True if a record with this key reaches this subtask over a `hash` edge.
     *
     * @param {Bytes} key
     * @returns {boolean}
     */
    owns(key: Bytes): boolean;
    /**
     * Hands the operator one record.
     *
     * @param {Bytes} key
     * @param {Bytes} value
     * @param {{ timestamp?: number | bigint, input?: number }} [options] no timestamp and input 0 by
     *   default
     * @throws what the operator throws; an instance that failed is not to be used again
     */
    send(key: Bytes, value: Bytes, { timestamp, input }?: {
        timestamp?: number | bigint;
        input?: number;
    }): void;
    /**
     * Hands the operator records of one batch, without timestamps, on input 0.
     *
     * @param {readonly (readonly [key: Bytes, value: Bytes])[]} records
     * @throws what the operator throws; the row of an invalid record counts from the first of these
     */
    sendAll(records: readonly (readonly [key: Bytes, value: Bytes])[]): void;
    /**
     * Hands the operator a batch, as the host does.
     *
     * @param {number} input
     * @param {Batch} batch
     * @throws what the operator throws
     */
    sendBatch(input: number, batch: Batch): void;
    /**
     * Advances event time.
     *
     * @param {number | bigint} watermark milliseconds since the Unix epoch
     * @throws what the operator throws
     */
    watermark(watermark: number | bigint): void;
    /**
     * Ends all inputs.
     *
     * @throws what the operator throws
     */
    finish(): void;
    /**
     * Takes a snapshot, as a checkpoint does. Equal state gives equal chunks.
     *
     * @returns {StateChunk[]}
     * @throws what the operator throws
     */
    snapshot(): StateChunk[];
    /**
     * Takes a snapshot and goes on with a new instance, as after a failure: it is restored, and told
     * the watermark again if there was one. What it emits then is part of the output.
     *
     * @throws what the operator throws
     */
    restart(): void;
    /**
     * Tells the operator that its last snapshot is durable everywhere.
     *
     * @throws what the operator throws
     */
    checkpointComplete(): void;
    /**
     * Everything that was emitted since the last call of this.
     *
     * @returns {Emitted[]}
     */
    takeOutput(): Emitted[];
    /**
     * The keys and values of `takeOutput`, as text.
     *
     * @returns {[key: string, value: string][]}
     */
    takeText(): [key: string, value: string][];
    /**
     * What the operator has logged since the last call of this.
     *
     * @returns {[Level, string][]}
     */
    takeLogs(): [Level, string][];
    /**
     * What the operator has added to a counter.
     *
     * @param {string} metric
     * @returns {number}
     */
    counter(metric: string): number;
    /**
     * What the operator remembers for `key`, or nothing.
     *
     * @param {Bytes} key
     * @returns {any}
     */
    state(key: Bytes): any;
    /**
     * The keys that the operator keeps state for, as text, sorted.
     *
     * @returns {string[]}
     */
    keys(): string[];
}
/**
 * The batch of these records, without timestamps.
 *
 * @param {readonly (readonly [key: Bytes, value: Bytes])[]} records
 * @returns {Batch}
 */
export declare function batchOf(records: readonly (readonly [key: Bytes, value: Bytes])[]): Batch;
