/**
 * Runs an operator in an ordinary test, without WebAssembly.
 *
 * @module
 */
export { batchOf, Harness } from "./harness.js";
export type Emitted = import("./harness.js").Emitted;
export type HarnessOptions = import("./harness.js").HarnessOptions;
/** @typedef {import("./harness.js").Emitted} Emitted */
/** @typedef {import("./harness.js").HarnessOptions} HarnessOptions */
