/**
 * Runs an operator in an ordinary test, without WebAssembly.
 *
 * @module
 */

export { batchOf, Harness } from "./harness.js";

/** @typedef {import("./harness.js").Emitted} Emitted */
/** @typedef {import("./harness.js").HarnessOptions} HarnessOptions */
