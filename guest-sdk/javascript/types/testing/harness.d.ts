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
     * index of the parallel instance, from 0
     */
    subtask?: number;
    /**
     * number of parallel instances
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
     * the watermark of the restored snapshots, of several
     * subtasks the smallest: the instance receives it again, before any record, as from the host
     */
    watermark?: number | bigint;
    /**
     * the seed of hash tables; nothing that is observed may depend on it
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
 * The place where the operator runs. By default there is one subtask, one input, one output, and no
 * config.
 *
 * @typedef {object} HarnessOptions
 * @property {object} [config] the operator's `config` table
 * @property {number} [subtask] index of the parallel instance, from 0
 * @property {number} [parallelism] number of parallel instances
 * @property {number} [maxParallelism] number of key groups, 128 by default
 * @property {string[]} [inputs] names of the inputs
 * @property {string[]} [outputs] names of the output ports
 * @property {number | bigint} [watermark] the watermark of the restored snapshots, of several
 *   subtasks the smallest: the instance receives it again, before any record, as from the host
 * @property {number} [hashSeed] the seed of hash tables; nothing that is observed may depend on it
 */
/**
 * Text, or bytes.
 *
 * @typedef {string | Uint8Array} Bytes
 */
/**
 * An emitted record.
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
    /** The context in which the instance runs. @type {Context} */
    context: Context;
    /**
     * Opens an instance.
     *
     * @param {OperatorModule} module
     * @param {HarnessOptions} [options]
     * @returns {Harness}
     * @throws the operator's error
     */
    static open(module: OperatorModule, options?: HarnessOptions): Harness;
    /**
     * Opens an instance, and restores its own part of the snapshots: the chunks of the key groups
     * that it owns, and its share of the operator state.
     *
     * @param {OperatorModule} module
     * @param {readonly StateChunk[]} chunks of all subtasks
     * @param {HarnessOptions} [options]
     * @returns {Harness}
     * @throws the operator's error
     */
    static restore(module: OperatorModule, chunks: readonly StateChunk[], options?: HarnessOptions): Harness;
    /**
     * Returns true if a record with this key reaches this subtask over a `hash` edge.
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
     * @throws the operator's error; an instance that failed is not to be used again
     */
    send(key: Bytes, value: Bytes, { timestamp, input }?: {
        timestamp?: number | bigint;
        input?: number;
    }): void;
    /**
     * Hands the operator records of one batch, without timestamps, on input 0.
     *
     * @param {readonly (readonly [key: Bytes, value: Bytes])[]} records
     * @throws the operator's error; the row of an invalid record counts from the first of `records`
     */
    sendAll(records: readonly (readonly [key: Bytes, value: Bytes])[]): void;
    /**
     * Hands the operator a batch, as the host does.
     *
     * @param {number} input
     * @param {Batch} batch
     * @throws the operator's error
     */
    sendBatch(input: number, batch: Batch): void;
    /**
     * Advances event time.
     *
     * @param {number | bigint} watermark milliseconds since the Unix epoch
     * @throws the operator's error
     */
    watermark(watermark: number | bigint): void;
    /**
     * Ends all inputs.
     *
     * @throws the operator's error
     */
    finish(): void;
    /**
     * Takes a snapshot, as a checkpoint does. Equal state gives equal chunks.
     *
     * @returns {StateChunk[]}
     * @throws the operator's error
     */
    snapshot(): StateChunk[];
    /**
     * Takes a snapshot and continues with a new instance, as after a failure: the new instance is
     * restored, and receives the last watermark again, if any. Its emissions then are part of the
     * output.
     *
     * @throws the operator's error
     */
    restart(): void;
    /**
     * Notifies the operator that its last snapshot is durable everywhere.
     *
     * @throws the operator's error
     */
    checkpointComplete(): void;
    /**
     * Takes everything that was emitted since the last call.
     *
     * @returns {Emitted[]}
     */
    takeOutput(): Emitted[];
    /**
     * Takes the keys and values of `takeOutput`, as text.
     *
     * @returns {[key: string, value: string][]}
     */
    takeText(): [key: string, value: string][];
    /**
     * Takes the messages that the operator has logged since the last call.
     *
     * @returns {[Level, string][]}
     */
    takeLogs(): [Level, string][];
    /**
     * Returns the sum that the operator has added to a counter.
     *
     * @param {string} metric
     * @returns {number}
     */
    counter(metric: string): number;
    /**
     * Returns the value that the operator keeps for `key`, or undefined.
     *
     * @param {Bytes} key
     * @returns {any}
     */
    state(key: Bytes): any;
    /**
     * Returns the keys that the operator keeps state for, as text, sorted.
     *
     * @returns {string[]}
     */
    keys(): string[];
}
/**
 * Makes the batch of these records, without timestamps.
 *
 * @param {readonly (readonly [key: Bytes, value: Bytes])[]} records
 * @returns {Batch}
 */
export declare function batchOf(records: readonly (readonly [key: Bytes, value: Bytes])[]): Batch;
