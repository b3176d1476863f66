/**
 * The part that an operator's author writes.
 *
 * @module
 */

import { unit } from "./codec/text.js";
import { Failure } from "./failure.js";
import { Typed } from "./typed.js";

/** @typedef {import("./config.js").Settings} Settings */
/** @typedef {import("./context.js").Context} Context */
/** @typedef {import("./output.js").Output} Output */
/** @typedef {import("./raw.js").OperatorModule} OperatorModule */
/** @typedef {import("./record.js").Record} Record */
/** @typedef {import("./state/items.js").Items} Items */
/** @typedef {import("./state/items.js").RestoredItems} RestoredItems */

/**
 * @template S
 * @typedef {import("./config.js").Config<S>} Config
 */

/**
 * @template T
 * @typedef {import("./codec/codec.js").Codec<T>} Codec
 */

/**
 * @template T
 * @typedef {import("./state/keyed.js").KeyedState<T>} KeyedState
 */

/**
 * @template T
 * @typedef {import("./state/keyed.js").State<T>} State
 */

/**
 * The functions of an instance of an operator. All except `onRecord` are optional.
 *
 * - `onRecord` processes one record; `state` is the state of the record's key.
 * - `onWatermark` handles a new watermark: from now on a record older than `watermark` is late.
 *   Rounded beyond 2^53. After a failure the restored instance is called with the last watermark
 *   again, before any record, so that a variable of the instance can hold the current watermark.
 *   Emit what is due in the state and take it out in the same call: the second call then finds
 *   nothing. The host still sends everything that the second call emits.
 * - `onFinish` handles the end of all inputs.
 * - `onCheckpointComplete` learns that a checkpoint is durable in every subtask of the job. A
 *   notice can be lost in a failure: the state must not depend on it.
 * - `operatorState` writes the state that belongs to no key, at each checkpoint.
 * - `restoreOperatorState` restores this subtask's share of the items of all subtasks.
 *
 * @template T
 * @typedef {object} Handlers
 * @property {(record: Record, state: State<T>, out: Output) => void} onRecord
 * @property {(watermark: number, keys: KeyedState<T>, out: Output) => void} [onWatermark]
 * @property {(keys: KeyedState<T>, out: Output) => void} [onFinish]
 * @property {(checkpoint: number) => void} [onCheckpointComplete]
 * @property {(items: Items) => void} [operatorState]
 * @property {(items: RestoredItems) => void} [restoreOperatorState]
 */

/**
 * The properties that all instances of an operator share.
 *
 * - `state` is the type of the state of each key; by default no state is kept.
 * - `stateVersion` is the version of the layout of the state and of the items; 1 by default. Raise
 *   it when one of them changes, and read the older versions in `migrate`.
 * - `config` has the settings of the operator's `config` table, each with its default.
 * - `isVacant` returns true if the state of a key is worth no more than no state. Such a key is
 *   forgotten as soon as a call leaves it so. By default no key is vacant.
 * - `migrate` reads the state of one key that another version wrote. Rejects every version by
 *   default.
 *
 * @template T
 * @template {Settings} S
 * @typedef {object} Definition
 * @property {Codec<T>} [state]
 * @property {number} [stateVersion]
 * @property {S} [config]
 * @property {(value: T) => boolean} [isVacant]
 * @property {(version: number, bytes: Uint8Array<ArrayBuffer>) => T} [migrate]
 */

/**
 * The form with `open`, which makes the handlers of one instance; the first call, once.
 *
 * @template T
 * @template {Settings} S
 * @typedef {Definition<T, S> & {
 *   open: (config: Config<S>, context: Context) => Handlers<T>,
 * }} Opening
 */

/**
 * Makes the default export of an operator's module.
 *
 * Everything that must survive a failure is in the state, or in the items of `operatorState`.
 * Variables of `open` are for values that it can recreate.
 *
 * ```js
 * import { oneOf, operator, u64 } from "@tidegate/sdk";
 *
 * export default operator({
 *   state: u64.asNumber,
 *   config: { emit: oneOf("updates", "final") },
 *   open: ({ emit }) => ({
 *     onRecord(record, count, out) {
 *       count.value += 1;
 *       if (emit === "updates") out.emit(record.key, count.value);
 *     },
 *     onFinish(keys, out) {
 *       if (emit === "updates") return;
 *       for (const [key, count] of keys) out.emit(key, count);
 *     },
 *   }),
 * });
 * ```
 *
 * An operator that needs neither its config nor variables of its own has the handlers beside the
 * rest:
 *
 * ```js
 * export default operator({
 *   state: u64.asNumber,
 *   onRecord(record, count, out) {
 *     count.value += 1;
 *     out.emit(record.key, count.value);
 *   },
 * });
 * ```
 *
 * @template [T=undefined]
 * @template {Settings} [S={}]
 * @param {Opening<T, S> | (Definition<T, S> & Handlers<T> & { open?: undefined })} definition
 * @returns {TypedModule<T>}
 * @throws {TypeError} if it has no `onRecord` or `open`, or a property that no definition has
 */
export function operator(definition) {
  check(definition);
  const { open } = definition;
  const parts = {
    state: definition.state ?? /** @type {Codec<any>} */ (unit),
    stateVersion: definition.stateVersion ?? 1,
    settings: definition.config ?? {},
    isVacant: definition.isVacant,
    migrate: definition.migrate ?? refuseMigration(definition.stateVersion ?? 1),
    /** @param {any} config @param {Context} context @returns {Handlers<T>} */
    handlers: (config, context) => (open === undefined ? definition : open(config, context)),
  };
  const openRaw = (/** @type {Context} */ context) => new Typed(parts, context);
  return Object.freeze({ openRaw });
}

/**
 * The default export of an operator's module; a harness knows the type of its state.
 *
 * @template T
 * @typedef {OperatorModule & { openRaw: (context: Context) => Typed<T> }} TypedModule
 */

const PARTS = ["state", "stateVersion", "config", "isVacant", "migrate"];

/** The names of handlers. */
const HANDLERS = [
  "onRecord",
  "onWatermark",
  "onFinish",
  "onCheckpointComplete",
  "operatorState",
  "restoreOperatorState",
];

/**
 * Rejects a misspelt handler, which would silently never be called.
 *
 * @param {object} definition
 */
function check(definition) {
  const has = (/** @type {string} */ name) => Object.hasOwn(definition, name);
  const known = has("open") ? [...PARTS, "open"] : [...PARTS, ...HANDLERS];
  const unknown = Object.keys(definition).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new TypeError(`operator: \`${unknown}\` is none of \`${known.join("`, `")}\``);
  }
  if (!has("open") && !has("onRecord")) {
    throw new TypeError("operator: it has neither `onRecord` nor `open`");
  }
}

/**
 * @param {number} current
 * @returns {(version: number) => never}
 */
function refuseMigration(current) {
  return (version) => {
    throw Failure.incompatibleState(
      `it has version ${version}, and this operator reads version ${current}`,
    );
  };
}
