/**
 * An operator's `config` table: its settings, and their defaults.
 *
 * @module
 */

import { Failure } from "./failure.js";

/**
 * A setting that is one of several texts; the first is the default.
 *
 * @template {string} T
 */
export class Choice {
  /**
   * @internal
   * @param {readonly T[]} choices
   */
  constructor(choices) {
    /** @internal */
    this._choices = choices;
  }
}

/**
 * Makes a setting that is one of these texts; the first is the default.
 *
 * @template {string} T
 * @param {T} first
 * @param {T[]} others
 * @returns {Choice<T>}
 */
export function oneOf(first, ...others) {
  return new Choice([first, ...others]);
}

/**
 * A required setting.
 *
 * @template {string | number | boolean | any[] | object} T
 */
export class Required {
  /**
   * @internal
   * @param {T} example
   */
  constructor(example) {
    /** @internal */
    this._example = example;
  }
}

/**
 * Makes a required setting, of the type of the example.
 *
 * ```js
 * config: { column: required(""), limit: 10 }
 * ```
 *
 * @template {string | number | boolean | any[] | object} T
 * @param {T} example
 * @returns {Required<T>}
 */
export function required(example) {
  return new Required(example);
}

/**
 * The settings of an operator, each with its default, which is also its type. A setting with an
 * unknown name or of another type is rejected. The entries of an array, and of an object that has
 * no fields, are not checked.
 *
 * @typedef {{ [name: string]: unknown }} Settings
 */

/**
 * The configuration that `open` receives.
 *
 * @template S
 * @typedef {S extends Choice<infer T> ? T : S extends Required<infer T> ? T
 *   : S extends string ? string : S extends number ? number : S extends boolean ? boolean
 *   : S extends readonly any[] ? any[] : { -readonly [N in keyof S]: Config<S[N]> }} Config
 */

/**
 * Reads the `config` table.
 *
 * @template {Settings} S
 * @param {string} json
 * @param {S} settings
 * @returns {Config<S>}
 * @throws {Failure} if the table does not fit the settings
 */
export function readConfig(json, settings) {
  try {
    const table = JSON.parse(json.trim() === "" ? "{}" : json);
    return /** @type {Config<S>} */ (readTable(table ?? {}, settings));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure(`the operator's config: ${reason}`);
  }
}

/**
 * @param {unknown} given
 * @param {Settings} settings
 * @returns {Settings}
 */
function readTable(given, settings) {
  if (typeOf(given) !== "map") throw wrongType(given, "a map");
  const table = /** @type {Settings} */ (given);
  const names = Object.keys(settings);
  for (const name of Object.keys(table)) {
    if (!names.includes(name)) {
      throw new Error(`unknown field \`${name}\`, ${expected(names, "there are no fields")}`);
    }
  }
  return Object.fromEntries(names.map((name) => [name, readSetting(table[name], settings, name)]));
}

/**
 * @param {unknown} given
 * @param {Settings} settings
 * @param {string} name
 * @returns {unknown}
 */
function readSetting(given, settings, name) {
  const setting = settings[name];
  if (setting instanceof Choice) return readChoice(given, setting, name);
  if (setting instanceof Required) {
    if (given === undefined) throw new Error(`missing field \`${name}\``);
    return ofType(given, setting._example, name);
  }
  return given === undefined ? structuredCopy(setting) : ofType(given, setting, name);
}

/**
 * @param {unknown} given
 * @param {unknown} setting
 * @param {string} name
 * @returns {unknown}
 */
function ofType(given, setting, name) {
  const type = typeOf(setting);
  if (type === "map" && typeOf(given) === "map" && Object.keys(Object(setting)).length > 0) {
    return readTable(given, /** @type {Settings} */ (setting));
  }
  if (typeOf(given) !== type) throw wrongType(given, `${EXPECTED[type] ?? type}`, name);
  return given;
}

/**
 * @template {string} T
 * @param {unknown} given
 * @param {Choice<T>} choice
 * @param {string} name
 * @returns {T}
 */
function readChoice(given, choice, name) {
  if (given === undefined) return choice._choices[0];
  if (typeof given !== "string") throw wrongType(given, "a string", name);
  const found = choice._choices.find((one) => one === given);
  if (found !== undefined) return found;
  throw new Error(`unknown variant \`${given}\`, ${expected(choice._choices, "there are none")}`);
}

/** @type {{ [type: string]: string }} */
const EXPECTED = {
  string: "a string",
  number: "a number",
  boolean: "a boolean",
  sequence: "a sequence",
  map: "a map",
};

/**
 * @param {unknown} value
 * @returns {string}
 */
function typeOf(value) {
  if (value === null) return "null";
  if (Array.isArray(value)) return "sequence";
  return typeof value === "object" ? "map" : typeof value;
}

/**
 * @param {unknown} given
 * @param {string} wanted
 * @param {string} [name]
 * @returns {Error}
 */
function wrongType(given, wanted, name) {
  const of = name === undefined ? "" : ` of \`${name}\``;
  const shown = typeOf(given) === "map" || Array.isArray(given) ? "" : ` \`${given}\``;
  return new Error(`invalid type${of}: ${typeOf(given)}${shown}, expected ${wanted}`);
}

/**
 * Lists the expected names, as serde does.
 *
 * @param {readonly string[]} names
 * @param {string} none
 * @returns {string}
 */
function expected(names, none) {
  const quoted = names.map((name) => `\`${name}\``);
  if (quoted.length === 0) return none;
  if (quoted.length === 1) return `expected ${quoted[0]}`;
  if (quoted.length === 2) return `expected ${quoted[0]} or ${quoted[1]}`;
  return `expected one of ${quoted.join(", ")}`;
}

/**
 * Copies a default, so that each instance has its own.
 *
 * @param {unknown} setting
 * @returns {unknown}
 */
function structuredCopy(setting) {
  if (typeOf(setting) === "map") return readTable({}, /** @type {Settings} */ (setting));
  return Array.isArray(setting) ? setting.map(structuredCopy) : setting;
}
