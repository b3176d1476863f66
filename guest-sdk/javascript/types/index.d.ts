/**
 * Write Tidegate operators in JavaScript or TypeScript.
 *
 * An operator defines its behaviour for each record, and its state for each key. It is compiled to
 * a sandboxed WebAssembly component, and its state is exactly-once: the host snapshots and restores
 * it, and the author writes no code for that. {@link operator} has an example.
 *
 * @module
 */
export { Codec, withDefault } from "./codec/codec.js";
export { list, map, option, struct, tuple } from "./codec/composite.js";
export { bool, f32, f64, i8, i16, i32, i64, u8, u16, u32, u64 } from "./codec/numbers.js";
export { bytes, string, unit } from "./codec/text.js";
export { oneOf, required } from "./config.js";
export { owns } from "./context.js";
export { Failure } from "./failure.js";
export { Field } from "./field.js";
export { count, log } from "./host.js";
export { operator } from "./operator.js";
export { Output } from "./output.js";
export { Le64, le64 } from "./output-column.js";
export { Record } from "./record.js";
export { Items, RestoredItems, readState, unknownVersion, writeState } from "./state/items.js";
export { KeyedState, State } from "./state/keyed.js";
export type Settings = import("./config.js").Settings;
export type Context = import("./context.js").Context;
export type IntegerType = import("./decimal.js").IntegerType;
export type Level = import("./host.js").Level;
export type Emittable = import("./output-column.js").Emittable;
export type Key = import("./state/keyed.js").Key;
export type Handlers<T> = import("./operator.js").Handlers<T>;
/** @typedef {import("./config.js").Settings} Settings */
/** @typedef {import("./context.js").Context} Context */
/** @typedef {import("./decimal.js").IntegerType} IntegerType */
/** @typedef {import("./host.js").Level} Level */
/** @typedef {import("./output-column.js").Emittable} Emittable */
/** @typedef {import("./state/keyed.js").Key} Key */
/**
 * @template T
 * @typedef {import("./operator.js").Handlers<T>} Handlers
 */
