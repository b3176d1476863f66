/**
 * Makes the exports of a component from a raw operator. `tidegate build` writes a module that calls
 * {@link exportOperator}; an author's code does not.
 *
 * Lists of numbers cross the boundary as bytes: the engine would handle them one number at a time.
 *
 * @module
 */
export type RawColumn = import("./column.js").RawColumn;
export type Context = import("./context.js").Context;
export type Level = import("./host.js").Level;
export type Batch = import("./raw.js").Batch;
export type Emission = import("./raw.js").Emission;
export type OperatorModule = import("./raw.js").OperatorModule;
export type RawOperator = import("./raw.js").RawOperator;
export type StateChunk = import("./raw.js").StateChunk;
export type Bytes = Uint8Array<ArrayBuffer>;
export type WireColumn = {
    offsets: Bytes;
    data: Bytes;
};
export type WireBatch = {
    timestamps: Bytes;
    keys: WireColumn;
    values: WireColumn;
};
export type WireEmission = {
    port: number;
    records: WireBatch;
};
export type WireHost = {
    log: (level: Level, message: string) => void;
    count: (metric: string, delta: number) => void;
    keyGroups: (keys: WireColumn) => Bytes;
    hashKeys: (seed: number, keys: WireColumn) => Bytes;
};
/**
 * Returns the exports of a component whose operator is `module`.
 *
 * @param {OperatorModule} module
 * @param {WireHost} host
 */
export declare function exportOperator(module: OperatorModule, host: WireHost): {
    /** @param {Context} context */
    open: (context: Context) => void;
    /** @param {number} input @param {WireBatch} records */
    process: (input: number, records: WireBatch) => WireEmission[];
    /** @param {number} low @param {number} high */
    advanceWatermark: (low: number, high: number) => WireEmission[];
    /** @param {number} checkpoint */
    snapshot: (checkpoint: number) => {
        name: string;
        schemaVersion: number;
        keyGroup: number | null;
        bytes: Uint8Array<ArrayBuffer>;
    }[];
    /** @param {StateChunk[]} chunks */
    restore: (chunks: StateChunk[]) => void;
    /** @param {number} checkpoint */
    checkpointComplete: (checkpoint: number) => void | undefined;
    finish: () => WireEmission[];
};
