/**
 * Record path: host → batch → [typed] → `onRecord` → output → host.
 *
 * Makes a raw operator of an author's: reads the columns row by row, finds the state of each
 * record's key once, and writes and reads the state at checkpoints. Invariant: the state holds a
 * key only if a record of it was processed and its state is not vacant.
 *
 * @module
 */
import { Output } from "./output.js";
import { Record } from "./record.js";
import { KeyedState } from "./state/keyed.js";
export type Context = import("./context.js").Context;
export type Field = import("./field.js").Field;
export type Batch = import("./raw.js").Batch;
export type Emission = import("./raw.js").Emission;
export type StateChunk = import("./raw.js").StateChunk;
export type Codec<T> = import("./codec/codec.js").Codec<T>;
export type Handlers<T> = import("./operator.js").Handlers<T>;
export type Parts<T> = {
    state: Codec<T>;
    stateVersion: number;
    settings: import("./config.js").Settings;
    isVacant: ((value: T) => boolean) | undefined;
    migrate: (version: number, bytes: Uint8Array<ArrayBuffer>) => T;
    handlers: (config: any, context: Context) => Handlers<T>;
};
/** @typedef {import("./context.js").Context} Context */
/** @typedef {import("./field.js").Field} Field */
/** @typedef {import("./raw.js").Batch} Batch */
/** @typedef {import("./raw.js").Emission} Emission */
/** @typedef {import("./raw.js").StateChunk} StateChunk */
/**
 * @template T
 * @typedef {import("./codec/codec.js").Codec<T>} Codec
 */
/**
 * @template T
 * @typedef {import("./operator.js").Handlers<T>} Handlers
 */
/**
 * @template T
 * @typedef {object} Parts
 * @property {Codec<T>} state
 * @property {number} stateVersion
 * @property {import("./config.js").Settings} settings
 * @property {((value: T) => boolean) | undefined} isVacant
 * @property {(version: number, bytes: Uint8Array<ArrayBuffer>) => T} migrate
 * @property {(config: any, context: Context) => Handlers<T>} handlers
 */
/**
 * An operator as a raw operator.
 *
 * @template T
 */
export declare class Typed<T> {
    _parts: Parts<T>;
    _handlers: Handlers<T>;
    /** @type {KeyedState<T>} */
    _keys: KeyedState<T>;
    _record: Record;
    _out: Output;
    _keepsState: boolean;
    /** @param {Batch} batch */
    _processKeyed(batch: Batch): void;
    /** @param {Batch} batch */
    _processStateless(batch: Batch): void;
}
